/** Pictures in, a track out: one encoder, kept alive, whatever the number of viewers. */
import type { EncodedFrame, Track, VideoCodec, VideoFrame } from '../media/index.js';
import { openEncoder, type Encoder } from '../ffmpeg/index.js';
import type { PipelineDeps } from './deps.js';
import { Supervised } from './supervised.js';

/** Size and rate of a source's pictures. */
export interface PictureFormat {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  /** Most pictures in a second. Default `fps`. */
  readonly peakFps?: number;
}

/** Bits are spread over this many pictures a second at least: fewer may be large. */
const MIN_ENCODED_FPS = 10;

export class EncodedRendition {
  readonly #encoder: Supervised<Encoder>;
  #dropped = 0;

  constructor(track: Track, codec: VideoCodec, { widthPx, heightPx, fps, peakFps = fps }: PictureFormat, deps: PipelineDeps) {
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

  /** Makes the next picture a keyframe. A new encoder starts with one anyway. */
  requestKeyframe(): void {
    this.#encoder.current?.requestKeyframe();
  }

  close(): Promise<void> {
    return this.#encoder.close();
  }
}
