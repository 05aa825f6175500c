/** Where objects were in every frame of the past. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordedDetections } from '../../src/recording/index.js';
import { ReplayedObjects } from '../../src/recording/replayed-objects.js';
import { lookOf, objectOf } from './seen-rig.js';

async function* looks(...all: readonly RecordedDetections[]): AsyncGenerator<RecordedDetections> {
  for (const each of all) yield await Promise.resolve(each);
}
const look = (wallMs: number, x: number, velocityX = 0): RecordedDetections => ({
  wallMs,
  detections: lookOf([objectOf(1, { box: [x, 0, 10, 10], velocity: [velocityX, 0] })]),
});
async function leftAt(replayed: ReplayedObjects, wallMs: number): Promise<number | undefined> {
  return (await replayed.at(wallMs))?.objects[0]?.box[0];
}

describe('objects that are replayed', () => {
  it('are where they were seen in frames that were looked at, and on their way in between', async () => {
    const replayed = new ReplayedObjects(looks(look(1000, 100), look(1100, 200), look(1200, 220)));
    assert.deepEqual(
      [
        await leftAt(replayed, 900),
        await leftAt(replayed, 999.4),
        await leftAt(replayed, 1050),
        await leftAt(replayed, 1100.6),
        await leftAt(replayed, 1150),
      ],
      [undefined, 100, 150, 200, 210],
    );
  });

  it('go on for a moment after the last look, and then nobody knows', async () => {
    const replayed = new ReplayedObjects(looks(look(1000, 100, 50)));
    assert.deepEqual([await leftAt(replayed, 1000), await leftAt(replayed, 1200), await leftAt(replayed, 1600)], [100, 110, undefined]);
  });

  it('are not moved over a time in which nobody looked', async () => {
    const replayed = new ReplayedObjects(looks(look(1000, 100), look(60_000, 500)));
    assert.deepEqual([await leftAt(replayed, 1000), await leftAt(replayed, 30_000), await leftAt(replayed, 60_000)], [100, undefined, 500]);
  });

  it('are found wherever one begins, and read no further than they are needed', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<RecordedDetections> {
      for (let ms = 0; ms < 10_000; ms += 100) {
        read++;
        yield await Promise.resolve(look(ms, ms));
      }
    }
    const replayed = new ReplayedObjects(counted());
    assert.equal(await leftAt(replayed, 5000), 5000);
    assert.ok(read <= 52, `${read} were read`);
    await replayed.close();
    assert.equal(await leftAt(replayed, 5000), 5000);
  });
});
