/** Jobs one at a time, the newest wish first: who looks along a timeline wants what is under the pointer now. */
import { capacityReached, RETRY_AFTER_S } from '../base/refusals.js';

interface Wish<T> {
  readonly job: () => Promise<T>;
  readonly result: Promise<T>;
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs jobs by what they make. */
export class NewestFirst<Key, T> {
  readonly #maxWaiting: number;
  readonly #what: string;
  /** The newest wish last. */
  readonly #waiting = new Map<Key, Wish<T>>();
  #running: { readonly key: Key; readonly result: Promise<T> } | undefined;

  /** @param what is made, for the message @param maxWaiting beyond it the oldest wish is refused */
  constructor(what: string, maxWaiting: number) {
    this.#what = what;
    this.#maxWaiting = maxWaiting;
  }

  /** Makes it next; one that is wished for already moves ahead of the others. @throws MediaPeerError CAPACITY_REACHED; what the job throws */
  wish(key: Key, job: () => Promise<T>): Promise<T> {
    if (this.#running?.key === key) return this.#running.result;
    const known = this.#waiting.get(key);
    const wish = known ?? makeWish(job);
    this.#waiting.delete(key);
    this.#waiting.set(key, wish);
    this.#dropOldest();
    this.#next();
    return wish.result;
  }

  /** Nothing that waits is begun any more; resolves once what runs has ended. */
  async close(reason: Error): Promise<void> {
    for (const wish of this.#waiting.values()) wish.reject(reason);
    this.#waiting.clear();
    await this.#running?.result.catch(() => undefined);
  }

  #dropOldest(): void {
    if (this.#waiting.size <= this.#maxWaiting) return;
    const [oldest] = this.#waiting;
    if (!oldest) return;
    this.#waiting.delete(oldest[0]);
    oldest[1].reject(capacityReached(`${this.#maxWaiting} ${this.#what} are already waiting`, RETRY_AFTER_S.turn));
  }

  #next(): void {
    const newest = [...this.#waiting].at(-1);
    if (this.#running || !newest) return;
    const [key, wish] = newest;
    this.#waiting.delete(key);
    this.#running = { key, result: wish.result };
    wish
      .job()
      .then(wish.resolve, wish.reject)
      .finally(() => {
        this.#running = undefined;
        this.#next();
      });
  }
}

/** Who does not wait for it need not hear of its failure. */
function makeWish<T>(job: () => Promise<T>): Wish<T> {
  let resolve!: Wish<T>['resolve'];
  let reject!: Wish<T>['reject'];
  const result = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  result.catch(() => undefined);
  return { job, result, resolve, reject };
}
