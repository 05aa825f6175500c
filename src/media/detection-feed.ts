/**
 * The detections of a source: written once, read by many, as a track is. Readers are called in turn and must not
 * wait; what a slow one loses is its own business. The feed only reports demand; who writes it decides.
 */
import { EndListeners, Listeners } from '../base/listeners.js';
import { silentLogger, type Logger } from '../base/logger.js';
import type { FrameDetections } from './detections.js';
import type { EndReason } from './end-reason.js';

/** Called for each frame that the detector looked at; must not wait. */
export type DetectionListener = (detections: FrameDetections) => void;

/** The detections of one source. */
export class DetectionFeed {
  /** Of the source that is looked at. */
  readonly sourceId: string;
  readonly #readers: Listeners<FrameDetections>;
  readonly #ending: EndListeners<EndReason>;
  #newest: FrameDetections | undefined;

  /** @param logger is told of readers that throw. Default: nobody is */
  constructor(sourceId: string, logger: Logger = silentLogger) {
    this.sourceId = sourceId;
    this.#readers = new Listeners(logger, `detections of ${sourceId}`);
    this.#ending = new EndListeners(logger, `detections of ${sourceId}`);
  }

  /** Of the newest picture that was looked at; undefined before the first. */
  get newest(): FrameDetections | undefined {
    return this.#newest;
  }

  /** Hands the detections of one picture to every reader. Ignored after `close`. */
  publish(detections: FrameDetections): void {
    if (this.#ending.reason !== undefined) return;
    this.#newest = detections;
    this.#readers.tell(detections);
  }

  /** Starts a reader; call the returned function to stop it. */
  subscribe(listener: DetectionListener): () => void {
    return this.#readers.add(listener);
  }

  /** Calls `listener` once, when the feed ends; at once where it has. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void {
    return this.#ending.onEnded(listener);
  }

  /** Ends the feed for all its readers. Idempotent. */
  close(reason: EndReason): void {
    this.#ending.end(reason);
    this.#readers.clear();
  }
}
