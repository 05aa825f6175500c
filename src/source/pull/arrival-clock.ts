/**
 * Where a camera's frames lie on the source's timeline. A camera's stamps are even but from a clock of its own, which
 * runs fast or slow, jumps when the camera learns the time, and starts again with each connection; arrival is on our
 * clock but uneven. So stamps give the steps, and arrivals correct them: nothing was captured after it arrived, and the
 * frames that were quickest on their way were captured when they came.
 */

/** ffmpeg's repair of stamps that step back: a millisecond each, until the camera has caught up. */
const REPAIRED_STEP_MS = 1.5;
/** Frames wait for each other on the way; the quickest of so long a time says how late all of them are. */
const WINDOW_MS = 2_000;
/** Stamps that fall this far behind arrivals for a whole window are wrong, not late. */
const MAX_LAG_MS = 1_000;
/** Up to here lateness is jitter. */
const TOLERATED_LAG_MS = 20;
/** How fast a camera's slow clock is caught up with; 0.2 % is not seen. */
const CREEP = 0.002;
/** Twice the distance at which readers take two timestamps for the same (90 ticks, 1 ms). */
const MIN_STEP_MS = 2;

/** Maps the stamps of a camera to the time of the source. */
export class ArrivalClock {
  /** Added to stamps; undefined before the first. */
  #offsetMs: number | undefined;
  #stampMs = 0;
  #arrivedMs = 0;
  #lastMs: number;
  #windowStartMs = 0;
  #leastLagMs = Infinity;
  #isLate = false;

  /** @param afterMs what follows lies behind this media time. */
  constructor(afterMs = -Infinity) {
    this.#lastMs = afterMs;
  }

  /** The media time of a frame. @param stampMs the camera's. @param nowMs media time of its arrival. Results ascend. */
  at(stampMs: number, nowMs: number): number {
    const offsetMs =
      this.#offsetMs === undefined ? nowMs - stampMs : this.#offsetMs + this.#correction(stampMs - this.#stampMs, nowMs - this.#arrivedMs);
    const mediaTimeMs = Math.min(stampMs + offsetMs, nowMs);
    this.#offsetMs = mediaTimeMs - stampMs;
    this.#stampMs = stampMs;
    this.#arrivedMs = nowMs;
    this.#watchLag(nowMs - mediaTimeMs, nowMs);
    return (this.#lastMs = Math.max(mediaTimeMs, this.#lastMs + MIN_STEP_MS));
  }

  /** Where a stamp of the same origin lies by the newest frame; undefined before the first. Does not count as an arrival. */
  beside(stampMs: number): number | undefined {
    return this.#offsetMs === undefined ? undefined : stampMs + this.#offsetMs;
  }

  /** What follows was captured so much later than its stamps say. */
  catchUp(byMs: number): void {
    if (this.#offsetMs !== undefined) this.#offsetMs += byMs;
    this.#leastLagMs = Infinity;
  }

  /** What is added to the offset before the frame is placed. */
  #correction(stepMs: number, gapMs: number): number {
    if (stepMs <= REPAIRED_STEP_MS) return Math.max(0, gapMs) - stepMs;
    return this.#isLate ? stepMs * CREEP : 0;
  }

  #watchLag(lagMs: number, nowMs: number): void {
    this.#leastLagMs = Math.min(this.#leastLagMs, lagMs);
    if (nowMs - this.#windowStartMs < WINDOW_MS) return;
    this.#isLate = this.#leastLagMs > TOLERATED_LAG_MS;
    if (this.#leastLagMs > MAX_LAG_MS && this.#leastLagMs < Infinity) this.#offsetMs = (this.#offsetMs ?? 0) + this.#leastLagMs;
    this.#windowStartMs = nowMs;
    this.#leastLagMs = Infinity;
  }
}
