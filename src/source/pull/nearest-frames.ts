/**
 * Ties the frames of a camera's second stream to those of its first. Both come from one sensor, but each over a connection of
 * its own: where a frame of the second lies on the timeline is known to some milliseconds, so it gets the media time of the
 * nearest frame of the first. One that comes before its counterpart waits for it, for a short time; one that has none keeps
 * the time that it has.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { EncodedFrame } from '../../media/index.js';

/** Frames of the first stream that are remembered: two seconds of 30 a second. */
const MAX_TIMES = 60;
/** Frames that wait at a time; the oldest goes on as it is. */
const MAX_WAITING = 8;
/** How long one waits, in intervals of the first stream, and at most. */
const [WAIT_INTERVALS, MAX_WAIT_MS] = [1.5, 150];
const USUAL_INTERVAL_MS = 40;
/**
 * So many intervals may lie between a frame and the one that follows the last that was given: where the streams are half an
 * interval apart, jitter must not leave one out and give none to the next.
 */
const MAX_DISTANCE = 0.75;
/** Readers take times that are closer for the same. */
const MIN_STEP_MS = 2;

/** A frame and where it lies about. */
interface Waiting {
  readonly frame: EncodedFrame;
  readonly aboutMs: number;
  /** When it came, monotonic ms. */
  readonly sinceMs: number;
}

/** Gives frames of a second stream the media times of a first one. */
export class NearestFrames {
  readonly #clock: Clock;
  readonly #deliver: (frame: EncodedFrame) => void;
  /** Of the first stream, ascending. */
  #times: number[] = [];
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #lastMs = -Infinity;
  /** Of the first stream, the newest that was given. */
  #lastGivenMs = -Infinity;

  /** @param deliver takes each frame, at ascending times */
  constructor(clock: Clock, deliver: (frame: EncodedFrame) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** A frame of the first stream was delivered. */
  first(mediaTimeMs: number): void {
    this.#times.push(mediaTimeMs);
    if (this.#times.length > MAX_TIMES) this.#times.shift();
    this.#settle();
  }

  /** The next frame of the second one. @param aboutMs where it lies on the timeline, as far as that is known */
  second(frame: EncodedFrame, aboutMs: number): void {
    this.#waiting.push({ frame, aboutMs, sinceMs: this.#clock.now() });
    if (this.#waiting.length > MAX_WAITING) this.#release();
    this.#settle();
  }

  /** What waits is left out. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting = [];
  }

  get #intervalMs(): number {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    return first === undefined || last === undefined || this.#times.length < 2
      ? USUAL_INTERVAL_MS
      : (last - first) / (this.#times.length - 1);
  }

  /** Hands on, in order, what need not wait. */
  #settle(): void {
    for (let next = this.#waiting[0]; next && this.#placeOf(next) !== undefined; next = this.#waiting[0]) this.#release();
    const [oldest] = this.#waiting;
    if (!oldest) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    const dueMs = oldest.sinceMs + Math.min(MAX_WAIT_MS, WAIT_INTERVALS * this.#intervalMs);
    this.#timer ??= this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#release();
      this.#settle();
    });
  }

  /** The oldest that waits goes on, with the time that it has now. */
  #release(): void {
    const next = this.#waiting.shift();
    if (!next) return;
    const place = this.#placeOf(next);
    if (place !== undefined && place !== next.aboutMs) this.#lastGivenMs = place;
    this.#lastMs = Math.max(place ?? next.aboutMs, this.#lastMs + MIN_STEP_MS);
    this.#deliver({ ...next.frame, mediaTimeMs: this.#lastMs });
  }

  /** Its media time; undefined while the frame that it belongs to may come yet. */
  #placeOf({ aboutMs }: Waiting): number | undefined {
    const newest = this.#times.at(-1);
    if (newest === undefined) return undefined;
    const intervalMs = this.#intervalMs;
    const toleratedMs = MAX_DISTANCE * intervalMs;
    const next = this.#times.find((time) => time > this.#lastGivenMs);
    if (next === undefined) return aboutMs >= newest + intervalMs - toleratedMs ? undefined : aboutMs;
    const nearest = Math.abs(next - aboutMs) <= toleratedMs ? next : this.#nearest(aboutMs, newest);
    if (nearest === newest && aboutMs > newest + Math.max(intervalMs / 2, nearest === next ? toleratedMs : 0)) return undefined;
    // Another one has that time: this one lies between two frames of the first stream.
    return nearest > Math.max(this.#lastGivenMs, this.#lastMs) ? nearest : aboutMs;
  }

  #nearest(aboutMs: number, newest: number): number {
    return this.#times.reduce((best, time) => (Math.abs(time - aboutMs) < Math.abs(best - aboutMs) ? time : best), newest);
  }
}
