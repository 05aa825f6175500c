/** What was recorded, by source and time, in the store's thread. */
import type { IndexedGroup, IndexedRange, IndexedSegment } from './recorded-segment.js';
import type { RecordingAnswers, RecordingEntry, RecordingQuestion } from './recording-tables.js';

/** The thread, as far as recordings are concerned. */
interface IndexThread {
  write(entry: RecordingEntry): void;
  /** @throws MediaPeerError STORE_FAILED */
  ask<K extends RecordingQuestion['kind']>(question: Extract<RecordingQuestion, { readonly kind: K }>): Promise<RecordingAnswers[K]>;
}

/** The index of all recordings of this server. Whoever writes does not wait; what was written before is in every answer. */
export class RecordingIndex {
  readonly #thread: IndexThread;

  constructor(thread: IndexThread) {
    this.#thread = thread;
  }

  /** Keeps a segment in the place of what was known of it. @param groups its keyframes, in order; empty: those that are known stay */
  put(segment: IndexedSegment, groups: readonly IndexedGroup[] = []): void {
    this.#thread.write({ kind: 'segment', segment, groups });
  }

  /** Those files are gone. */
  remove(ids: readonly number[]): void {
    if (ids.length > 0) this.#thread.write({ kind: 'segments-gone', ids });
  }

  /** What is to be kept of a source, whatever its age: all of it. */
  putKeeps(sourceId: string, ranges: readonly IndexedRange[]): void {
    this.#thread.write({ kind: 'keeps', sourceId, ranges });
  }

  /** @throws MediaPeerError STORE_FAILED */
  ask<K extends RecordingQuestion['kind']>(question: Extract<RecordingQuestion, { readonly kind: K }>): Promise<RecordingAnswers[K]> {
    return this.#thread.ask<K>(question);
  }
}
