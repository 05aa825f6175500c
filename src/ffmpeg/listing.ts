/** What ffprobe says of streams, in our words. */
import { streamColour, type ListedColour, type StreamColour } from './colour.js';
import { orientationOf, type ListedOrientation, type Orientation } from './orientation.js';
import type { ClockJumps, PacketInfo } from './packets.js';

/** The video stream of a file. */
export interface VideoStreamInfo {
  /** Index among all streams, for `-map 0:<index>`. */
  readonly index: number;
  /** By ffmpeg's name: `h264`. */
  readonly codec: string;
  /** `High`, `Main`, `Constrained Baseline`; empty where the codec has none. */
  readonly profile: string;
  /** Of H.264: ten times its number. Undefined where it is unknown. */
  readonly level?: number | undefined;
  /** By ffmpeg's name: `yuv420p`. */
  readonly pixelFormat: string;
  /** As coded, before rotation. */
  readonly widthPx: number;
  /** Height for display, in pixels. */
  readonly heightPx: number;
  /** How it is turned and mirrored for display. */
  readonly orientation: Orientation;
  /** Width of a pixel divided by its height. */
  readonly pixelAspect: number;
  /** True where frames hold two fields. */
  readonly isInterlaced: boolean;
  /** Depth of picture reordering; 0 means no B-frames. */
  readonly reorderDepth: number;
  /** Average and base frame rate as ffprobe's fractions, `30000/1001`; `0/0` when unknown. */
  readonly averageFrameRate: string;
  /** Lowest rate that holds all time stamps, as a fraction: `30000/1001`. */
  readonly baseFrameRate: string;
  /** What the stream says of its colour. */
  readonly colour: StreamColour;
  /** How long it says it is, in seconds; undefined where it does not say. */
  readonly statedS: number | undefined;
  /** What its packets tell. */
  readonly packets: PacketInfo;
}

/** A sound stream of a file. */
export interface AudioStreamInfo {
  /** Number of the stream in the file, from 0. */
  readonly index: number;
  /** By ffmpeg's name: `aac`. */
  readonly codec: string;
  /** Undefined where it does not say. */
  readonly channels?: number | undefined;
  /** A filter that makes two channels of them, where ffmpeg does not know how. */
  readonly mix?: string | undefined;
  /** As in `VideoStreamInfo`. */
  readonly statedS?: number | undefined;
  /** Where its clock restarts or jumps; undefined where it just runs. */
  readonly jumps?: ClockJumps | undefined;
  /** The file's own times of its begin and end, in seconds, without jumps; undefined when not all packets were read. */
  readonly span?: { readonly beginS: number; readonly endS: number } | undefined;
}

/** What a stream is for; 1 where it is that. */
export type Disposition = Readonly<
  Partial<
    Record<
      | 'default'
      | 'attached_pic'
      | 'timed_thumbnails'
      | 'still_image'
      | 'dependent'
      | 'non_diegetic'
      | 'comment'
      | 'hearing_impaired'
      | 'visual_impaired'
      | 'descriptions'
      | 'karaoke'
      | 'clean_effects',
      number
    >
  >
>;

