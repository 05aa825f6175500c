import type { RecorderCounts } from './recorder.js';

/** What recording does at the moment, for statistics. */
export interface RecordingStats extends RecorderCounts {
  /** Sources of which frames are written, or waited for. */
  readonly sources: number;
  /** How a source is recorded now; undefined: it is not. */
  readonly stateOf: (sourceId: string) => 'recording' | 'waiting' | 'stopped' | undefined;
  /** Free bytes of the disk of recordings; undefined: not known, or nothing is recorded. */
  readonly freeBytes: number | undefined;
  /** Why nothing, or less than wanted, is recorded, in words; undefined: all is well. */
  readonly trouble: string | undefined;
}
