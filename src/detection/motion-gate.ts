/**
 * Tells whether anything moves, so that inference may be skipped while nothing does. Looks at brightness alone: means of a few
 * points in small cells, against a reference that follows slowly. A mean is robust to sensor noise, the reference to
 * the light of the day and to what has been parked; the cell that changed most decides, so small objects count.
 */
import type { VideoFrame } from '../media/index.js';

/** How much has to move, and for how long that counts. */
export interface MotionGateOptions {
  /** A cell that differs this much from the reference has changed, levels of 255. Default 6. */
  readonly threshold: number;
  /** The reference follows with this time constant, ms: what has changed for two or three times as long is part of the scene. Default 500. */
  readonly adaptMs: number;
  /** Inference continues for this long after the last motion, ms. Default 1000. */
  readonly holdMs: number;
  /** Though nothing moves, one picture is let through this often, ms: what appears slowly is seen. Default 5000. */
  readonly refreshMs: number;
}

/** What holds for options that are left out. */
const MOTION_GATE_DEFAULTS: MotionGateOptions = { threshold: 6, adaptMs: 500, holdMs: 1000, refreshMs: 5000 };

/** Points in a cell, each way. */
const POINTS = 4;
/** Points across the picture, about: an object of 1.5 % of the width fills a cell. */
const POINTS_ACROSS = 320;

/** Watches the frames of one source. */
export class MotionGate {
  readonly #options: MotionGateOptions;
  #grid: Grid | undefined;
  /** Sums of the cells' points, as they were lately. */
  #reference = new Float32Array(0);
  #lastLookMs = 0;
  #lastMotionMs = -Infinity;
  #lastTrueMs = -Infinity;

  constructor(options: Partial<MotionGateOptions> = {}) {
    this.#options = { ...MOTION_GATE_DEFAULTS, ...options };
  }

  /**
   * True where inference should run on this picture. Shown every picture of a source, in order; the first one, one of
   * another size and one after a step back of the media time start again and are let through.
   */
  look(picture: VideoFrame): boolean {
    const { mediaTimeMs } = picture;
    if (this.#moves(picture)) this.#lastMotionMs = mediaTimeMs;
    const { holdMs, refreshMs } = this.#options;
    const isAwake = mediaTimeMs - this.#lastMotionMs <= holdMs || mediaTimeMs - this.#lastTrueMs >= refreshMs;
    if (isAwake) this.#lastTrueMs = mediaTimeMs;
    return isAwake;
  }

  #moves(picture: VideoFrame): boolean {
    const { widthPx, heightPx, mediaTimeMs } = picture;
    const elapsedMs = mediaTimeMs - this.#lastLookMs;
    this.#lastLookMs = mediaTimeMs;
    if (this.#grid?.widthPx !== widthPx || this.#grid.heightPx !== heightPx || elapsedMs < 0) {
      this.#grid = new Grid(widthPx, heightPx);
      this.#reference = Float32Array.from(this.#grid.measure(picture.data));
      return true;
    }
    const most = this.#compare(this.#grid.measure(picture.data), 1 - Math.exp(-elapsedMs / this.#options.adaptMs));
    return most > this.#options.threshold * POINTS ** 2;
  }

  /** The greatest difference of a cell's sum from the reference, without what all cells share; the reference follows. */
  #compare(sums: Int32Array, following: number): number {
    const reference = this.#reference;
    let shared = 0;
    let highest = -Infinity;
    let lowest = Infinity;
    for (let cell = 0; cell < sums.length; cell++) {
      const difference = (sums[cell] as number) - (reference[cell] as number);
      reference[cell] = (reference[cell] as number) + difference * following;
      shared += difference;
      if (difference > highest) highest = difference;
      if (difference < lowest) lowest = difference;
    }
    // A picture too small to be looked at may hold anything.
    if (sums.length === 0) return Infinity;
    shared /= sums.length;
    return Math.max(highest - shared, shared - lowest);
  }
}

/** Where the cells and their points lie in pictures of one size. */
class Grid {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly #step: number;
  readonly #lefts: Int32Array;
  readonly #tops: Int32Array;
  readonly #sums: Int32Array;

  constructor(widthPx: number, heightPx: number) {
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.#step = Math.max(2, Math.round(widthPx / POINTS_ACROSS));
    this.#lefts = starts(widthPx, this.#step * POINTS);
    this.#tops = starts(heightPx, this.#step * POINTS);
    this.#sums = new Int32Array(this.#lefts.length * this.#tops.length);
  }

  /** Sum of the points of each cell, row by row. The array is used again. */
  measure(luma: Uint8Array): Int32Array {
    const step = this.#step;
    const lefts = this.#lefts;
    const sums = this.#sums.fill(0);
    for (let row = 0; row < this.#tops.length; row++) {
      const first = row * lefts.length;
      for (let line = 0; line < POINTS; line++) {
        // From the middle of the first step.
        const start = ((this.#tops[row] as number) + line * step + (step >> 1)) * this.widthPx + (step >> 1);
        for (let column = 0; column < lefts.length; column++) {
          const at = start + (lefts[column] as number);
          const four =
            (luma[at] as number) + (luma[at + step] as number) + (luma[at + 2 * step] as number) + (luma[at + 3 * step] as number);
          sums[first + column] = (sums[first + column] as number) + four;
        }
      }
    }
    return sums;
  }
}

/** Starts of cells that cover a length, the last one aligned with its end; none where a cell does not fit in. */
function starts(length: number, cell: number): Int32Array {
  if (length < cell) return new Int32Array(0);
  return Int32Array.from({ length: Math.ceil(length / cell) }, (_, i) => Math.min(i * cell, length - cell));
}
