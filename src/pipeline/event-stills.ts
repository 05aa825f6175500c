/**
 * Stills of events: the frame in which something happened, small, with boxes around those to whom it happened. One at a time and
 * two a second at most: what happens meanwhile has none.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { annotate, encodeSnapshot, shrink, type LabelRenderer } from '../detection/index.js';
import type { FrameDetections, TrackedObject, VideoFrame } from '../media/index.js';

/** Of the longer side. */
const LONGEST_PX = 320;
const QUALITY = 80;
/** So many of a source begin in a second at most. */
const MAX_A_SECOND = 2;

/** What a still is made of. */
export interface Moment {
  /** What happened in the frame. */
  readonly detections: FrameDetections;
  /** Copies the frame; undefined where it is not to be had. */
  readonly copyPicture: () => VideoFrame | undefined;
  /** Draws class names. */
  readonly labels: LabelRenderer;
}

/** Makes the stills of one source. */
export class EventStills {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** When the last ones began, oldest first. */
  readonly #begunMs: number[] = [];
  #isMaking = false;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Begins to make a still, a JPEG; undefined where none is made. What it returns never rejects: undefined where the picture cannot be encoded. */
  begin({ detections, copyPicture, labels }: Moment): Promise<Uint8Array | undefined> | undefined {
    const now = this.#clock.now();
    const isSoon = this.#begunMs.length >= MAX_A_SECOND && now - (this.#begunMs[0] ?? 0) < 1000;
    if (this.#isMaking || isSoon) return undefined;
    const picture = copyPicture();
    if (!picture) return undefined;
    this.#begunMs.push(now);
    if (this.#begunMs.length > MAX_A_SECOND) this.#begunMs.shift();
    this.#isMaking = true;
    return encodeStill(picture, concerned(detections), labels)
      .catch((error: unknown) => {
        this.#logger.warn({ sourceId: detections.sourceId, err: error }, 'the still of an event could not be encoded');
        return undefined;
      })
      .finally(() => (this.#isMaking = false));
  }
}

/** Those to whom something happened, as far as they are in the picture: who left may be gone. */
function concerned({ objects, scene }: FrameDetections): TrackedObject[] {
  const ids = new Set(scene?.events.map(({ objectId }) => objectId));
  return objects.filter(({ objectId }) => ids.has(objectId));
}

/** Boxes are drawn into the small picture: lines and text are as large there as in any other. */
async function encodeStill(picture: VideoFrame, objects: readonly TrackedObject[], labels: LabelRenderer): Promise<Uint8Array> {
  const small = await shrink(picture, LONGEST_PX);
  const [across, down] = [small.widthPx / picture.widthPx, small.heightPx / picture.heightPx];
  await labels.prepare(small.heightPx);
  annotate(
    small,
    objects.map(({ box: [x, y, width, height], ...object }) => ({
      ...object,
      box: [x * across, y * down, width * across, height * down] as const,
    })),
    labels,
  );
  return encodeSnapshot(small, { widthPx: small.widthPx, quality: QUALITY });
}
