/**
 * Hands things on at their own times. ffmpeg reads in real time, but a packet ahead: of a file with a picture every five
 * seconds, each would come five seconds early.
 */
import type { Clock, Timer } from '../../base/clock.js';

/** So early is in time: a packet at 25 a second or more needs no timer. */
const LEAD_MS = 45;
/** More than a process that reads in real time ever gives ahead; then the oldest goes at once. */
const MAX_WAITING = 64;
/** What waits longer than this, and is more than a few, is ahead. */
const AHEAD_MS = 250;
const FEW = 4;

interface Waiting {
  readonly dueMs: number;
  readonly deliver: () => void;
  readonly drop: () => void;
}

/** Holds what is early until its time has come. */
export class Pacer {
  readonly #clock: Clock;
  readonly #onAhead: ((isAhead: boolean) => void) | undefined;
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #isAhead = false;

  /** @param onAhead told when more waits than needs to (true), and when that is over: who gives more meanwhile is not held back otherwise */
  constructor(clock: Clock, onAhead?: (isAhead: boolean) => void) {
    this.#clock = clock;
    this.#onAhead = onAhead;
  }

  /** Calls `deliver` at `dueMs` of the monotonic clock, in the order of the calls, or `drop` when it is cleared before. */
  add(dueMs: number, deliver: () => void, drop: () => void = () => undefined): void {
    this.#waiting.push({ dueMs, deliver, drop });
    if (this.#waiting.length === 1 || this.#isFull) this.#run();
    this.#tellAhead();
  }

  /** Drops what waits. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const dropped = this.#waiting;
    this.#waiting = [];
    this.#isAhead = false;
    for (const { drop } of dropped) drop();
  }

  get #isFull(): boolean {
    return this.#waiting.length > MAX_WAITING && !this.#onAhead;
  }

  #tellAhead(): void {
    const newestMs = this.#waiting.at(-1)?.dueMs ?? -Infinity;
    const isAhead = this.#waiting.length > FEW && newestMs - this.#clock.now() > AHEAD_MS;
    if (isAhead === this.#isAhead) return;
    this.#isAhead = isAhead;
    this.#onAhead?.(isAhead);
  }

  #run(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const earlyMs = next.dueMs - LEAD_MS - this.#clock.now();
      if (earlyMs > 0 && !this.#isFull) {
        this.#timer = this.#clock.after(Math.ceil(earlyMs), () => {
          this.#run();
          this.#tellAhead();
        });
        return;
      }
      this.#waiting.shift();
      next.deliver();
    }
  }
}
