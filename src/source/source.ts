/** A source as the pipeline uses it, whatever is behind it: a file, a camera that publishes, a camera that is connected on demand. */
import type { MediaPeerError } from '../base/errors.js';
import type { BackoffOptions, FfmpegDeps } from '../ffmpeg/index.js';
import type {
  EncodedFrame,
  EndReason,
  FrameDetections,
  PictureSize,
  Timeline,
  TrackedObject,
  VideoCodec,
  VideoFrame,
} from '../media/index.js';
import type { Delivery, SourceDescription } from './description.js';
import type { LayerDescription, SourceLayer } from './layer.js';

/** `file`: recorded, in the upload folder. `live`: a room that somebody publishes to. `pull`: an input of SOURCES_FILE. */
export type SourceKind = 'file' | 'live' | 'pull';

/** What a frame that is copied is for. */
export interface FrameUse {
  /** Viewers who get the copy get it. Default true; false for what decoders alone need. */
  readonly isSent?: boolean;
  /** It is shown to those who get decoded frames. Default true; false for what is decoded only to reach another one. */
  readonly isShown?: boolean;
}

/** What was seen in a frame when it was recorded. */
export interface SeenFrame {
  /** Of the frame, on the source's timeline. */
  readonly mediaTimeMs: number;
  /** Where objects were in it. */
  readonly objects: readonly TrackedObject[];
  /** For readers of detections; undefined: they are told nothing of this frame. */
  readonly message: FrameDetections | undefined;
}

/** `empty`: nobody is there. `live`: media comes. `waiting`: it was there, and may come back. */
export type RoomState = 'empty' | 'live' | 'waiting';

/** A source, and how its media is opened. */
export interface Source extends SourceDescription {
  /** What is behind it. */
  readonly kind: SourceKind;
  /** A file is always `live`. */
  readonly state: RoomState;
  /** Size of the delivered pictures, where they are not delivered as they come. */
  readonly plan?: { readonly widthPx: number; readonly heightPx: number };
  /** Lower qualities that it brings itself, as far as they are known. Default: none. */
  readonly layers?: readonly LayerDescription[];
  /** Encoders of it take places: who got a copy asks again where that would have to be encoded. Default false. */
  readonly encodesTakePlaces?: boolean;
  /** Its feed tells what is seen in its frames (`SourceFeed.wantSeen`). Default: a detector has to look. */
  readonly bringsDetections?: boolean;
  /**
   * Starts it; returns at once.
   * @throws MediaPeerError SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE
   */
  open(sink: FeedSink, options: FeedOptions): SourceFeed;
}

/** Where a feed delivers. Media times of each kind ascend. */
export interface FeedSink {
  /** A frame of a source that is copied, in the codec of `FeedInfo.codec`. @param use default: it is sent and shown */
  encodedVideo(frame: EncodedFrame, use?: FrameUse): void;
  /** A picture of a source that is transcoded. It belongs to the feed: who keeps it beyond the call retains it. */
  picture(picture: VideoFrame): void;
  /** 20 ms of Opus, 48 kHz stereo. */
  audio(frame: EncodedFrame): void;
  /** What follows is a stand-in for a camera that is away (true), or the camera again (false): nothing is to be detected in a stand-in. */
  waiting?(isWaiting: boolean): void;
  /** `SourceFeed.layers` are others now. */
  layersChanged?(): void;
  /** What was seen in a frame that was delivered just now, where `SourceFeed.wantSeen` is there. */
  seen?(seen: SeenFrame): void;
}

/** What a feed delivers. */
export interface FeedInfo {
  /** Width of its frames, in pixels. */
  readonly widthPx: number;
  /** Height of its frames, in pixels. */
  readonly heightPx: number;
  /** Pictures per second on average; each comes at its own time. */
  readonly fps: number;
  /** Most pictures in a second. Default `fps`. */
  readonly peakFps?: number;
  /** How long a picture may stand before the next comes, in seconds. Default `1 / fps`. */
  readonly longestFrameS?: number;
  /** How many frames may come at once, ahead of real time. Default 30. */
  readonly burstFrames?: number;
  /** True where packets of sound come. */
  readonly hasAudio: boolean;
  /** Whether its raw video is copied or transcoded. */
  readonly delivery: Delivery;
  /** Of `encodedVideo`, where the source is copied. */
  readonly codec: VideoCodec;
  /** Size of the pictures of `encodedVideo`, where they are decoded to another. Default: the same. */
  readonly copiedSize?: PictureSize | undefined;
}

/**
 * Why a feed ended. `replaced`: the source changed (another file, another format); a feed of its new description
 * on the same timeline continues. `source-ended`: it is gone. `source-failed`: it never gave a frame.
 * Anything else is what `close` was told.
 */
export interface FeedEnd {
  /** `replaced`: another feed takes over on the same timeline. */
  readonly reason: EndReason | 'replaced';
  /** SOURCE_NOT_PLAYABLE, with `source-failed`. */
  readonly error?: MediaPeerError;
}

/** A running source. */
export interface SourceFeed {
  /** What the feed delivers; it does not change while the feed lives. */
  readonly info: FeedInfo;
  /** The time of the source, over all its feeds. */
  readonly timeline: Timeline;
  /** ffmpeg processes that were started after the first. */
  readonly restarts: number;
  /** What the last process that failed said. */
  readonly lastError: string | undefined;
  /** Why nothing comes right now; undefined while frames come, and while the first process starts. */
  readonly trouble: string | undefined;
  /** Of a live source: who publishes, or may come back, and whether a stand-in is shown. */
  readonly live?: { readonly state: RoomState; readonly publisherId: string | undefined; readonly isWaiting: boolean };
  /** Lower qualities that it brings itself and that can be opened now. Default: none. */
  readonly layers?: readonly SourceLayer[];
  /** Why a lower quality that it should bring is not used, in words; undefined where all are well. */
  readonly layersProblem?: string | undefined;
  /** Frames from the newest keyframe on that came before it was opened, on its timeline: what decoders and viewers begin with. Default none. */
  readonly openGroup?: readonly EncodedFrame[];
  /** There where the feed itself tells what was seen, so that no detector looks: it does (true) while somebody wants to know. */
  readonly wantSeen?: ((isWanted: boolean) => void) | undefined;
  /** When a frame was captured that was delivered lately, UTC in ms, where that is not when it came. Absent: it is. */
  capturedAt?(mediaTimeMs: number): number | undefined;
  /** Passes the request for a keyframe on to whoever encodes, who merges them. Absent where none can be had. */
  requestKeyframe?(): void;
  /** What ends it, as soon as that is decided: `closed` follows when nothing of it is left. */
  readonly end: FeedEnd | undefined;
  /** Resolves when it has ended and nothing of it is left; never rejects. */
  readonly closed: Promise<FeedEnd>;
  /** Ends it; `reason` is only handed through to `closed`, default `viewer-left`. */
  close(reason?: EndReason): Promise<FeedEnd>;
}

/** What a feed needs beside its source. */
export interface FeedOptions extends FfmpegDeps {
  /** Continues this timeline, for a file that was replaced; default a new one that begins at 0. */
  readonly timeline?: Timeline;
  /** Closes the feed when aborted. */
  readonly signal?: AbortSignal;
  /** Waits between processes that fail. */
  readonly backoff?: BackoffOptions;
}
