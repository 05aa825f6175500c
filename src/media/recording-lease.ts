/** What a recorder and the pipeline speak about a source: its frames as they come, for as long as they are held. */
import type { DetectionFeed } from './detection-feed.js';
import type { EncodedFrame, VideoCodec } from './encoded-frame.js';
import type { EndReason } from './end-reason.js';
import type { Timeline } from './timeline.js';

/** Takes what is recorded of a source; must neither wait nor throw. */
export interface RecordingSink {
  /** The next frame, first those of the open group. */
  video(frame: EncodedFrame): void;
  /** The next packet of sound. */
  audio(frame: EncodedFrame): void;
}

/** A hold on what is recorded of a source: while it is held, the source runs. */
export interface RecordingLease {
  /** Of the video: as the source comes where that can be copied. */
  readonly codec: VideoCodec;
  /** Of the source. */
  readonly timeline: Timeline;
  /** Of what is detected, by whomever it is wanted; the lease does not make the detector look. */
  readonly feed: DetectionFeed;
  /** The video is encoded for viewers now, and not as it comes. */
  isTranscoded(): boolean;
  /** The source comes in another codec now: another lease gets it as it comes. */
  isOutdated(): boolean;
  /** True for a time at which a stand-in is shown, because nothing comes from the camera. */
  isStandIn(mediaTimeMs: number): boolean;
  /** A keyframe would be of use; merged. */
  requestKeyframe(): void;
  /** Calls `listener` once, when the video ends. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void;
  /** Gives it back. Idempotent. */
  release(): void;
}
