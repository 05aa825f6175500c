/**
 * The detections of a source: written once, read by many, as a track is. Readers are called in turn and must not
 * wait; what a slow one loses is its own business. The feed only reports demand; who writes it decides.
 */
import type { FrameDetections } from './detections.js';
import type { EndReason } from './end-reason.js';

/** Called for each frame that the detector looked at; must not wait. */
export type DetectionListener = (detections: FrameDetections) => void;

/** The detections of one source. */
export class DetectionFeed {
  /** Of the source that is looked at. */
  readonly sourceId: string;
  readonly #listeners = new Set<DetectionListener>();
  readonly #closeListeners = new Set<(reason: EndReason) => void>();
  #newest: FrameDetections | undefined;
  #endReason: EndReason | undefined;

  constructor(sourceId: string) {
    this.sourceId = sourceId;
  }

  /** Of the newest picture that was looked at; undefined before the first. */
  get newest(): FrameDetections | undefined {
    return this.#newest;
  }

  /** Hands the detections of one picture to every reader. Ignored after `close`. */
  publish(detections: FrameDetections): void {
    if (this.#endReason !== undefined) return;
    this.#newest = detections;
    for (const listener of this.#listeners) listener(detections);
  }

  /** Starts a reader; call the returned function to stop it. */
  subscribe(listener: DetectionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `listener` once, when the feed ends; at once where it has. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void {
    if (this.#endReason === undefined) this.#closeListeners.add(listener);
    else listener(this.#endReason);
    return () => void this.#closeListeners.delete(listener);
  }

  /** Ends the feed for all its readers. Idempotent. */
  close(reason: EndReason): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    for (const listener of this.#closeListeners) listener(reason);
    this.#closeListeners.clear();
    this.#listeners.clear();
  }
}
