/**
 * Jobs that take turns: so many at a time, the others in the order they came, those whose client has gone not at all. Where jobs
 * have owners, those take turns as well: who asks for many waits for themselves, and gives way where too many wait.
 */
import { whoGivesWay } from './fair-share.js';
import { capacityReached, RETRY_AFTER_S } from './refusals.js';

/** How many jobs run and wait. */
export interface TurnsInit {
  /** Jobs at the same time. */
  readonly atOnce: number;
  /** Of one owner, at the same time. Default: all. */
  readonly eachAtOnce?: number;
  /** Jobs that may wait; one more is refused. Default 1000. */
  readonly maxWaiting?: number;
  /** What is made, for the message: `stills`. */
  readonly what: string;
  /** Awaited before each job, in its turn: what is more urgent goes first. Never rejects. */
  readonly whenFree?: (signal: AbortSignal | undefined) => Promise<void>;
}

interface Waiting {
  /** Of its owner. */
  readonly address: string;
  readonly begin: () => void;
  readonly refuse: (error: Error) => void;
}

/** Runs jobs in the order in which they came, a bounded number at a time. */
export class Turns {
  readonly #init: TurnsInit;
  /** By owner; the one whose turn is next first. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #runningOf = new Map<string, number>();
  #waitingCount = 0;
  #running = 0;

  constructor(init: TurnsInit) {
    this.#init = init;
  }

  /**
   * Runs a job in its turn. @param signal aborted when nobody wants it any more: a job that waits is not begun then
   * @param owner whose it is, an address for example; left out: nobody's in particular
   * @throws MediaPeerError CAPACITY_REACHED; the signal's reason; what the job throws
   */
  async run<T>(job: () => Promise<T>, signal?: AbortSignal, owner = ''): Promise<T> {
    signal?.throwIfAborted();
    if (this.#mayBegin(owner)) this.#count(owner, 1);
    else await this.#turn(owner, signal);
    try {
      await this.#init.whenFree?.(signal);
      signal?.throwIfAborted();
      return await job();
    } finally {
      this.#count(owner, -1);
      this.#beginNext();
    }
  }

  #mayBegin(owner: string): boolean {
    const { atOnce, eachAtOnce = Infinity } = this.#init;
    return this.#running < atOnce && (this.#runningOf.get(owner) ?? 0) < eachAtOnce;
  }

  #count(owner: string, change: 1 | -1): void {
    this.#running += change;
    const running = (this.#runningOf.get(owner) ?? 0) + change;
    if (running > 0) this.#runningOf.set(owner, running);
    else this.#runningOf.delete(owner);
  }

  /** The place goes to the next one in line. */
  #beginNext(): void {
    for (const [owner, [next]] of this.#waiting) {
      if (!next || !this.#mayBegin(owner)) continue;
      const line = this.#waiting.get(owner);
      this.#remove(next);
      // To the end.
      if (line && this.#waiting.delete(owner)) this.#waiting.set(owner, line);
      this.#count(owner, 1);
      return next.begin();
    }
  }

  #turn(owner: string, signal: AbortSignal | undefined): Promise<void> {
    this.#makeRoom(owner);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        address: owner,
        begin: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
        refuse: (error) => {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      const leave = (): void => {
        this.#remove(waiting);
        reject(signal?.reason as Error);
      };
      const line = this.#waiting.get(owner) ?? [];
      line.push(waiting);
      this.#waiting.set(owner, line);
      this.#waitingCount++;
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** @throws MediaPeerError CAPACITY_REACHED where nobody has more waiting than this owner */
  #makeRoom(owner: string): void {
    const { maxWaiting = 1000, what } = this.#init;
    if (this.#waitingCount < maxWaiting) return;
    const error = capacityReached(`${this.#waitingCount} ${what} are already waiting`, RETRY_AFTER_S.turn);
    const leaving = whoGivesWay([...this.#waiting.values()].flat(), owner, () => 0);
    if (!leaving) throw error;
    this.#remove(leaving);
    leaving.refuse(error);
  }

  #remove(waiting: Waiting): void {
    const line = this.#waiting.get(waiting.address) ?? [];
    line.splice(line.indexOf(waiting), 1);
    if (line.length === 0) this.#waiting.delete(waiting.address);
    this.#waitingCount--;
  }
}
