/** Looks for what was seen in recordings, and says what of it can be watched. */
import type { SeenHit, SeenQuery } from '../store/index.js';
import type { RecordingArchive, TimeRange } from './recorded.js';

/** A thumbnail shows the last keyframe: half of how far they are apart. */
const THUMBNAIL_LAG_MS = 1000;

/** Something that was found. */
export interface FoundObject extends SeenHit {
  /** From when it can be watched, Unix milliseconds: the crossing, or the first that is recorded of it; undefined: nothing is. */
  readonly watchMs: number | undefined;
  /** The moment whose thumbnail shows it best. */
  readonly bestMs: number;
}

/** What a search needs. */
export interface SeenSearchDeps {
  /** What can be watched. */
  readonly archive: Pick<RecordingArchive, 'ranges'>;
  /** @throws MediaPeerError STORE_FAILED */
  readonly find: (query: SeenQuery) => Promise<SeenHit[]>;
}

/** In the order that was asked for. @throws MediaPeerError STORE_FAILED */
export async function searchSeen({ archive, find }: SeenSearchDeps, query: SeenQuery): Promise<FoundObject[]> {
  const hits = await find(query);
  const bySource = new Map<string, readonly TimeRange[]>();
  for (const sourceId of new Set(hits.map(({ object }) => object.sourceId))) {
    const spans = hits.filter(({ object }) => object.sourceId === sourceId).map(spanOf);
    const within = { fromMs: Math.min(...spans.map(({ fromMs }) => fromMs)), toMs: Math.max(...spans.map(({ toMs }) => toMs)) + 1 };
    bySource.set(sourceId, await archive.ranges(sourceId, within));
  }
  return hits.map((hit) => foundIn(hit, bySource.get(hit.object.sourceId) ?? []));
}

/** From when to when it shows what was looked for. */
function spanOf({ object, found, atMs }: SeenHit): TimeRange {
  if (!found) return { fromMs: object.firstMs, toMs: object.lastMs };
  return { fromMs: atMs, toMs: found.direction === undefined ? (found.leftMs ?? object.lastMs) : atMs };
}

function foundIn(hit: SeenHit, ranges: readonly TimeRange[]): FoundObject {
  const { fromMs, toMs } = spanOf(hit);
  const range = ranges.find((each) => each.fromMs <= toMs && each.toMs > fromMs);
  const watchMs = range && Math.max(fromMs, range.fromMs);
  const { object, found } = hit;
  const bestMs = found ? fromMs : object.bestMs;
  const lastMs = Math.min(found && found.direction === undefined ? toMs : object.lastMs, range ? range.toMs - 1 : Infinity);
  return { ...hit, watchMs, bestMs: Math.max(watchMs ?? 0, Math.min(bestMs + THUMBNAIL_LAG_MS, lastMs)) };
}
