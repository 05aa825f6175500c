/**
 * I420 pictures in, H.264, H.265 or VP8 frames out, scaled where that is wanted, one ffmpeg process. Pictures go in with stamps in whole milliseconds
 * of the encoder's own: an even stamp is an ordinary picture, an odd one asks for a keyframe, which is how a
 * command line encoder makes keyframes on demand. Frames come out with the media time their picture had, and H.264 tells
 * players the colour of the first picture.
 */
import { strict as assert } from 'node:assert';
import { i420Size, KeyframeRequests, type EncodedFrame, type PictureSize, type VideoCodec, type VideoFrame } from '../media/index.js';
import type { FfmpegDeps, FfmpegTools } from './deps.js';
import { FlvParser } from './flv.js';
import { IvfParser } from './ivf.js';
import { matroskaHeader, matroskaPictureHeader } from './matroska-writer.js';
import { NUT_OUTPUT } from './nut.js';
import { NutH265Parser } from './nut-h265.js';
import { openProcess, type FfmpegProcess, type ProcessEnd } from './process.js';

/** What is encoded, and how. */
export interface EncoderOptions extends FfmpegDeps {
  /** Who wants it, for logs and errors. */
  readonly owner: string;
  /** H.265 only where ffmpeg has an encoder for it (`canEncode`). */
  readonly codec: VideoCodec;
  /** Even. */
  readonly widthPx: number;
  /** Even. */
  readonly heightPx: number;
  /** What the bitrate is spread over; pictures may come at other times. */
  readonly fps: number;
  /** Size of the frames that come out, even. Default: that of the pictures. */
  readonly scaledTo?: PictureSize;
  /** Default `bitrateFor(widthPx, heightPx, fps)`. */
  readonly bitrateBps?: number;
  /**
   * For links that carry hardly more: no frame, keyframes included, takes much longer to send than six ordinary ones. Default
   * false: half a second of the bitrate may come at once.
   */
  readonly isEven?: boolean;
  /** Longest time between keyframes. Default 2 s. */
  readonly keyframeIntervalS?: number;
  /** Takes each frame. */
  readonly onFrame: (frame: EncodedFrame) => void;
  /** The next picture becomes a keyframe: where none is about to come, bring one. */
  readonly onPictureNeeded?: () => void;
}

/** A running encoder. */
export interface Encoder {
  /** Pictures that were not encoded because too many were waiting already. */
  readonly dropped: number;
  /** Hands a picture in and retains it until it is written; false when it is dropped. Media times must ascend. */
  write(picture: VideoFrame): boolean;
  /** Makes a picture a keyframe soon. Merged, at most one in 500 ms: call it as often as needed. */
  requestKeyframe(): void;
  /** Resolves once the process is gone; never rejects. */
  readonly closed: Promise<ProcessEnd>;
  /** Ends the process and resolves when it has gone. Idempotent. */
  close(): Promise<ProcessEnd>;
}

const DEFAULT_KEYFRAME_INTERVAL_S = 2;
/** VP8 says nothing of its colours: it means BT.601 (RFC 6386 §9.2). */
const VP8_COLOUR = 'out_color_matrix=bt601:out_range=tv';
/** Even: ffmpeg counts the times of `-force_key_frames` from the first picture, and an odd one would make all even ones odd. */
const FIRST_STAMP_MS = 0;
/** Pictures that may wait at standard input. */
const MAX_WAITING = 2;
/** Pictures that may be inside ffmpeg and the pipe to it, which holds many when they are tiny; zerolatency keeps one. */
const MAX_INSIDE = 64;

/** A bitrate that looks good for this size and rate: 2.5 Mbit/s for 720p30, never below 150 kbit/s nor above 8 Mbit/s. */
export function bitrateFor(widthPx: number, heightPx: number, fps: number): number {
  // Smaller pictures need more bits a pixel, higher rates fewer bits a picture.
  const pixels = (widthPx * heightPx) / (1280 * 720);
  const bitrateBps = 2_500_000 * pixels ** 0.8 * (fps / 30) ** 0.7;
  return Math.round(Math.min(8_000_000, Math.max(150_000, bitrateBps)) / 1000) * 1000;
}

/** What frames come out in. */
const CONTAINERS: Readonly<Record<VideoCodec, readonly string[]>> = {
  h264: ['-flvflags', 'no_duration_filesize', '-f', 'flv'],
  h265: NUT_OUTPUT,
  vp8: ['-f', 'ivf'],
};

/** Whether this ffmpeg encodes a codec; H.264 and VP8 are required of every one. */
export function canEncode(codec: VideoCodec, { encoders }: Pick<FfmpegTools, 'encoders'>): boolean {
  return codec !== 'h265' || encoders.has('libx265');
}

