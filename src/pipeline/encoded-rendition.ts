/** Pictures in, a track out: one encoder, kept alive, whatever the number of viewers. */
import type { EncodedFrame, PictureSize, Track, VideoCodec, VideoFrame } from '../media/index.js';
import { bitrateFor, openEncoder, type Encoder } from '../ffmpeg/index.js';
import { BitrateMeter } from '../media/index.js';
import type { PipelineDeps } from './deps.js';
import { Supervised } from './supervised.js';

/** Size and rate of a source's pictures. */
export interface FrameFormat {
  /** In pixels; even. */
  readonly widthPx: number;
  /** In pixels; even. */
  readonly heightPx: number;
  /** Frames a second. */
  readonly fps: number;
  /** Most pictures in a second. Default `fps`. */
  readonly peakFps?: number;
}

/** Bits are spread over this many pictures per second at least: fewer may be large. */
const MIN_ENCODED_FPS = 10;

/** What a lower rung is encoded as. */
export interface RungTarget extends PictureSize {
  /** What it may take, bits a second. */
  readonly bitrateBps: number;
}

/** What is encoded, into which track. */
export interface EncodedRenditionInit {
  /** What is written. */
  readonly track: Track;
  /** `h264` or `vp8`. */
  readonly codec: VideoCodec;
  /** Of the frames. */
  readonly format: FrameFormat;
  /** Default: the size of the frames, and the bitrate that suits it. */
  readonly target?: RungTarget | undefined;
  /** The next picture becomes a keyframe: where none is about to come, bring one. */
  readonly onPictureNeeded: () => void;
  /** Programs, time and bookkeeping. */
  readonly deps: PipelineDeps;
}

/** One encoder and its track. */
export class EncodedRendition {
  /** What comes out. */
  readonly target: RungTarget;
  readonly #init: EncodedRenditionInit;
  readonly #encoder: Supervised<Encoder>;
  readonly #meter = new BitrateMeter();
  #dropped = 0;

  constructor(init: EncodedRenditionInit) {
    const { track, codec, format, target, onPictureNeeded, deps } = init;
    const { widthPx, heightPx, peakFps = format.fps } = format;
    const fps = Math.max(MIN_ENCODED_FPS, peakFps);
    this.#init = init;
    this.target = target ?? { widthPx, heightPx, bitrateBps: bitrateFor(widthPx, heightPx, fps) };
    this.#encoder = new Supervised({
      name: `encoder of ${track.name}`,
      clock: deps.clock,
      logger: deps.logger,
      open: (worked) =>
        openEncoder({
          ...deps.ffmpeg,
          owner: track.name,
          codec,
          widthPx,
          heightPx,
          fps,
          bitrateBps: this.target.bitrateBps,
          // Whoever needs a lower rung has a link that carries hardly more.
          ...(target && { scaledTo: target, isEven: true }),
          onFrame: (frame: EncodedFrame) => {
            worked();
            this.#meter.add(frame.data.length, deps.clock.now());
            track.write(frame);
          },
          onPictureNeeded,
        }),
    });
  }

  /** Pictures that were not encoded because the encoder had no time, or was being restarted. */
  get framesDropped(): number {
    return this.#dropped;
  }

  get restarts(): number {
    return this.#encoder.restarts;
  }

  /** As measured, bits a second; what it may take before that is known. */
  get bitrateBps(): number {
    return this.#meter.bitrateBps ?? this.target.bitrateBps;
  }

  /** Why it encodes nothing; undefined while it does. */
  get trouble(): string | undefined {
    return this.#encoder.trouble;
  }

  /** Encodes the picture; retains it for as long as needed. Never waits. */
  write(picture: VideoFrame): void {
    if (!this.#encoder.current?.write(picture)) this.#dropped++;
  }

  /** Passes the request on to the encoder; one that is being restarted begins with a keyframe. True: keyframes are made on demand. */
  requestKeyframe(): true {
    if (this.#encoder.current) this.#encoder.current.requestKeyframe();
    else this.#init.onPictureNeeded();
    return true;
  }

  close(): Promise<void> {
    return this.#encoder.close();
  }
}
