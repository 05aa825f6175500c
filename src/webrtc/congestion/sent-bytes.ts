/** How much was sent up to when: a cumulative count, in steps of a few milliseconds, of the last seconds. */

const STEP_MS = 4;
/** A rate is told of no less. */
const MIN_SPAN_MS = 100;
/** 4 s and more. */
const MAX_STEPS = 1024;

/** What was sent in the last seconds. */
export class SentBytes {
  #steps: { readonly atMs: number; total: number }[] = [];
  #total = 0;
  #firstMs: number | undefined;
  /** Of the steps that were forgotten. */
  #forgotten = 0;

  /** Adds a packet. @param nowMs does not run backwards */
  add(sizeBytes: number, nowMs: number): void {
    this.#total += sizeBytes;
    this.#firstMs ??= nowMs;
    const newest = this.#steps.at(-1);
    if (newest && nowMs - newest.atMs < STEP_MS) {
      newest.total = this.#total;
      return;
    }
    this.#steps.push({ atMs: nowMs, total: this.#total });
    // Half at once: moving the rest up is not to be paid for by each packet.
    if (this.#steps.length > MAX_STEPS) {
      this.#forgotten = this.#steps[MAX_STEPS / 2 - 1]?.total ?? 0;
      this.#steps = this.#steps.slice(MAX_STEPS / 2);
    }
  }

  /** Bytes that left after `sentMs`; all that is known where it is further back. */
  after(sentMs: number): number {
    return this.#total - (this.#steps[this.#indexAfter(sentMs) - 1]?.total ?? this.#forgotten);
  }

  /** When the first packet after that left, as far back as is known; undefined: none has. */
  firstAfterMs(sentMs: number): number | undefined {
    return this.#steps[this.#indexAfter(sentMs)]?.atMs;
  }

  /** When the newest packet left, rounded down; undefined before the first. */
  get lastMs(): number | undefined {
    return this.#steps.at(-1)?.atMs;
  }

  /** Bits a second over the last `windowMs`, or since the first packet. */
  rateBps(windowMs: number, nowMs: number): number {
    const spanMs = Math.min(windowMs, Math.max(MIN_SPAN_MS, nowMs - (this.#firstMs ?? nowMs)));
    return (this.after(nowMs - spanMs) * 8_000) / spanMs;
  }

  #indexAfter(sentMs: number): number {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#steps[middle]?.atMs ?? 0) <= sentMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
