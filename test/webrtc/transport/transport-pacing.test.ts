import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pacer } from '../../../src/webrtc/transport/pacer.js';
import type { ProbeDemand } from '../../../src/webrtc/congestion/index.js';
import type { PacedStream } from '../../../src/webrtc/transport/packet-transport.js';
import { TransportCongestion } from '../../../src/webrtc/transport/transport-congestion.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const PACKET_BYTES = 1000;

/** Sends packets of 1000 bytes, numbered, and notes what left when. */
class Stream implements PacedStream {
  repairs = 0;
  frames = 0;

  constructor(
    readonly name: string,
    readonly rig: PacingRig,
  ) {
    rig.congestion.pacing.add(this);
  }

  get waitingBytes(): number {
    return (this.repairs + this.frames) * PACKET_BYTES;
  }

  sendRepairs(maxBytes: number): number {
    const packets = Math.min(this.repairs, Math.ceil(maxBytes / PACKET_BYTES));
    this.repairs -= packets;
    return this.rig.send(`${this.name} repair`, packets);
  }

  sendFrames(maxBytes: number): number {
    const packets = Math.min(this.frames, Math.ceil(maxBytes / PACKET_BYTES));
    this.frames -= packets;
    return this.rig.send(`${this.name} frame`, packets);
  }

  dropRepairs(): void {
    this.repairs = 0;
  }

  sendProbe({ bytes }: ProbeDemand): number {
    return this.rig.send(`${this.name} probe`, Math.ceil(bytes / PACKET_BYTES));
  }
}

class PacingRig {
  readonly clock = new FakeClock();
  readonly congestion = new TransportCongestion(new Pacer(this.clock), () => this.clock.now());
  readonly sent: { readonly what: string; readonly atMs: number; readonly number: number }[] = [];

  send(what: string, packets: number): number {
    for (let i = 0; i < packets; i++) {
      const header = Buffer.alloc(24);
      this.congestion.leave([{ header, payload: Buffer.alloc(PACKET_BYTES - 24), index: 0, places: { sequenceAt: 17, sendTimeAt: 0 } }]);
      this.sent.push({ what, atMs: this.clock.now(), number: header.readUInt16BE(17) });
    }
    return packets * PACKET_BYTES;
  }

  /** Tells that everything up to now arrived, after so long. */
  acknowledge(delayMs: (sent: { readonly atMs: number }) => number): void {
    const packets = this.sent.splice(0);
    const [first] = packets;
    if (first) {
      const offsetsMs = packets.map((packet) => packet.atMs + delayMs(packet));
      this.congestion.receiveArrivals({ firstNumber: first.number, referenceMs: 0, offsetsMs });
    }
  }
}

test('on a near path nothing waits, and there is no timer', () => {
  const rig = new PacingRig();
  rig.congestion.setPath(1);
  assert.equal(rig.congestion.pacing.isPaced, false);
  assert.equal(rig.clock.pendingTimers, 0);
  rig.send('frame', 20);
  rig.acknowledge(() => 1);
  assert.equal(rig.congestion.pacing.isPaced, false);
  assert.equal(rig.clock.pendingTimers, 0);
});

test('on a near path that is checked there is no timer any more once the receiver acknowledges packets', async () => {
  const clock = new FakeClock();
  const congestion = new TransportCongestion(
    new Pacer(clock),
    () => clock.now(),
    () => ({ checkPath: () => undefined }),
  );
  congestion.setPath(1);
  assert.equal(clock.pendingTimers, 1, 'until then the path may have to be asked');
  congestion.leave([{ header: Buffer.alloc(24), payload: Buffer.alloc(900), index: 0, places: { sequenceAt: 17, sendTimeAt: 0 } }]);
  await clock.advance(200);
  assert.equal(clock.pendingTimers, 0);
  congestion.close();
});

test('on a far path packets leave at the pace, repairs before frames, streams in turns', async () => {
  const rig = new PacingRig();
  rig.congestion.setPath(40);
  const [a, b] = [new Stream('a', rig), new Stream('b', rig)];
  const bps = rig.congestion.controller.pacingBps ?? 0;
  assert.ok(bps > 0);
  a.frames = 100;
  b.frames = 50;
  b.repairs = 3;
  rig.congestion.pacing.wake();
  await rig.clock.advance(100);
  const bytes = rig.sent.length * PACKET_BYTES;
  const expected = (bps * 100) / 8000;
  assert.ok(bytes >= expected * 0.9 && bytes <= expected * 1.1 + 10_000, `${bytes} of ${expected}`);
  assert.deepEqual(
    rig.sent.slice(0, 3).map(({ what }) => what),
    Array<string>(3).fill('b repair'),
  );
  const framesOf = (name: string): number => rig.sent.filter(({ what }) => what === `${name} frame`).length;
  assert.ok(Math.abs(framesOf('a') - framesOf('b')) <= 6, `${framesOf('a')} and ${framesOf('b')}`);
  await rig.clock.advance(2000);
  assert.equal(rig.sent.length, 153);
  rig.congestion.close();
  assert.equal(rig.clock.pendingTimers, 0);
});

