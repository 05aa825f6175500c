/** Jobs that take turns: so many at a time, the others in the order they came, those whose client has gone not at all. */
import { capacityReached, RETRY_AFTER_S } from './refusals.js';

/** How many jobs run and wait. */
export interface TurnsInit {
  /** Jobs at the same time. */
  readonly atOnce: number;
  /** Jobs that may wait; one more is refused. Default 1000. */
  readonly maxWaiting?: number;
  /** What is made, for the message: `stills`. */
  readonly what: string;
  /** Awaited before each job, in its turn: what is more urgent goes first. Never rejects. */
  readonly whenFree?: (signal: AbortSignal | undefined) => Promise<void>;
}

/** Runs jobs in the order in which they came, a bounded number at a time. */
export class Turns {
  readonly #init: TurnsInit;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(init: TurnsInit) {
    this.#init = init;
  }

  /**
   * Runs a job in its turn. @param signal aborted when nobody wants it any more: a job that waits is not begun then
   * @throws MediaPeerError CAPACITY_REACHED; the signal's reason; what the job throws
   */
  async run<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { atOnce, maxWaiting = 1000, what, whenFree } = this.#init;
    signal?.throwIfAborted();
    if (this.#running < atOnce) this.#running++;
    else if (this.#waiting.length >= maxWaiting)
      throw capacityReached(`${this.#waiting.length} ${what} are already waiting`, RETRY_AFTER_S.turn);
    else await this.#turn(signal);
    try {
      await whenFree?.(signal);
      signal?.throwIfAborted();
      return await job();
    } finally {
      // The place goes to the next one in line.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(begin);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}
