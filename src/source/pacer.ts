/**
 * Hands things on at their own times. ffmpeg reads in real time, but a packet ahead: of a file with a picture every five
 * seconds, each would come five seconds early.
 */
import type { Clock, Timer } from '../clock.js';

/** So early is in time: a packet at 25 a second or more needs no timer. */
const LEAD_MS = 45;
/** More than a process that reads in real time ever gives ahead; then the oldest goes at once. */
const MAX_WAITING = 64;

interface Waiting {
  readonly dueMs: number;
  readonly deliver: () => void;
  readonly drop: () => void;
}

export class Pacer {
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `deliver` at `dueMs` of the monotonic clock, in the order of the calls, or `drop` when it is cleared before. */
  add(dueMs: number, deliver: () => void, drop: () => void = () => undefined): void {
    this.#waiting.push({ dueMs, deliver, drop });
    if (this.#waiting.length === 1 || this.#waiting.length > MAX_WAITING) this.#run();
  }

  /** Drops what waits. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const dropped = this.#waiting;
    this.#waiting = [];
    for (const { drop } of dropped) drop();
  }

  #run(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const earlyMs = next.dueMs - LEAD_MS - this.#clock.now();
      if (earlyMs > 0 && this.#waiting.length <= MAX_WAITING) {
        this.#timer = this.#clock.after(Math.ceil(earlyMs), () => this.#run());
        return;
      }
      this.#waiting.shift();
      next.deliver();
    }
  }
}
