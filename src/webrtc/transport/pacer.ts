/**
 * The one timer of everything that is paced. It runs fast only while something waits or a probe is sent, slowly while
 * somebody is paced at all, and not where nobody is: on fast networks there is none.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** Between two looks at those that have something waiting: at most so long something waits for the timer alone. */
const BUSY_MS = 5;
/** Between two looks at those that have not: time passes for them, too. */
const QUIET_MS = 50;
/** The timer fires later by more where this process was busy, or waited for a core; what it sees is doubtful for so long then. */
const [LATE_MS, DOUBTFUL_MS] = [100, 2_000];
/** Who is late for longer, again and again, cannot wait for better days: what it sees counts all the same. */
const MAX_DOUBTFUL_MS = 10_000;

/** One that is paced. */
export interface PacedClient {
  /** Sends what may leave by now. @returns true while more waits */
  tick(nowMs: number): boolean;
}

/** Paces all transports of the server. */
export class Pacer {
  readonly #clock: Clock;
  readonly #busy = new Set<PacedClient>();
  readonly #quiet = new Set<PacedClient>();
  #timer: { readonly handle: Timer; readonly dueMs: number } | undefined;
  #quietSinceMs = -Infinity;
  /** When the timer was late last, and first of those times that followed each other. */
  #lateMs = -Infinity;
  #lateSinceMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Looks after it from now on. @param isBusy something waits */
  watch(client: PacedClient, isBusy: boolean): void {
    (isBusy ? this.#quiet : this.#busy).delete(client);
    (isBusy ? this.#busy : this.#quiet).add(client);
    this.#schedule();
  }

  /** Looks after it no more. Idempotent. */
  leave(client: PacedClient): void {
    this.#busy.delete(client);
    this.#quiet.delete(client);
    this.#schedule();
  }

  /** This process was late a moment ago, or is: what takes long then, or does not come, is no fault of a network. */
  isLate(nowMs: number): boolean {
    if (this.#timer && nowMs - this.#timer.dueMs > LATE_MS) {
      if (nowMs - this.#lateMs >= DOUBTFUL_MS) this.#lateSinceMs = nowMs;
      this.#lateMs = nowMs;
    }
    return nowMs - this.#lateMs < DOUBTFUL_MS && nowMs - this.#lateSinceMs < MAX_DOUBTFUL_MS;
  }

  #schedule(): void {
    const periodMs = this.#busy.size > 0 ? BUSY_MS : this.#quiet.size > 0 ? QUIET_MS : undefined;
    const dueMs = periodMs === undefined ? Infinity : this.#clock.now() + periodMs;
    if (this.#timer && this.#timer.dueMs <= dueMs && periodMs !== undefined) return;
    this.#timer?.handle.cancel();
    this.#timer = periodMs === undefined ? undefined : { handle: this.#clock.after(periodMs, () => this.#tick()), dueMs };
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    this.isLate(nowMs);
    this.#timer = undefined;
    try {
      for (const client of this.#busy) if (!client.tick(nowMs)) this.#move(client, this.#busy, this.#quiet);
      if (nowMs - this.#quietSinceMs >= QUIET_MS) {
        this.#quietSinceMs = nowMs;
        for (const client of this.#quiet) if (client.tick(nowMs)) this.#move(client, this.#quiet, this.#busy);
      }
    } finally {
      // The trouble of one must not stop the others.
      this.#schedule();
    }
  }

  /** One that has left meanwhile stays away. */
  #move(client: PacedClient, from: Set<PacedClient>, to: Set<PacedClient>): void {
    if (from.delete(client)) to.add(client);
  }
}
