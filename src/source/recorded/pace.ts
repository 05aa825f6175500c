/** When frames of the past are due: a straight line from the time at which they happened to media time, bent by speed, pauses and seeks. */
import { PLAYBACK_SPEEDS } from '../../media/index.js';

/** What is due so soon leaves at once: sound and picture need one timer then. */
const EARLY_MS = 4;

/** The pace of one passage. */
export class Pace {
  readonly #time: { readonly nowMs: number };
  #speed: number;
  #isRunning: boolean;
  /** A point of the line. */
  #mediaMs: number;
  #wallMs = 0;

  /** @param time media time of now @param speed 0.25 to 8 */
  constructor(time: { readonly nowMs: number }, speed: number, isRunning: boolean) {
    this.#time = time;
    this.#speed = clamped(speed);
    this.#isRunning = isRunning;
    this.#mediaMs = time.nowMs;
  }

  get speed(): number {
    return this.#speed;
  }

  /** What happened then was due last, or is where time stands. */
  get wallMs(): number {
    return this.#wallMs;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** What happened then is due now. @param holdMs what follows is due so much later. Default 0 */
  rebase(wallMs: number, holdMs = 0): void {
    this.#wallMs = wallMs;
    this.#mediaMs = this.#time.nowMs + holdMs;
  }

  /** Goes on otherwise from where it is. */
  set({ speed = this.#speed, isRunning = this.#isRunning }: { readonly speed?: number; readonly isRunning?: boolean }): void {
    const passedMs = Math.max(0, this.#time.nowMs - this.#mediaMs);
    this.rebase(this.#wallMs + (this.#isRunning ? passedMs * this.#speed : 0));
    this.#speed = clamped(speed);
    this.#isRunning = isRunning;
  }

  /** Media time at which a frame is due. @param wallMs when it happened */
  dueMs(wallMs: number): number {
    return this.#mediaMs + (wallMs - this.#wallMs) / this.#speed;
  }

  /** From now on, in ms; Infinity while nothing runs; 0: it is due. */
  waitMs(wallMs: number): number {
    if (!this.#isRunning) return Infinity;
    const waitMs = this.dueMs(wallMs) - this.#time.nowMs;
    return waitMs <= EARLY_MS ? 0 : waitMs;
  }
}

function clamped(speed: number): number {
  return Math.min(PLAYBACK_SPEEDS.max, Math.max(PLAYBACK_SPEEDS.min, speed));
}
