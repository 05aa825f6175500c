/** Clocks of publishers may be wrong by any amount; no way here takes longer. */
const MAX_LAG_MS = 10_000;

/**
 * One timeline per source: raw, processed, audio and detections carry the same media time, and this maps it
 * to the wall clock at which it was captured. Sender Reports are made from it, so that a rendition which
 * leaves later (detection, encoding) keeps its lip sync.
 */
export class Timeline {
  #originWallClockMs: number | undefined;
  #newestMs = -Infinity;
  #captureLagMs = 0;

  /** Ties media time to capture time; the first call decides. */
  anchor(mediaTimeMs: number, captureWallClockMs: number): void {
    this.#originWallClockMs ??= captureWallClockMs - mediaTimeMs;
  }

  /** Newest media time that was delivered, of any kind; what follows lies behind it. -Infinity before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Notes that a frame of this media time was delivered. */
  delivered(mediaTimeMs: number): void {
    this.#newestMs = Math.max(this.#newestMs, mediaTimeMs);
  }

  /** True once media time is tied to the wall clock. */
  get isAnchored(): boolean {
    return this.#originWallClockMs !== undefined;
  }

  /**
   * Whoever captured what is delivered says when, wall clock in ms: earlier than media time is tied to, by what the way here
   * took. Holds until the next call; what is not credible is ignored. @param wallClockMs undefined: nobody says any more
   */
  captured(mediaTimeMs: number, wallClockMs: number | undefined): void {
    const lagMs = wallClockMs === undefined ? 0 : (this.#originWallClockMs ?? NaN) + mediaTimeMs - wallClockMs;
    if (lagMs >= 0 && lagMs <= MAX_LAG_MS) this.#captureLagMs = lagMs;
  }

  /** The wall clock, in ms, at which a media time was captured, as far as anybody says; undefined before the first frame. */
  capturedAt(mediaTimeMs: number): number | undefined {
    return this.#originWallClockMs === undefined ? undefined : this.#originWallClockMs + mediaTimeMs - this.#captureLagMs;
  }

  /** The media time, in ms, that was captured at this wall clock; undefined before the first frame. */
  mediaTimeAt(wallClockMs: number): number | undefined {
    return this.#originWallClockMs === undefined ? undefined : wallClockMs - this.#originWallClockMs;
  }
}
