/**
 * One timeline per source: raw, processed, audio and detections carry the same media time, and this maps it
 * to the wall clock at which it was captured. Sender Reports are made from it, so that a rendition which
 * leaves later (detection, encoding) keeps its lip sync.
 */
export class Timeline {
  #originWallClockMs: number | undefined;

  /** Ties media time to capture time; the first call decides. */
  anchor(mediaTimeMs: number, captureWallClockMs: number): void {
    this.#originWallClockMs ??= captureWallClockMs - mediaTimeMs;
  }

  /** True once media time is tied to the wall clock. */
  get isAnchored(): boolean {
    return this.#originWallClockMs !== undefined;
  }

  /** The media time, in ms, that was captured at this wall clock; undefined before the first frame. */
  mediaTimeAt(wallClockMs: number): number | undefined {
    return this.#originWallClockMs === undefined ? undefined : wallClockMs - this.#originWallClockMs;
  }
}
