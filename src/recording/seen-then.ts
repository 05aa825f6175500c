/** What was seen then, read beside the frames: for each of them the detections of that very frame, or where objects were in it. */
import type { Logger } from '../base/logger.js';
import type { FrameDetections, TrackedObject } from '../media/index.js';
import type { RecordedDetections, RecordingArchive } from './recorded.js';
import { objectsBetween } from './objects-between.js';

/** What was seen in one frame. */
export interface SeenThen {
  /** Where objects were. */
  readonly objects: readonly TrackedObject[];
  /** As they were published then; undefined for a frame that no detector looked at. */
  readonly exact: FrameDetections | undefined;
  /** What a message about the frame says in any case; undefined where nothing is known. */
  readonly message: FrameDetections | undefined;
}

/** What is read. */
export interface SeenThenInit {
  /** What was recorded. */
  readonly archive: Pick<RecordingArchive, 'detections'>;
  /** Whose recording it is. */
  readonly sourceId: string;
  readonly logger: Logger;
}

/** The clock of a file is exact to a microsecond; two frames are further apart. */
const SAME_FRAME_MS = 2;
/** What is kept of the time before a frame. */
const KEPT_MS = 2_500;
/** What one reading is about: a few segments. */
const AHEAD_MS = 180_000;
/** A recording that goes on is looked at again after so much more of it. */
const AGAIN_AFTER_MS = 500;

/** Reads detections forward. Frames are asked for in ascending order. */
export class DetectionsThen {
  readonly #init: SeenThenInit;
  readonly #signal: AbortSignal;
  #items: RecordedDetections[] = [];
  #reading: AsyncIterator<RecordedDetections> | undefined;
  /** What is not read yet lies behind it. */
  #readToMs = -Infinity;
  /** Where what is being read ends. */
  #endMs = -Infinity;
  #againFromMs = -Infinity;
  #run: number | undefined;

  constructor(init: SeenThenInit, signal: AbortSignal) {
    this.#init = init;
    this.#signal = signal;
  }

  /** What was seen in the frame of that time. Never rejects: what cannot be read was not seen. @param run that the frame is of: what others saw at the same time of their clocks is something else */
  async at(wallMs: number, run: number): Promise<SeenThen> {
    if (run !== this.#run) await this.#begin(wallMs, run);
    try {
      await this.#readUpTo(wallMs);
    } catch (error) {
      this.#init.logger.warn({ sourceId: this.#init.sourceId, err: error }, 'detections of a recording cannot be read');
      this.#againFromMs = wallMs + 60_000;
    }
    while (this.#items[1] && this.#items[1].wallMs < wallMs - KEPT_MS) this.#items.shift();
    return this.#seen(wallMs);
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.return?.();
  }

  async #begin(wallMs: number, run: number): Promise<void> {
    this.#run = run;
    this.#items = [];
    this.#readToMs = wallMs - KEPT_MS;
    this.#againFromMs = -Infinity;
    await this.close();
  }

  #seen(wallMs: number): SeenThen {
    const exact = this.#items.find((item) => Math.abs(item.wallMs - wallMs) <= SAME_FRAME_MS);
    if (exact) return { objects: exact.detections.objects, exact: exact.detections, message: exact.detections };
    const before = this.#items.findLast((item) => item.wallMs < wallMs);
    const after = this.#items.find((item) => item.wallMs > wallMs);
    const objects = objectsBetween(before, after, wallMs);
    const nearest = before ?? after;
    return {
      objects,
      exact: undefined,
      message: nearest && { ...nearest.detections, frame: frameBetween(before, after, wallMs), objects, scene: undefined },
    };
  }

  /** Until the first that lies behind it is known. */
  async #readUpTo(wallMs: number): Promise<void> {
    let isNew = false;
    while (!this.#signal.aborted && this.#readToMs <= wallMs + SAME_FRAME_MS) {
      if (!this.#reading) {
        if (wallMs < this.#againFromMs) return;
        isNew = false;
        const { archive, sourceId } = this.#init;
        const fromMs = Math.max(this.#readToMs, wallMs - KEPT_MS);
        this.#endMs = fromMs + AHEAD_MS;
        this.#reading = archive.detections(sourceId, { fromMs, toMs: this.#endMs }, this.#run)[Symbol.asyncIterator]();
      }
      const next = await this.#reading.next();
      if (next.done === true) {
        this.#reading = undefined;
        // What lies behind what was read is read next; else there is nothing yet.
        if (!isNew && this.#endMs > wallMs + KEPT_MS) this.#againFromMs = wallMs + AGAIN_AFTER_MS;
        continue;
      }
      // Of the same frame, or out of order.
      if (next.value.wallMs < this.#readToMs) continue;
      this.#items.push(next.value);
      isNew = true;
      this.#readToMs = next.value.wallMs + SAME_FRAME_MS / 2;
    }
  }
}

function frameBetween(before: RecordedDetections | undefined, after: RecordedDetections | undefined, wallMs: number): number {
  if (!before || !after) return (before ?? after)?.detections.frame ?? 0;
  const share = (wallMs - before.wallMs) / (after.wallMs - before.wallMs);
  return Math.round(before.detections.frame + (after.detections.frame - before.detections.frame) * share);
}
