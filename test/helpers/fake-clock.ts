/** Time that stands still until a test moves it. */
import type { Clock, Timer } from '../../src/base/clock.js';

interface Pending {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
}

/** A clock whose `advance` runs what falls due, in order. */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #startWallClockMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startWallClockMs = 1_700_000_000_000) {
    this.#startWallClockMs = startWallClockMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallClock(): number {
    return this.#startWallClockMs + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + delayMs, periodMs: undefined, callback });
  }

  every(periodMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, callback });
  }

  /** Timers that wait. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time on by `ms`, running every timer that falls due on the way, then lets promises settle. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#pending].filter((p) => p.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === undefined) this.#pending.delete(next);
      else next.dueMs += next.periodMs;
      next.callback();
      await new Promise(setImmediate);
    }
    this.#nowMs = end;
    await new Promise(setImmediate);
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }
}
