/** What of what was found can be watched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { searchSeen } from '../../src/recording/index.js';
import type { SeenHit, SeenVisit } from '../../src/store/index.js';

const T = 1_796_061_600_000;

/** From when it can be watched and of when its thumbnail is, in seconds from T. @param recorded from when to when there is something */
async function shown(
  hit: Partial<SeenHit['object']> & { found?: Partial<SeenVisit> },
  ...recorded: (readonly [number, number])[]
): Promise<unknown[]> {
  const { found, ...more } = hit;
  const object = {
    id: 1,
    sourceId: 'gate',
    objectId: 1,
    label: 'car',
    firstMs: T,
    lastMs: T + 60_000,
    score: 1,
    bestMs: T + 30_000,
    ...more,
  };
  const visit = found && { place: 'A', direction: undefined, atMs: T, leftMs: undefined, ...found };
  const ranges = recorded.map(([from, to]) => ({ fromMs: T + from * 1000, toMs: T + to * 1000 }));
  const find = (): Promise<SeenHit[]> => Promise.resolve([{ atMs: visit?.atMs ?? object.firstMs, id: 1, visit: 0, object, found: visit }]);
  const query = { sourceIds: ['gate'], within: [], isDescending: true, limit: 1 };
  const [first] = await searchSeen({ archive: { ranges: () => Promise.resolve(ranges) }, find }, query);
  return [first?.watchMs === undefined ? undefined : (first.watchMs - T) / 1000, ((first?.bestMs ?? 0) - T) / 1000];
}

describe('what was found', () => {
  it('is watched from its beginning, and shown when it was seen best', async () => {
    assert.deepEqual(await shown({}, [-10, 100]), [0, 31]);
    assert.deepEqual(await shown({ lastMs: T + 400, bestMs: T + 100 }, [-10, 100]), [0, 0.4]);
  });

  it('is watched from the first that is recorded of it', async () => {
    assert.deepEqual(await shown({}, [-100, -50], [20, 100]), [20, 31]);
    assert.deepEqual(await shown({}, [40, 100]), [40, 40]);
    assert.deepEqual((await shown({}, [-100, -50], [61, 100]))[0], undefined);
    assert.deepEqual((await shown({}))[0], undefined);
  });

  it('is a crossing only where that very moment is recorded, and a stay where any of it is', async () => {
    const crossing = { found: { direction: 'in', atMs: T + 10_000 } } as const;
    assert.deepEqual(await shown(crossing, [0, 20]), [10, 11]);
    assert.deepEqual((await shown(crossing, [11, 20]))[0], undefined);
    const stay = { found: { atMs: T + 10_000, leftMs: T + 12_000 } };
    assert.deepEqual(await shown(stay, [11, 20]), [11, 11]);
    assert.deepEqual((await shown(stay, [13, 20]))[0], undefined);
  });
});
