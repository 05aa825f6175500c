/**
 * H.264, H.265 or VP8 frames in, I420 pictures of one size out, one ffmpeg process. It holds no frame back: a picture comes before the next
 * frame is written. Every picture carries the media time of the very frame it was made from: frames go in with
 * stamps of the decoder's own, and come out with them (NUT), so a frame that ffmpeg swallows shifts nothing.
 */
import { strict as assert } from 'node:assert';
import {
  BT601,
  FramePool,
  h264Colour,
  h265Colour,
  H265NalType,
  h265NalType,
  i420Size,
  nalType,
  NalType,
  readLengthPrefixed,
  type EncodedFrame,
  type PictureColour,
  type VideoCodec,
  type VideoFrame,
} from '../media/index.js';
import type { FfmpegDeps } from './deps.js';
import { FlvWriter } from './flv-writer.js';
import { H265Writer } from './h265-writer.js';
import { IvfWriter } from './ivf-writer.js';
import { NUT_OUTPUT } from './nut.js';
import { NutParser } from './nut-pictures.js';
import { openProcess, type FfmpegProcess, type ProcessEnd } from './process.js';

/** What is decoded, and to what size. */
export interface DecoderOptions extends FfmpegDeps {
  /** Who wants it, for logs and errors. */
  readonly owner: string;
  /** Of the frames that go in. Default h264. */
  readonly codec?: VideoCodec;
  /**
   * Size of the coded picture; odd sizes are cropped to even ones at the right and at the bottom. Pictures of another
   * size, as a stream may have from some keyframe on, are scaled to it.
   */
  readonly widthPx: number;
  /** Height of the frames that come out, in pixels; even. */
  readonly heightPx: number;
  /** Takes each picture. It belongs to the decoder: who keeps it beyond the call retains it. */
  readonly onPicture: (picture: VideoFrame) => void;
  /** Frames that may wait before the decoder skips to the next keyframe. Default 30. */
  readonly maxWaiting?: number;
}

/** A running decoder. */
export interface Decoder {
  /** Size of the pictures that come out; even. */
  readonly widthPx: number;
  /** Height of the frames that come out, in pixels. */
  readonly heightPx: number;
  /** Frames skipped because the decoder could not follow. */
  readonly skipped: number;
  /** Frames that went in and gave no picture, because they were damaged. */
  readonly swallowed: number;
  /** Hands a frame in; false when it is skipped. Frames before the first keyframe are skipped. */
  write(frame: EncodedFrame): boolean;
  /** Resolves once the process is gone; never rejects. */
  readonly closed: Promise<ProcessEnd>;
  /** Ends the process and resolves when it has gone. Idempotent. */
  close(): Promise<ProcessEnd>;
}

/** Stamps are 4 ms apart: more than any rounding on the way, and 24 days of them fit FLV at 120 frames per second. */
const STAMP_STEP_MS = 4;
const DEFAULT_MAX_WAITING = 30;
/** What frames go in as. */
const CONTAINERS = {
  h264: { format: 'flv', makeWriter: () => new FlvWriter() },
  h265: { format: 'matroska', makeWriter: () => new H265Writer() },
  vp8: { format: 'ivf', makeWriter: () => new IvfWriter() },
} as const;

/** Starts a decoder; returns at once. Failures are told by `closed`. */
export function openDecoder(options: DecoderOptions): Decoder {
  return new FfmpegDecoder(options);
}

class FfmpegDecoder implements Decoder {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly closed: Promise<ProcessEnd>;
  skipped = 0;
  swallowed = 0;
  readonly #options: DecoderOptions;
  readonly #pool: FramePool;
  readonly #process: FfmpegProcess;
  readonly #writer: FlvWriter | H265Writer | IvfWriter;
  /** Media times of the frames inside, by stamp, oldest first. */
  readonly #inside = new Map<number, number>();
  #nextStampMs = 0;
  #waitsForKeyframe = true;
  /** As the newest keyframe told it. */
  #colour: PictureColour | undefined;

