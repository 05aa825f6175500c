/**
 * Where objects were in every frame of the past: in a frame that was looked at, where they were seen; between two looks, on the
 * way from one to the other, which is closer than what could be foreseen at the time.
 */
import type { Box, TrackedObject } from '../media/index.js';
import type { RecordedDetections } from './recorded.js';

/** Times of frames and detections are those of one clock; both were rounded. */
const SAME_MS = 2;
/** Between looks that are further apart, nobody knows. */
const MAX_BETWEEN_MS = 1500;
/** After the last look. */
const MAX_AFTER_MS = 500;

/** What is drawn into a frame. */
export interface ReplayedFrame {
  /** Size of the picture that boxes are told in. */
  readonly widthPx: number;
  /** Height of that picture. */
  readonly heightPx: number;
  /** Where they are. */
  readonly objects: readonly TrackedObject[];
}

/** Follows detections along, frame by frame; times ascend. */
export class ReplayedObjects {
  readonly #looks: AsyncIterator<RecordedDetections>;
  #before: RecordedDetections | undefined;
  #next: RecordedDetections | undefined;
  #isOver = false;

  /** @param looks ascending */
  constructor(looks: AsyncIterable<RecordedDetections>) {
    this.#looks = looks[Symbol.asyncIterator]();
  }

  /** In the frame that was captured then, Unix milliseconds; undefined: nobody looked. */
  async at(wallMs: number): Promise<ReplayedFrame | undefined> {
    await this.#advance(wallMs);
    const before = this.#before;
    if (!before) return undefined;
    const { widthPx, heightPx, objects } = before.detections;
    const sinceMs = wallMs - before.wallMs;
    if (sinceMs <= SAME_MS) return { widthPx, heightPx, objects };
    const gapMs = this.#next ? this.#next.wallMs - before.wallMs : Infinity;
    if (gapMs > MAX_BETWEEN_MS)
      return sinceMs > MAX_AFTER_MS ? undefined : { widthPx, heightPx, objects: objects.map((each) => moved(each, sinceMs)) };
    const later = new Map(this.#next?.detections.objects.map((object) => [object.objectId, object]));
    const between = objects.map((object) => {
      const then = later.get(object.objectId);
      return then ? { ...object, box: boxBetween(object.box, then.box, sinceMs / gapMs) } : moved(object, sinceMs);
    });
    return { widthPx, heightPx, objects: between };
  }

  /** Nothing more is read. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#looks.return?.();
  }

  async #advance(wallMs: number): Promise<void> {
    while (!this.#isOver && (this.#next === undefined || this.#next.wallMs <= wallMs + SAME_MS)) {
      this.#before = this.#next ?? this.#before;
      const result = await this.#looks.next();
      this.#next = result.done === true ? undefined : result.value;
      this.#isOver ||= result.done === true;
    }
    if (!this.#isOver || !this.#next || this.#next.wallMs > wallMs + SAME_MS) return;
    this.#before = this.#next;
    this.#next = undefined;
  }
}

function moved(object: TrackedObject, sinceMs: number): TrackedObject {
  const [x, y, width, height] = object.box;
  const [dx, dy] = object.velocity;
  return { ...object, box: [x + (dx * sinceMs) / 1000, y + (dy * sinceMs) / 1000, width, height] };
}

function boxBetween(from: Box, to: Box, share: number): Box {
  const part = (at: 0 | 1 | 2 | 3): number => from[at] + (to[at] - from[at]) * share;
  return [part(0), part(1), part(2), part(3)];
}
