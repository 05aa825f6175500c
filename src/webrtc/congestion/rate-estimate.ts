/**
 * What the way carries, as a number: what arrived when there was congestion, what a probe carried, and in between not much
 * more than what arrives, since a source mostly sends less than the way could carry.
 */

/** Of a way of which nothing is known. */
const ASSUMED_BPS = 1_000_000;
const [MIN_BPS, MAX_BPS] = [20_000, 1_000_000_000];
/** Of what arrived when there was congestion. */
const BACK_OFF = 0.85;
/** Without a probe it is at most that much of what arrives, and comes nearer to it by that a second. */
const UNPROVEN = 1.5;
const GROWTH_PER_S = 0.15;
/** What did not fit lately still does not. */
const CEILING_MS = 10_000;

/** The estimate of one way. */
export class RateEstimate {
  #bps: number | undefined;
  #isKnown = false;
  #ceilingBps = Infinity;
  #ceilingMs = -Infinity;

  /** Bits a second, 20 kbit/s at least; undefined before anything is known. */
  get bps(): number | undefined {
    return this.#bps;
  }

  /** The same, or what is assumed of a way of which nothing is known. */
  get assumedBps(): number {
    return this.#bps ?? ASSUMED_BPS;
  }

  /** Nothing has told of it yet. */
  get isAssumed(): boolean {
    return !this.#isKnown;
  }

  /** What arrived when it was set by `backOff`, bits a second. */
  get carriedBps(): number {
    return this.assumedBps / BACK_OFF;
  }

  /** Begins with what is assumed, where nothing is known. */
  assume(): void {
    this.#bps ??= ASSUMED_BPS;
  }

  /** There is congestion. @param arrivingBps what arrives in spite of it */
  backOff(arrivingBps: number): void {
    this.set(BACK_OFF * arrivingBps);
  }

  /** Somebody who knows says so. */
  set(bps: number): void {
    this.#isKnown = true;
    this.#bps = Math.min(MAX_BPS, Math.max(MIN_BPS, bps));
  }

  /** More does not fit. */
  limit(bps: number, nowMs: number): void {
    this.#ceilingBps = bps;
    this.#ceilingMs = nowMs;
  }

  /**
   * There is no congestion.
   * @param foundBps what a probe found to fit; 0: none did
   * @param arrivingBps what arrives
   * @param elapsedMs since the call before
   */
  grow(foundBps: number, arrivingBps: number, elapsedMs: number, nowMs: number): void {
    if (foundBps > this.#ceilingBps) this.#ceilingMs = -Infinity;
    const ceilingBps = nowMs - this.#ceilingMs <= CEILING_MS ? this.#ceilingBps : Infinity;
    const fromBps = Math.max(this.#bps ?? arrivingBps, foundBps);
    const grownBps = Math.min(fromBps * (1 + (GROWTH_PER_S * elapsedMs) / 1_000), UNPROVEN * arrivingBps);
    this.set(Math.max(arrivingBps, Math.min(Math.max(fromBps, grownBps), ceilingBps)));
  }
}
