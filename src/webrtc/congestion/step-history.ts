/**
 * How careful the next step up must be: it waits after a step down, and longer, with more room, after each step up that ended
 * in congestion.
 */

/** What must be found for a step up, of what it takes, and so much more after each that failed. */
const ROOM = 1.18;
const ROOM_MORE = 0.12;
/** A probe goes beyond it: it measures with an error. */
const PROBE_MORE = 0.02;
const MAX_FAILURES = 4;
/** The wait after a step down, by what failed: on a way that changes all the time each step up ends in a picture that stands still. */
const PATIENCE = [1, 1.5, 3, 5, 8] as const;
/** After any step, and after one down. */
const STABLE_MS = 2_500;
const AFTER_DOWN_MS = 10_000;
/** Where there is no picture, so much longer after each that failed. */
const NO_PICTURE_MS = 500;
/** Until then a rung starts, and what was sent before it drains. */
const EFFECT_MS = 1_500;
/** A step up that ends in congestion by then was wrong. */
const FAILED_MS = 20_000;
/** So long after the last step down what failed is forgotten, and nothing waits longer. */
const FORGOTTEN_MS = 60_000;
/** Steps that no probe can prepare are tried after so long: while they do well, and after one that failed. */
const FIRST_TRIAL_MS = 3_000;
const [MIN_TRIAL_MS, MAX_TRIAL_MS] = [15_000, 120_000];

/** The steps of one transport. */
export class StepHistory {
  #failures = 0;
  #changedMs = -Infinity;
  #raisedMs = -Infinity;
  #loweredMs = -Infinity;
  /** Before the newest step down. */
  #before = { failures: 0, loweredMs: -Infinity };

  /** What must be found, of what is to be sent. */
  get room(): number {
    return ROOM + ROOM_MORE * this.#failures;
  }

  /** What is to be probed, likewise. */
  get probedRoom(): number {
    return this.room + PROBE_MORE;
  }

  /** More was sent at some time than in the beginning. */
  get hasRaised(): boolean {
    return this.#raisedMs !== -Infinity;
  }

  /** More was begun to be sent. */
  raised(nowMs: number): void {
    this.#changedMs = this.#raisedMs = nowMs;
  }

  /** More was to be sent, and nothing has come of it. */
  takenBack(nowMs: number): void {
    this.#changedMs = nowMs;
  }

  /** Less was. */
  lowered(nowMs: number): void {
    this.#before = { failures: this.#failures, loweredMs: this.#loweredMs };
    if (nowMs - this.#raisedMs < FAILED_MS && this.#raisedMs > this.#loweredMs) this.#failures = Math.min(MAX_FAILURES, this.#failures + 1);
    this.#changedMs = this.#loweredMs = nowMs;
  }

  /** Less was, for nothing: it counts as if it had not been. */
  undone(): void {
    this.#failures = this.#before.failures;
    this.#loweredMs = this.#before.loweredMs;
  }

  /** A step down cannot have told yet. */
  isFresh(nowMs: number): boolean {
    return nowMs - this.#loweredMs < EFFECT_MS;
  }

  /** How long until a step up may be taken that a probe has prepared, ms; negative: since then. @param hasPicture every stream shows frames */
  waitMs(clearSinceMs: number, hasPicture: boolean, nowMs: number): number {
    if (nowMs - this.#loweredMs > FORGOTTEN_MS) this.#failures = 0;
    // Keyframes alone are no picture to wait with.
    const afterDownMs = hasPicture ? AFTER_DOWN_MS * (PATIENCE[this.#failures] ?? 1) : STABLE_MS + NO_PICTURE_MS * this.#failures;
    return Math.max(clearSinceMs + STABLE_MS, this.#changedMs + STABLE_MS, this.#loweredMs + afterDownMs) - nowMs;
  }

  /** The same for one that is a trial. @param hasPicture every stream shows frames: else there is little to lose */
  trialWaitMs(hasPicture: boolean, nowMs: number): number {
    if (!hasPicture) return this.#changedMs + FIRST_TRIAL_MS + NO_PICTURE_MS * this.#failures - nowMs;
    const hasDoneWell = this.#failures === 0 || this.#raisedMs > this.#loweredMs;
    const trialMs = hasDoneWell ? FIRST_TRIAL_MS : Math.min(MAX_TRIAL_MS, MIN_TRIAL_MS * 2 ** (this.#failures - 1));
    return this.#changedMs + trialMs - nowMs;
  }
}
