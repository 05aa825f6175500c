/** A lower quality of its video that a source brings itself: a camera's second stream, a layer of a publisher's simulcast. It costs no encode. */
import type { EncodedFrame, FramePairing, VideoCodec } from '../media/index.js';

/** What is known of a layer. */
export interface LayerDescription {
  /** In pixels; even. */
  readonly widthPx: number;
  /** In pixels; even. */
  readonly heightPx: number;
  /** Of its frames. */
  readonly codec: VideoCodec;
  /** `profile-level-id` of H.264 (RFC 6184 §8.1); undefined where it is unknown. */
  readonly h264Profile?: string | undefined;
}

/** A layer of a source that runs. It is the same object for as long as it is the same layer. */
export interface SourceLayer extends LayerDescription {
  /** As measured, bits a second; undefined before it is known. */
  readonly bitrateBps: number | undefined;
  /** Its frames come whether it is read or not: whoever opens it waits for no connection. */
  readonly isFlowing: boolean;
  /** How its frames are tied to those of the source. */
  readonly pairing: FramePairing;
  /** Keyframes of it can be had on demand. */
  readonly makesKeyframes: boolean;
  /**
   * Begins to read it; returns at once. `onFrame` gets its frames on the timeline of the source, at ascending times, the
   * first of them perhaps before this returns.
   * @param afterMs newest media time that is known already: what came before is not delivered. -Infinity: nothing is
   */
  open(onFrame: (frame: EncodedFrame) => void, afterMs: number): LayerFeed;
}

/** A layer that is read. */
export interface LayerFeed {
  /** Passes the request for a keyframe on to whoever encodes, who merges them. Absent where none can be had. */
  requestKeyframe?(): void;
  /** Resolves when it has ended, by itself or because it was closed, and nothing of it is left; never rejects. */
  readonly closed: Promise<void>;
  /** Ends it. Idempotent. */
  close(): Promise<void>;
}
