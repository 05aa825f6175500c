/**
 * Seeded faults in the RTP and RTCP of an authenticated client, behind its SRTP, while a witness watches. `FUZZ_SEED` (default 1) and
 * `FUZZ_ROUNDS` (packets a protocol, default 1500) run it differently or longer.
 */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { it } from 'node:test';
import { ExtensionProfiles, RtpHeader } from 'werift';
import { words } from '../../helpers/sctp-packets.js';
import { WeriftPublisher } from '../../helpers/werift-publisher.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1500);

type Random = (below: number) => number;

function seeded(seed: number): Random {
  let state = (seed % 2_147_483_646) + 1;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** One to four faults: bytes replaced, lengths blown up, the end cut off, a part repeated. */
function mutate(packet: Buffer, random: Random): Buffer {
  let data = Buffer.from(packet);
  for (let faults = 1 + random(4); faults > 0; faults--) {
    if (data.length < 2) return data;
    const at = random(data.length - 1);
    const kind = random(4);
    if (kind === 0) data[at] = random(256);
    else if (kind === 1) data.writeUInt16BE([0, 1, 3, 4, 0x7fff, 0xffff][random(6)] ?? 0, at);
    else if (kind === 2) data = data.subarray(0, at + 1);
    else data = Buffer.concat([data, data.subarray(at)]).subarray(0, 1150);
  }
  return data;
}

const RTCP = [
  Buffer.concat([words(0x81c90007, 1, 2, 0, 0, 0, 0, 0)]),
  Buffer.concat([words(0x8fcd0005, 1, 2, 0xffffffff, 0x00000001, 0x3fff3fff)]),
  Buffer.concat([words(0x81cd0003, 1, 2, 0x0001ffff)]),
  Buffer.concat([words(0x8fce0005, 1, 0), Buffer.from('REMB'), words(0xff03ffff, 2)]),
  Buffer.concat([words(0x80cf0004, 1, 0x04000002, 0, 0)]),
  Buffer.concat([words(0x9fca0003, 1, 0x01ff6162, 0)]),
];

/** H.264 payloads (RFC 6184 §5): single units, STAP-A, FU-A, and what only begins like one. */
function h264(random: Random): Buffer {
  const head = [0x67, 0x68, 0x65, 0x41, 0x78, 0x7c, 0x7c, 0x79, random(256)][random(9)] ?? 0;
  const unit = bytes(random, 1 + random(60));
  if (head === 0x7c) return Buffer.concat([Buffer.from([head, [0x85, 0x05, 0x45, 0xc5, random(256)][random(5)] ?? 0]), unit]);
  if (head !== 0x78) return Buffer.concat([Buffer.from([head]), unit]);
  const sizes = [unit.length, 0, 1, 0xffff, unit.length + 1];
  return Buffer.concat([
    Buffer.from([head]),
    ...[0, 1].map(() => Buffer.concat([Buffer.from([0, 0].map((_, i) => ((sizes[random(5)] ?? 0) >> (8 - 8 * i)) & 0xff)), unit])),
  ]);
}

/** The client's own stream, with numbers that mostly follow each other and headers that mostly fit. */
class RtpFault {
  #sequenceNumber = 1;

  constructor(
    readonly ssrc: number,
    readonly payloadType: number,
  ) {}

  next(random: Random): { readonly header: RtpHeader; readonly payload: Buffer } {
    this.#sequenceNumber = (this.#sequenceNumber + (random(20) === 0 ? random(60) : 1)) & 0xffff;
    const hasPadding = random(6) === 0;
    const payload = h264(random);
    const header = new RtpHeader({
      payloadType: random(20) === 0 ? random(128) : this.payloadType,
      sequenceNumber: this.#sequenceNumber,
      timestamp: random(10) === 0 ? random(0x7fffffff) : this.#sequenceNumber * 90,
      ssrc: random(20) === 0 ? random(0x7fffffff) : this.ssrc,
      marker: random(3) === 0,
      padding: hasPadding,
      csrc: Array.from({ length: random(6) === 0 ? random(16) : 0 }, () => random(9)),
      extension: random(3) === 0,
      extensionProfile: random(2) === 0 ? ExtensionProfiles.OneByte : ExtensionProfiles.TwoByte,
      extensions: Array.from({ length: random(4) }, () => ({ id: 1 + random(14), payload: bytes(random, 1 + random(12)) })),
    });
    // The last byte of a padded packet is its padding's length: also 0, and more than there is.
    return { header, payload: hasPadding ? Buffer.concat([payload, Buffer.from([[0, 1, 4, 255][random(4)] ?? 0])]) : payload };
  }
}

for (const protocol of ['rtcp', 'rtp'] as const) {
  it(`${protocol}: faulty packets of a connected client cost the others nothing`, { timeout: 20_000 + 20 * ROUNDS }, async (t) => {
    const random = seeded(SEED);
    const rig = new Rig();
    const witness = new WeriftViewer();
    const peer = protocol === 'rtp' ? new WeriftPublisher() : new WeriftViewer();
    const late = new WeriftViewer();
    t.after(async () => {
      await Promise.all([witness.close(), peer.close(), late.close()]);
      await rig.close();
    });
    await witness.join(rig.accept());
    if (peer instanceof WeriftViewer) await peer.join(rig.accept());
    else await peer.publish((sdp) => rig.manager.publish({ sdp, door: 'whip', room: 'gate', takeover: false }));
    const { dtls } = peer;
    const { connection } = dtls.iceTransport;
    const [sender] = peer.pc.getSenders();
    const stream = new RtpFault(sender?.ssrc ?? 0, sender?.codec?.payloadType ?? 96);
    const shoot: Record<typeof protocol, () => Promise<void>> = {
      rtcp: async () => {
        const packet = mutate(
          Buffer.concat(Array.from({ length: 1 + random(3) }, () => RTCP[random(RTCP.length)] ?? Buffer.alloc(8))),
          random,
        );
        if (packet.length >= 8) await connection.send(dtls.srtcp.encrypt(packet));
      },
      rtp: async () => {
        const { header, payload } = stream.next(random);
        await connection.send(dtls.srtp.encrypt(payload, header));
      },
    };
    const memory = process.memoryUsage().rss;
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    let frames = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await shoot[protocol]();
      await new Promise(setImmediate);
      if (round % 100 !== 99) continue;
      frames++;
      rig.write();
      await witness.until(
        () => witness.packets.length >= 4 + 3 * frames,
        10_000,
        `frame ${frames} at the witness (seed ${SEED}, round ${round})`,
      );
    }
    delay.disable();
    assert.ok(delay.max / 1e6 < 1500, `the event loop stood still for ${delay.max / 1e6} ms (seed ${SEED})`);
    assert.ok(process.memoryUsage().rss - memory < 200e6 + 2000 * ROUNDS, `seed ${SEED}: memory`);
    await late.join(rig.accept());
    await late.until(() => late.packets.length > 0, 10_000, 'a new viewer to have a picture');
  });
}
