/**
 * What both sides of the gateway speak about a source: how whoever watches names its tracks, and the leases that say for
 * how long something of it is needed. Whoever holds a lease keeps its producer running, and gives it back.
 */
import type { DetectionFeed } from './detection-feed.js';
import type { VideoCodec } from './encoded-frame.js';
import type { EndReason } from './end-reason.js';
import type { H265Profile } from './h265-profile.js';
import type { PlaybackControl } from './playback.js';
import type { Rendition } from './rendition.js';
import type { Rung } from './rung.js';
import type { Track } from './track.js';

/** Names one track of a source: its sound, or a rendition of its video in one codec. */
export type TrackKey = { readonly kind: 'audio' } | VideoKey;

/** Names one track of a source's video. */
export interface VideoKey {
  /** Tells it from sound. */
  readonly kind: 'video';
  /** As it is, or with what was detected drawn in. */
  readonly rendition: Rendition;
  /** Of the frames. */
  readonly codec: VideoCodec;
  /** Name of its quality, one of the source's ladder. Default: `source`. */
  readonly rung?: string | undefined;
}

/** A hold on a track: while it is held, its producer runs. */
export interface TrackLease {
  /** What is leased. */
  readonly track: Track;
  /** Gives it back. Idempotent. */
  release(): void;
}

/** A hold on the detections of a source: while it is held, the detector looks at it. */
export interface DetectionLease {
  /** What is leased. */
  readonly feed: DetectionFeed;
  /** Gives it back. Idempotent. */
  release(): void;
}

/** One frame of a source as a JPEG, with the detected objects drawn in where a detector looks at the source. */
export interface Snapshot {
  /** Number of the frame, as in the detections of the source. */
  readonly frame: number;
  /** On the timeline of the source, in ms. */
  readonly mediaTimeMs: number;
  /** Of the JPEG; the frame itself may be larger. */
  readonly widthPx: number;
  /** In pixels. */
  readonly heightPx: number;
  /** The whole file. */
  readonly jpeg: Buffer;
}

/** A hold on the snapshots of a source: while it is held they are made, once for all who hold them. */
export interface SnapshotLease {
  /** Calls `listener` with each snapshot. Call the returned function to stop. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** Calls `listener` once, when the source ends. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void;
  /** Gives them back. Idempotent. */
  release(): void;
}

/** What a source can be served as. */
export interface SourceMedia {
  /** True where viewers hear something. */
  readonly hasAudio: boolean;
  /** `processed` only where a detector looks at the source. */
  readonly renditions: readonly Rendition[];
  /** Codec of `raw` that is handed on as it comes; undefined where every codec has to be encoded. */
  readonly rawCodec?: VideoCodec | undefined;
  /** `profile-level-id` (RFC 6184 §8.1) of H.264 that is handed on as it comes; undefined where it is encoded here, or not known. */
  readonly rawProfile?: string | undefined;
  /** Of H.265 that is handed on as it comes: which decoders take it. */
  readonly rawH265?: H265Profile | undefined;
}

/** A source that was found and can be watched. It costs nothing until something of it is leased, and need not be closed. */
export interface OpenedSource {
  /** The source that was opened. */
  readonly sourceId: string;
  /** As it was when the source was opened. */
  readonly media: SourceMedia;
  /** Moves it, where it is the past of that source. Default: it is the present. */
  readonly playback?: PlaybackControl | undefined;
  /** The same once more as it comes now, where that is another codec than before. Default: opening it by its id does that. */
  readonly reopen?: (() => Promise<OpenedSource>) | undefined;
  /** Classes that the detector of the source knows now: models change while sources run. Undefined where none looks. */
  readonly labels: readonly string[] | undefined;
  /**
   * The qualities of a rendition as they are now, the best first; never empty. What another session starts or ends changes it.
   * Bitrates, and which places of encoders are free, may be 100 ms old.
   */
  ladder(key: Pick<VideoKey, 'rendition' | 'codec'>): readonly Rung[];
  /**
   * Leases a track; starts what is needed for it where nobody uses it yet.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE or SOURCE_NOT_LIVE where that has changed since, CAPACITY_REACHED, SERVER_CLOSING;
   * NOTHING_TO_SERVE where the source has no such quality
   */
  openTrack(key: TrackKey): TrackLease | Promise<TrackLease>;
  /**
   * Leases the detections; the detector begins to look where it does not yet.
   * @throws MediaPeerError as `openTrack`, or DETECTION_OFF
   */
  openDetections(): DetectionLease;
  /**
   * Leases the snapshots.
   * @param maxBytes largest JPEG that is of use
   * @throws MediaPeerError as `openTrack`, or NOTHING_TO_SERVE where no snapshot is so small
   */
  openSnapshots(maxBytes: number): SnapshotLease;
}
