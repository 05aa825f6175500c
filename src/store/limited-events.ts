/**
 * Events whose number others decide on: who comes and goes, and who is refused. So many of a type are kept a minute; how many more
 * there were, the next one says. A flood must not drive what matters out of the store.
 */
import type { Clock } from '../base/clock.js';
import type { EventType } from '../base/event-types.js';
import type { EventFacts } from './event.js';

/** Where events are kept, and how many. */
export interface LimitedEventsInit {
  /** Keeps an event. */
  readonly add: (facts: EventFacts) => unknown;
  readonly clock: Clock;
  /** Of a type in a minute. Default 600; of `refused` 30, of `login` and `detector_failed` 60. */
  readonly perMinute?: Partial<Record<EventType, number>>;
}

/** What a type may still have. */
interface Budget {
  left: number;
  atMs: number;
  omitted: number;
}

const DEFAULT_PER_MINUTE = 600;
const PER_MINUTE: Partial<Record<EventType, number>> = { refused: 30, login: 60, detector_failed: 60 };

/** Keeps what the bounds let through. */
export class LimitedEvents {
  readonly #init: LimitedEventsInit;
  readonly #perMinute: Partial<Record<EventType, number>>;
  readonly #budgets = new Map<EventType, Budget>();

  constructor(init: LimitedEventsInit) {
    this.#init = init;
    this.#perMinute = { ...PER_MINUTE, ...init.perMinute };
  }

  /** Keeps an event of now, or counts it. `omitted` of an event says how many of its type were not kept since the one before. */
  add(type: EventType, sourceId: string | undefined, data: Readonly<Record<string, unknown>>): void {
    const { add, clock } = this.#init;
    const max = this.#perMinute[type] ?? DEFAULT_PER_MINUTE;
    const nowMs = clock.now();
    const budget = this.#budgets.get(type) ?? { left: max, atMs: nowMs, omitted: 0 };
    this.#budgets.set(type, budget);
    budget.left = Math.min(max, budget.left + ((nowMs - budget.atMs) * max) / 60_000);
    budget.atMs = nowMs;
    if (budget.left < 1) {
      budget.omitted++;
      return;
    }
    budget.left--;
    const { omitted } = budget;
    budget.omitted = 0;
    add({ type, sourceId, atMs: Math.round(clock.wallClock()), data: omitted > 0 ? { ...data, omitted } : data });
  }
}
