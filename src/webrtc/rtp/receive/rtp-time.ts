/** The RTP timestamps of one stream as ms since its tick 0: without wraps, and at the rate that its clock really has. */

/** A clock further off than that is none. */
const MAX_RATE_RATIO = 128;

/** The clock of one RTP stream. */
export class RtpTime {
  readonly #nominalTicksPerMs: number;
  #ticksPerMs: number;
  /** Newest timestamp, without its wraps. */
  #newestTicks: number | undefined;
  /** Where the newest rate began. */
  #pivot = { ticks: 0, ms: 0 };

  constructor(clockRateHz: number) {
    this.#nominalTicksPerMs = this.#ticksPerMs = clockRateHz / 1000;
  }

  /** False before the first timestamp. */
  get hasBegun(): boolean {
    return this.#newestTicks !== undefined;
  }

  /** Takes a timestamp as one of the stream's own. */
  take(rtpTimestamp: number): number {
    const ticks = this.#nearest(rtpTimestamp);
    this.#newestTicks = Math.max(this.#newestTicks ?? ticks, ticks);
    return this.#msOf(ticks);
  }

  /** As `take`, without counting it. */
  at(rtpTimestamp: number): number {
    return this.#msOf(this.#nearest(rtpTimestamp));
  }

  /** The stream continues from here, though its timestamps stepped back: wraps are counted from it. */
  goOnFrom(rtpTimestamp: number): void {
    this.#newestTicks = this.#nearest(rtpTimestamp);
  }

  /** From the newest timestamp on, the clock runs so many times as fast. Its value there stays. */
  scaleRate(ratio: number): void {
    const ticks = this.#newestTicks ?? 0;
    this.#pivot = { ticks, ms: this.#msOf(ticks) };
    const [least, most] = [this.#nominalTicksPerMs / MAX_RATE_RATIO, this.#nominalTicksPerMs * MAX_RATE_RATIO];
    this.#ticksPerMs = Math.min(most, Math.max(least, this.#ticksPerMs * ratio));
  }

  /** What follows has nothing to do with the timestamps before. */
  restart(): void {
    this.#newestTicks = undefined;
    this.#pivot = { ticks: 0, ms: 0 };
  }

  #msOf(ticks: number): number {
    return this.#pivot.ms + (ticks - this.#pivot.ticks) / this.#ticksPerMs;
  }

  /** In ticks: the value nearest to the newest timestamp. */
  #nearest(rtpTimestamp: number): number {
    return this.#newestTicks === undefined ? rtpTimestamp : this.#newestTicks + ((rtpTimestamp - this.#newestTicks) | 0);
  }
}
