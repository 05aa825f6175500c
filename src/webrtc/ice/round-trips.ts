/**
 * How far the other side is, by questions and their answers. Time in which this process was busy, as it is while clients
 * join, makes no network slow: what it had nothing to do for counts, which is never more than the answer took.
 */
import { performance } from 'node:perf_hooks';

/** Questions that wait for their answers; who never answers must not fill the memory. */
const MAX_ASKED = 16;
/** Where nearly all of the time was busy, the answer may have been there all along: that tells nothing. */
const TELLING_MS = 5;

interface Moment {
  readonly idleMs: number;
  readonly nowMs: number;
}

/** Of one path. */
export class RoundTrips {
  readonly #asked = new Map<string, Moment>();
  #smallestMs: number | undefined;

  /** In ms; the smallest tells the network best. Undefined before an answer that tells something. */
  get smallestMs(): number | undefined {
    return this.#smallestMs;
  }

  /** A question has left. Where it is repeated, the answer may be to the first: the time counts from there. */
  asked(name: string): void {
    if (this.#asked.has(name)) return;
    this.#asked.set(name, moment());
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
  }

  /** Its answer has come; another one is passed over. */
  answered(name: string): void {
    const asked = this.#asked.get(name);
    if (!asked) return;
    this.#asked.delete(name);
    const { idleMs, nowMs } = moment();
    const tookMs = idleMs - asked.idleMs;
    const busyMs = nowMs - asked.nowMs - tookMs;
    if (tookMs >= TELLING_MS || busyMs < TELLING_MS) this.#smallestMs = Math.min(this.#smallestMs ?? Infinity, tookMs);
  }
}

function moment(): Moment {
  return { idleMs: performance.eventLoopUtilization().idle, nowMs: performance.now() };
}
