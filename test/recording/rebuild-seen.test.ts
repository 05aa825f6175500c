/** What was seen is found out anew where the index knows nothing of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { rebuildSeen, SeenObjects, type RecordedSegment, type TimeRange } from '../../src/recording/index.js';
import type { SeenEntry } from '../../src/store/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { MemoryArchive } from './archive-rig.js';
import { eventOf, lookOf, objectOf } from './seen-rig.js';

const T = 1_796_061_600_000;
const segment = (id: number, run: number, more: Partial<RecordedSegment> = {}): RecordedSegment => ({
  ...{ id, run, sourceId: 'gate', fromMs: T + 60_000 * id, toMs: T + 60_000 * (id + 1), file: `/nowhere/${id}.mp4`, bytes: 1 },
  ...{ format: { video: undefined, hasSound: false }, isTranscoded: false, isOpen: false },
  ...more,
});

/** @returns first, last and visits of each object, in seconds from T */
async function rebuilt(segments: readonly RecordedSegment[], known: readonly number[] = []): Promise<unknown[]> {
  const archive = new MemoryArchive(segments.map((each) => ({ segment: each, frames: [] })));
  for (let s = 0; s < 240; s++)
    archive.looks.push({
      wallMs: T + 1000 * s,
      detections: lookOf([objectOf(1)], s === 70 ? [eventOf('cross', 'A', 1, { direction: 'in' })] : []),
    });
  const kept: SeenEntry[] = [];
  const clock = new FakeClock(T + 3_600_000);
  const seen = new SeenObjects({ keep: (entry) => kept.push(entry), lastId: 0, maxAgeMs: Infinity, clock });
  const isKnown = (_source: string, { fromMs }: TimeRange): Promise<boolean> => Promise.resolve(known.includes((fromMs - T) / 60_000));
  await rebuildSeen({ archive, seen, isKnown, clock, logger: silentLogger, signal: new AbortController().signal }, T + 3_600_000);
  assert.equal(clock.pendingTimers, 0);
  const rows = new Map(kept.flatMap((entry) => (entry.kind === 'seen-object' ? [[entry.object.id, entry.object] as const] : [])));
  return [...rows.values()].map(({ firstMs, lastMs, visits }) => [(firstMs - T) / 1000, (lastMs - T) / 1000, visits.length]);
}

describe('what was seen, read anew', () => {
  it('is one row for who is there in several segments of a run, and another one for another run', async () => {
    assert.deepEqual(await rebuilt([segment(0, 1), segment(1, 1), segment(2, 2)]), [
      [0, 119, 1],
      [120, 179, 0],
    ]);
  });

  it('leaves alone what is known, and what is still being written', async () => {
    assert.deepEqual(await rebuilt([segment(0, 1), segment(1, 1), segment(2, 1), segment(3, 1, { isOpen: true })], [1]), [
      [0, 59, 0],
      [120, 179, 0],
    ]);
  });
});
