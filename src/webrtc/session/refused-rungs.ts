/** Rungs that were refused, or have ended while their source went on: they are left alone for a while. */
import type { Clock } from '../../base/clock.js';
import { SOURCE_RUNG } from '../../media/index.js';

const REFUSED_MS = 5000;

/** Of one viewer. */
export class RefusedRungs {
  readonly #clock: Clock;
  /** By name, until when. */
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The best rung has no substitute. */
  add(rung: string): void {
    if (rung !== SOURCE_RUNG) this.#untilMs.set(rung, this.#clock.now() + REFUSED_MS);
  }

  has(rung: string): boolean {
    const untilMs = this.#untilMs.get(rung);
    if (untilMs === undefined || this.#clock.now() < untilMs) return untilMs !== undefined;
    this.#untilMs.delete(rung);
    return false;
  }
}
