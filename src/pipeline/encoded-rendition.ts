/** Pictures in, a track out: one encoder, kept alive, whatever the number of viewers. */
import type { EncodedFrame, Track, VideoCodec, VideoFrame } from '../media/index.js';
import { openEncoder, type Encoder } from '../ffmpeg/index.js';
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

/** What is encoded, into which track. */
export interface EncodedRenditionInit {
  /** What is written. */
  readonly track: Track;
  /** `h264` or `vp8`. */
  readonly codec: VideoCodec;
  /** Of the frames. */
  readonly format: FrameFormat;
  /** The next picture becomes a keyframe: where none is about to come, bring one. */
  readonly onPictureNeeded: () => void;
  /** Programs, time and bookkeeping. */
  readonly deps: PipelineDeps;
}

/** One encoder and its track. */
export class EncodedRendition {
  readonly #init: EncodedRenditionInit;
  readonly #encoder: Supervised<Encoder>;
  #dropped = 0;

  constructor(init: EncodedRenditionInit) {
    const { track, codec, format, onPictureNeeded, deps } = init;
    const { widthPx, heightPx, fps, peakFps = fps } = format;
    this.#init = init;
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
          fps: Math.max(MIN_ENCODED_FPS, peakFps),
          onFrame: (frame: EncodedFrame) => {
            worked();
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
