/** Restarts ICE of a connection that has gone silent: soon once, then less and less often while that lasts. */
import type { Clock, Timer } from '../base/clock.js';
import type { ConnectionState } from '../webrtc/index.js';

/** How long a connection may be `disconnected` before the first restart: most that do come back by themselves. */
const FIRST_MS = 3000;
/** Longest wait between two. */
const MAX_MS = 12_000;

/** Watches the connection of one session. */
export class RestartWatch {
  readonly #clock: Clock;
  readonly #restart: () => void;
  #timer: Timer | undefined;

  /** `restart` must not throw. */
  constructor(clock: Clock, restart: () => void) {
    this.#clock = clock;
    this.#restart = restart;
  }

  /** The connection's state is this one now. */
  state(state: ConnectionState): void {
    if (state === 'disconnected' && !this.#timer) this.#wait(FIRST_MS, FIRST_MS);
    // Back to `connecting`, it is not back yet.
    if (state === 'connected' || state === 'closed') this.close();
  }

  /** Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(delayMs: number, nextMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      this.#wait(nextMs, Math.min(nextMs * 2, MAX_MS));
      this.#restart();
    });
  }
}
