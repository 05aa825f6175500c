/** Outages of publishers that outlive their connections. */
import type { Clock } from '../../base/clock.js';

/** Longer than any wait: a camera that comes back later comes as a new one. */
const MAX_OUTAGE_AGE_MS = 10 * 60_000;
const MAX_OUTAGES = 1000;

/** What is remembered of a publisher that is silent. */
export interface Outage {
  /** Monotonic ms of the last frame. */
  readonly sinceMs: number;
  /** Connections in a row that brought no frames. */
  readonly failures: number;
  /** How often the publisher was asked to reconnect. */
  readonly requests: number;
  /** Monotonic ms before which no more is asked. */
  readonly nextRequestMs: number;
}

/** Outages that outlive their connections, by room: a camera that reconnects as it was asked to does so with another one. */
export class Outages {
  readonly #clock: Clock;
  readonly #byRoom = new Map<string, { readonly outage: Outage; readonly endedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The publisher of the room is gone; undefined where all was well. */
  keep(room: string, outage: Outage | undefined): void {
    this.#byRoom.delete(room);
    if (!outage) return;
    this.#byRoom.set(room, { outage, endedMs: this.#clock.now() });
    const [oldest] = this.#byRoom.keys();
    if (this.#byRoom.size > MAX_OUTAGES && oldest !== undefined) this.#byRoom.delete(oldest);
  }

  /** For the next publisher of the room, once. */
  take(room: string): Outage | undefined {
    const kept = this.#byRoom.get(room);
    this.#byRoom.delete(room);
    return kept && this.#clock.now() - kept.endedMs < MAX_OUTAGE_AGE_MS ? kept.outage : undefined;
  }
}
