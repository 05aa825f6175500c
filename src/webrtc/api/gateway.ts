/** How the peer room gets media. The application hands in an implementation; this room knows no pipeline. */
import type { DetectionFeed, EncodedFrame, EndReason, Rendition, Track, VideoCodec } from '../../media/index.js';

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

/** A picture of a source as a JPEG: with what is seen in it drawn in, where the source has that. */
export interface Still {
  /** Its number, as in the detections of the source. */
  readonly frame: number;
  readonly mediaTimeMs: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly jpeg: Buffer;
}

/** A hold on the pictures of a source: while it is held, they are made, once for all who hold them. */
export interface StillLease {
  /** Calls `listener` with each picture. Call the returned function to stop. */
  subscribe(listener: (still: Still) => void): () => void;
  /** Calls `listener` once, when the source ends. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void;
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
  /** What `raw` comes in and is handed on in; undefined where every codec has to be encoded. */
  readonly rawCodec?: VideoCodec | undefined;
  /** `profile-level-id` (RFC 6184 §8.1) of H.264 that is handed on as it comes; undefined where it is encoded here, or not known. */
  readonly rawProfile?: string | undefined;
  /** Classes that the detector of the source knows; undefined where none looks. */
  readonly labels?: readonly string[] | undefined;
}

export interface MediaGateway {
  /** Awaited before a source is described for a client: a camera may have to be called first. Takes seconds at most, never rejects. */
  prepare?(sourceId: string): Promise<void>;
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
  /**
   * Starts the source where nobody uses it yet.
   * @param maxBytes largest JPEG that is of use.
   * @throws MediaPeerError as `openTrack`, or NOTHING_TO_SERVE where no picture is so small.
   */
  openStills(sourceId: string, maxBytes: number): StillLease;
  /**
   * Begins to publish to a room; viewers of it see what is written.
   * @throws MediaPeerError ROOM_INVALID, ROOM_TAKEN (with `retryAfterS`), SERVER_CLOSING
   */
  openPublication(request: PublicationRequest): Publication;
}

/** Somebody who begins to publish. */
export interface PublicationRequest {
  readonly room: string;
  readonly clientId: string;
  /** May take the room over where somebody publishes to it. */
  readonly takeover: boolean;
  /** Undefined: sound alone. */
  readonly video: VideoCodec | undefined;
  readonly hasAudio: boolean;
  /** ms until it counts as gone, if nothing more is heard of it; 0: it is, and gives way to the next. */
  aliveForMs(): number;
  /** The room needs a keyframe. Merged by whoever receives: call it as often as needed. */
  requestKeyframe(): void;
  /** Viewers see a dead picture: asks the camera to reconnect. */
  requestReconnect(reason: string): void;
  /** The room is taken over, or closed. */
  end(reason: EndReason): void;
}

/** A room that somebody publishes to. */
export interface Publication {
  /**
   * Complete frames in decoding order, without gaps: after a loss the next one is a keyframe. Media times of both
   * kinds are on one clock of this publication, in ms: when the frame was captured; its origin is arbitrary.
   */
  video(frame: EncodedFrame): void;
  audio(frame: EncodedFrame): void;
  /** `left`: the publisher said that it is done. `lost`: it may come back within the grace time. Idempotent. */
  close(how: 'left' | 'lost'): void;
}
