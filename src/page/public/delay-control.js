/**
 * How long a browser should hold frames back so that their boxes come in time: no longer than needed, and never
 * long. A slow model's messages come after their frames; a little delay of the picture brings both together.
 * Knows no DOM; time is handed in.
 */

/** Longer than this, live video no longer feels live. */
export const LONGEST_DELAY_MS = 300;
/** Lateness is judged over this time, so that one slow picture changes nothing. */
const WINDOW_MS = 2_000;
const FEWEST_SAMPLES = 8;
/** A raise follows when more messages than this share came late. */
const LATE_SHARE = 0.05;
/** Messages come this much before their frames after a raise. */
const MARGIN_MS = 10;
/** Delay is given back when even the latest message came this long before its frame … */
const SPARE_MS = 40;
/** … in so many windows in a row; doubled whenever giving back was wrong. */
const CALM_WINDOWS = 3;
const MOST_CALM_WINDOWS = 48;
const LOWERED_BY_MS = 30;
/** A browser changes its delay by at most 100 ms a second. */
const SETTLES_MS_PER_MS = 10;

export class DelayControl {
  /** What to ask of the browser, ms; 0 is its own choice. */
  targetMs = 0;
  #samples = [];
  #windowStart;
  #calm = 0;
  #calmNeeded = CALM_WINDOWS;
  #lowered = false;

  /**
   * Takes in one message's lateness.
   * @param {number} latenessMs negative where it came before its frame @param {number} now ms
   * @param {number} [bufferMs] how long the browser holds frames at present, where that is known
   * @returns {boolean} true when the target has changed
   */
  sample(latenessMs, now, bufferMs = 0) {
    this.#windowStart ??= now;
    if (now < this.#windowStart) return false; // the last change is still settling
    this.#samples.push(latenessMs);
    if (now - this.#windowStart < WINDOW_MS || this.#samples.length < FEWEST_SAMPLES) return false;
    const before = this.targetMs;
    const samples = this.#samples.sort((a, b) => a - b);
    this.#samples = [];
    const late = samples.filter((lateness) => lateness > 0).length / samples.length;
    if (late > LATE_SHARE) this.#raise(samples[Math.floor(0.95 * (samples.length - 1))], bufferMs);
    else this.#maybeLower(samples.at(-1));
    const change = Math.abs(this.targetMs - before);
    this.#windowStart = now + (change > 0 ? 500 + change * SETTLES_MS_PER_MS : 0);
    return change > 0;
  }

  #raise(latenessMs, bufferMs) {
    if (this.#lowered) this.#calmNeeded = Math.min(MOST_CALM_WINDOWS, this.#calmNeeded * 2);
    this.#lowered = false;
    this.#calm = 0;
    this.targetMs = Math.round(Math.min(LONGEST_DELAY_MS, Math.max(this.targetMs, bufferMs) + Math.max(0, latenessMs) + MARGIN_MS));
  }

  #maybeLower(latestMs) {
    this.#calm = latestMs < -SPARE_MS ? this.#calm + 1 : 0;
    if (this.targetMs === 0 || this.#calm < this.#calmNeeded) return;
    this.#calm = 0;
    this.#lowered = true;
    this.targetMs = Math.max(0, Math.round(this.targetMs - Math.min(LOWERED_BY_MS, -latestMs - SPARE_MS / 2)));
  }
}
