/** A viewer whose network changes: what it is sent follows what a controller says, which a test plays here. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { Rendition, Rung } from '../../../src/media/index.js';
import type { Congestion, PacketTransport, RtpPacket } from '../../../src/webrtc/transport/packet-transport.js';
import { Viewer } from '../../../src/webrtc/session/viewer.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { FakeGateway } from '../fake-gateway.js';
import { offer, planOf } from '../offers.js';

const BYTES: Readonly<Record<string, number>> = { source: 3000, '360p': 700, '180p': 200 };

const rung = (name: string, [widthPx, heightPx]: readonly [number, number], bitrateBps: number, more: Partial<Rung> = {}): Rung => ({
  name,
  widthPx,
  heightPx,
  bitrateBps,
  isRunning: false,
  isAvailable: true,
  makesKeyframes: true,
  ...more,
});
const SOURCE = rung('source', [1280, 720], 2_500_000, { isRunning: true, makesKeyframes: false });
const LOW = rung('360p', [640, 360], 550_000);
const LOWEST = rung('180p', [320, 180], 180_000);

/** What a controller tells; a test sets it. */
class FakeNetwork implements Congestion {
  state = 'clear';
  cause = undefined;
  overuses = 0;
  isVideoHeld = false;
  estimateBps: number | undefined;
  acknowledgedBps = 0;
  queueMs = 0;
  pacingBps: number | undefined;
  hasFeedback = true;
  hasReports = false;
  foundBps = 0;
  isProbing = false;
  receiverBps = undefined;
  readonly #listeners = new Set<(nowMs: number) => void>();

