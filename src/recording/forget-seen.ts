/** What was seen in a recording goes with it, but for what is also in another one: clocks that were set back record a time twice. */
import type { Archive } from './archive.js';
import type { RecordedSegment, TimeRange } from './recorded.js';
import { without } from './stretches.js';

/** Tells which stretches of a removed segment nothing is recorded of any more. @throws MediaPeerError STORE_FAILED */
export async function goneWith(archive: Pick<Archive, 'ranges'>, { sourceId, fromMs, toMs }: RecordedSegment): Promise<TimeRange[]> {
  const left = await archive.ranges(sourceId, { fromMs, toMs });
  return left.reduce<TimeRange[]>((gone, range) => without(gone, range), [{ fromMs, toMs }]);
}