  constructor(options: DecoderOptions) {
    assert(options.widthPx >= 2 && options.heightPx >= 2, 'a picture has at least 2x2 pixels');
    this.#options = options;
    const codec = options.codec ?? 'h264';
    const { format, makeWriter } = CONTAINERS[codec];
    this.#writer = makeWriter();
    this.widthPx = options.widthPx & ~1;
    this.heightPx = options.heightPx & ~1;
    this.#pool = new FramePool(i420Size(this.widthPx, this.heightPx));
    const parser = new NutParser(i420Size(this.widthPx, this.heightPx), {
      allocate: () => this.#pool.take(),
      picture: (data, stampMs) => this.#picture(data, stampMs),
    });
    const { tools, widthPx, heightPx } = options;
    this.#process = openProcess(options, {
      owner: options.owner,
      kind: 'decoder',
      // One thread, because each further one holds a frame back.
      inputs: [
        {
          options: ['-threads', '1', '-flags', 'low_delay', '-probesize', '32', '-analyzeduration', '0', '-f', format],
          address: 'pipe:0',
        },
      ],
      outputs: [
        {
          options: [
            // Some publishers and cameras send the full range.
            ...['-an', '-vf', `scale=${widthPx}:${heightPx}:out_range=tv,crop=${this.widthPx}:${this.heightPx}:0:0,format=yuv420p`],
            ...[...tools.passTimestamps, '-copyts', '-enc_time_base', '1:1000'],
            // Even the encoder of raw video holds frames back when it has threads.
            ...['-c:v', 'rawvideo', '-threads', '1', '-flush_packets', '1', ...NUT_OUTPUT],
          ],
          address: 'pipe:1',
        },
      ],
      onOutput: (chunk) => parser.push(chunk),
      reusesChunks: true,
      expectOutput: 'on-input',
    });
    this.closed = this.#process.closed;
  }

  write(frame: EncodedFrame): boolean {
    if (this.#inside.size >= (this.#options.maxWaiting ?? DEFAULT_MAX_WAITING)) this.#waitsForKeyframe = true;
    const isFull = this.#inside.size >= 2 * (this.#options.maxWaiting ?? DEFAULT_MAX_WAITING);
    if (this.#waitsForKeyframe && (!frame.keyframe || isFull)) return this.#skip();
    const chunks = this.#writer.frame(frame, this.#nextStampMs);
    if (chunks.length === 0) return this.#skip();
    this.#waitsForKeyframe = false;
    if (frame.keyframe) this.#colour = colourOf(this.#options.codec ?? 'h264', frame);
    this.#inside.set(this.#nextStampMs, frame.mediaTimeMs);
    this.#nextStampMs += STAMP_STEP_MS;
    this.#process.write(chunks);
    return true;
  }

  close(): Promise<ProcessEnd> {
    return this.#process.close();
  }

  #skip(): false {
    this.skipped++;
    return false;
  }

  #picture(data: Buffer, rawStampMs: number): void {
    const stampMs = Math.round(rawStampMs);
    const mediaTimeMs = this.#inside.get(stampMs);
    for (const older of this.#inside.keys()) {
      if (older > stampMs) break;
      this.#inside.delete(older);
      if (older < stampMs) this.swallowed++;
    }
    // A second picture from one frame (its fields, or a concealed one) has no time of its own.
    if (mediaTimeMs === undefined) return this.#pool.give(data);
    const picture = this.#pool.frame({ data, widthPx: this.widthPx, heightPx: this.heightPx, mediaTimeMs, colour: this.#colour });
    this.#options.onPicture(picture);
    picture.release();
  }
}

function colourOf(codec: VideoCodec, keyframe: EncodedFrame): PictureColour | undefined {
  if (codec === 'vp8') return BT601;
  const units = readLengthPrefixed(keyframe.data);
  const sps =
    codec === 'h265' ? units?.find((unit) => h265NalType(unit) === H265NalType.sps) : units?.find((unit) => nalType(unit) === NalType.sps);
  return sps && (codec === 'h265' ? h265Colour(sps) : h264Colour(sps));
}
