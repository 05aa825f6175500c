import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDepacketizer, lengthPrefixed, type AssembledFrame } from '../../../../src/media/index.js';
import { packetize } from '../../../../src/media/packetizer.js';
import type { ReceivedPacket } from '../../../../src/webrtc/rtp/receive/rtp.js';
import { StreamReceiver } from '../../../../src/webrtc/rtp/receive/stream-receiver.js';
import { FakeClock } from '../../../helpers/fake-clock.js';
import { seededRandom } from '../../../helpers/random.js';

const sps = Buffer.from('674d401feca02802dd80880000030008000003019078c18cb0', 'hex');
const pps = Buffer.from('68ebecb22c', 'hex');

/** Frames as a publisher makes them, and the packets that carry them. */
class Publisher {
  readonly frames: { data: Buffer; keyframe: boolean }[] = [];
  readonly packets: ReceivedPacket[] = [];
  #sequenceNumber: number;

  constructor(
    readonly codec: 'h264' | 'vp8' = 'h264',
    firstSequenceNumber = 65_500,
    readonly hasMarker = true,
  ) {
    this.#sequenceNumber = firstSequenceNumber;
  }

  /** The packets of one more frame. */
  frame(keyframe: boolean, bytes = 3000): ReceivedPacket[] {
    const number = this.frames.length;
    const body = Buffer.alloc(bytes, (number & 0x7f) | 1);
    body.writeUInt32BE(number, 4);
    let data: Buffer;
    if (this.codec === 'vp8') data = Buffer.concat([keyframe ? Buffer.from('f0cd009d012a0005d002', 'hex') : Buffer.from([0x31]), body]);
    else {
      body[0] = keyframe ? 0x65 : 0x41;
      body[1] = 0x88;
      data = lengthPrefixed(keyframe ? [sps, pps, body] : [body]);
    }
    this.frames.push({ data, keyframe });
    const payloads = packetize(this.codec, data, 1000);
    const packets = payloads.map((payload, i) =>
      this.#packet(payload, (4_294_960_000 + number * 3000) >>> 0, this.hasMarker && i === payloads.length - 1),
    );
    this.packets.push(...packets);
    return packets;
  }

  /** A packet that only probes the network, with the timestamp of the newest frame. */
  padding(): ReceivedPacket {
    const packet = this.#packet(Buffer.alloc(0), this.packets.at(-1)?.timestamp ?? 0, false);
    this.packets.push(packet);
    return packet;
  }

  #packet(payload: Buffer, timestamp: number, marker: boolean): ReceivedPacket {
    return { ssrc: 1, payloadType: 96, sequenceNumber: this.#sequenceNumber++ & 0xffff, timestamp, marker, payload };
  }
}

class Receiver {
  readonly clock = new FakeClock();
  readonly delivered: AssembledFrame[] = [];
  readonly asked: number[][] = [];
  keyframesNeeded = 0;
  interruptions = 0;
  keyframesBegun = 0;
  readonly receiver: StreamReceiver;

  constructor({
    canAsk = true,
    codec = 'h264',
    onAsk = () => undefined,
  }: { canAsk?: boolean; codec?: 'h264' | 'vp8' | 'opus'; onAsk?: (sequenceNumbers: readonly number[]) => void } = {}) {
    this.receiver = new StreamReceiver({
      kind: codec === 'opus' ? 'audio' : 'video',
      clock: this.clock,
      depacketizer: createDepacketizer(codec),
      canAsk,
      roundTripMs: () => undefined,
      ask: (sequenceNumbers) => {
        this.asked.push([...sequenceNumbers]);
        onAsk(sequenceNumbers);
      },
      onFrame: (frame) => this.delivered.push(frame),
      onKeyframeNeeded: () => this.keyframesNeeded++,
      onKeyframeBegins: () => this.keyframesBegun++,
      onInterruption: () => this.interruptions++,
    });
  }

  receive(packets: readonly ReceivedPacket[]): void {
    for (const packet of packets) this.receiver.receive(packet, this.clock.now());
  }

  close(): void {
    this.receiver.close();
    assert.equal(this.clock.pendingTimers, 0);
  }
}

