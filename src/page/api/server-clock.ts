/** What the server's clock says: that of the browser may be hours off, and times of recordings and events are the server's. */

/** Learns from the `Date` of answers, which is cut to whole seconds: the server wrote it between the question and the answer. */
export class ServerClock {
  #lowMs = -Infinity;
  #highMs = Infinity;

  /** @param date header of an answer @param askedMs by this clock, as `answeredMs` */
  learn(date: string | null, askedMs: number, answeredMs: number): void {
    const wroteMs = Date.parse(date ?? '');
    if (Number.isNaN(wroteMs)) return;
    const [lowMs, highMs] = [wroteMs - answeredMs, wroteMs + 1000 - askedMs];
    const fits = lowMs <= this.#highMs && highMs >= this.#lowMs;
    // One of the clocks was set.
    this.#lowMs = fits ? Math.max(lowMs, this.#lowMs) : lowMs;
    this.#highMs = fits ? Math.min(highMs, this.#highMs) : highMs;
  }

  /** How much the server is ahead, in ms; 0 while it fits that both show the same. */
  get aheadMs(): number {
    if (this.#lowMs <= 0 && this.#highMs >= 0) return 0;
    return (this.#lowMs + this.#highMs) / 2;
  }
}

/** Of the server that this page is of. */
export const serverClock = new ServerClock();

/** Unix seconds by the server's clock. */
export function serverNowS(): number {
  return (Date.now() + serverClock.aheadMs) / 1000;
}
