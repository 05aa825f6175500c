/** How fast one client may speak: so much at once, and so much a second from then on. */
import type { Clock } from './clock.js';

/** How much at once, and how much a second. */
export interface TokenBucketOptions {
  /** Tokens that come back a second. */
  readonly perSecond: number;
  /** Tokens at the start, and at most. */
  readonly burst: number;
}

/** Counts what one client says. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #filledMs: number;

  constructor(clock: Clock, options: TokenBucketOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledMs = clock.now();
  }

  /** Takes that many tokens; false where there are fewer, and then none is taken. */
  take(count = 1): boolean {
    const { perSecond, burst } = this.#options;
    const nowMs = this.#clock.now();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond);
    this.#filledMs = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
