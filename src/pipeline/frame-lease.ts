import type { DetectionLease } from '../media/index.js';
import type { DetectedFrame } from './frame-detection.js';

/** A hold on the decoded frames of a source; the detector looks at them where there is one. */
export interface FrameLease extends DetectionLease {
  /**
   * Hands `taker` the next frame and what is detected in it, once there has been a detection; the taker releases the frame.
   * Call the returned function to stop waiting.
   */
  takeNext(taker: (seen: DetectedFrame) => void): () => void;
}

/** A source whose decoded frames can be leased. */
export interface FrameSource {
  /** Whose frames they are. */
  readonly sourceId: string;
  /** @throws MediaPeerError as `OpenedSource.openTrack` */
  openFrames(): FrameLease;
}
