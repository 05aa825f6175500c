/** Recordings from afar. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { timelineOf, type TimelineDeps } from '../../src/recording/timeline.js';
import type { SeenAnswers, SeenDensity, SeenStep } from '../../src/store/index.js';

const T = 1_796_061_600_000;
const range = (fromS: number, toS: number) => ({ fromMs: T + fromS * 1000, toMs: T + toS * 1000 });

function depsOf(ranges: readonly ReturnType<typeof range>[], density: SeenDensity[] = [], steps: SeenStep[] = []): TimelineDeps {
  const answers = { 'seen-density': density, 'seen-steps': steps } as unknown as SeenAnswers;
  return {
    archive: { ranges: () => Promise.resolve([...ranges]), sources: () => Promise.resolve(['gate']) },
    ask: ({ kind }) => Promise.resolve(answers[kind]),
  };
}

describe('a timeline', () => {
  it('tells how much of each step is recorded, how much moved, and who was there', async () => {
    const seen = [0, 1].map((step) => ({ step, motion: 0.4, isLookedAt: true, most: { car: 2 } }));
    const deps = depsOf([range(0, 15), range(10, 45)], [{ step: 0, label: 'car', seen: 3 }], seen);
    const { steps, gaps } = await timelineOf(deps, { sourceId: 'gate', within: range(0, 60), stepMs: 30_000 });
    assert.deepEqual(steps, [
      { atMs: T, recorded: 1, motion: 0.4, objects: { car: { seen: 3, most: 2 } } },
      { atMs: T + 30_000, recorded: 0.5, motion: 0.4, objects: {} },
    ]);
    assert.deepEqual(gaps, [range(45, 60)]);
  });

  it('tells of gaps before, between and after, where ranges overlap, too', async () => {
    const deps = depsOf([range(10, 20), range(15, 30), range(40, 50)]);
    const { gaps } = await timelineOf(deps, { sourceId: 'gate', within: range(0, 60), stepMs: undefined });
    assert.deepEqual(gaps, [range(0, 10), range(30, 40), range(50, 60)]);
    assert.deepEqual((await timelineOf(depsOf([]), { sourceId: 'gate', within: range(0, 60), stepMs: undefined })).gaps, [range(0, 60)]);
  });

  it('says nothing of motion where nobody looked, and knows of one at least where the minute is not over', async () => {
    const deps = depsOf([range(0, 60)], [{ step: 0, label: 'car', seen: 3 }]);
    const { steps } = await timelineOf(deps, { sourceId: 'gate', within: range(0, 60), stepMs: 60_000 });
    assert.deepEqual(steps, [{ atMs: T, recorded: 1, motion: undefined, objects: { car: { seen: 3, most: 1 } } }]);
  });

  it('looks at what each step has once, however many there are', async () => {
    let looks = 0;
    const seen = Array.from({ length: 2000 }, (_, step): SeenStep => ({
      ...{ step, motion: 0.1, isLookedAt: true },
      get most() {
        looks++;
        return { car: 2 };
      },
    }));
    const days = range(0, 30 * 86_400);
    const density = Array.from({ length: 2000 }, (_, step) => ({ step, label: 'car', seen: 9 }));
    const stepMs = (30 * 86_400_000) / 2000;
    const { steps } = await timelineOf(depsOf([days], density, seen), { sourceId: 'gate', within: days, stepMs });
    assert.equal(steps.length, 2000);
    assert.deepEqual(steps[1999]?.objects, { car: { seen: 9, most: 2 } });
    assert.ok(looks <= 2 * steps.length, `${looks}`);
  });

  it('has steps that people count in', async () => {
    const deps = depsOf([range(0, 60)]);
    const stepS = async (seconds: number): Promise<number> =>
      (await timelineOf(deps, { sourceId: 'gate', within: range(0, seconds), stepMs: undefined })).stepMs / 1000;
    assert.deepEqual([await stepS(60), await stepS(3600), await stepS(86_400), await stepS(30 * 86_400)], [1, 15, 300, 10_800]);
  });

  it('is refused with too many steps, and where nothing is recorded', async () => {
    const request = { sourceId: 'gate', within: range(0, 86_400), stepMs: 1000 };
    await assert.rejects(timelineOf(depsOf([]), request), (error) => error instanceof MediaPeerError && error.code === 'QUERY_INVALID');
    await assert.rejects(
      timelineOf(depsOf([]), { ...request, sourceId: 'x', stepMs: 600_000 }),
      (error) => error instanceof MediaPeerError && error.code === 'RECORDING_NOT_FOUND',
    );
  });
});
