/** Rights end while sessions last: users are removed, tokens expire. Whoever holds a session is asked for again, once a second. */
import type { Clock, Timer } from '../base/clock.js';

const PERIOD_MS = 1000;

/** What goes on only as long as somebody has the right for it. */
export interface Watched {
  /** Whether they still have it. Never rejects. */
  readonly stillHas: () => Promise<boolean>;
  /** Called once, when they have it no more. */
  readonly onLost: () => void;
}

/** Everything that goes on by rights that may end. */
export class RightsWatch {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches until the returned function is called, or the right is lost. */
  add(watched: Watched): () => void {
    this.#watched.add(watched);
    this.#timer ??= this.#clock.every(PERIOD_MS, () => this.check());
    return () => this.#remove(watched);
  }

  /** Asks for all of them now. */
  check(): void {
    for (const watched of [...this.#watched]) {
      void watched.stillHas().then((has) => {
        if (has || !this.#watched.has(watched)) return;
        this.#remove(watched);
        watched.onLost();
      });
    }
  }

  #remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
