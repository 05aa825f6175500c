/**
 * Tells a way that has become longer from one with a queue: a queue changes when less is sent, what is far stays far.
 */

/** What waits varies by so much, where it is the same. */
const STEADY_MS = 10;
/** Less is sent for so long before it is known. */
const KNOWN_MS = 1_000;
/** Beyond what it was by more, more has come into the queue. */
const MORE_MS = 50;

/** Of one way. */
export class Lengthening {
  /** Less is sent since then, for what waited at least. */
  #test: { readonly sinceMs: number; readonly lowMs: number; readonly lowest: [number, number] } | undefined;

  /** Less is sent from now on. @param lowMs what waited at least in the last moments */
  begin(lowMs: number, nowMs: number): void {
    this.#test = { sinceMs: nowMs, lowMs, lowest: [Infinity, Infinity] };
  }

  /** What is seen is no queue, or one that will be known soon. */
  explains(queueMs: number): boolean {
    return this.#test !== undefined && queueMs < this.#test.lowMs + MORE_MS;
  }

  /** @param queueMs what a packet waited that left at `sentMs`. @returns true where the way has become longer, once */
  add(queueMs: number, sentMs: number): boolean {
    if (!this.#test || sentMs <= this.#test.sinceMs) return false;
    const { sinceMs, lowMs, lowest } = this.#test;
    if (queueMs < lowMs - STEADY_MS) this.#test = undefined;
    const half = sentMs - sinceMs < KNOWN_MS / 2 ? 0 : 1;
    lowest[half] = Math.min(lowest[half], queueMs);
    if (!this.#test || sentMs - sinceMs < KNOWN_MS) return false;
    this.#test = undefined;
    return lowest.every((lowestMs) => lowestMs <= lowMs + STEADY_MS);
  }

  /** Nothing is looked for. */
  stop(): void {
    this.#test = undefined;
  }
}
