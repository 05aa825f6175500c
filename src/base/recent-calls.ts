/** How often something may be called, each by its name: so many times within a period that slides. */
import type { Clock } from './clock.js';

/** How often. */
export interface RecentCallsInit {
  readonly clock: Pick<Clock, 'now'>;
  /** Calls of one name within the period. */
  readonly max: number;
  /** In milliseconds. */
  readonly periodMs: number;
  /** Names that are remembered; those that were called longest ago are forgotten first. Default 1000. */
  readonly maxNames?: number;
}

const MAX_NAMES = 1_000;

/** Counts calls by name. */
export class RecentCalls {
  readonly #init: RecentCallsInit;
  readonly #calledMs = new Map<string, readonly number[]>();

  constructor(init: RecentCallsInit) {
    this.#init = init;
  }

  /** Calls of one name within the period. */
  get max(): number {
    return this.#init.max;
  }

  /** Counts a call of these names, each once; undefined where it may be made. @returns seconds until it may be; nothing was counted then */
  count(names: Iterable<string>): number | undefined {
    const { clock, max, periodMs, maxNames = MAX_NAMES } = this.#init;
    const nowMs = clock.now();
    const recent = new Map([...names].map((name) => [name, this.#recent(name, nowMs)]));
    const dueMs = [...recent.values()].map((calls) => (calls.length < max ? nowMs : (calls[calls.length - max] ?? nowMs) + periodMs));
    const waitMs = Math.max(nowMs, ...dueMs) - nowMs;
    if (waitMs > 0) return Math.ceil(waitMs / 1000);
    for (const [name, calls] of recent) {
      this.#calledMs.delete(name);
      this.#calledMs.set(name, [...calls, nowMs]);
    }
    for (const [oldest] of this.#calledMs) {
      if (this.#calledMs.size <= maxNames) break;
      this.#calledMs.delete(oldest);
    }
    return undefined;
  }

  /** The newest call of that name counts no more. */
  takeBack(name: string): void {
    const calls = this.#calledMs.get(name) ?? [];
    if (calls.length > 1) this.#calledMs.set(name, calls.slice(0, -1));
    else this.#calledMs.delete(name);
  }

  #recent(name: string, nowMs: number): readonly number[] {
    return (this.#calledMs.get(name) ?? []).filter((atMs) => nowMs - atMs < this.#init.periodMs);
  }
}
