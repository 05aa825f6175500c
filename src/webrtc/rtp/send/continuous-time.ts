/**
 * Media time as one client sees it. A source that nobody watches stops, and begins its media time anew when it is
 * wanted again: a client that paused meanwhile must not see time go back (RFC 3550 §5.1: timestamps increase
 * monotonically), so what it gets is shifted by the difference. The same holds for one that changes the source.
 */
import type { Timeline } from '../../../media/index.js';

/** Renditions of a source lag behind each other by less. */
const MARGIN_MS = 100;

/** The media time of one client. */
export class ContinuousTime {
  #timeline: Timeline | undefined;
  #shiftMs = 0;

  /** Another one that goes on from here by itself. */
  fork(): ContinuousTime {
    const time = new ContinuousTime();
    time.#timeline = this.#timeline;
    time.#shiftMs = this.#shiftMs;
    return time;
  }

  /** What to add to media times of `timeline`, in milliseconds; fixed for as long as it is the newest one. */
  shiftMs(timeline: Timeline, wallClockMs: number): number {
    const before = this.#timeline;
    if (timeline === before) return this.#shiftMs;
    this.#timeline = timeline;
    if (before?.isAnchored) {
      const reachedMs = Math.max(before.mediaTimeAt(wallClockMs) ?? 0, before.newestMs);
      const startMs = timeline.mediaTimeAt(wallClockMs) ?? 0;
      // Where a source follows another without a pause, its newest frame may lag more than the other's did.
      const aheadMs = Number.isFinite(timeline.newestMs) ? before.newestMs + MARGIN_MS - timeline.newestMs : -Infinity;
      this.#shiftMs += Math.max(reachedMs - startMs, aheadMs);
    }
    return this.#shiftMs;
  }
}
