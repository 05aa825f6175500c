/**
 * What the server does live, without its hurry: a picture that is looked at waits for the model, so its boxes are
 * its own; in the pictures in between, the tracker tells where the objects are.
 */
import { ObjectTracker, type Detector } from '../../detection/index.js';
import { passes, type FrameDetections, type TrackedObject, type VideoFrame } from '../../media/index.js';

/** What looks at the frames of a file, and how often. */
export interface FileDetectionInit {
  /** The detector. */
  readonly detector: Pick<Detector, 'detect' | 'model'>;
  /** The id under which detections are written. */
  readonly sourceId: string;
  /** Detections a second of the video, or every picture. */
  readonly detectFps: number | 'all';
  /** Default the model's. */
  readonly minScore: number | undefined;
}

/** What is seen in a picture. */
export interface DetectedPicture {
  /** Where objects are in it, seen or expected. */
  readonly objects: readonly TrackedObject[];
  /** Undefined where the model did not look. */
  readonly detections: FrameDetections | undefined;
}

/** Detection and tracking of one file. */
export class FileDetection {
  readonly #init: FileDetectionInit;
  #tracker: ObjectTracker | undefined;
  #nextMs = -Infinity;
  #frame = 0;

  constructor(init: FileDetectionInit) {
    this.#init = init;
  }

  /** Takes every picture of the video, in order. @throws MediaPeerError DETECTOR_FAILED */
  async look(picture: VideoFrame): Promise<DetectedPicture> {
    const { detector, minScore } = this.#init;
    const { widthPx, heightPx, mediaTimeMs } = picture;
    this.#tracker ??= new ObjectTracker({ widthPx, heightPx, scoreThreshold: minScore ?? detector.model.scoreThreshold });
    const frame = this.#frame++;
    if (!this.#isDue(mediaTimeMs)) return { objects: this.#shown(this.#tracker.predict(mediaTimeMs)), detections: undefined };
    const { detections, inferenceMs } = await detector.detect(picture);
    const objects = this.#shown(this.#tracker.update(detections, mediaTimeMs));
    return {
      objects,
      detections: { sourceId: this.#init.sourceId, frame, mediaTimeMs, widthPx, heightPx, inferenceMs, objects, scene: undefined },
    };
  }

  #shown(objects: readonly TrackedObject[]): readonly TrackedObject[] {
    const { minScore } = this.#init;
    return minScore === undefined ? objects : objects.filter((object) => passes(object, { minScore }));
  }

  /** On the video's own beat where possible, as the server's detector: half the rate takes every second picture. */
  #isDue(mediaTimeMs: number): boolean {
    const { detectFps } = this.#init;
    if (detectFps === 'all') return true;
    if (mediaTimeMs < this.#nextMs - 0.5) return false;
    const periodMs = 1000 / detectFps;
    const onBeat = this.#nextMs + periodMs;
    this.#nextMs = onBeat > mediaTimeMs ? onBeat : mediaTimeMs + periodMs;
    return true;
  }
}
