/** What a connected peer can do to the server with SCTP: nothing, while a witness watches. */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, it, type TestContext } from 'node:test';
import { eventually, within } from '../../helpers/deadline.js';
import { seededRandom } from '../../helpers/random.js';
import { chunk, parameter, SctpAttacker, sctpPacket, words } from '../../helpers/sctp-packets.js';
import { WeriftPublisher } from '../../helpers/werift-publisher.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

/** What to repeat, and for how long: `FUZZ_SEED=7 FUZZ_ROUNDS=100000`. */
const FUZZ_SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const FUZZ_ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1500);

interface Scene {
  readonly rig: Rig;
  readonly witness: WeriftViewer;
  readonly attacker: SctpAttacker;
  /** Sends a datagram past everything that the attacker's own library does. */
  readonly sendRaw: (datagram: Buffer) => Promise<void>;
  /** Resolves once the witness has all that was written. */
  readonly watch: () => Promise<void>;
  /** Closes every session; the packets that were dropped. */
  readonly dropped: () => Promise<number>;
}

async function scene(t: TestContext, role: 'viewer' | 'publisher'): Promise<Scene> {
  const rig = new Rig();
  const witness = new WeriftViewer();
  await witness.join(rig.accept());
  const peer = role === 'viewer' ? new WeriftViewer({ dataChannel: 'commands' }) : new WeriftPublisher({ dataChannel: 'commands' });
  if (peer instanceof WeriftViewer) await peer.join(rig.accept());
  else await peer.publish((sdp) => rig.manager.publish({ sdp, door: 'whip', room: 'gate', takeover: false }));
  await eventually(() => peer.dataChannel?.readyState === 'open', 5000, 'the data channel to open');
  t.after(async () => {
    await peer.close();
    await witness.close();
    await rig.close();
  });
  let frames = 0;
  const { sctpTransport } = peer.pc;
  assert.ok(sctpTransport);
  return {
    rig,
    witness,
    attacker: new SctpAttacker(peer.dtls, sctpTransport),
    sendRaw: async (datagram) => {
      await (peer.dtls.iceTransport.connection as unknown as { send(data: Buffer): Promise<void> }).send(datagram);
      await new Promise(setImmediate);
    },
    watch: async () => {
      frames += 3;
      rig.write(3);
      await witness.until(() => witness.packets.length >= 4 + 3 * frames, 10_000, `${frames} frames at the witness`);
    },
    dropped: async () => {
      for (const { sessionId } of rig.manager.snapshot()) await rig.manager.close(sessionId, 'viewer-left');
      const line = rig.lines.find(({ message }) => message === 'the client sent malformed packets');
      return Number(line?.fields['dropped'] ?? 0);
    },
  };
}

/** Bodies that mean something to the types that have one. */
const bodies: Readonly<Record<number, Buffer>> = {
  0: Buffer.concat([words(1, 0, 51), Buffer.from('{}')]),
  1: words(9, 65_536, 0x00100010, 1),
  2: words(9, 65_536, 0x00100010, 1),
  3: words(1, 1000, 0),
  7: words(1),
  192: words(1, 1),
};

for (const role of ['viewer', 'publisher'] as const) {
  describe(`a ${role} on its data channels`, () => {
    it('cannot stop the server with any chunk whose length is a lie', { timeout: 60_000 }, async (t) => {
      const { attacker, watch, rig, dropped } = await scene(t, role);
      await watch();
      for (let type = 0; type < 256; type++) {
        const body = bodies[type] ?? parameter(1, Buffer.alloc(8));
        for (const bytes of [0, 1, 2, 3, 4, 5, body.length + 5, 0xffff]) {
          if (bytes >= 4 && (type === 6 || type === 7)) continue; // A goodbye.
          await attacker.send(chunk(type, body, bytes));
          if (bytes < 4) await attacker.sendPacket(sctpPacket(0, [chunk(type, body, bytes)]));
        }
        if (type % 64 === 0) await watch();
      }
      await watch();
      assert.equal(rig.manager.snapshot().length, 2, 'both are there');
      assert.ok((await dropped()) > 2000, 'every one of them came');
    });

    it('cannot stop the server with any parameter whose length is a lie', { timeout: 60_000 }, async (t) => {
      const { attacker, watch, rig } = await scene(t, role);
      for (const type of [1, 2, 4, 5, 6, 9, 130]) {
        const before = bodies[type] ?? Buffer.alloc(0);
        for (const known of [0, 1, 5, 7, 13, 14, 15, 16, 17, 18, 0x8008, 0xc000, 0xffff]) {
          for (const bytes of [0, 1, 2, 3, 13, 0xffff]) {
            const data = chunk(type, Buffer.concat([before, parameter(known, Buffer.alloc(8), bytes)]));
            await attacker.sendPacket(sctpPacket(type === 1 ? 0 : attacker.tag, [data]));
          }
        }
        await watch();
      }
      assert.equal(rig.manager.snapshot().length, 2, 'both are there');
    });

    it(
      'cannot make the server count: numbers that are far away, blocks that overlap, streams without end',
      { timeout: 60_000 },
      async (t) => {
        const { attacker, watch, rig } = await scene(t, role);
        const delay = monitorEventLoopDelay({ resolution: 5 });
        delay.enable();
        const everything = Buffer.concat(Array.from({ length: 4000 }, () => words(0x0001ffff)));
        for (const ahead of [0, 1, 1000, 0x7fffffff, 0x80000000, 0xffffffff]) {
          await attacker.send(chunk(3, Buffer.concat([words(attacker.receivedTsn + ahead, 0xffffffff, 4000 * 0x10000), everything])));
          await attacker.send(
            chunk(
              192,
              Buffer.concat([words(attacker.nextTsn - 1 + ahead), ...Array.from({ length: 2000 }, (_, i) => words(i * 0x10000 * 31))]),
            ),
          );
          await attacker.send(chunk(0, Buffer.concat([words(attacker.nextTsn + ahead, 9 * 0x10000, 51), Buffer.from('x')])));
          await attacker.send(chunk(130, parameter(13, Buffer.concat([words(ahead, ahead, ahead), Buffer.alloc(10_000, 7)]))));
          await attacker.send(chunk(130, Buffer.concat([parameter(17, words(ahead, 0xffff0000)), parameter(16, words(ahead, 1))])));
          await attacker.sendPacket(sctpPacket(0, [chunk(1, words(1, ahead, 0xffffffff, ahead))]));
          await watch();
        }
        delay.disable();
        assert.ok(delay.max / 1e6 < 1500, `the event loop stood still for ${delay.max / 1e6} ms`);
        assert.equal(rig.manager.snapshot().length, 2, 'both are there');
      },
    );
  });
}

