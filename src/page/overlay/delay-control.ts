/**
 * How long a browser should hold frames back so that their boxes come in time: no longer than needed, and never
 * long. A slow model's messages come after their frames; a little delay of the video brings both together.
 * Knows no DOM; time is handed in.
 */

/** Longer than this, live video no longer feels live. */
export const LONGEST_DELAY_MS = 300;
/** A decoder and a detector that have just been started are late for a while. */
const WARM_UP_MS = 2_000;
/** Lateness is judged over this time, so that one slow frame changes nothing. */
const WINDOW_MS = 2_000;
const FEWEST_SAMPLES = 6;
/** A raise follows when more messages than this share came late … */
const LATE_SHARE = 0.05;
/** … so that nine of ten would have come this much before their frames. */
const RAISED_FOR_SHARE = 0.9;
const MARGIN_MS = 10;
/** A burst of other work must not push the video far at once; what half of the messages lack is no burst. */
const BURST_RAISES_MS = 60;
/** Delay is given back when nearly all messages came this long before their frames … */
const SPARE_MS = 40;
const SPARED_SHARE = 0.95;
/** … in so many windows in a row; doubled whenever giving back was wrong. */
const CALM_WINDOWS = 3;
const MOST_CALM_WINDOWS = 48;
const MOST_LOWERED_MS = 60;
/** A browser changes its delay by at most 100 ms a second. */
const SETTLES_MS_PER_MS = 10;

/** Judges how late messages come, and says what delay to ask of the browser. */
export class DelayControl {
  #targetMs = 0;
  #samples: number[] = [];
  #windowStart: number | undefined;
  #calm = 0;
  #calmNeeded = CALM_WINDOWS;
  #lowered = false;

  /** What to ask of the browser, ms, at most `LONGEST_DELAY_MS`; 0 is its own choice. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /**
   * Takes in one message's lateness. True when the target has changed.
   * @param latenessMs negative where it came before its frame
   * @param bufferMs how long the browser holds frames at present. Default 0: unknown.
   */
  sample(latenessMs: number, nowMs: number, bufferMs = 0): boolean {
    this.#windowStart ??= nowMs + WARM_UP_MS;
    if (nowMs < this.#windowStart) return false; // something is still settling
    this.#samples.push(latenessMs);
    if (nowMs - this.#windowStart < WINDOW_MS || this.#samples.length < FEWEST_SAMPLES) return false;
    const before = this.#targetMs;
    this.#judge(
      this.#samples.sort((a, b) => a - b),
      bufferMs,
    );
    this.#samples = [];
    const change = Math.abs(this.#targetMs - before);
    this.#windowStart = nowMs + (change > 0 ? 500 + change * SETTLES_MS_PER_MS : 0);
    return change > 0;
  }

  #judge(samples: readonly number[], bufferMs: number): void {
    const late = samples.filter((lateness) => lateness > 0).length / samples.length;
    const quantile = (share: number): number => samples[Math.floor(share * (samples.length - 1))] ?? 0;
    if (late > LATE_SHARE) this.#raise(quantile(RAISED_FOR_SHARE), quantile(0.5), bufferMs);
    else this.#maybeLower(quantile(SPARED_SHARE));
  }

  #raise(latenessMs: number, medianMs: number, bufferMs: number): void {
    if (this.#lowered) this.#calmNeeded = Math.min(MOST_CALM_WINDOWS, this.#calmNeeded * 2);
    this.#lowered = false;
    this.#calm = 0;
    const raised = Math.min(Math.max(BURST_RAISES_MS, medianMs), Math.max(0, latenessMs)) + MARGIN_MS;
    this.#targetMs = Math.round(Math.min(LONGEST_DELAY_MS, Math.max(this.#targetMs, bufferMs) + raised));
  }

  #maybeLower(latenessMs: number): void {
    this.#calm = latenessMs < -SPARE_MS ? this.#calm + 1 : 0;
    if (this.#targetMs === 0 || this.#calm < this.#calmNeeded) return;
    this.#calm = 0;
    this.#lowered = true;
    this.#targetMs = Math.max(0, Math.round(this.#targetMs - Math.min(MOST_LOWERED_MS, -latenessMs - SPARE_MS / 2)));
  }
}
