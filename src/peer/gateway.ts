/** How the peer room gets media. The application hands in an implementation; this room knows no pipeline. */
import type { DetectionFeed, Rendition, Track, VideoCodec } from '../media/index.js';

/** A hold on a track: while it is held, its producer runs. */
export interface TrackLease {
  readonly track: Track;
  /** Idempotent. */
  release(): void;
}

/** A hold on the detections of a source: while it is held, the detector looks at it. */
export interface DetectionLease {
  readonly feed: DetectionFeed;
  /** Idempotent. */
  release(): void;
}

/** Which track a viewer wants. */
export type TrackRequest =
  | { readonly sourceId: string; readonly kind: 'video'; readonly rendition: Rendition; readonly codec: VideoCodec }
  | { readonly sourceId: string; readonly kind: 'audio' };

/** What a source can be served as. */
export interface SourceMedia {
  readonly hasAudio: boolean;
  readonly renditions: readonly Rendition[];
}

export interface MediaGateway {
  /** @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE or SOURCE_NOT_LIVE. */
  describe(sourceId: string): SourceMedia;
  /**
   * Starts the pipeline where nobody uses it yet.
   * @throws MediaPeerError as `describe`, or SERVER_CLOSING.
   */
  openTrack(request: TrackRequest): TrackLease | Promise<TrackLease>;
  /**
   * Starts the source where nobody uses it yet.
   * @throws MediaPeerError as `openTrack`, or DETECTION_OFF.
   */
  openDetections(sourceId: string): DetectionLease;
}
