/** How often the detector looks, and how long it takes, told by the newest messages. Time is handed in. */

/** Messages over which they are taken. */
const MESSAGES = 30;

/** Means over the newest messages. */
export interface DetectorFigures {
  /** Messages a second. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly inferenceMs: number;
}

/** Keeps the newest messages' times. */
export class DetectorRate {
  readonly #arrivals: { readonly nowMs: number; readonly inferenceMs: number }[] = [];

  /** A message came. @param inferenceMs that the model took @param nowMs on any clock that runs evenly */
  add(inferenceMs: number, nowMs: number): void {
    this.#arrivals.push({ nowMs, inferenceMs });
    if (this.#arrivals.length > MESSAGES) this.#arrivals.shift();
  }

  /** Undefined before there are two messages. */
  get figures(): DetectorFigures | undefined {
    const [first, last] = [this.#arrivals[0], this.#arrivals.at(-1)];
    if (!first || !last || last.nowMs === first.nowMs) return undefined;
    const inferenceMs = this.#arrivals.reduce((sum, one) => sum + one.inferenceMs, 0) / this.#arrivals.length;
    return { perSecond: ((this.#arrivals.length - 1) * 1000) / (last.nowMs - first.nowMs), inferenceMs };
  }
}
