/**
 * How far the other side is, by questions and their answers. Only time counts in which this process had nothing to do: one
 * that is busy, as it is while clients join, does not make the network slow.
 */
import { performance } from 'node:perf_hooks';

/** Questions that wait for their answers; who never answers must not fill the memory. */
const MAX_ASKED = 16;

/** Of one path. */
export class RoundTrips {
  readonly #asked = new Map<string, number>();
  #smallestMs: number | undefined;

  /** In ms; the smallest tells the network best. Undefined before the first answer. */
  get smallestMs(): number | undefined {
    return this.#smallestMs;
  }

  /** A question has left; one of the same name is forgotten. */
  asked(name: string): void {
    this.#asked.delete(name);
    this.#asked.set(name, idleMs());
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
  }

  /** Its answer has come; another one is passed over. */
  answered(name: string): void {
    const askedMs = this.#asked.get(name);
    if (askedMs === undefined) return;
    this.#asked.delete(name);
    this.#smallestMs = Math.min(this.#smallestMs ?? Infinity, idleMs() - askedMs);
  }
}

function idleMs(): number {
  return performance.eventLoopUtilization().idle;
}
