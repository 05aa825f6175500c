/**
 * How far the other side is, by questions and their answers. Time in which this process was busy, as it is while clients
 * join, or waited for a core that others had, makes no network slow: what it had nothing to do for counts, which is never
 * more than the answer took.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Questions that wait for their answers; who never answers must not fill the memory. */
const MAX_ASKED = 64;
/** Where nearly all of the time was busy, the answer may have been there all along: that tells nothing. */
const TELLING_MS = 5;

/** What the thread has done until now, each since any moment. */
export interface Moment {
  /** Without anything to do, ms. */
  readonly idleMs: number;
  /** Waiting for a core, ms. */
  readonly queuedMs: number;
  /** Monotonic ms. */
  readonly nowMs: number;
}

/** Of one path. */
export class RoundTrips {
  readonly #moment: () => Moment;
  readonly #asked = new Map<string, Moment>();
  #smallestMs: number | undefined;

  /** @param moment default: of this thread */
  constructor(moment: () => Moment = ownMoment) {
    this.#moment = moment;
  }

  /** In ms; the smallest tells the network best. Undefined before an answer that tells something. */
  get smallestMs(): number | undefined {
    return this.#smallestMs;
  }

  /** A question has left. Where it is repeated, the answer may be to the first: the time counts from there. */
  asked(name: string): void {
    if (this.#asked.has(name)) return;
    this.#asked.set(name, this.#moment());
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
  }

  /** Its answer has come; another one is passed over. @returns what it took, in ms; undefined: that tells nothing */
  answered(name: string): number | undefined {
    const asked = this.#asked.get(name);
    if (!asked) return undefined;
    this.#asked.delete(name);
    const { idleMs, queuedMs, nowMs } = this.#moment();
    const tookMs = Math.max(0, idleMs - asked.idleMs - (queuedMs - asked.queuedMs));
    const busyMs = nowMs - asked.nowMs - tookMs;
    if (tookMs < TELLING_MS && busyMs >= TELLING_MS) return undefined;
    this.#smallestMs = Math.min(this.#smallestMs ?? Infinity, tookMs);
    return tookMs;
  }
}

function ownMoment(): Moment {
  return { idleMs: performance.eventLoopUtilization().idle, queuedMs: queuedMs(), nowMs: performance.now() };
}

/** As Linux counts it (proc(5), `schedstat`: the second number, in ns); 0 where it does not, as on other systems. */
function queuedMs(): number {
  try {
    const [, waitedNs] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return Number(waitedNs ?? 0) / 1e6 || 0;
  } catch {
    return 0;
  }
}
