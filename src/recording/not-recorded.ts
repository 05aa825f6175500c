/** Why there is nothing of a time, in words: nothing at all, outside of what there is, or a gap. */
import { MediaPeerError } from '../base/errors.js';
import { outOfRange, recordingNotFound } from './refusals.js';
import type { RecordingArchive, TimeRange } from './recorded.js';

/** @param nowMs Unix milliseconds @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE */
export async function throwNotRecorded(archive: RecordingArchive, sourceId: string, atMs: number, nowMs: number): Promise<never> {
  const ranges = await archive.ranges(sourceId, { fromMs: 0, toMs: nowMs + 86_400_000 });
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (!first || !last) throw recordingNotFound(sourceId);
  const asked = `the time ${atMs / 1000}`;
  const before = ranges.findLast(({ toMs }) => toMs <= atMs);
  const after = ranges.find(({ fromMs }) => fromMs > atMs);
  if (before && after) throw inGap(sourceId, asked, { fromMs: before.toMs, toMs: after.fromMs });
  throw outOfRange(sourceId, { fromMs: first.fromMs, toMs: last.toMs }, asked);
}

/** RECORDING_OUT_OF_RANGE. @param asked in words: `the time 1796000000` @param gap around it */
export function inGap(sourceId: string, asked: string, gap: TimeRange): MediaPeerError {
  const [from, to] = [Math.round(gap.fromMs) / 1000, Math.round(gap.toMs) / 1000];
  return new MediaPeerError(
    'RECORDING_OUT_OF_RANGE',
    `${asked} is not recorded of '${sourceId}': there is a gap from ${from} to ${to}; ask for a time before or after it`,
    { facts: { gap: { from, to } } },
  );
}

/** RECORDING_OUT_OF_RANGE. */
export function soundAlone(sourceId: string, atMs: number): MediaPeerError {
  return new MediaPeerError(
    'RECORDING_OUT_OF_RANGE',
    `there is no picture of '${sourceId}' at ${atMs / 1000}: sound alone was recorded then`,
  );
}
