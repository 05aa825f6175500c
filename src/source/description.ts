/** What is known of a source before it runs: what `GET /available-videos` shows, and what a feed needs. */
import type { ColourPlan, ClockJumps, Orientation } from '../ffmpeg/index.js';
import type { H265Profile, PictureSize, VideoCodec } from '../media/index.js';

/** How a source reaches its viewers: copied as it is, or decoded and encoded once for all of them. */
export type Delivery = 'passthrough' | 'transcode';

/** Codecs that are handed on as they come. */
export type CopiedCodec = Extract<VideoCodec, 'h264' | 'h265'>;

/** How a file is turned into a feed. */
export interface FeedPlan {
  /** Whether the video is copied or transcoded. */
  readonly delivery: Delivery;
  /** Of the video, where it is copied. */
  readonly copiedCodec: CopiedCodec;
  /** Size of the pictures in the copy; undefined where nothing is copied. */
  readonly copiedSize: PictureSize | undefined;
  /** Index of the video among all streams of the file. */
  readonly videoIndex: number;
  /** Index of the sound among all streams of the file; undefined: none is played. */
  readonly audioIndex: number | undefined;
  /** A filter that makes two channels of the sound, where ffmpeg does not know how. */
  readonly audioMix: string | undefined;
  /** Size of the pictures that are decoded and encoded here, and of H.264 that is copied. Even. */
  readonly widthPx: number;
  /** Height that viewers get, in pixels. */
  readonly heightPx: number;
  /** Pictures per second on average; each keeps its own time. */
  readonly fps: number;
  /** Most pictures in a second. */
  readonly peakFps: number;
  /** More come than are delivered. */
  readonly isTooFast: boolean;
  /** How long the picture stands that stands longest, between two passes included; in seconds. */
  readonly longestFrameS: number;
  /** True where frames hold two fields. */
  readonly deinterlace: boolean;
  /** What makes the pictures upright. */
  readonly orientation: Orientation;
  /** What their samples mean, as coded and as delivered. */
  readonly colour: ColourPlan;
  /** Where to begin, as the file counts time, when nothing before can be decoded. */
  readonly beginS: number | undefined;
  /** Where the clocks of pictures and sound restart or jump; undefined where they just run. */
  readonly jumps: { readonly video: ClockJumps; readonly audio: ClockJumps | undefined } | undefined;
  /** What one pass through the file takes; the next follows seamlessly. */
  readonly passS: number;
}

/** What becomes of a file while a feed plays it. */
export type FileChange = 'replaced' | 'removed';

/** The library's live view of one file, for the feed that plays it. */
interface FileWatch {
  /** Tells of changes after the description was made, once; returns how to stop listening. */
  onChange(listener: (change: FileChange) => void): () => void;
  /** Remembers that this file cannot be copied after all; comes back as the change `replaced`. */
  mustTranscode(reason: string): void;
}

/** What is known of a source of any kind. Values, never changed: a source that changes gets a new description. */
export interface SourceDescription {
  /** What clients ask for: 1 to 64 of `[A-Za-z0-9._-]`. */
  readonly id: string;
  /** The file's name, or the id. */
  readonly name: string;
  /** What people call it. */
  readonly title?: string | undefined;
  /** What it belongs to, for lists. */
  readonly group?: string | undefined;
  /** Null for what is no file. */
  readonly sizeBytes: number | null;
  /** Length in seconds; null where it has none (live) or is not known. */
  readonly durationS: number | null;
  /** Size as shown: rotation and pixel aspect applied. */
  readonly widthPx: number | null;
  /** Height that viewers get, in pixels; null where it is not known. */
  readonly heightPx: number | null;
  /** Frames per second; null where it is not known. */
  readonly fps: number | null;
  /** As it is stored or sent, by ffmpeg's name: `hevc`; null where it is not known. */
  readonly videoCodec: string | null;
  /** As it is stored or sent, by ffmpeg's name: `aac`; null where there is none. */
  readonly audioCodec: string | null;
  /** True where viewers hear something. */
  readonly hasAudio: boolean;
  /** Why there is sound in it that is not played, in words for people. */
  readonly audioReason?: string;
  /** Whether the raw video is copied or transcoded. */
  readonly delivery: Delivery;
  /** `profile-level-id` (RFC 6184 §8.1) of H.264 that is copied; undefined where it is unknown. */
  readonly h264Profile?: string | undefined;
  /** Of H.265 that is copied; undefined where it is not. */
  readonly h265Profile?: H265Profile | undefined;
  /** False where it cannot be watched; `reason` says why. */
  readonly playable: boolean;
  /** Why it is not playable, or why it is not copied; in words for people. */
  readonly reason?: string;
}

/** One file as a source. */
export interface FileDescription extends SourceDescription {
  /** Absolute path; never shown to clients. */
  readonly file: string;
  /** Size of the file. */
  readonly sizeBytes: number;
  /** How the file asks to be turned and mirrored. */
  readonly orientation: Orientation;
  /** How to play it; absent when it cannot be played. */
  readonly plan?: FeedPlan;
  /** Absent when the description does not come from a library. */
  readonly watch?: FileWatch;
}
