/** How much was sent up to when: a cumulative count, in steps of a few milliseconds, of the last seconds. */

const STEP_MS = 4;
/** A rate is told of no less. */
const MIN_SPAN_MS = 100;
/** Powers of two, for the ring's index is masked. */
const FIRST_STEPS = 32;
/** 4 s and more. */
const MAX_STEPS = 1024;

/** What was sent in the last seconds: a ring of plain numbers, for an object a step would live long enough to burden the old heap. */
export class SentBytes {
  /** When each step began. */
  #atMs = new Float64Array(FIRST_STEPS);
  /** All that had left by the end of it. */
  #totals = new Float64Array(FIRST_STEPS);
  /** Steps ever begun; the newest of them are in the ring. */
  #count = 0;
  #total = 0;
  #firstMs: number | undefined;

  /** Adds a packet. @param nowMs does not run backwards */
  add(sizeBytes: number, nowMs: number): void {
    this.#firstMs ??= nowMs;
    this.#total += sizeBytes;
    const newest = this.lastMs;
    if (newest === undefined || nowMs - newest >= STEP_MS) {
      if (this.#count === this.#atMs.length && this.#count < MAX_STEPS) this.#grow();
      this.#atMs[this.#count & this.#mask] = nowMs;
      this.#count++;
    }
    this.#totals[(this.#count - 1) & this.#mask] = this.#total;
  }

  /** Bytes that left after `sentMs`; all that is known where it is further back. */
  after(sentMs: number): number {
    const step = this.#stepAfter(sentMs);
    return this.#total - (step === 0 ? 0 : (this.#totals[(step - 1) & this.#mask] ?? 0));
  }

  /** When the first packet after that left, as far back as is known; undefined: none has. */
  firstAfterMs(sentMs: number): number | undefined {
    const step = this.#stepAfter(sentMs);
    return step === this.#count ? undefined : this.#atMs[step & this.#mask];
  }

  /** When the newest packet left, rounded down; undefined before the first. */
  get lastMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#atMs[(this.#count - 1) & this.#mask];
  }

  /** Bits a second over the last `windowMs`, or since the first packet. */
  rateBps(windowMs: number, nowMs: number): number {
    const spanMs = Math.min(windowMs, Math.max(MIN_SPAN_MS, nowMs - (this.#firstMs ?? nowMs)));
    return (this.after(nowMs - spanMs) * 8_000) / spanMs;
  }

  get #mask(): number {
    return this.#atMs.length - 1;
  }

  /** The first step that began after that. The oldest one in a full ring only tells what left before all others. */
  #stepAfter(sentMs: number): number {
    let [low, high] = [Math.max(0, this.#count - MAX_STEPS + 1), this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#atMs[middle & this.#mask] ?? 0) <= sentMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Before any step is overwritten: they lie in order from the start. */
  #grow(): void {
    const [atMs, totals] = [new Float64Array(2 * this.#count), new Float64Array(2 * this.#count)];
    atMs.set(this.#atMs);
    totals.set(this.#totals);
    [this.#atMs, this.#totals] = [atMs, totals];
  }
}
