/** What is recorded of sources. All times are Unix seconds. */
import { addressOf, pathOf } from './address.js';
import { Polled } from './polled.js';
import { getJson, request } from './request.js';

/** A stretch of time. */
export interface TimeRange {
  /** Its beginning. */
  readonly from: number;
  /** Its end, excluded. */
  readonly to: number;
}

/** A source that something is recorded of, as `GET /recordings` lists it. */
export interface ListedRecording extends TimeRange {
  /** Its name. */
  readonly source: string;
}

/** What is recorded of one. */
export interface Recording extends ListedRecording {
  /** Whatever its age, it stays. */
  readonly kept: readonly TimeRange[];
}

/** What happened in a step of a timeline. */
export interface TimelineStep {
  /** Its beginning. */
  readonly at: number;
  /** How much of it is recorded, [0, 1]. */
  readonly recorded: number;
  /** How much moved, [0, 1]; null where nobody looked. */
  readonly motion: number | null;
  /** Different objects that were seen, by label. */
  readonly objects: Readonly<Record<string, { readonly seen: number }>>;
}

/** A recording from afar. */
export interface TimelineAnswer extends TimeRange {
  /** Length of a step, seconds. */
  readonly step_s: number;
  /** What is recorded, the oldest first. */
  readonly ranges: readonly TimeRange[];
  /** In order. */
  readonly steps: readonly TimelineStep[];
}

const LIST_PERIOD_MS = 10_000;

/** Of every source that may be played back; asked every few seconds while somebody holds it. */
export const recordingList = new Polled<{ readonly recordings: readonly ListedRecording[] }>('/recordings', LIST_PERIOD_MS);

/** What is recorded of a source. @throws RequestError */
export function readRecording(source: string, signal: AbortSignal): Promise<Recording> {
  return getJson(pathOf('recordings', source), signal);
}

/** A recording from afar. @param stepS whole seconds; at most 2000 steps @throws RequestError */
export function readTimeline(source: string, { from, to }: TimeRange, stepS: number, signal: AbortSignal): Promise<TimelineAnswer> {
  const query = new URLSearchParams({ from: from.toFixed(3), to: to.toFixed(3), step: String(stepS) });
  return getJson(`${pathOf('recordings', source)}/timeline?${query.toString()}`, signal);
}

/** Address of a small picture of a moment. @param width pixels, at most 320 */
export function thumbnailAddress(source: string, at: number, width: number): string {
  return addressOf(`${pathOf('recordings', source)}/thumbnail.jpg?at=${at.toFixed(3)}&width=${width}`);
}

/** Address of a stretch as MP4. @param isAnnotated with what was seen drawn in */
export function clipAddress(source: string, { from, to }: TimeRange, isAnnotated: boolean): string {
  const query = `from=${from.toFixed(3)}&to=${to.toFixed(3)}${isAnnotated ? '&annotated=1' : ''}`;
  return addressOf(`${pathOf('recordings', source)}/clip.mp4?${query}`);
}

/** Keeps a stretch whatever its age, or lets it go; all that is to be kept then. @throws RequestError */
export async function keepRange(source: string, { from, to }: TimeRange, isKept: boolean): Promise<readonly TimeRange[]> {
  const path = `${pathOf('recordings', source)}/keep?from=${from.toFixed(3)}&to=${to.toFixed(3)}`;
  return (await request<{ readonly kept: readonly TimeRange[] }>(path, { method: isKept ? 'PUT' : 'DELETE' })).body.kept;
}
