/**
 * Seeded faults in every protocol that a connected client speaks, while a witness watches. `FUZZ_SEED` (default 1) and
 * `FUZZ_ROUNDS` (packets a protocol, default 1500) run it differently or longer.
 */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { it } from 'node:test';
import { RtpHeader } from 'werift';
import { eventually } from '../helpers/deadline.js';
import { chunk, parameter, SctpAttacker, sctpPacket, words } from '../helpers/sctp-packets.js';
import { WeriftPublisher } from '../helpers/werift-publisher.js';
import { WeriftViewer } from '../helpers/werift-viewer.js';
import { Rig } from './rig.js';

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

function sctp(attacker: SctpAttacker, random: Random): Buffer {
  const known = [
    chunk(0, Buffer.concat([words(attacker.nextTsn + random(3), random(70_000), 51), bytes(random, 8)]), undefined, random(8)),
    chunk(1, Buffer.concat([words(1, random(70_000), 0x00100010, 1), parameter(0x8008, bytes(random, 4))])),
    chunk(3, words(attacker.receivedTsn, 1000, random(4) * 0x10000, 0x00010002)),
    chunk(4, parameter(1, bytes(random, random(40)))),
    chunk(9, parameter(random(14), bytes(random, random(20)))),
    chunk(130, parameter(13 + random(6), bytes(random, 4 * random(8)))),
    chunk(192, words(attacker.nextTsn - 1 + random(3), random(0x20000))),
    chunk(random(256), bytes(random, random(40))),
  ];
  const chunks = Array.from({ length: 1 + random(3) }, () => known[random(known.length)] ?? Buffer.alloc(4));
  const spoilt = random(3) === 0 ? chunks : chunks.map((data) => mutate(data, random));
  // A goodbye is no fault.
  return sctpPacket(attacker.tag, spoilt.map((data) => (data[0] === 6 || data[0] === 7 || data[0] === 8 || data[0] === 14 ? chunk(4) : data)));
}

const STUN = Buffer.concat([words(0x00010024, 0x2112a442, 1, 2, 3, 0x00060003), Buffer.from('a:b\0'), words(0x00240004, 1, 0x80280004, 1, 0x00080004, 1)]);
const DTLS = Buffer.concat([Buffer.from('16fefd0000000000000000002a0100001e00000000000000001efefd', 'hex'), Buffer.alloc(48, 1)]);
const RTCP = [
  Buffer.concat([words(0x81c90007, 1, 2, 0, 0, 0, 0, 0)]),
  Buffer.concat([words(0x8fcd0005, 1, 2, 0xffffffff, 0x00000001, 0x3fff3fff)]),
  Buffer.concat([words(0x81cd0003, 1, 2, 0x0001ffff)]),
  Buffer.concat([words(0x8fce0005, 1, 0), Buffer.from('REMB'), words(0xff03ffff, 2)]),
  Buffer.concat([words(0x80cf0004, 1, 0x04000002, 0, 0)]),
  Buffer.concat([words(0x9fca0003, 1, 0x01ff6162, 0)]),
];

for (const protocol of ['sctp', 'datagrams', 'rtcp', 'rtp'] as const) {
  it(`${protocol}: faulty packets of a connected client cost the others nothing`, { timeout: 20_000 + 20 * ROUNDS }, async (t) => {
    const random = seeded(SEED);
    const rig = new Rig();
    const witness = new WeriftViewer();
    const peer = protocol === 'rtp' ? new WeriftPublisher() : new WeriftViewer({ dataChannel: 'commands' });
    const late = new WeriftViewer();
    t.after(async () => {
      await Promise.all([witness.close(), peer.close(), late.close()]);
      await rig.close();
    });
    await witness.join(rig.accept());
    if (peer instanceof WeriftViewer) {
      await peer.join(rig.accept());
      await eventually(() => peer.dataChannel?.readyState === 'open', 5000, 'the data channel to open');
    } else await peer.publish((sdp) => rig.manager.publish({ sdp, door: 'whip', room: 'gate', takeover: false }));
    const { dtls } = peer;
    const { connection } = dtls.iceTransport;
    const attacker = protocol === 'sctp' && peer.pc.sctpTransport ? new SctpAttacker(dtls, peer.pc.sctpTransport) : undefined;
    const shoot: Record<typeof protocol, () => Promise<void>> = {
      sctp: async () => attacker?.sendPacket(sctp(attacker, random)),
      datagrams: () => connection.send(mutate(random(2) === 0 ? STUN : DTLS, random)),
      rtcp: async () => {
        const packet = mutate(Buffer.concat(Array.from({ length: 1 + random(3) }, () => RTCP[random(RTCP.length)] ?? Buffer.alloc(8))), random);
        if (packet.length >= 8) await connection.send(dtls.srtcp.encrypt(packet));
      },
      rtp: async () => {
        const header = new RtpHeader({ payloadType: 96 + random(8), sequenceNumber: random(65_536), timestamp: random(0x7fffffff), ssrc: random(8), marker: random(2) === 0, csrc: Array.from({ length: random(4) }, () => random(9)) });
        await connection.send(dtls.srtp.encrypt(bytes(random, random(60)), header));
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
      await witness.until(() => witness.packets.length >= 4 + 3 * frames, 10_000, `frame ${frames} at the witness (seed ${SEED}, round ${round})`);
    }
    delay.disable();
    assert.ok(delay.max / 1e6 < 1500, `the event loop stood still for ${delay.max / 1e6} ms (seed ${SEED})`);
    assert.ok(process.memoryUsage().rss - memory < 200e6 + 2000 * ROUNDS, `seed ${SEED}: memory`);
    await late.join(rig.accept());
    await late.until(() => late.packets.length > 0, 10_000, 'a new viewer to have a picture');
  });
}
