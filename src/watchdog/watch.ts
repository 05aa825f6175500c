/** What the main thread and the thread that watches it share, and how silence is counted. */

/** Index of the number of beats. */
export const BEATS = 0;
/** Index of what is 1 once the start is over. */
export const IS_READY = 1;
/** Period of the beats, and of looking for them. */
export const BEAT_MS = 200;
/** How much longer than the limit the start may take. */
export const START_FACTOR = 6;

/** What the watching thread is given. */
export interface WatchInit {
  /** By the indices above. */
  readonly state: Int32Array;
  /** Process ids of children; 0 is none. */
  readonly children: Int32Array;
  /** Silence after which the process is ended, in milliseconds. */
  readonly limitMs: number;
  /** True: the last line is JSON, as the log is; false: text for a terminal. */
  readonly isJson: boolean;
}

/** What it tells a main thread that was silent, and went on before it was ended. */
export interface Recovered {
  /** For how long the main thread had been silent, in milliseconds. */
  readonly silentMs: number;
  /** Where it was. */
  readonly stack: string;
}

/**
 * Counts how long no beat came by the watching thread's own ticks, not by the clock: where the whole process stood still
 * (SIGSTOP, a frozen cgroup, a machine that slept or had no time for anybody), there were no ticks either, and that is no hang.
 */
export class Silence {
  #beats: number;
  #tickedAtMs: number;
  #silentTicks = 0;

  constructor(beats: number, nowMs: number) {
    this.#beats = beats;
    this.#tickedAtMs = nowMs;
  }

  /** Takes one look; returns for how many milliseconds no beat has come. */
  tick(beats: number, nowMs: number): number {
    const isOnTime = nowMs - this.#tickedAtMs < 2 * BEAT_MS;
    this.#tickedAtMs = nowMs;
    if (beats !== this.#beats) this.#silentTicks = 0;
    else if (isOnTime) this.#silentTicks++;
    this.#beats = beats;
    return this.#silentTicks * BEAT_MS;
  }

  /** Starts again. */
  reset(): void {
    this.#silentTicks = 0;
  }
}