/** Starts an encoder; returns at once. Failures are told by `closed`. */
export function openEncoder(options: EncoderOptions): Encoder {
  return new FfmpegEncoder(options);
}

class FfmpegEncoder implements Encoder {
  readonly closed: Promise<ProcessEnd>;
  dropped = 0;
  readonly #options: EncoderOptions;
  readonly #process: FfmpegProcess;
  /** Media times of the pictures inside, by stamp. */
  readonly #inside = new Map<number, number>();
  #waiting = 0;
  #firstMediaTimeMs: number | undefined;
  #lastStampMs = -1;
  readonly #keyframes: KeyframeRequests;
  #keyframeWanted = false;
  #lastKeyframeMs: number | undefined;
  #headerWritten = false;

  constructor(options: EncoderOptions) {
    assert(options.widthPx % 2 === 0 && options.heightPx % 2 === 0, 'a picture to encode has even sides');
    this.#options = options;
    this.#keyframes = new KeyframeRequests(options.clock, () => this.#wantKeyframe());
    const onFrame = (frame: EncodedFrame): void => this.#frame(frame);
    const parser = openParser(options.codec, onFrame);
    this.#process = openProcess(options, {
      owner: options.owner,
      kind: 'encoder',
      inputs: [{ options: ['-probesize', '32', '-analyzeduration', '0', '-f', 'matroska'], address: 'pipe:0' }],
      outputs: [{ options: encoderOptions(options), address: 'pipe:1' }],
      onOutput: (chunk) => parser.push(chunk),
      expectOutput: 'on-input',
    });
    this.closed = this.#process.closed;
    void this.closed.then(() => this.#keyframes.close());
  }

  write(picture: VideoFrame): boolean {
    const { widthPx, heightPx, fps } = this.#options;
    assert(picture.widthPx === widthPx && picture.heightPx === heightPx, 'an encoder takes pictures of one size');
    if (this.#waiting >= MAX_WAITING || this.#inside.size >= MAX_INSIDE) {
      this.dropped++;
      return false;
    }
    // In time, not in pictures: pictures may be rare for a while.
    this.#lastKeyframeMs ??= picture.mediaTimeMs;
    if (picture.mediaTimeMs - this.#lastKeyframeMs > this.#keyframeIntervalMs - 500 / fps) this.#keyframeWanted = true;
    if (this.#keyframeWanted) this.#lastKeyframeMs = picture.mediaTimeMs;
    const stampMs = this.#stamp(picture.mediaTimeMs);
    this.#inside.set(stampMs, picture.mediaTimeMs);
    const chunks = [matroskaPictureHeader(stampMs, i420Size(widthPx, heightPx)), picture.data];
    if (!this.#headerWritten) chunks.unshift(matroskaHeader(widthPx, heightPx, fps, undefined, picture.colour));
    this.#headerWritten = true;
    this.#waiting++;
    picture.retain();
    this.#process.write(chunks, () => {
      this.#waiting--;
      picture.release();
    });
    return true;
  }

  requestKeyframe(): void {
    this.#keyframes.request();
  }

  close(): Promise<ProcessEnd> {
    this.#keyframes.close();
    return this.#process.close();
  }

  get #keyframeIntervalMs(): number {
    return 1000 * (this.#options.keyframeIntervalS ?? DEFAULT_KEYFRAME_INTERVAL_S);
  }

  /** The media time rounded to an even number, plus 1 to ask for a keyframe; ascending in any case. */
  #stamp(mediaTimeMs: number): number {
    this.#firstMediaTimeMs ??= mediaTimeMs;
    const rounded = 2 * Math.round((mediaTimeMs - this.#firstMediaTimeMs) / 2);
    const even = Math.max(rounded, 2 * (Math.floor(this.#lastStampMs / 2) + 1));
    this.#lastStampMs = even + (this.#keyframeWanted && even !== FIRST_STAMP_MS ? 1 : 0);
    this.#keyframeWanted = false;
    return this.#lastStampMs;
  }

  /** One that is inside already comes without asking again. */
  #wantKeyframe(): void {
    if ([...this.#inside.keys()].some(isKeyframeStamp)) return;
    this.#keyframeWanted = true;
    this.#options.onPictureNeeded?.();
  }

  #keyframeCame(): void {
    this.#keyframes.answered();
    this.#keyframeWanted = false;
  }

  #frame(frame: EncodedFrame): void {
    if (frame.keyframe) this.#keyframeCame();
    const stampMs = Math.round(frame.mediaTimeMs);
    const mediaTimeMs = this.#inside.get(stampMs);
    for (const older of this.#inside.keys()) {
      if (older > stampMs) break;
      this.#inside.delete(older);
    }
    assert(mediaTimeMs !== undefined, `a frame comes out with the stamp of a picture that went in, not ${stampMs}`);
    this.#options.onFrame({ data: frame.data, mediaTimeMs, keyframe: frame.keyframe });
  }
}

/** An odd one asks for a keyframe, and the first picture is one in any case. */
function isKeyframeStamp(stampMs: number): boolean {
  return stampMs === FIRST_STAMP_MS || stampMs % 2 === 1;
}

/** Of ordinary frames: what may come at once where the rate is even, and how long that may take at most. */
const [EVEN_FRAMES, MAX_EVEN_S] = [6, 0.4];
/** The largest keyframe of VP8, in percent of a frame's share of the bitrate. */
const MAX_INTRA_PERCENT = '600';

function encoderOptions(options: EncoderOptions): string[] {
  const { codec, fps } = options;
  const gop = Math.max(1, Math.round((options.keyframeIntervalS ?? DEFAULT_KEYFRAME_INTERVAL_S) * fps));
  const filter = scaling(options);
  return [
    ...(filter === '' ? [] : ['-vf', filter]),
    ...codecOptions(options),
    ...[...options.tools.passTimestamps, '-copyts', '-enc_time_base', '1:1000'],
    ...['-force_key_frames', 'expr:eq(mod(round(t*1000),2),1)', '-threads', '1', '-g', String(gop)],
    ...[...rateOptions(options), '-pix_fmt', 'yuv420p', '-flush_packets', '1'],
    ...CONTAINERS[codec],
  ];
}

/** One filter makes the size and, for VP8, the colours. */
function scaling({ codec, scaledTo }: EncoderOptions): string {
  const size = scaledTo ? [`${scaledTo.widthPx}:${scaledTo.heightPx}:flags=bilinear`] : [];
  const parts = [...size, ...(codec === 'vp8' ? [VP8_COLOUR] : [])];
  return parts.length === 0 ? '' : `scale=${parts.join(':')}`;
}

function rateOptions({
  codec,
  widthPx,
  heightPx,
  fps,
  isEven = false,
  bitrateBps = bitrateFor(widthPx, heightPx, fps),
}: EncoderOptions): string[] {
  const bits = (bps: number): string => String(Math.round(bps));
  const buffer = bitrateBps * (isEven ? Math.min(EVEN_FRAMES / fps, MAX_EVEN_S) : 0.5);
  // libvpx keeps to a constant rate only where the least is the most.
  const least = codec === 'vp8' && isEven ? ['-minrate', bits(bitrateBps)] : [];
  return ['-b:v', bits(bitrateBps), '-maxrate', bits(bitrateBps), ...least, '-bufsize', bits(buffer)];
}

function h264Options(fps: number): string[] {
  // ffmpeg 4.1 would tell x264 the time base as the rate: 1000 fps, a thirtieth of the bits for each picture.
  const rate = `fps=${Math.round(fps * 1000)}/1000`;
  return [
    ...['-c:v', 'libx264', '-preset', 'superfast', '-tune', 'zerolatency', '-profile:v', 'baseline'],
    ...['-keyint_min', '1', '-sc_threshold', '0', '-bf', '0', '-x264-params', rate],
  ];
}

function vp8Options(isEven: boolean): string[] {
  return [
    ...['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '-8', '-lag-in-frames', '0', '-error-resilient', '1'],
    ...['-auto-alt-ref', '0', ...(isEven ? ['-max-intra-rate', MAX_INTRA_PERCENT] : [])],
  ];
}

/** Only for slates: a stream that is copied is never encoded. */
function h265Options(): string[] {
  return [
    ...['-c:v', 'libx265', '-preset', 'ultrafast', '-tune', 'zerolatency', '-forced-idr', '1'],
    ...['-x265-params', 'log-level=error:bframes=0:open-gop=0:scenecut=0:repeat-headers=1:pools=none:frame-threads=1'],
  ];
}

function codecOptions({ codec, fps, isEven = false }: EncoderOptions): string[] {
  switch (codec) {
    case 'h264':
      return h264Options(fps);
    case 'h265':
      return h265Options();
    case 'vp8':
      return vp8Options(isEven);
  }
}

function openParser(codec: VideoCodec, onFrame: (frame: EncodedFrame) => void): { push(chunk: Buffer): void } {
  switch (codec) {
    case 'h264':
      return new FlvParser(onFrame);
    case 'h265':
      return new NutH265Parser(onFrame);
    case 'vp8':
      return new IvfParser(onFrame);
  }
}
