/** What a session remembers of itself while it lives: the steps of its connection, for whoever asks why it failed. */
import type { Clock } from '../../base/clock.js';
import type { Step } from '../api/report.js';

/** A session that lives for days must not grow: restarts are its only steps by then. */
const MAX_STEPS = 100;

export class SessionRecord {
  /** Unix seconds at which the session began. */
  readonly createdAtS: number;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #steps: Step[] = [];

  constructor(clock: Clock) {
    this.createdAtS = clock.wallClock() / 1000;
    this.#clock = clock;
    this.#startedMs = clock.now();
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Milliseconds since the session began. */
  get elapsedMs(): number {
    return Math.round(this.#clock.now() - this.#startedMs);
  }

  note(step: string, facts?: Readonly<Record<string, unknown>>): void {
    if (this.#steps.length < MAX_STEPS) this.#steps.push({ atMs: this.elapsedMs, step, ...(facts && { facts }) });
  }

  /** As `note`, the first time alone. */
  noteOnce(step: string, facts?: Readonly<Record<string, unknown>>): void {
    if (!this.#steps.some((known) => known.step === step)) this.note(step, facts);
  }
}
