/** The media times that were given to the newest frames of a simulcast: the same frame in another layer gets the same one. */

const TICKS_PER_MS = 90;
const MAX_FRAMES = 128;
/** Timestamps of one frame in two layers differ by less: encoders round them. */
const SAME_TICKS = 2 * TICKS_PER_MS;
/** A frame so much older than the newest is of another clock. */
const FAR_TICKS = 1_000 * TICKS_PER_MS;

interface PlacedFrame {
  readonly ticks: number;
  readonly mediaTimeMs: number;
}

/** In ascending order. */
export class PlacedTimes {
  readonly #frames: PlacedFrame[] = [];

  /** The media time of a frame, of which an earlier or a later one has its own; undefined where it is newer than all. */
  find(ticks: number): number | undefined {
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const frame = this.#frames[i] as PlacedFrame;
      const after = (ticks - frame.ticks) | 0;
      if (Math.abs(after) <= SAME_TICKS) return frame.mediaTimeMs;
      if (after < 0 && i > 0) continue;
      const next = this.#frames[i + 1];
      if (after > 0 && !next) return undefined;
      const mediaTimeMs = frame.mediaTimeMs + after / TICKS_PER_MS;
      return next && after > 0 ? Math.min(mediaTimeMs, next.mediaTimeMs) : mediaTimeMs;
    }
    return undefined;
  }

  /** A frame that is newer than all. */
  add(ticks: number, mediaTimeMs: number): void {
    this.#frames.push({ ticks, mediaTimeMs });
    if (this.#frames.length > MAX_FRAMES) this.#frames.shift();
  }

  /** True for a timestamp that no order of sending explains. */
  isFarBefore(ticks: number): boolean {
    const newest = this.#frames.at(-1);
    return newest !== undefined && ((newest.ticks - ticks) | 0) > FAR_TICKS;
  }

  clear(): void {
    this.#frames.length = 0;
  }
}
