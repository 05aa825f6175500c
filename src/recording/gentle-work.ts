/** Work that nobody waits for: it takes a share of the main thread, a little at a time, so that what plays meanwhile goes on. */
import { delay, type Clock } from '../base/clock.js';

/** At a time, ms: well below a frame's. */
const SLICE_MS = 5;
/** Left to others after a slice, in slices: a quarter of a core is taken. */
const REST = 3;

/** Measures how long work goes on without a rest. */
export class GentleWork {
  readonly #clock: Clock;
  #sinceMs: number;

  /** Work begins now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  /** To be awaited after each small piece of work. @param signal ends a rest early */
  async rest(signal: AbortSignal): Promise<void> {
    const workedMs = this.#clock.now() - this.#sinceMs;
    if (workedMs < SLICE_MS) return;
    await delay(this.#clock, REST * workedMs, signal);
    this.#sinceMs = this.#clock.now();
  }
}
