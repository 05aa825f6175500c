/** Rungs that were refused, or have ended while their source went on: they are left alone for a while. */
import type { Clock } from '../../base/clock.js';
import { SOURCE_RUNG } from '../../media/index.js';

const REFUSED_MS = 5000;

/** Of one viewer. */
export class RefusedRungs {
  readonly #clock: Clock;
  /** By source and name, until when. */
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The best rung has no substitute. */
  add(sourceId: string, rung: string): void {
    if (rung !== SOURCE_RUNG) this.#untilMs.set(keyOf(sourceId, rung), this.#clock.now() + REFUSED_MS);
  }

  has(sourceId: string, rung: string): boolean {
    const key = keyOf(sourceId, rung);
    const untilMs = this.#untilMs.get(key);
    if (untilMs === undefined || this.#clock.now() < untilMs) return untilMs !== undefined;
    this.#untilMs.delete(key);
    return false;
  }
}

const keyOf = (sourceId: string, rung: string): string => `${rung} ${sourceId}`;