/** Datagrams of each protocol that shares the socket (RFC 7983), well begun and then not. */
function fuzzedDatagram(random: () => number): Buffer {
  const below = (bound: number): number => Math.floor(random() * bound);
  const data = Buffer.from(Array.from({ length: 1 + below(400) }, () => (random() < 0.3 ? 0 : below(256))));
  const kind = below(4);
  if (kind === 0) {
    // DTLS records, none of which anything authenticates.
    data[0] = [20, 21, 22, 23, 24, 25, 26][below(7)] as number;
    if (data.length > 13) {
      data.writeUInt16BE(0xfefd, 1);
      data.writeUInt16BE(below(2), 3);
      data.writeUInt16BE(random() < 0.5 ? data.length - 13 : below(65_536), 11);
      if (data[0] === 22) data[13] = [0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 20, below(256)][below(12)] as number;
    }
  } else if (kind === 1) {
    // STUN with attributes whose lengths are anything.
    data[0] = below(2);
    if (data.length >= 24) {
      data.writeUInt16BE(random() < 0.7 ? (data.length - 20) & ~3 : below(65_536), 2);
      data.writeUInt32BE(0x2112a442, 4);
      data.writeUInt16BE([0x0006, 0x0008, 0x0009, 0x0020, 0x0025, 0x802a, 0x8028, below(65_536)][below(8)] as number, 20);
      data.writeUInt16BE(below(random() < 0.5 ? 40 : 65_536), 22);
    }
  } else {
    data[0] = 0x80 | below(64);
    if (data.length > 1) data[1] = kind === 2 ? below(256) : 192 + below(32);
  }
  return data;
}

for (const role of ['viewer', 'publisher'] as const) {
  describe(`a ${role} whose datagrams nothing authenticates (FUZZ_SEED=${FUZZ_SEED})`, () => {
    it('ends no session and stops nobody', { timeout: 60_000 + FUZZ_ROUNDS * 20 }, async (t) => {
      const { sendRaw, watch, rig } = await scene(t, role);
      const random = seededRandom(FUZZ_SEED);
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      let sent = 0;
      for (; sent < FUZZ_ROUNDS; sent++) {
        await sendRaw(fuzzedDatagram(random));
        if (sent % 100 === 0) await watch();
      }
      await watch();
      delay.disable();
      assert.equal(rig.manager.snapshot().length, 2, 'both are there');
      assert.ok(delay.max / 1e6 < 1500, `the event loop stood still for ${delay.max / 1e6} ms`);
      assert.ok(process.memoryUsage().rss - before < 150e6, `${Math.round((process.memoryUsage().rss - before) / 1e6)} MB more`);
      const newcomer = new WeriftViewer();
      await newcomer.join(rig.accept());
      await newcomer.close();
    });
  });
}

it('what is malformed is dropped and counted, and the channel goes on', { timeout: 30_000 }, async (t) => {
  const { attacker, dropped } = await scene(t, 'viewer');
  for (let i = 0; i < 20; i++) await attacker.send(chunk(4, parameter(1, Buffer.alloc(4), 0)));
  // Bad checksum, chunks nobody knows, a piece of nothing: each leaves the channel as it was.
  const spoilt = sctpPacket(attacker.tag, [chunk(0, bodies[0])]);
  spoilt.writeUInt32LE(1, 8);
  await attacker.sendPacket(spoilt);
  const channel = Object.values(
    (
      attacker.sctp as unknown as {
        dataChannels: Record<
          number,
          { send(data: string): void; onMessage: { subscribe(listener: (data: string | Buffer) => void): void } }
        >;
      }
    ).dataChannels,
  )[0];
  assert.ok(channel);
  const answered = new Promise<string>((resolve) => channel.onMessage.subscribe((data) => typeof data === 'string' && resolve(data)));
  channel.send(JSON.stringify({ cmd: 'resume' }));
  assert.match(await within(answered, 5000, 'the answer'), /"ok":true/);
  assert.ok((await dropped()) >= 20);
});
