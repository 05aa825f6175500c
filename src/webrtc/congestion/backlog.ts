/** Takes note when frames wait for the pace: it keeps a queue off the way, where feedback would tell of it. */

/** Less is the burst of a large frame, or of a group of pictures that begins. */
const LONG_MS = 300;
/** It lasts for so long. */
const LASTS_MS = 600;

/** What waits before it is sent. */
export class Backlog {
  #sinceMs: number | undefined;

  /** More waits, for a while now, than the pace gets rid of. @param pacingBps undefined: nothing is paced */
  isLasting(waitingBytes: number, pacingBps: number | undefined, nowMs: number): boolean {
    const waitMs = pacingBps === undefined ? 0 : (waitingBytes * 8_000) / pacingBps;
    this.#sinceMs = waitMs > LONG_MS ? (this.#sinceMs ?? nowMs) : undefined;
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs >= LASTS_MS;
  }

  /** It counts from now on. */
  forget(): void {
    this.#sinceMs = undefined;
  }
}
