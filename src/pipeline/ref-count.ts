/** Who holds something that is made while it is held, and for a grace time beyond. */
import type { Clock, Timer } from '../base/clock.js';

/** What is made, and for how long it outlives its last holder. */
export interface RefCountInit {
  readonly clock: Clock;
  /** How long it is kept when the last one is gone, in ms. */
  readonly graceMs: number;
  /** Nobody has held it for that long. */
  readonly onIdle: () => void;
}

/** Who holds one thing. */
export class RefCount {
  readonly #init: RefCountInit;
  #count = 0;
  #idle: Timer | undefined;
  #isClosed = false;

  constructor(init: RefCountInit) {
    this.#init = init;
  }

  /** False within the grace time. */
  get isHeld(): boolean {
    return this.#count > 0;
  }

  /** Counts one in; returns what counts it out, once. */
  add(): () => void {
    this.#idle?.cancel();
    this.#idle = undefined;
    this.#count++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#count === 0 && !this.#isClosed) this.#idle = this.#init.clock.after(this.#init.graceMs, this.#init.onIdle);
    };
  }

  /** `onIdle` is not called any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#idle?.cancel();
  }
}
