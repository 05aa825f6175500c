/** Where a time lies in a recording, or why it does not. */
import type { Clock } from '../../base/clock.js';
import { outOfRange, recordingNotFound, type RecordedGroup, type RecordingArchive } from '../../recording/index.js';
import { groupAt } from './recorded-frames.js';

/** What is asked about. */
export interface Recording {
  /** What was recorded. */
  readonly archive: RecordingArchive;
  /** Whose recording it is. */
  readonly sourceId: string;
  readonly clock: Clock;
}

/** Clocks of clients may be a little ahead. */
const FUTURE_MS = 1_000;

/** The group that playing begins with. @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE */
export async function placeOf({ archive, sourceId, clock }: Recording, atMs: number): Promise<RecordedGroup> {
  const found = await groupAt(archive, sourceId, atMs);
  // What is being written has no end yet. What was recorded before the clock was set back lies in the future.
  const group = found?.segment.isOpen === true && atMs > clock.wallClock() + FUTURE_MS ? undefined : found;
  if (group && group.atMs <= atMs) return group;
  const first = await archive.groupAfter(sourceId, -1);
  if (!first) throw recordingNotFound(sourceId);
  // It lies in a gap: what comes next is shown.
  if (group && first.atMs <= atMs) return group;
  const last = await archive.groupBefore(sourceId, Number.MAX_SAFE_INTEGER);
  throw outOfRange(sourceId, { fromMs: first.atMs, toMs: last?.segment.toMs ?? first.segment.toMs }, `the time ${atMs / 1000}`);
}