describe('a stream receiver', () => {
  for (const codec of ['h264', 'vp8'] as const) {
    for (const seed of [1, 2, 3, 4]) {
      it(`delivers every ${codec} frame in order and byte for byte over a network that loses, delays, reorders and doubles (seed ${seed})`, async () => {
        const random = seededRandom(seed);
        const publisher = new Publisher(codec, Math.floor(random() * 65_536));
        const roundTripMs = 5 + 40 * random();
        const loss = 0.02 + 0.13 * random();
        const sent = new Map<number, ReceivedPacket>();
        const receiver = new Receiver({ codec, onAsk: (numbers) => numbers.forEach((number) => travel(sent.get(number), true)) });
        const travel = (packet: ReceivedPacket | undefined, isRepair: boolean): void => {
          if (!packet) return;
          if (random() < loss && sent.size > 6) return;
          const times = random() < 0.03 ? 2 : 1;
          for (let i = 0; i < times; i++) {
            const delayMs = (isRepair ? roundTripMs : roundTripMs / 2) + (random() < 0.1 ? 15 * random() : 0.2 * random());
            receiver.clock.after(delayMs, () => {
              if (isRepair && seed % 2 === 0) receiver.receiver.receiveRepair(packet, receiver.clock.now());
              else receiver.receiver.receive(packet, receiver.clock.now());
            });
          }
        };
        for (let i = 0; i < 300; i++) {
          for (const packet of publisher.frame(i % 100 === 0, Math.floor(500 + 6000 * random()))) {
            sent.set(packet.sequenceNumber, packet);
            travel(packet, false);
          }
          if (random() < 0.05) {
            const padding = publisher.padding();
            sent.set(padding.sequenceNumber, padding);
            travel(padding, false);
          }
          await receiver.clock.advance(33);
        }
        await receiver.clock.advance(3000);
        const frames = receiver.delivered.map(({ data }) => data);
        // The last frames can lack a packet that nothing behind them shows as missing.
        assert.ok(frames.length >= 295, `${frames.length} frames; lost ${JSON.stringify(receiver.receiver.stats)}`);
        assert.deepEqual(
          frames,
          publisher.frames.slice(0, frames.length).map(({ data }) => data),
        );
        assert.equal(receiver.receiver.stats.packetsLost, 0);
        receiver.close();
      });
    }
  }

  it('keeps to whole frames from a keyframe on, whatever is lost for good', async () => {
    for (const seed of [11, 12, 13, 14, 15, 16]) {
      const random = seededRandom(seed);
      const publisher = new Publisher(seed % 2 === 0 ? 'vp8' : 'h264', 60_000, seed % 3 !== 0);
      const receiver = new Receiver({ codec: publisher.codec, canAsk: seed % 2 === 0 });
      for (let i = 0; i < 400; i++) {
        const packets = publisher.frame(i % 20 === 0).filter(() => random() > 0.02);
        if (random() < 0.1 && packets.length > 1) packets.reverse();
        receiver.receive(packets);
        await receiver.clock.advance(33);
      }
      await receiver.clock.advance(3000);
      const numbers = receiver.delivered.map(({ data }) => publisher.frames.findIndex((frame) => frame.data.equals(data)));
      assert.ok(
        numbers.every((number) => number >= 0),
        'byte for byte',
      );
      assert.ok(numbers.length > 100, `seed ${seed}: ${numbers.length} delivered`);
      for (const [i, number] of numbers.entries()) {
        if (number !== (numbers[i - 1] ?? -1) + 1)
          assert.ok(publisher.frames[number]?.keyframe, `seed ${seed}: frame ${number} follows ${numbers[i - 1]}`);
        assert.ok(number > (numbers[i - 1] ?? -1));
      }
      assert.ok(receiver.receiver.stats.framesLost > 0 && receiver.keyframesNeeded > 0);
      receiver.close();
    }
  });

  it('delivers nothing before the first keyframe, and asks for one', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    for (let i = 0; i < 3; i++) receiver.receive(publisher.frame(false));
    await receiver.clock.advance(150);
    assert.equal(receiver.delivered.length, 0);
    assert.equal(receiver.receiver.stats.packetsLost, 0, 'nobody knows of any');
    assert.ok(receiver.keyframesNeeded > 0);
    receiver.receive(publisher.frame(true));
    assert.equal(receiver.delivered.length, 1);
    receiver.close();
  });

  it('does not ask for packets that are only overtaken', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    receiver.receive(publisher.frame(true));
    const [first, second, third, ...others] = publisher.frame(false, 4000) as [ReceivedPacket, ReceivedPacket, ReceivedPacket];
    receiver.receive([second, third, first, ...others]);
    await receiver.clock.advance(500);
    assert.deepEqual([receiver.asked, receiver.delivered.length], [[], 2]);
    receiver.close();
  });

  it('asks again with growing waits, at most ten times, and gives up after a second', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    receiver.receive(publisher.frame(true));
    const askedAt: number[] = [];
    receiver.receive(publisher.frame(false).slice(1));
    for (let count = 0; receiver.receiver.stats.packetsLost === 0;) {
      await receiver.clock.advance(5);
      if (receiver.asked.length > count) askedAt.push(receiver.clock.now());
      count = receiver.asked.length;
      assert.ok(receiver.clock.now() < 1100);
    }
    const waits = askedAt.slice(1).map((atMs, i) => atMs - askedAt[i]!);
    assert.ok(askedAt[0]! <= 15 && askedAt.length >= 4 && askedAt.length <= 10, askedAt.join());
    for (const [i, waitMs] of waits.entries()) assert.ok(waitMs >= 100 && waitMs + 10 >= (waits[i - 1] ?? 0), waits.join());
    assert.ok(receiver.clock.now() >= 1000);
    receiver.close();
  });

  it('asks for no more than what arrives has earned, so that repairs do not fill a network that is full', async () => {
    const receiver = new Receiver();
    const publisher = new Publisher('h264');
    let arrived = 0;
    for (let i = 0; i < 900; i++) {
      // Every other packet is lost, and so is whatever is sent again.
      const packets = publisher.frame(i === 0).filter((_, at) => (i + at) % 2 === 0);
      arrived += packets.length;
      receiver.receive(packets);
      await receiver.clock.advance(33);
    }
    const asked = receiver.asked.flat().length;
    assert.ok(asked > 100 && asked <= 200 + arrived / 2, `${asked} asked for, ${arrived} came`);
    receiver.close();
  });

  it('says when a keyframe begins to come that is needed', async () => {
    const receiver = new Receiver();
    const publisher = new Publisher('h264');
    const keyframe = publisher.frame(true);
    receiver.receive(keyframe.slice(0, 1));
    assert.ok(receiver.keyframesBegun > 0);
    receiver.receive(keyframe.slice(1));
    const begun = receiver.keyframesBegun;
    receiver.receive(publisher.frame(true));
    assert.equal(receiver.keyframesBegun, begun, 'one that nobody needs');
    receiver.close();
    await receiver.clock.advance(0);
  });

  it('learns the round trip from repairs, and asks at its pace', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    receiver.receive(publisher.frame(true));
    for (let i = 0; i < 10; i++) {
      const [lost, ...others] = publisher.frame(false, 5000) as [ReceivedPacket, ...ReceivedPacket[]];
      receiver.receive(others);
      await receiver.clock.advance(20);
      receiver.receiver.receiveRepair(lost, receiver.clock.now());
    }
    assert.ok(Math.abs((receiver.receiver.roundTripMs ?? 0) - 20) < 5, `${receiver.receiver.roundTripMs}`);
    assert.equal(receiver.receiver.stats.packetsRepaired, 10);
    assert.equal(receiver.delivered.length, 11);
    receiver.close();
  });

  it('goes on at a keyframe that is there, without waiting for what was lost before it', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver({ canAsk: true });
    receiver.receive(publisher.frame(true));
    receiver.receive(publisher.frame(false).slice(1));
    await receiver.clock.advance(1100);
    const lost = receiver.receiver.stats.packetsLost;
    assert.equal(lost, 1);
    receiver.receive(publisher.frame(false).slice(1));
    receiver.receive(publisher.frame(true));
    assert.deepEqual(
      receiver.delivered.map(({ keyframe }) => keyframe),
      [true, true],
      'at once',
    );
    receiver.close();
  });

  it('begins anew behind an interruption', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    receiver.receive(publisher.frame(true));
    for (let i = 0; i < 300; i++) publisher.frame(false);
    receiver.receive(publisher.frame(false));
    assert.equal(receiver.asked.length, 0, 'nothing is asked for');
    assert.ok(receiver.keyframesNeeded > 0);
    receiver.receive(publisher.frame(true));
    assert.equal(receiver.delivered.length, 2);
    assert.ok(receiver.receiver.stats.packetsLost > 1000);
    await receiver.clock.advance(100);
    receiver.close();
  });

  it('asks for a keyframe instead of seconds of old packets when the network was away', async () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    receiver.receive(publisher.frame(true));
    for (let i = 0; i < 60; i++) publisher.frame(false);
    await receiver.clock.advance(2000);
    receiver.receive(publisher.frame(false));
    assert.deepEqual([receiver.asked.length, receiver.keyframesNeeded, receiver.interruptions], [0, 1, 1]);
    receiver.receive(publisher.frame(true));
    assert.deepEqual(
      receiver.delivered.map(({ keyframe }) => keyframe),
      [true, true],
    );
    receiver.close();
  });

  it('tells frames apart by their timestamps where a sender sets the marker in the middle of them', () => {
    const publisher = new Publisher();
    const receiver = new Receiver();
    const send = (keyframe: boolean): void =>
      receiver.receive(publisher.frame(keyframe, 5000).map((packet) => ({ ...packet, marker: true })));
    send(true);
    send(true);
    send(true);
    send(false);
    send(false);
    const delivered = receiver.delivered.map(({ data }) => data);
    assert.deepEqual(
      delivered.slice(-2),
      publisher.frames.slice(2, 4).map(({ data }) => data),
    );
    receiver.close();
  });

  it('holds a bounded number of packets behind one that is missing', async () => {
    const publisher = new Publisher('vp8');
    const receiver = new Receiver({ codec: 'vp8' });
    receiver.receive(publisher.frame(true));
    publisher.frame(false, 500);
    for (let i = 0; i < 2500; i++) receiver.receive(publisher.frame(false, 500));
    assert.equal(receiver.receiver.stats.packetsLost, 1);
    await receiver.clock.advance(2000);
    receiver.close();
  });

  it('delivers audio around a loss, in order', async () => {
    const receiver = new Receiver({ codec: 'opus', canAsk: false });
    const packet = (i: number): ReceivedPacket => ({
      ssrc: 1,
      payloadType: 111,
      sequenceNumber: (65_530 + i) & 0xffff,
      timestamp: i * 960,
      marker: i === 0,
      payload: Buffer.from([0x78, i]),
    });
    for (const i of [0, 1, 3, 2, 4, 6, 7, 8, 9, 10]) {
      receiver.receive([packet(i)]);
      await receiver.clock.advance(20);
    }
    await receiver.clock.advance(100);
    assert.deepEqual(
      receiver.delivered.map(({ data }) => data[1]),
      [0, 1, 2, 3, 4, 6, 7, 8, 9, 10],
    );
    assert.deepEqual([receiver.receiver.stats.packetsLost, receiver.keyframesNeeded], [1, 0]);
    receiver.close();
  });

  it('survives packets that make no sense', async () => {
    const random = seededRandom(41);
    for (const codec of ['h264', 'vp8', 'opus'] as const) {
      const receiver = new Receiver({ codec });
      for (let i = 0; i < 5000; i++) {
        const payload = Buffer.from(Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 256)));
        const sequenceNumber = random() < 0.1 ? Math.floor(random() * 65_536) : i & 0xffff;
        receiver.receive([
          { ssrc: 1, payloadType: 96, sequenceNumber, timestamp: Math.floor(random() * 4) * 3000, marker: random() < 0.3, payload },
        ]);
        if (i % 50 === 0) await receiver.clock.advance(30);
      }
      await receiver.clock.advance(5000);
      receiver.close();
    }
  });
});
