/** Segments that take no frames any more, while detections of their frames may still come. */
import type { Clock, Timer } from '../base/clock.js';
import type { OpenSegment } from './open-segment.js';

/** Detections may come so much later than their frame. */
const LATE_DETECTIONS_MS = 5000;
/** Segments that detections are still taken for: a source whose parameters change all the time has many short ones. */
const MAX_ENDED = 8;

interface Ended {
  readonly segment: OpenSegment;
  readonly endMs: number;
  /** When it takes no detections any more, monotonic. */
  readonly dueMs: number;
  /** It is on the disk. */
  readonly whole: Promise<void>;
}

/** Those of one source. */
export class EndedSegments {
  readonly #clock: Clock;
  readonly #onFinished: (segment: OpenSegment) => void;
  #waiting: Ended[] = [];
  /** Those that are not on the disk yet. */
  readonly #unwritten = new Set<OpenSegment>();
  #timer: Timer | undefined;
  /** The last one that ended is on the disk, and told; never rejects. */
  #whole: Promise<void> = Promise.resolve();
  /** All that is under way; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param onFinished told when a segment is whole */
  constructor(clock: Clock, onFinished: (segment: OpenSegment) => void) {
    this.#clock = clock;
    this.#onFinished = onFinished;
  }

  /** Takes a segment whose last frame was written. @param endMs media time at which another one begins */
  add(segment: OpenSegment, endMs: number): void {
    const before = this.#whole;
    this.#unwritten.add(segment);
    const whole = Promise.all([segment.finish(), before]).then(() => {
      this.#unwritten.delete(segment);
      this.#onFinished(segment);
    });
    this.#whole = whole;
    this.#waiting.push({ segment, endMs, whole, dueMs: this.#clock.now() + LATE_DETECTIONS_MS });
    while (this.#waiting.length > MAX_ENDED) this.#finishOldest();
    this.#timer ??= this.#clock.after(LATE_DETECTIONS_MS, () => this.#finishLate());
  }

  /** The one that a frame of that media time is in. */
  find(mediaTimeMs: number): OpenSegment | undefined {
    return this.#waiting.findLast(({ segment: { startMs }, endMs }) => mediaTimeMs >= startMs && mediaTimeMs < endMs)?.segment;
  }

  /** Bytes of all of them that the disk has not taken yet. */
  get waitingBytes(): number {
    return [...this.#unwritten].reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
  }

  /** All are on the disk, but for what may still be seen in them. Never rejects. */
  drained(): Promise<void> {
    return this.#whole;
  }

  /** Nothing is taken for any of them any more; all is on the disk when this resolves. Never rejects. */
  async settle(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting.length > 0) this.#finishOldest();
    await this.#last;
  }

  #finishLate(): void {
    while ((this.#waiting[0]?.dueMs ?? Infinity) <= this.#clock.now()) this.#finishOldest();
    const [next] = this.#waiting;
    this.#timer = next && this.#clock.after(next.dueMs - this.#clock.now(), () => this.#finishLate());
  }

  #finishOldest(): void {
    const oldest = this.#waiting.shift();
    if (!oldest) return;
    this.#last = this.#last.then(async () => {
      await oldest.whole;
      await oldest.segment.finishDetections();
    });
  }
}
