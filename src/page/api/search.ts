/** What was seen in recordings. */
import { queryText, type EventQuery } from './events.js';
import { getJson } from './request.js';

/** Something that was seen: an object, its stay in a zone, or its crossing of a line. */
export interface SeenResult {
  /** Of the object: the same in all its stays and crossings. */
  readonly id: string;
  /** What of it was found. */
  readonly type: 'object' | 'stay' | 'crossing';
  /** Name of the source. */
  readonly source: string;
  /** The frame to open, Unix seconds. */
  readonly at: number;
  /** How long it was seen, or stayed. */
  readonly duration_s: number;
  /** What it was taken for. */
  readonly label: string;
  /** Of a stay. */
  readonly zone: string | null;
  /** Of a crossing. */
  readonly line: string | null;
  /** Of a crossing: `in` or `out`. */
  readonly direction: string | null;
  /** It can be watched from `at`. */
  readonly recorded: boolean;
  /** Address of a picture of it, from the server's root; null where nothing is recorded. */
  readonly thumbnail: string | null;
  /** Address of an MP4 of it, from the server's root; null where nothing is recorded. */
  readonly clip: string | null;
}

/** Some results, and where those that follow begin. */
export interface SeenPage {
  /** In the order asked for. */
  readonly results: readonly SeenResult[];
  /** Null where there are no more. */
  readonly next: string | null;
}

/** A page of what was seen. @throws RequestError */
export function readSeen(query: EventQuery, signal: AbortSignal): Promise<SeenPage> {
  return getJson(`/search${queryText(query)}`, signal);
}