/** A stream as ffprobe lists it. */
export interface ListedStream extends Omit<ListedColour, 'side_data_list'>, Omit<ListedOrientation, 'tags' | 'side_data_list'> {
  /** Number of the stream in the file, from 0. */
  readonly index: number;
  /** `video`, `audio`, `data` or `subtitle`. */
  readonly codec_type?: string;
  /** `h264`; absent where ffmpeg does not know the codec. */
  readonly codec_name?: string;
  /** `High`. */
  readonly profile?: string;
  /** Of H.264, ten times the level: 31. */
  readonly level?: number;
  /** `yuv420p`; absent where the parameters could not be found. */
  readonly pix_fmt?: string;
  /** Coded width in pixels; 0 where it could not be found. */
  readonly width?: number;
  /** Coded height in pixels; 0 where it could not be found. */
  readonly height?: number;
  /** `4:3`; `0:1` where it is unknown. */
  readonly sample_aspect_ratio?: string;
  /** `progressive`, or `tt`, `bb`, `tb`, `bt`. */
  readonly field_order?: string;
  /** Depth of reordering, in frames. */
  readonly has_b_frames?: number;
  /** `30000/1001`; `0/0` where it is unknown. */
  readonly avg_frame_rate?: string;
  /** Lowest rate that holds all time stamps. */
  readonly r_frame_rate?: string;
  /** Seconds, as text. */
  readonly duration?: string;
  /** Bits per second, as text. */
  readonly bit_rate?: string;
  /** Of sound. */
  readonly channels?: number;
  /** What the stream is for. */
  readonly disposition?: Disposition;
  /** Rotation as old files say it, and Matroska's duration. */
  readonly tags?: { readonly rotate?: string; readonly DURATION?: string };
  /** The display matrix and Dolby Vision's configuration. */
  readonly side_data_list?: readonly { readonly rotation?: number; readonly displaymatrix?: string; readonly dv_profile?: number }[];
}

/** What `ffprobe -of json -show_format -show_streams -show_programs` says. */
export interface Listing {
  /** All streams of the file. */
  readonly streams: readonly ListedStream[];
  /** Programmes of MPEG-TS and HLS, with the streams that belong to each. */
  readonly programs?: readonly { readonly streams?: readonly { readonly index: number }[] }[];
  /** The container; its duration in seconds and its bits per second, as text. */
  readonly format?: { readonly format_name?: string; readonly duration?: string; readonly bit_rate?: string };
}

/** Undefined where it is cut off. */
export function parseListing(json: string): Listing | undefined {
  try {
    const listing = JSON.parse(json) as Partial<Listing>;
    if (!listing.streams) return undefined;
    return {
      streams: listing.streams,
      ...(listing.programs && { programs: listing.programs }),
      ...(listing.format && { format: listing.format }),
    };
  } catch {
    // Cut off in the middle: as good as nothing found.
    return undefined;
  }
}

/** The stream, given its size and what its packets say. */
export function videoStream(stream: ListedStream, widthPx: number, heightPx: number, packets: PacketInfo): VideoStreamInfo {
  return {
    index: stream.index,
    codec: stream.codec_name ?? '',
    profile: stream.profile ?? '',
    level: stream.level,
    pixelFormat: stream.pix_fmt ?? '',
    widthPx,
    heightPx,
    orientation: orientationOf(stream),
    pixelAspect: pixelAspectOf(stream.sample_aspect_ratio),
    isInterlaced: !['progressive', 'unknown', undefined].includes(stream.field_order),
    reorderDepth: stream.has_b_frames ?? 0,
    averageFrameRate: stream.avg_frame_rate ?? '0/0',
    baseFrameRate: stream.r_frame_rate ?? '0/0',
    colour: streamColour(stream),
    statedS: statedDuration(stream),
    packets,
  };
}

/** What the stream says of its length, in seconds; Matroska says it in a tag, `00:00:04.023000000`. */
export function statedDuration({ duration, tags }: ListedStream): number | undefined {
  const [hours = NaN, minutes = NaN, seconds = NaN] = (tags?.DURATION ?? '').split(':').map(Number);
  return [Number(duration), hours * 3600 + minutes * 60 + seconds].find((value) => Number.isFinite(value) && value > 0);
}

function pixelAspectOf(ratio: string | undefined): number {
  const [width, height] = (ratio ?? '1:1').split(':').map(Number);
  const aspect = width && height && width > 0 && height > 0 ? width / height : 1;
  // Rounding of odd sizes, not a wish.
  return Math.abs(aspect - 1) < 0.01 ? 1 : aspect;
}

/** Whether ffmpeg knows what this is. */
export function isKnown(name: string | undefined): boolean {
  return name !== undefined && name !== '' && name !== 'unknown' && name !== 'none';
}
