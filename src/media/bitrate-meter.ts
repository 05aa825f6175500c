/**
 * How many bits a second a stream takes. Its pictures may stand for a while, which says nothing of what comes when they move
 * again, and one window may hold a keyframe more than the next: the most of the newest few counts.
 */
const WINDOW_MS = 4_000;
const WINDOWS = 3;

/** Measures one stream. */
export class BitrateMeter {
  #startedMs: number | undefined;
  #bytes = 0;
  /** Bits a second in each window, the newest last. */
  #windows: number[] = [];

  /** A frame came. @param nowMs monotonic */
  add(bytes: number, nowMs: number): void {
    this.#startedMs ??= nowMs;
    const elapsedMs = nowMs - this.#startedMs;
    if (elapsedMs >= WINDOW_MS) {
      this.#windows = [...this.#windows.slice(1 - WINDOWS), (this.#bytes * 8000) / elapsedMs];
      this.#startedMs = nowMs;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
  }

  /** The most of the last 12 s; undefined in the first 4 s. */
  get bitrateBps(): number | undefined {
    return this.#windows.length === 0 ? undefined : Math.round(Math.max(...this.#windows));
  }
}
