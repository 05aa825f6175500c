/**
 * Finds connections that look alive but bring no picture any more: `connected`, and no frame. Told once a second how
 * many frames there were so far. Pure.
 */

/** What to do about it, in this order. */
export type Remedy = 'keyframe' | 'restart' | 'reconnect';

/** Without a frame for this long, ms. */
export const REMEDIES: readonly (readonly [atMs: number, remedy: Remedy])[] = [
  [5_000, 'keyframe'],
  [8_000, 'restart'],
  [12_000, 'reconnect'],
];
/** Looks that lie further apart say that the device slept, not that frames were missing. */
export const SLEPT_MS = 4_000;

export class FrameWatch {
  #frames = 0;
  #sinceMs: number | undefined;
  #lookedAtMs = 0;
  #applied = 0;

  /** Begins afresh: after a pause, or on another connection, which counts from `frames` on. */
  reset(frames = this.#frames): void {
    this.#frames = frames;
    this.#sinceMs = undefined;
  }

  /** @param frames decoded so far @returns `arrived` where there are more than before, else what has become due, once each */
  look(frames: number, nowMs: number): Remedy | 'arrived' | undefined {
    const slept = nowMs - this.#lookedAtMs > SLEPT_MS;
    const arrived = frames > this.#frames;
    this.#lookedAtMs = nowMs;
    this.#frames = frames;
    if (this.#sinceMs === undefined || slept || arrived) {
      this.#sinceMs = nowMs;
      this.#applied = 0;
      return arrived ? 'arrived' : undefined;
    }
    const next = REMEDIES[this.#applied];
    if (!next || nowMs - this.#sinceMs < next[0]) return undefined;
    this.#applied++;
    return next[1];
  }

  /** Without a frame for this long, ms; 0 while nothing is expected. */
  silenceMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }
}
