/** Looks for what was seen in recordings, and says what of it can be watched. */
import type { SeenHit, SeenQuery } from '../store/index.js';
import type { RecordingArchive, TimeRange } from './recorded.js';

/** Something that was found. */
export interface FoundObject extends SeenHit {
  /** Its beginning is recorded: it can be watched from there. */
  readonly isRecorded: boolean;
  /** The moment that shows it best, Unix milliseconds: the beginning of a stay, the crossing, or when the object was seen best. */
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
    const times = hits.filter(({ object }) => object.sourceId === sourceId).map(({ atMs }) => atMs);
    bySource.set(sourceId, await archive.ranges(sourceId, { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 }));
  }
  return hits.map((hit) => ({
    ...hit,
    isRecorded: bySource.get(hit.object.sourceId)?.some(({ fromMs, toMs }) => fromMs <= hit.atMs && hit.atMs < toMs) ?? false,
    bestMs: hit.found?.atMs ?? hit.object.bestMs,
  }));
}
