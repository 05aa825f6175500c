/** Waits for what is still being recorded. */
import type { Clock } from '../../base/clock.js';
import type { RecordedSegment, RecordingArchive, SegmentChange } from '../../recording/index.js';

/** Changes of the recording of one source. */
export class Growth {
  readonly #clock: Clock;
  readonly #stop: () => void;
  readonly #wakes = new Set<() => void>();
  #newest: RecordedSegment | undefined;
  #count = 0;

  constructor(archive: Pick<RecordingArchive, 'onChange'>, sourceId: string, clock: Clock) {
    this.#clock = clock;
    this.#stop = archive.onChange((change) => {
      if (change.segment.sourceId === sourceId) this.#changed(change);
    });
  }

  /** Of changes so far. */
  get count(): number {
    return this.#count;
  }

  /** False once a segment is known to be finished. */
  isOpen(segment: RecordedSegment): boolean {
    if (this.#newest === undefined) return segment.isOpen;
    return this.#newest.id === segment.id ? this.#newest.isOpen : this.#newest.id < segment.id && segment.isOpen;
  }

  /** Resolves with true when there have been more changes than `count`, with false where there is none for `withinMs`, or the signal is aborted. */
  async after(count: number, withinMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#count > count || signal.aborted) return this.#count > count;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', wake);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = this.#clock.after(withinMs, wake);
      signal.addEventListener('abort', wake, { once: true });
      this.#wakes.add(wake);
    });
    return this.#count > count;
  }

  /** Nobody waits any more. */
  close(): void {
    this.#stop();
    for (const wake of this.#wakes) wake();
  }

  #changed({ segment }: SegmentChange): void {
    this.#count++;
    if (this.#newest === undefined || segment.id >= this.#newest.id) this.#newest = segment;
    for (const wake of this.#wakes) wake();
  }
}
