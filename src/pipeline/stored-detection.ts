/** What was seen in a recording: nothing is looked at again, each frame has the objects that were in it. */
import { LabelRenderer } from '../detection/index.js';
import type { Logger } from '../base/logger.js';
import type { DetectionFeed, TrackedObject, VideoFrame } from '../media/index.js';
import type { SeenFrame } from '../source/index.js';
import type { DetectedFrame, DetectionActivity, FrameDetection } from './frame-detection.js';
import type { FrameNumbers } from './frame-numbers.js';

/** Whose frames they are, and who is told. */
export interface StoredDetectionInit {
  /** Where detections go. */
  readonly feed: DetectionFeed;
  /** Numbers the frames of the source. */
  readonly frameNumbers: FrameNumbers;
  /** Each gets the next picture, and is taken out. */
  readonly pictureTakers: Set<(seen: DetectedFrame) => void>;
  /** Asks the source to say what was seen, or not to any more. */
  readonly want: (isWanted: boolean) => void;
  readonly logger: Logger;
}

/** Frames that are on their way through decoder and drawing. */
const MAX_WAITING = 600;

/** The detections of a recording. */
export class StoredDetection implements FrameDetection {
  readonly notice = undefined;
  readonly looksAtPictures = false;
  readonly labels: LabelRenderer;
  readonly #init: StoredDetectionInit;
  /** By media time. */
  readonly #seen = new Map<number, readonly TrackedObject[]>();
  #objects: readonly TrackedObject[] = [];
  #told = 0;

  constructor(init: StoredDetectionInit) {
    this.#init = init;
    // Names are rendered as they come: they are those of the model of that time.
    this.labels = new LabelRenderer({ labels: [], logger: init.logger });
    init.want(true);
  }

  get activity(): DetectionActivity {
    const none = { framesSkipped: 0, framesSlept: 0, failures: 0, latencyMs: undefined };
    return { model: undefined, framesDetected: this.#told, ...none, objects: this.#objects.length };
  }

  get objects(): readonly TrackedObject[] {
    return this.#objects;
  }

  seen({ mediaTimeMs, objects, message }: SeenFrame): void {
    if (this.#seen.size >= MAX_WAITING) for (const oldest of this.#seen.keys()) if (this.#seen.delete(oldest)) break;
    this.#seen.set(mediaTimeMs, objects);
    if (!message) return;
    this.#told++;
    this.#init.feed.publish(message);
  }

  readonly consume = (picture: VideoFrame): void => {
    const { pictureTakers, frameNumbers } = this.#init;
    this.#objects = this.#seen.get(picture.mediaTimeMs) ?? [];
    this.#forgetBefore(picture.mediaTimeMs);
    const frame = frameNumbers.peek(picture.mediaTimeMs);
    for (const take of pictureTakers) take({ picture: picture.retain(), frame, objects: this.#objects, labels: this.labels });
    pictureTakers.clear();
  };

  close(): void {
    this.#init.want(false);
    this.#seen.clear();
  }

  /** Frames come in order. */
  #forgetBefore(mediaTimeMs: number): void {
    for (const time of this.#seen.keys()) {
      if (time >= mediaTimeMs) return;
      this.#seen.delete(time);
    }
  }
}
