/** What people ask of recordings, and do with them: what there is, what is to be kept, what is to go, and whether it is whole. */
import { messageOf } from '../base/errors.js';
import type { Archive } from './archive.js';
import { sizeOf } from './rebuild.js';
import { isGone } from './is-gone.js';
import type { Keeps } from './keeps.js';
import type { RecordedSegment, TimeRange } from './recorded.js';
import { isKept, outOfRange, recordingNotFound } from './refusals.js';
import type { ExaminedSegment } from './torn-tail.js';
import { clipped, overlaps, union, without } from './stretches.js';

/** What they are asked of. */
export interface RecordingsInit {
  /** The segments. */
  readonly archive: Archive;
  /** What is to be kept of them. */
  readonly keeps: Keeps;
  /** Ends the segment that a source is written to. */
  readonly cut: (sourceId: string) => Promise<void>;
  /** Removes a segment with what lies beside it. @throws Error of the system */
  readonly removeFiles: (file: string) => Promise<void>;
  /** Reads a segment from end to end and changes nothing. @throws MediaPeerError RECORDING_DAMAGED */
  readonly examine: (file: string) => Promise<ExaminedSegment>;
}

/** What there is of a source. */
export interface RecordingOverview extends TimeRange {
  /** That was recorded. */
  readonly sourceId: string;
  /** Of all segments. */
  readonly bytes: number;
  /** Files. */
  readonly segments: number;
}

/** What of a source was asked for. */
export interface RecordingListing extends RecordingOverview {
  /** Without a gap each; those of clocks that were set back may lie over one another. */
  readonly ranges: readonly TimeRange[];
  /** Between the first and the last of what was asked for. */
  readonly gaps: readonly TimeRange[];
  /** What is to be kept, whatever its age. */
  readonly kept: readonly TimeRange[];
}

/** A segment that is not as the index has it. */
interface DamagedSegment extends TimeRange {
  /** Absolute path. */
  readonly file: string;
  /** What is wrong with it, in words. */
  readonly problem: string;
}

/** Whether segments are whole. */
export interface CheckReport {
  /** Segments that were read. */
  readonly checked: number;
  /** UTC up to which that was done: there is more where this is before the end of what was asked for. */
  readonly checkedToMs: number;
  /** Those that are not. */
  readonly damaged: readonly DamagedSegment[];
}

/** A day of one source; whoever wants more asks again. */
const MAX_CHECKED = 1_500;

/** Recordings, for those who ask. */
export class Recordings {
  readonly #init: RecordingsInit;

  constructor(init: RecordingsInit) {
    this.#init = init;
  }

