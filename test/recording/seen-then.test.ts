/** Where objects were in every frame of the past. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { DetectionsThen, type RecordedDetections, type RecordingArchive } from '../../src/recording/index.js';
import { lookOf, objectOf } from './seen-rig.js';

const look = (wallMs: number, x: number, velocityX = 0): RecordedDetections => ({
  wallMs,
  detections: lookOf([objectOf(1, { box: [x, 0, 10, 10], velocity: [velocityX, 0] })]),
});

/** @param looks ascending */
function thenOf(looks: readonly RecordedDetections[]): { then: DetectionsThen; read: () => number } {
  let read = 0;
  const archive: Pick<RecordingArchive, 'detections'> = {
    async *detections(_source, within) {
      for (const each of looks) {
        if (each.wallMs < within.fromMs || each.wallMs >= within.toMs) continue;
        read++;
        yield await Promise.resolve(each);
      }
    },
  };
  const then = new DetectionsThen({ archive, sourceId: 'gate', logger: silentLogger }, new AbortController().signal);
  return { then, read: () => read };
}

/** Where the object's left edge is in each of those frames. */
async function leftAt(then: DetectionsThen, ...times: readonly number[]): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (const wallMs of times) found.push((await then.at(wallMs, 1)).objects[0]?.box[0]);
  return found;
}

describe('what was seen then', () => {
  it('is where it was seen in frames that were looked at, and on its way in between', async () => {
    const { then } = thenOf([look(10_000, 100), look(10_100, 200), look(10_200, 220)]);
    assert.deepEqual(await leftAt(then, 9900, 9999.4, 10_050, 10_100.6, 10_150), [undefined, 100, 150, 200, 210]);
  });

  it('goes on for a moment after the last look, and then nobody knows', async () => {
    const { then } = thenOf([look(10_000, 100, 50)]);
    assert.deepEqual(await leftAt(then, 10_000, 10_200, 10_600), [100, 110, undefined]);
  });

  it('is not moved over a time in which nobody looked', async () => {
    const { then } = thenOf([look(10_000, 100), look(60_000, 500)]);
    assert.deepEqual(await leftAt(then, 10_000, 30_000, 60_000), [100, undefined, 500]);
  });

  it('is found wherever one begins, and read no further than it is needed', async () => {
    const looks = Array.from({ length: 1000 }, (_, i) => look(i * 100, i));
    const { then, read } = thenOf(looks);
    assert.deepEqual(await leftAt(then, 50_000), [500]);
    assert.ok(read() <= 30, `${read()} were read`);
    await then.close();
  });
});
