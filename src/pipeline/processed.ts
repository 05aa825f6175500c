/**
 * Seeing: each picture is offered to the detector, which takes the newest one when it is free; a tracker moves
 * the boxes in between, so drawing never waits for the net. One detection and one drawing a source, whatever
 * the number of codecs and viewers.
 */
import { annotate, ObjectTracker, type DetectionRegistration } from '../detection/index.js';
import { FramePool, i420Size, type VideoCodec, type VideoFrame } from '../media/index.js';
import type { Seeing } from './deps.js';
import type { EncodedRendition, PictureFormat } from './encoded-rendition.js';

export interface DetectionActivity {
  readonly framesDetected: number;
  readonly framesSkipped: number;
  readonly failures: number;
  /** Picture in to boxes out, moving average; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** Objects followed now. */
  readonly objects: number;
}

export class ProcessedPictures {
  readonly #seeing: Seeing;
  readonly #registration: DetectionRegistration;
  readonly #tracker: ObjectTracker;
  readonly #pool: FramePool;
  readonly #encoders = new Map<VideoCodec, EncodedRendition>();
  #objects = 0;

  constructor(sourceId: string, format: PictureFormat, seeing: Seeing) {
    this.#seeing = seeing;
    this.#tracker = new ObjectTracker({ widthPx: format.widthPx, heightPx: format.heightPx, scoreThreshold: seeing.scoreThreshold });
    this.#pool = new FramePool(i420Size(format.widthPx, format.heightPx));
    // Begins to render the text now, so that it is there for the first picture.
    seeing.labels.sheet(format.heightPx);
    this.#registration = seeing.scheduler.register(sourceId, {
      maxFps: seeing.detectFps,
      onResult: (result) => this.#tracker.update(result.detections, result.mediaTimeMs),
    });
  }

  get activity(): DetectionActivity {
    const { framesDetected, framesSkipped, failures, latencyMs } = this.#registration;
    return { framesDetected, framesSkipped, failures, latencyMs, objects: this.#objects };
  }

  /** True while an encoder takes the result. */
  get isWanted(): boolean {
    return this.#encoders.size > 0;
  }

  addEncoder(codec: VideoCodec, encoder: EncodedRendition): void {
    this.#encoders.set(codec, encoder);
  }

  removeEncoder(codec: VideoCodec): void {
    this.#encoders.delete(codec);
  }

  /** Sees, draws and encodes one picture. */
  readonly consume = (picture: VideoFrame): void => {
    this.#registration.offer(picture);
    const objects = this.#tracker.predict(picture.mediaTimeMs);
    this.#objects = objects.length;
    const drawn = this.#writable(picture);
    annotate(drawn, objects, this.#seeing.labels);
    for (const encoder of this.#encoders.values()) encoder.write(drawn);
    drawn.release();
  };

  close(): void {
    this.#registration.close();
  }

  /** The picture itself where nobody else holds it, else a copy; with one reference for the caller. */
  #writable(picture: VideoFrame): VideoFrame {
    if (!picture.isShared) return picture.retain();
    const data = this.#pool.take();
    picture.data.copy(data);
    return this.#pool.frame({ data, widthPx: picture.widthPx, heightPx: picture.heightPx, mediaTimeMs: picture.mediaTimeMs });
  }
}