  get controller(): Congestion['controller'] {
    return this as unknown as Congestion['controller'];
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onUpdated(listener: (nowMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  want(): void {
    return;
  }

  receiveArrivals(): void {
    return;
  }

  receiveEstimate(): void {
    return;
  }

  receiveReport(): void {
    return;
  }

  tell(now: Partial<FakeNetwork>, nowMs: number): void {
    Object.assign(this, now);
    for (const listener of this.#listeners) listener(nowMs);
  }
}

class Watched {
  readonly clock: FakeClock;
  readonly network = new FakeNetwork();
  readonly gateway: FakeGateway;
  readonly #beside: Watched | undefined;
  readonly packets: RtpPacket[] = [];
  readonly changes: Readonly<Record<string, unknown>>[] = [];
  readonly requests: string[] = [];
  failure: unknown;
  viewer!: Viewer;
  #timeMs = 0;
  #ssrcs: readonly (number | undefined)[] = [];

  /** @param beside another viewer of the same source, which alone writes to it */
  constructor(ladder: readonly Rung[] = [SOURCE, LOW, LOWEST], beside?: Watched) {
    this.#beside = beside;
    this.clock = beside?.clock ?? new FakeClock();
    if (beside) {
      this.gateway = beside.gateway;
      return;
    }
    this.gateway = new FakeGateway({
      clock: this.clock,
      hasAudio: true,
      onKeyframeRequest: (name) => {
        this.requests.push(name);
        return name !== 'source';
      },
    });
    this.gateway.ladder = ladder;
    this.gateway.timeline.anchor(0, this.clock.wallClock());
  }

  async join(renditions: readonly Rendition[] = ['raw'], network: Partial<FakeNetwork> = {}, keyframeBytes = 3000): Promise<void> {
    Object.assign(this.network, network);
    const transport: PacketTransport = {
      pendingBytes: 0,
      congestion: this.network,
      sendRtp: (packets) => void this.packets.push(...packets.map((packet) => ({ ...packet, header: Buffer.from(packet.header) }))),
      repeatRtp: () => undefined,
      sendRtcp: () => undefined,
    };
    const source = await this.gateway.open('street');
    const plan = planOf(offer('chromium'), source.media, renditions);
    this.viewer = new Viewer(
      { sources: { sourceId: 'street', own: source, named: new Map(), tiles: undefined }, plan, gateway: this.gateway, clock: this.clock },
      {
        clientId: 'viewer',
        logger: silentLogger,
        transport: () => transport,
        close: () => undefined,
        fail: (error) => (this.failure = error),
        sourceChanging: () => undefined,
        sourceChanged: () => undefined,
        qualityChanged: (facts) => void this.changes.push({ ...facts }),
        restartIce: () => false,
        step: () => undefined,
      },
    );
    this.#ssrcs = plan.mLines.flatMap(({ use }, i) => (use === 'video' ? [this.viewer.localStreams[i]?.ssrc] : []));
    this.viewer.open();
    await this.clock.advance(0);
    if (!this.#beside) {
      for (const rendition of renditions) this.gateway.writeH264(rendition, ++this.#timeMs, { keyframe: true, bytes: keyframeBytes });
      this.write(5);
    }
    this.viewer.connected();
    await this.clock.advance(0);
  }

  async tell(now: Partial<FakeNetwork>): Promise<void> {
    this.network.tell(now, this.clock.now());
    await this.clock.advance(50);
  }

  write(frames: number, keyframesOf: readonly string[] = []): void {
    for (let i = 0; i < frames; i++) {
      this.#timeMs += 33;
      for (const [name, bytes] of Object.entries(BYTES))
        for (const rendition of ['raw', 'processed'] as const)
          this.gateway.writeH264(rendition, this.#timeMs, { rung: name, bytes, keyframe: i === 0 && keyframesOf.includes(name) });
    }
  }

  /** Rungs of the frames that have left since the last call, by their size; the numbers of their packets go on without a gap. */
  sent(at = 0): string[] {
    const ssrc = this.#ssrcs[at];
    const own = this.packets.filter(({ header }) => header.readUInt32BE(8) === ssrc);
    for (const [i, { header }] of own.entries()) {
      const before = own[i - 1]?.header;
      if (!before) continue;
      assert.equal(header.readUInt16BE(2), (before.readUInt16BE(2) + 1) % 65_536, 'numbers go on');
      assert.ok(((header.readUInt32BE(4) - before.readUInt32BE(4)) | 0) >= 0, 'time does not step back');
    }
    const bytes = new Map<number, number>();
    for (const { header, payload } of own.splice(this.#seen.get(at) ?? 0))
      bytes.set(header.readUInt32BE(4), (bytes.get(header.readUInt32BE(4)) ?? 0) + payload.length);
    this.#seen.set(at, this.packets.filter(({ header }) => header.readUInt32BE(8) === ssrc).length);
    return [...bytes.values()].map((size) => Object.keys(BYTES).findLast((name) => size <= (BYTES[name] ?? 0) * 1.2 + 30) ?? '?');
  }
  readonly #seen = new Map<number, number>();

  get quality(): unknown {
    return this.viewer.snapshot().quality?.quality;
  }

  close(): void {
    this.viewer.close('viewer-left');
    assert.deepEqual([this.network.listeners, this.failure], [0, undefined]);
    if (this.#beside) return;
    assert.deepEqual([this.gateway.leases, this.gateway.subscriptions, this.clock.pendingTimers], [0, 0, 0]);
  }
}

const SLOW = { pacingBps: 2_500_000, estimateBps: 1_000_000 };

describe('a viewer whose network is known', () => {
  let watched: Watched;

  beforeEach(() => {
    watched = new Watched();
  });

  it('has the whole picture at once where it is near, whatever the lower qualities are', async () => {
    await watched.join();
    assert.equal(watched.sent().length, 6, 'the open group, at once');
    assert.deepEqual([watched.quality, watched.gateway.leases], ['source', 2]);
    await watched.tell({ estimateBps: 3_000_000, acknowledgedBps: 2_500_000 });
    watched.write(3);
    assert.deepEqual(watched.sent(), ['source', 'source', 'source']);
    watched.close();
  });

  it('begins with what a slow one carries, with a keyframe that is asked for, and gets nothing larger before', async () => {
    await watched.join(['raw'], SLOW);
    watched.write(3);
    assert.ok(watched.requests.includes('360p'));
    watched.write(3, ['360p']);
    assert.deepEqual(watched.sent(), ['360p', '360p', '360p']);
    assert.deepEqual([watched.quality, watched.gateway.leases], ['360p', 2]);
    watched.close();
  });

  it('gets the whole group where nothing lower is to be had and the network carries it in half a second, else the next keyframe', async () => {
    for (const [bytes, expected] of [
      [3000, 6],
      [90_000, 0],
    ] as const) {
      const alone = new Watched([{ ...SOURCE, bitrateBps: 800_000 }]);
      await alone.join(['raw'], SLOW, bytes);
      assert.equal(alone.sent().length, expected);
      alone.write(2, ['source']);
      assert.deepEqual(alone.sent(), ['source', 'source']);
      alone.close();
    }
  });

  it('gets nothing while its network drains, then a smaller picture from a keyframe on, and keeps its sound', async () => {
    await watched.join();
    watched.sent();
    await watched.tell({ ...SLOW, state: 'congested', overuses: 1, isVideoHeld: true, queueMs: 120 });
    assert.equal(watched.gateway.leases, 3, 'the smaller one is there already');
    watched.write(5, ['360p']);
    assert.deepEqual(watched.sent(), []);
    await watched.tell({ isVideoHeld: false, queueMs: 40 });
    assert.deepEqual(watched.sent().slice(0, 1), ['360p'], 'what has just begun is sent');
    watched.write(2);
    assert.deepEqual(watched.sent(), ['360p', '360p']);
    assert.deepEqual([watched.quality, watched.gateway.leases], ['360p', 2]);
    assert.deepEqual(watched.changes, [{ rendition: 'raw', from: 'source', to: '360p', reason: 'congestion' }]);
    watched.close();
  });

  it('is sent nothing of what was too much, also where no queue is seen', async () => {
    await watched.join();
    watched.sent();
    await watched.tell({ ...SLOW, state: 'congested', overuses: 1 });
    watched.write(3);
    assert.deepEqual(watched.sent(), []);
    watched.write(2, ['360p']);
    assert.deepEqual(watched.sent(), ['360p', '360p']);
    watched.close();
  });

  it('has the smaller picture made ready while a queue builds, and given back when it does not', async () => {
    await watched.join();
    watched.sent();
    await watched.tell({ ...SLOW, state: 'warning', acknowledgedBps: 1_000_000 });
    assert.deepEqual([watched.gateway.leases, watched.gateway.subscriptions], [3, 2]);
    watched.write(2);
    assert.deepEqual(watched.sent(), ['source', 'source']);
    await watched.tell({ state: 'clear' });
    assert.equal(watched.gateway.leases, 2);
    watched.close();
  });

  it('gets keyframes alone, then sound alone, below the smallest picture, and no request for a keyframe changes that', async () => {
    await watched.join();
    watched.sent();
    await watched.tell({ ...SLOW, estimateBps: 110_000, state: 'congested', overuses: 1 });
    watched.write(4, ['180p']);
    watched.write(4, ['180p']);
    assert.deepEqual([watched.quality, watched.sent()], ['keyframes', ['180p', '180p']]);
    watched.requests.length = 0;
    await watched.tell({ estimateBps: 20_000, overuses: 2 });
    watched.write(4, ['180p']);
    assert.deepEqual([watched.quality, watched.sent(), watched.requests], ['sound', [], []]);
    assert.deepEqual(
      watched.changes.map(({ to }) => to),
      ['180p', 'keyframes', 'sound'].slice(-watched.changes.length),
    );
    watched.close();
  });

  it('gets the next lower quality where one is refused', async () => {
    watched.gateway.refusals.set('360p', new MediaPeerError('CAPACITY_REACHED', 'no core is free'));
    await watched.join();
    await watched.tell({ ...SLOW, state: 'congested', overuses: 1 });
    watched.sent();
    watched.write(2, ['180p']);
    assert.deepEqual(watched.sent(), ['180p', '180p']);
    assert.equal(watched.quality, '180p');
    watched.close();
  });

  it('has the frames that it has alone, at their times, whatever the networks of others on its source carry', async () => {
    const run = async (estimates: readonly number[]): Promise<{ steps: number[]; sent: string[]; others: string[] }> => {
      const good = new Watched();
      await good.join();
      const others: Watched[] = [];
      for (const estimateBps of estimates) {
        const other = new Watched(undefined, good);
        await other.join();
        others.push(other);
        await other.tell({ ...SLOW, estimateBps, state: 'congested', overuses: 1, isVideoHeld: true });
        await other.tell({ isVideoHeld: false });
      }
      for (let i = 0; i < 5; i++) good.write(10, ['360p', '180p']);
      const stamps = [...new Set(good.packets.map(({ header }) => header.readUInt32BE(4)))];
      const told = others.map((other) => `${String(other.quality)}: ${other.sent().at(-1)}`);
      const steps = stamps.slice(1).map((stamp, i) => (stamp - (stamps[i] ?? 0)) | 0);
      const sent = good.sent();
      for (const each of [...others, good]) each.close();
      return { steps, sent, others: told };
    };
    const [alone, among] = [await run([]), await run([1_000_000, 300_000, 20_000])];
    assert.deepEqual([among.sent, among.steps], [alone.sent, alone.steps]);
    assert.equal(alone.sent.length, 56);
    assert.deepEqual(among.others, ['360p: 360p', '180p: 180p', 'sound: source'], 'each its own: what is told, and the newest frame');
  });

  it('shares one network between two pictures, so that both move', async () => {
    await watched.join(['raw', 'processed'], { ...SLOW, estimateBps: 1_400_000 });
    watched.write(3, ['360p', '180p']);
    const qualities = watched.viewer.snapshot().video.map(({ quality }) => quality);
    assert.deepEqual(qualities, ['360p', '360p'].slice(0, qualities.length));
    assert.ok(watched.sent(0).length > 0);
    watched.close();
  });

  it('is shown a smaller picture where its own has no keyframe for a while, and gets back to it with the next one', async () => {
    await watched.join(['raw'], {}, 900_000);
    watched.sent();
    await watched.tell({ pacingBps: 10_000_000, estimateBps: 4_000_000, isVideoHeld: true });
    watched.write(2);
    await watched.tell({ isVideoHeld: false });
    watched.write(3, ['360p']);
    watched.write(3);
    assert.deepEqual([...new Set(watched.sent())], ['360p']);
    await watched.clock.advance(0);
    watched.write(2, ['source']);
    assert.deepEqual(watched.sent().at(-1), 'source');
    assert.equal(watched.quality, 'source');
    assert.deepEqual([watched.viewer.snapshot().quality?.switches, watched.changes], [0, []], 'a filler is no switch');
    watched.close();
  });

  it('goes up when there is room, without a gap before the keyframe of the better one', async () => {
    await watched.join(['raw'], SLOW, 600_000);
    watched.write(3, ['360p']);
    watched.sent();
    for (let i = 0; i < 100; i++) await watched.tell({ estimateBps: 8_000_000, foundBps: 8_000_000 });
    assert.equal(watched.viewer.snapshot().quality?.quality, '360p', 'until a keyframe comes');
    watched.write(3);
    assert.deepEqual(watched.sent(), ['360p', '360p', '360p']);
    watched.write(3, ['source']);
    assert.deepEqual(watched.sent(), ['source', 'source', 'source']);
    assert.deepEqual([watched.changes.at(-1)?.['to'], watched.changes.at(-1)?.['reason']], ['source', 'room']);
    watched.close();
  });
});
