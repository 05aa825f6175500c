/** A receiver's own estimate that the way itself contradicts: who sees congestion where checks find none is wrong, or sees what they do not. */

/** It is believed after so long, where it is far below what is sent. */
const [DOUBTED_MS, DOUBTED_SHARE] = [5_000, 0.5];

/** Of one transport's receiver. */
export class Doubt {
  /** Since when the estimate has been below what is sent, though the way is empty. */
  #sinceMs: number | undefined;

  /** The estimate is contradicted. @param bps it, and what is sent, bits a second @returns whether it is still doubtful */
  holds(bps: number, sentBps: number, nowMs: number): boolean {
    this.#sinceMs ??= nowMs;
    return bps >= DOUBTED_SHARE * sentBps || nowMs - this.#sinceMs < DOUBTED_MS;
  }

  /** Nothing contradicts it any more. */
  forget(): void {
    this.#sinceMs = undefined;
  }
}
