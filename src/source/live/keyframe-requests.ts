/**
 * The one place where everybody's wishes for a keyframe meet before they go to a publisher: at most one in half a
 * second, because each costs it as much as ten to twenty ordinary frames, and none that a keyframe has answered meanwhile.
 */
import type { Clock, Timer } from '../../base/clock.js';

const MIN_INTERVAL_MS = 500;

export class KeyframeRequests {
  readonly #clock: Clock;
  readonly #ask: () => void;
  #askedAtMs = -Infinity;
  #later: Timer | undefined;

  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Asks now, or as soon as that may be. */
  request(): void {
    if (this.#later) return;
    const waitMs = this.#askedAtMs + MIN_INTERVAL_MS - this.#clock.now();
    if (waitMs <= 0) return this.#askNow();
    this.#later = this.#clock.after(waitMs, () => this.#askNow());
  }

  /** A keyframe came: what was asked for is there. */
  answered(): void {
    this.#later?.cancel();
    this.#later = undefined;
  }

  /** Since the last request was sent; Infinity before the first. */
  get sinceLastMs(): number {
    return this.#clock.now() - this.#askedAtMs;
  }

  #askNow(): void {
    this.#later = undefined;
    this.#askedAtMs = this.#clock.now();
    this.#ask();
  }
}
