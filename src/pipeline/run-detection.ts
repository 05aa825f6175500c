/**
 * What is seen in one run of a source: the detection, and the frames with what was detected drawn in. Both run only while
 * somebody wants them: readers of the feed, or encoders.
 */
import type { EncodedRendition, FrameFormat } from './encoded-rendition.js';
import type { FrameHub } from './frame-hub.js';
import { ProcessedFrames } from './processed-frames.js';
import type { FrameDetection } from './frame-detection.js';

/** Whose frames they are, and what looks at them. */
export interface RunDetectionInit {
  /** Of the run. */
  readonly hub: FrameHub;
  /** Of its frames. */
  readonly format: FrameFormat;
  /** Starts a detection. */
  readonly open: () => FrameDetection;
}

/** What is wanted of it. `detections`: what is seen, by readers of the feed. `frames`: pictures, with what is seen in them. */
export type SeenKind = 'detections' | 'frames';

/** The detection of one run. */
export class RunDetection {
  readonly #init: RunDetectionInit;
  readonly #wanted = new Set<SeenKind>();
  #detection: FrameDetection | undefined;
  #processed: ProcessedFrames | undefined;
  /** The detection gets the pictures. */
  #isConsuming = false;

  constructor(init: RunDetectionInit) {
    this.#init = init;
  }

  /** Undefined while nobody wants it. */
  get current(): FrameDetection | undefined {
    return this.#detection;
  }

  /** Somebody wants that. */
  start(kind: SeenKind): void {
    this.#wanted.add(kind);
    this.#detect();
  }

  /** Nobody wants that any more. */
  async stop(kind: SeenKind): Promise<void> {
    this.#wanted.delete(kind);
    await this.#stopWhenUnwanted();
  }

  /** Encodes the frames with what was detected drawn in. Call what it returns to end that; it resolves when nothing is left that was needed for it alone. */
  addEncoder(encoder: EncodedRendition): () => Promise<void> {
    const processed = (this.#processed ??= this.#startProcessing());
    processed.addEncoder(encoder);
    return async () => {
      processed.removeEncoder(encoder);
      if (!processed.isWanted) await this.#stopProcessing(processed);
    };
  }

  /** Looks at nothing any more. */
  close(): void {
    this.#detection?.close();
  }

  #startProcessing(): ProcessedFrames {
    const processed = new ProcessedFrames(this.#init.format, this.#detect(true));
    this.#init.hub.addLast(processed.consume);
    return processed;
  }

  async #stopProcessing(processed: ProcessedFrames): Promise<void> {
    if (this.#processed === processed) this.#processed = undefined;
    await Promise.all([this.#init.hub.remove(processed.consume), this.#stopWhenUnwanted()]);
  }

  /** The one sight of this run. It reads each picture before anybody draws into it, and where none is needed nothing is decoded for it. */
  #detect(isDrawn = this.#processed !== undefined): FrameDetection {
    const detection = (this.#detection ??= this.#init.open());
    const needsPictures = detection.looksAtPictures || isDrawn || this.#wanted.has('frames');
    if (needsPictures && !this.#isConsuming) this.#init.hub.add(detection.consume);
    this.#isConsuming ||= needsPictures;
    return detection;
  }

  async #stopWhenUnwanted(): Promise<void> {
    const detection = this.#detection;
    if (!detection || this.#processed) return;
    const isWanted = this.#wanted.size > 0;
    if (!isWanted) {
      this.#detection = undefined;
      detection.close();
    }
    if (!this.#isConsuming || (isWanted && (detection.looksAtPictures || this.#wanted.has('frames')))) return;
    this.#isConsuming = false;
    await this.#init.hub.remove(detection.consume);
  }
}
