/** What can wait goes after those who join: a snapshot or a look that is asked for by a program must not keep a viewer in the dark. */
import type { Clock, Timer } from '../base/clock.js';

const LOOK_MS = 100;
/** Whoever joins forever, or only seems to, must not keep all else from happening. */
const MAX_WAIT_MS = 5_000;

/** Waits until nobody joins. */
export class Quiet {
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  readonly #waits = new Map<Timer, () => void>();
  #isClosed = false;

  /** @param isBusy true while somebody joins */
  constructor(clock: Clock, isBusy: () => boolean) {
    this.#clock = clock;
    this.#isBusy = isBusy;
  }

  /** Resolves when nobody joins, 5 s later at most, or when `signal` is aborted. */
  async wait(signal?: AbortSignal): Promise<void> {
    const endMs = this.#clock.now() + MAX_WAIT_MS;
    while (!this.#isClosed && signal?.aborted !== true && this.#clock.now() < endMs && this.#isBusy()) await this.#pause();
  }

  /** Nobody waits any more. */
  close(): void {
    this.#isClosed = true;
    for (const [timer, go] of this.#waits) {
      timer.cancel();
      go();
    }
    this.#waits.clear();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(LOOK_MS, () => {
        this.#waits.delete(timer);
        resolve();
      });
      this.#waits.set(timer, resolve);
    });
  }
}