  /** Every source that something is recorded of, by name. @throws MediaPeerError STORE_FAILED */
  async list(): Promise<RecordingOverview[]> {
    const sources = await this.#init.archive.sources();
    const found = await Promise.all(sources.map((sourceId) => this.#overview(sourceId)));
    return found.filter((each) => each !== undefined);
  }

  /** @param asked undefined ends: from the first, to the last @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE */
  async describe(sourceId: string, asked: Partial<TimeRange>): Promise<RecordingListing> {
    const overview = await this.there(sourceId);
    const within = withinOf(overview, asked);
    throwIfOutside(overview, asked);
    const { archive, keeps } = this.#init;
    const [ranges, kept] = await Promise.all([archive.ranges(sourceId, within), keeps.of(sourceId)]);
    const recorded = union(ranges);
    const [first, last] = [recorded[0], recorded.at(-1)];
    const span = first && last ? [{ fromMs: first.fromMs, toMs: last.toMs }] : [];
    const gaps = recorded.reduce<readonly TimeRange[]>((left, range) => without(left, range), span);
    return { ...overview, ranges, gaps, kept: kept.filter((range) => overlaps(range, within)) };
  }

  /** From the first to the last of a source. @throws MediaPeerError RECORDING_NOT_FOUND */
  async there(sourceId: string): Promise<RecordingOverview> {
    const overview = await this.#overview(sourceId);
    if (!overview) throw recordingNotFound(sourceId);
    return overview;
  }

  /** Keeps what is recorded then, whatever its age. Resolves with all that is to be kept. @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, STATE_NOT_KEPT */
  async keep(sourceId: string, range: TimeRange): Promise<readonly TimeRange[]> {
    throwIfOutside(await this.there(sourceId), range);
    return this.#init.keeps.change(sourceId, (kept) => union([...kept, range]));
  }

  /** Lets it go when it is old. Resolves with all that is to be kept. @throws MediaPeerError RECORDING_NOT_FOUND, STATE_NOT_KEPT */
  async release(sourceId: string, range: TimeRange): Promise<readonly TimeRange[]> {
    await this.there(sourceId);
    return this.#init.keeps.change(sourceId, (kept) => without(kept, range));
  }

  /**
   * Removes every segment that has a moment in the range, whole, also one that is being written. Resolves with those that are gone.
   * @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, RECORDING_KEPT; nothing is removed then
   */
  async remove(sourceId: string, range: TimeRange): Promise<readonly RecordedSegment[]> {
    const { archive, keeps, cut, removeFiles } = this.#init;
    throwIfOutside(await this.there(sourceId), range);
    if ((await archive.segments(sourceId, range)).some(({ isOpen }) => isOpen)) await cut(sourceId);
    return keeps.holding(sourceId, async (kept) => {
      const segments = (await archive.segments(sourceId, range)).filter(({ isOpen }) => !isOpen);
      const inTheWay = kept.find((each) => segments.some((segment) => overlaps(segment, each)));
      if (inTheWay) throw isKept(sourceId, inTheWay);
      for (const segment of segments) {
        await removeFiles(segment.file);
        archive.forget([segment]);
      }
      return segments;
    });
  }

  /** Reads segments and tells what is wrong with them; rows whose files are gone go. @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE */
  async check(sourceId: string, asked: Partial<TimeRange>, signal: AbortSignal): Promise<CheckReport> {
    const overview = await this.there(sourceId);
    const within = withinOf(overview, asked);
    throwIfOutside(overview, asked);
    const all = (await this.#init.archive.segments(sourceId, within)).filter(({ isOpen }) => !isOpen);
    const segments = all.slice(0, MAX_CHECKED);
    // Where runs overlap, what follows may end before what was checked does.
    const next = all[MAX_CHECKED];
    const damaged: DamagedSegment[] = [];
    for (const segment of segments) {
      if (signal.aborted) break;
      const problem = await this.problemOf(segment);
      if (problem !== undefined) damaged.push({ fromMs: segment.fromMs, toMs: segment.toMs, file: segment.file, problem });
    }
    return { checked: segments.length, checkedToMs: next ? Math.max(next.fromMs, within.fromMs) : within.toMs, damaged };
  }

  /** What is wrong with a segment, in words; undefined: nothing. The index is put right where the file is otherwise. */
  async problemOf(segment: RecordedSegment): Promise<string | undefined> {
    const { archive, examine } = this.#init;
    try {
      const found = await examine(segment.file);
      const problem = differenceOf(segment, found);
      if (problem !== undefined) archive.put({ ...segment, ...sizeOf(found) }, found.groups);
      return problem;
    } catch (error) {
      if (await isGone(segment.file)) archive.forget([segment]);
      return messageOf(error);
    }
  }

  async #overview(sourceId: string): Promise<RecordingOverview | undefined> {
    const { segments, bytes, fromMs, toMs } = await this.#init.archive.totals(sourceId);
    return fromMs === undefined || toMs === undefined ? undefined : { sourceId, fromMs, toMs, bytes, segments };
  }
}

/** A file may be longer or shorter than it was, or another one. */
function differenceOf(segment: RecordedSegment, found: ExaminedSegment): string | undefined {
  if (Math.abs(found.fromMs - segment.fromMs) > 1) return 'it is another recording than the index has: it begins at another time';
  if (found.bytes < segment.bytes) return `it has lost ${segment.bytes - found.bytes} of ${segment.bytes} bytes`;
  if (found.bytes > segment.bytes) return `it is longer than it was, ${found.bytes} bytes instead of ${segment.bytes}`;
  return undefined;
}

function withinOf(there: TimeRange, { fromMs = there.fromMs, toMs = there.toMs }: Partial<TimeRange>): TimeRange {
  return { fromMs, toMs };
}

function throwIfOutside(overview: RecordingOverview, asked: Partial<TimeRange>): void {
  if (!clipped(withinOf(overview, asked), overview)) throw outOfRange(overview.sourceId, overview, inWords(asked));
}

function inWords({ fromMs, toMs }: Partial<TimeRange>): string {
  if (fromMs === undefined) return `what lies before ${(toMs ?? 0) / 1000}`;
  return toMs === undefined ? `what lies after ${fromMs / 1000}` : `what lies between ${fromMs / 1000} and ${toMs / 1000}`;
}
