/** Bounds what repairs may cost: a viewer that asks for everything again must not double the load. */

/** Repairs may take this share of what the stream itself sends. */
const SHARE = 0.5;
/** Allowed in any case, per window: a keyframe of a small stream. Less where the network carries no more. */
const MIN_BYTES = 128 * 1024;
const WINDOW_MS = 1000;

/** The budget of one stream. */
export class RepairBudget {
  #windowStartMs = -Infinity;
  #sentBytes = 0;
  #previousBytes = 0;
  #repairedBytes = 0;

  /** The stream sent this much of its own. */
  count(bytes: number, nowMs: number): void {
    this.#roll(nowMs);
    this.#sentBytes += bytes;
  }

  /** Takes `bytes` from the budget of this second; false where they do not fit. @param networkBps what the network carries; default: anything */
  take(bytes: number, nowMs: number, networkBps = Infinity): boolean {
    this.#roll(nowMs);
    const leastBytes = Math.min(MIN_BYTES, (SHARE * networkBps * WINDOW_MS) / 8000);
    const allowed = Math.max(leastBytes, SHARE * Math.max(this.#sentBytes, this.#previousBytes));
    if (this.#repairedBytes + bytes > allowed) return false;
    this.#repairedBytes += bytes;
    return true;
  }

  #roll(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    this.#previousBytes = elapsedMs < 2 * WINDOW_MS ? this.#sentBytes : 0;
    this.#sentBytes = 0;
    this.#repairedBytes = 0;
    this.#windowStartMs = nowMs;
  }
}
