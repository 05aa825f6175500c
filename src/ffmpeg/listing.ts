/** What ffprobe says of streams, in our words. */
import { streamColour, type ListedColour, type StreamColour } from './colour.js';
import { orientationOf, type ListedOrientation, type Orientation } from './orientation.js';
import type { ClockJumps, PacketInfo } from './packets.js';

/** The video stream of a file. */
export interface VideoStreamInfo {
  /** Index among all streams, for `-map 0:<index>`. */
  readonly index: number;
  readonly codec: string;
  /** `High`, `Main`, `Constrained Baseline`; empty where the codec has none. */
  readonly profile: string;
  /** Of H.264: ten times its number. Undefined where it is unknown. */
  readonly level?: number | undefined;
  readonly pixelFormat: string;
  /** As coded, before rotation. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** How it is turned and mirrored for display. */
  readonly orientation: Orientation;
  /** Width of a pixel divided by its height. */
  readonly pixelAspect: number;
  readonly isInterlaced: boolean;
  /** Depth of picture reordering; 0 means no B-frames. */
  readonly reorderDepth: number;
  /** Average and base frame rate as ffprobe's fractions, `30000/1001`; `0/0` when unknown. */
  readonly averageFrameRate: string;
  readonly baseFrameRate: string;
  readonly colour: StreamColour;
  /** How long it says it is, in seconds; undefined where it does not say. */
  readonly statedS: number | undefined;
  readonly packets: PacketInfo;
}

/** A sound stream of a file. */
export interface AudioStreamInfo {
  readonly index: number;
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
  readonly index: number;
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly profile?: string;
  readonly level?: number;
  readonly pix_fmt?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_aspect_ratio?: string;
  readonly field_order?: string;
  readonly has_b_frames?: number;
  readonly avg_frame_rate?: string;
  readonly r_frame_rate?: string;
  readonly duration?: string;
  readonly channels?: number;
  readonly disposition?: Disposition;
  readonly tags?: { readonly rotate?: string; readonly DURATION?: string };
  readonly side_data_list?: readonly { readonly rotation?: number; readonly displaymatrix?: string; readonly dv_profile?: number }[];
}

/** What `ffprobe -of json -show_format -show_streams -show_programs` says. */
export interface Listing {
  readonly streams: readonly ListedStream[];
  readonly programs?: readonly { readonly streams?: readonly { readonly index: number }[] }[];
  readonly format?: { readonly format_name?: string; readonly duration?: string };
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
