/**
 * How far the other side is, by questions and their answers. Time in which this process was busy, as it is while clients
 * join, or waited for a core that others had, makes no network slow. What counts is how long it slept, neither running nor
 * waiting for a core: an answer would have woken it, so the answer took no less.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Questions that wait for their answers; who never answers must not fill the memory. */
const MAX_ASKED = 64;
/** Where nearly all of the time was busy, the answer may have been there all along: that tells nothing. */
const TELLING_MS = 5;

/** What the thread has done until now, each since any moment. */
export interface Moment {
  /** With nothing to do, as the event loop sees it: asleep, or already woken and waiting for a core, ms. */
  readonly idleMs: number;
  /** On a core or waiting for one, busy or idle alike, as the system sees it, ms. */
  readonly awakeMs: number;
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
    const { idleMs, awakeMs, nowMs } = this.#moment();
    const elapsedMs = nowMs - asked.nowMs;
    // The system counts what runs in ticks of up to 10 ms; the loop is exact, but takes its waiting for a core for sleep.
    const tookMs = Math.max(0, Math.min(idleMs - asked.idleMs, elapsedMs - (awakeMs - asked.awakeMs)));
    const busyMs = elapsedMs - tookMs;
    if (tookMs < TELLING_MS && busyMs >= TELLING_MS) return undefined;
    this.#smallestMs = Math.min(this.#smallestMs ?? Infinity, tookMs);
    return tookMs;
  }
}

/** What the system counts is read at most so often: a server asks many at a time, and less than that tells no network from another. */
const FRESH_MS = 1;

/** A figure that is dear to read, and good for a moment. */
export class Remembered {
  readonly #read: () => number;
  #value = 0;
  #atMs = -Infinity;

  constructor(read: () => number) {
    this.#read = read;
  }

  /** As it was within the last millisecond. */
  at(nowMs: number): number {
    if (nowMs - this.#atMs >= FRESH_MS) {
      this.#value = this.#read();
      this.#atMs = nowMs;
    }
    return this.#value;
  }
}

const awake = new Remembered(awakeMs);

function ownMoment(): Moment {
  const nowMs = performance.now();
  return { idleMs: performance.eventLoopUtilization().idle, awakeMs: awake.at(nowMs), nowMs };
}

/** As Linux counts it (proc(5), `schedstat`: ns on a core, ns waiting for one); 0 where it does not, as on other systems. */
function awakeMs(): number {
  try {
    const [ranNs, waitedNs] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return (Number(ranNs) + Number(waitedNs)) / 1e6 || 0;
  } catch {
    return 0;
  }
}