test('repairs take half of the estimate at most, however many are asked for, and frames the rest', async () => {
  const rig = new PacingRig();
  rig.congestion.setPath(40);
  const video = new Stream('video', rig);
  const { estimateBps = 0 } = rig.congestion.controller;
  video.repairs = 80;
  for (let i = 0; i < 50; i++) {
    video.frames += 1;
    rig.congestion.pacing.wake();
    await rig.clock.advance(20);
  }
  const repairs = rig.sent.filter(({ what }) => what === 'video repair').length;
  const halfOfIt = (0.5 * estimateBps) / 8 / PACKET_BYTES;
  assert.ok(repairs > 0.8 * halfOfIt && repairs < 1.1 * halfOfIt + 3, `${repairs} of ${halfOfIt}`);
  assert.ok(rig.sent.length - repairs >= 49, 'no frame waits for them');
  rig.congestion.close();
});

test('sound is counted and never waits: what it takes is missing for video', async () => {
  const rig = new PacingRig();
  rig.congestion.setPath(40);
  const video = new Stream('video', rig);
  const bps = rig.congestion.controller.pacingBps ?? 0;
  for (let i = 0; i < 50; i++) {
    video.frames = 15;
    rig.congestion.pacing.wake();
    rig.send('sound', 1);
    await rig.clock.advance(20);
  }
  const bytes = rig.sent.length * PACKET_BYTES;
  assert.equal(rig.sent.filter(({ what }) => what === 'sound').length, 50);
  assert.ok(bytes <= (bps * 1000) / 8000 + 12_000, `${bytes}`);
  rig.congestion.close();
});

test('while video is held nothing of it leaves, and repairs that wait are given up', async () => {
  const rig = new PacingRig();
  rig.congestion.setPath(40);
  const video = new Stream('video', rig);
  let queueMs = 0;
  // The queue grows until congestion is certain.
  for (let i = 0; i < 40 && !rig.congestion.controller.isVideoHeld; i++) {
    video.frames += 4;
    rig.congestion.pacing.wake();
    await rig.clock.advance(50);
    queueMs += 25;
    rig.acknowledge(() => 20 + queueMs);
  }
  assert.equal(rig.congestion.controller.isVideoHeld, true);
  rig.sent.length = 0;
  video.frames = 50;
  video.repairs = 3;
  rig.congestion.pacing.wake();
  rig.send('sound', 1);
  await rig.clock.advance(5);
  assert.deepEqual(
    rig.sent.map(({ what }) => what),
    ['sound'],
  );
  assert.equal(video.repairs, 0);
  await rig.clock.advance(4000);
  assert.equal(rig.congestion.controller.isVideoHeld, false, 'the hold ends by itself');
  assert.equal(video.frames, 0);
  rig.congestion.close();
});

test('a probe is sent after everything else, and never while something waits', async () => {
  const rig = new PacingRig();
  rig.congestion.setPath(40);
  const video = new Stream('video', rig);
  for (let i = 0; i < 20; i++) {
    video.frames += 1;
    rig.congestion.pacing.wake();
    await rig.clock.advance(50);
    rig.acknowledge(() => 20);
  }
  const { controller } = rig.congestion;
  assert.ok(controller.hasFeedback);
  controller.want(3_000_000);
  video.frames = 100;
  rig.congestion.pacing.wake();
  assert.equal(controller.isProbing, false);
  for (let i = 0; i < 100 && video.frames > 0; i++) {
    await rig.clock.advance(50);
    assert.ok(video.frames === 0 || rig.sent.every(({ what }) => what !== 'video probe'));
    rig.acknowledge(() => 20);
  }
  const found: number[] = [];
  for (let i = 0; i < 60; i++) {
    rig.congestion.pacing.wake();
    await rig.clock.advance(50);
    if (rig.sent.some(({ what }) => what === 'video probe')) found.push(i);
    rig.acknowledge(() => 20);
  }
  assert.ok(found.length > 0, 'probes were sent');
  assert.ok(controller.foundBps >= 0.9 * 3_000_000, `${controller.foundBps}`);
  rig.congestion.close();
});

test('sound that has no number is not counted where other packets have one: nobody acknowledges it', async () => {
  const rig = new PacingRig();
  rig.congestion.setPath(40);
  rig.send('video', 1);
  rig.acknowledge(() => 20);
  for (let i = 0; i < 400; i++) {
    rig.congestion.leave([{ header: Buffer.alloc(12), payload: Buffer.alloc(80), index: i, places: undefined }]);
    rig.congestion.pacing.wake();
    await rig.clock.advance(20);
  }
  assert.equal(rig.congestion.controller.state, 'clear', 'no silence of the receiver');
  rig.congestion.close();
});

test('listeners are told after feedback, and at least each 100 ms while the path is paced', async () => {
  const rig = new PacingRig();
  const told: number[] = [];
  const stop = rig.congestion.onUpdated((nowMs) => told.push(nowMs));
  rig.congestion.setPath(40);
  await rig.clock.advance(1000);
  const gaps = told.slice(1).map((atMs, i) => atMs - (told[i] ?? 0));
  assert.ok(told.length >= 10 && Math.max(...gaps) <= 100, `${told.length} times, ${Math.max(...gaps)} ms`);
  const before = told.length;
  rig.congestion.receiveReport({ fractionLost: 0, roundTripMs: 40, jitterMs: 1 });
  assert.equal(told.length, before + 1);
  stop();
  await rig.clock.advance(200);
  assert.equal(told.length, before + 1);
  rig.congestion.close();
});
