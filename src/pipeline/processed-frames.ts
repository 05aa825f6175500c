/** The processed rendition: what is seen is drawn into each picture once, whatever the number of codecs, qualities and viewers. */
import { annotate, drawNotice } from '../detection/index.js';
import { FramePool, i420Size, type VideoFrame } from '../media/index.js';
import type { EncodedRendition, FrameFormat } from './encoded-rendition.js';
import type { FrameDetection } from './frame-detection.js';

/** Draws detections into the frames of one source. */
export class ProcessedFrames {
  readonly #detection: FrameDetection;
  readonly #pool: FramePool;
  readonly #encoders = new Set<EncodedRendition>();

  constructor(format: FrameFormat, detection: FrameDetection) {
    this.#detection = detection;
    this.#pool = new FramePool(i420Size(format.widthPx, format.heightPx));
  }

  /** True while an encoder takes the result. */
  get isWanted(): boolean {
    return this.#encoders.size > 0;
  }

  addEncoder(encoder: EncodedRendition): void {
    this.#encoders.add(encoder);
  }

  removeEncoder(encoder: EncodedRendition): void {
    this.#encoders.delete(encoder);
  }

  /** Draws and encodes one picture, after the detection has had it. */
  readonly consume = (picture: VideoFrame): void => {
    const { labels, objects, notice } = this.#detection;
    const drawn = this.#writable(picture);
    if (labels) {
      annotate(drawn, objects, labels);
      if (notice !== undefined) drawNotice(drawn, notice, labels);
    }
    for (const encoder of this.#encoders) encoder.write(drawn);
    drawn.release();
  };

  /** The picture itself where nobody else holds it, else a copy; with one reference for the caller. */
  #writable(picture: VideoFrame): VideoFrame {
    if (!picture.isShared) return picture.retain();
    const data = this.#pool.take();
    picture.data.copy(data);
    return this.#pool.frame({
      data,
      widthPx: picture.widthPx,
      heightPx: picture.heightPx,
      mediaTimeMs: picture.mediaTimeMs,
      colour: picture.colour,
    });
  }
}
