/** Segments of recordings as the store keeps them: where each lies in time and on disk. What is in the files it does not know. */

/** One segment. */
export interface IndexedSegment {
  /** Ascends, never used again: microseconds of Unix time, or one more than the one before. */
  readonly id: number;
  /** That was recorded. */
  readonly sourceId: string;
  /** Segments of one run lie on one clock. */
  readonly run: number;
  /** UTC of its first frame, Unix milliseconds. */
  readonly fromMs: number;
  /** UTC of its end. */
  readonly toMs: number;
  /** Relative to the folder of recordings. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** What is in it, as whoever records wrote it. */
  readonly format: string;
  /** Encoded for viewers, not as it came. */
  readonly isTranscoded: boolean;
  /** It is being written, or was when the server ended. */
  readonly isOpen: boolean;
}

/** Where a keyframe stands in its file. */
export interface IndexedGroup {
  /** UTC, Unix milliseconds, exact to the microsecond. */
  readonly atMs: number;
  /** Byte in the file. */
  readonly offset: number;
  /** Of the keyframe; 0: unknown. */
  readonly bytes: number;
}

/** A stretch of UTC, Unix milliseconds, the end not in it. */
export interface IndexedRange {
  /** Where it begins. */
  readonly fromMs: number;
  /** Where it ends. */
  readonly toMs: number;
}

/** A stretch that was recorded without a gap. */
export interface RecordedStretch extends IndexedRange {
  /** Of its segments. */
  readonly run: number;
}

/** A keyframe with its segment. */
export interface FoundGroup {
  /** That it is in. */
  readonly segment: IndexedSegment;
  /** Where it is there. */
  readonly place: IndexedGroup;
}

/** How much is recorded. */
export interface RecordedTotals {
  /** Files. */
  readonly segments: number;
  /** Of all files. */
  readonly bytes: number;
  /** UTC of the first frame; undefined where there is nothing. */
  readonly fromMs: number | undefined;
  /** UTC of the end. */
  readonly toMs: number | undefined;
  /** Id of the newest segment; 0 where there is none. */
  readonly lastId: number;
}
