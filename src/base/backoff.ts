/** How long to wait before something that failed is tried again. */

export interface BackoffOptions {
  /** First wait. Default 250 ms. */
  readonly firstMs?: number;
  /** Longest wait. Default 10000 ms. */
  readonly maxMs?: number;
  /** A run this long counts as stable and resets the wait. Default 30000 ms. */
  readonly stableMs?: number;
  /** In [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** Doubling, capped waits with jitter, so that what failed together does not come back together. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #stableMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(options: BackoffOptions = {}) {
    this.#firstMs = options.firstMs ?? 250;
    this.#maxMs = options.maxMs ?? 10_000;
    this.#stableMs = options.stableMs ?? 30_000;
    this.#random = options.random ?? Math.random;
  }

  /** Failures since the last stable run. */
  get failures(): number {
    return this.#failures;
  }

  /** The wait after a run of `ranMs`: between half and all of the doubled time. */
  next(ranMs: number): number {
    if (ranMs >= this.#stableMs) this.#failures = 0;
    const full = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return full * (0.5 + this.#random() / 2);
  }
}
