import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LadderPlan, Rung } from '../../src/media/index.js';
import { EncodePlaces, encodeCost } from '../../src/pipeline/encode-places.js';
import { Ladders, type RunningSource } from '../../src/pipeline/ladders.js';
import type { RunningRendition, RunningRung } from '../../src/pipeline/running-rendition.js';
import type { Source } from '../../src/source/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

const KEY = { rendition: 'raw', codec: 'h264' } as const;
const plan = (...shortSides: number[]): LadderPlan => shortSides.map((shortSidePx) => ({ shortSidePx, bitrateBps: 3000 * shortSidePx }));
const UHD: Source = {
  kind: 'file',
  id: 'wall',
  name: 'wall.mp4',
  state: 'live',
  sizeBytes: 500_000_000,
  durationS: 100,
  widthPx: 3840,
  heightPx: 2160,
  fps: 30,
  videoCodec: 'h264',
  audioCodec: null,
  hasAudio: false,
  delivery: 'passthrough',
  playable: true,
  open: () => assert.fail('a ladder opens nothing'),
};

/** A source that runs in its own quality, and in lower ones. */
class FakeRunning implements RunningSource {
  ladderMark = '';
  reads = 0;
  bitrateBps = 40_000_000;
  lower: RunningRung[] = [];

  running(): RunningRendition {
    this.reads++;
    const base = { widthPx: 3840, heightPx: 2160, fps: 30, bitrateBps: this.bitrateBps };
    return { base, hasMedia: true, makesKeyframes: false, layers: [], lower: this.lower };
  }
}

function rig(init: { readonly plan: LadderPlan; readonly places?: EncodePlaces; readonly running?: FakeRunning }): {
  readonly clock: FakeClock;
  readonly ladders: Ladders;
  readonly of: () => readonly Rung[];
} {
  const clock = new FakeClock();
  const { places = new EncodePlaces(8), running } = init;
  const ladders = new Ladders({ plan: init.plan, places, clock, find: () => UHD, running: () => running });
  return { clock, ladders, of: () => ladders.of('wall', KEY) };
}

const names = (rungs: readonly Rung[]): string[] => rungs.map(({ name }) => name);
const available = (rungs: readonly Rung[]): string[] => names(rungs.filter(({ isAvailable, isRunning }) => isAvailable || isRunning));

describe('the ladder of a large source', () => {
  it('has fewer rungs to be had the more are encoded, the dear ones first, and those that run always', () => {
    const places = new EncodePlaces(8);
    const running = new FakeRunning();
    const { clock, ladders, of } = rig({ plan: plan(1440, 1080, 720, 540, 360, 180), places, running });
    assert.deepEqual(available(of()), ['source', '1440p', '1080p', '720p', '540p', '360p', '180p']);
    const started: string[] = [];
    const start = (shortSidePx: number): void => {
      const size = { widthPx: (shortSidePx * 16) / 9, heightPx: shortSidePx };
      const name = `${shortSidePx}p`;
      ladders.throwIfRefused('wall', { kind: 'video', ...KEY, rung: name });
      places.take(
        { isIdle: false, giveUp: () => assert.fail('it is watched') },
        encodeCost({ ...UHD, widthPx: 3840, heightPx: 2160, fps: 30 }, size),
      );
      running.lower.push({ name, size, bitrateBps: 3000 * shortSidePx, hasMedia: true, makesKeyframes: true });
      running.ladderMark += name;
      started.push(name);
    };
    start(1080); // 3.75 places
    assert.deepEqual(available(of()), ['source', '1080p', '720p', '540p', '360p', '180p']);
    start(720); // 2.5 more
    assert.deepEqual(available(of()), ['source', '1080p', '720p', '360p', '180p']);
    start(360); // 1.75 more: all that is left
    assert.deepEqual(available(of()), ['source', '1080p', '720p', '360p']);
    assert.deepEqual(names(of()), ['source', '1440p', '1080p', '720p', '540p', '360p', '180p']);
    for (const rung of ['1440p', '540p', '180p'])
      assert.throws(() => ladders.throwIfRefused('wall', { kind: 'video', ...KEY, rung }), { code: 'CAPACITY_REACHED' });
    for (const rung of started) ladders.throwIfRefused('wall', { kind: 'video', ...KEY, rung });
    assert.equal(clock.pendingTimers, 0);
  });

  it('offers no rung whose encoder waits for places', () => {
    const places = new EncodePlaces(2);
    const running = new FakeRunning();
    const { of } = rig({ plan: plan(720, 360), places, running });
    running.lower = [{ name: '720p', size: undefined, bitrateBps: undefined, hasMedia: false, makesKeyframes: true }];
    assert.deepEqual(available(of()), ['source', '720p', '360p'], 'there is room');
    places.take({ isIdle: false, giveUp: () => undefined }, 1);
    running.ladderMark = 'waits';
    assert.deepEqual(available(of()), ['source'], 'there is none');
  });
});

describe('the ladder of a source that runs', () => {
  it('is read once for all who ask in one moment, and again when it is another one or old', async () => {
    const running = new FakeRunning();
    const { clock, of } = rig({ plan: plan(720), running });
    const first = of();
    for (let i = 0; i < 50; i++) assert.equal(of(), first);
    assert.equal(running.reads, 1);
    running.bitrateBps = 20_000_000;
    await clock.advance(99);
    assert.equal(of()[0]?.bitrateBps, 40_000_000);
    await clock.advance(1);
    assert.equal(of()[0]?.bitrateBps, 20_000_000);
    assert.equal(running.reads, 2);
    running.lower = [{ name: '720p', size: { widthPx: 1280, heightPx: 720 }, bitrateBps: 1, hasMedia: true, makesKeyframes: true }];
    running.ladderMark = '720p+';
    assert.equal(of()[1]?.isRunning, true, 'at once');
  });

  it('is asked afresh by whoever takes a rung', () => {
    const places = new EncodePlaces(2);
    const { ladders, of } = rig({ plan: plan(360), places, running: new FakeRunning() });
    assert.deepEqual(available(of()), ['source', '360p']);
    places.take({ isIdle: false, giveUp: () => undefined }, 1);
    assert.throws(() => ladders.throwIfRefused('wall', { kind: 'video', ...KEY, rung: '360p' }), { code: 'CAPACITY_REACHED' });
  });

  it('tells renditions apart', () => {
    const { ladders } = rig({ plan: plan(720), running: new FakeRunning() });
    const keys = [KEY, { rendition: 'processed', codec: 'h264' }, { rendition: 'raw', codec: 'vp8' }] as const;
    const rungs = keys.map((key) => ladders.of('wall', key));
    assert.equal(new Set(rungs).size, 3);
    assert.deepEqual(
      keys.map((key, i) => ladders.of('wall', key) === rungs[i]),
      [true, true, true],
    );
  });
});
