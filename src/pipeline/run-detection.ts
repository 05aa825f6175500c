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

/** The detection of one run. */
export class RunDetection {
  readonly #init: RunDetectionInit;
  #detection: FrameDetection | undefined;
  #processed: ProcessedFrames | undefined;
  #isFeedWanted = false;

  constructor(init: RunDetectionInit) {
    this.#init = init;
  }

  /** Undefined while nobody wants it. */
  get current(): FrameDetection | undefined {
    return this.#detection;
  }

  /** For readers of the feed. */
  start(): void {
    this.#isFeedWanted = true;
    this.#detect();
  }

  /** Readers of the feed are gone. */
  async stop(): Promise<void> {
    this.#isFeedWanted = false;
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
    const processed = new ProcessedFrames(this.#init.format, this.#detect());
    this.#init.hub.addLast(processed.consume);
    return processed;
  }

  async #stopProcessing(processed: ProcessedFrames): Promise<void> {
    if (this.#processed === processed) this.#processed = undefined;
    await Promise.all([this.#init.hub.remove(processed.consume), this.#stopWhenUnwanted()]);
  }

  /** The one sight of this run. It reads each picture before anybody draws into it. */
  #detect(): FrameDetection {
    if (this.#detection) return this.#detection;
    this.#detection = this.#init.open();
    this.#init.hub.add(this.#detection.consume);
    return this.#detection;
  }

  async #stopWhenUnwanted(): Promise<void> {
    const detection = this.#detection;
    if (!detection || this.#isFeedWanted || this.#processed) return;
    this.#detection = undefined;
    detection.close();
    await this.#init.hub.remove(detection.consume);
  }
}
