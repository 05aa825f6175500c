/**
 * The pictures of a file with their own times, one after the other and none left out: when they are not taken as
 * fast as they come, the pipe is not read, and ffmpeg waits.
 */
import {
  openProcess,
  NUT_OUTPUT,
  NutParser,
  SAFE_INPUT,
  type FfmpegDeps,
  type FfmpegProcess,
  type ProcessEnd,
} from '../../ffmpeg/index.js';
import { FramePool, i420Size, VideoFrame } from '../../media/index.js';
import type { InputVideo } from './input-video.js';

/** Pictures that may wait; a decoder that is ahead by more gains nothing. */
const MAX_WAITING = 4;
/** Longest silence of the decoder: the first picture of a large file on a slow disk, or after a far seek. */
const SILENCE_MS = 60_000;

/** The decoded frames of one file. */
export class PictureReader implements AsyncIterable<VideoFrame> {
  readonly #input: InputVideo;
  readonly #pool: FramePool;
  readonly #process: FfmpegProcess;
  readonly #waiting: VideoFrame[] = [];
  #end: ProcessEnd | undefined;
  #wake: () => void = () => undefined;

  /** Starts reading; media times count from the begin of what is read. */
  constructor(input: InputVideo, range: { readonly fromS: number; readonly durationS: number | undefined }, deps: FfmpegDeps) {
    const { widthPx, heightPx } = input;
    this.#input = input;
    const straight = straightOf(input, range);
    this.#pool = new FramePool(i420Size(widthPx, heightPx), 2 * MAX_WAITING);
    const parser = new NutParser(i420Size(widthPx, heightPx), {
      allocate: () => this.#pool.take(),
      picture: (data, stampMs) => this.#picture(data, stampMs),
    });
    this.#process = openProcess(deps, {
      owner: 'reading the video',
      inputs: [
        { options: ['-noautorotate', ...(straight ? ['-copyts'] : []), ...SAFE_INPUT, ...rangeOptions(range)], address: input.file },
      ],
      outputs: [
        {
          options: [
            ...['-map', `0:${input.videoIndex}`, '-vf', [...(straight ? [straight.video] : []), ...input.filters].join(',')],
            // 90 kHz holds the times of all usual rates exactly.
            ...[...deps.tools.passTimestamps, '-enc_time_base', '1:90000', '-c:v', 'rawvideo', ...NUT_OUTPUT],
          ],
          address: 'pipe:1',
        },
      ],
      onOutput: (chunk) => parser.push(chunk),
      reusesChunks: true,
      expectOutput: 'always',
      outputTimeoutMs: SILENCE_MS,
    });
    void this.#process.closed.then((end) => {
      this.#end = end;
      this.#wake();
    });
  }

  /** Pictures that are decoded and not taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Each picture has one reference, which belongs to the taker. Throws what the decoder failed of. */
  async *[Symbol.asyncIterator](): AsyncGenerator<VideoFrame> {
    for (;;) {
      const picture = this.#waiting.shift();
      if (picture) {
        if (this.#waiting.length < MAX_WAITING / 2) this.#process.resumeOutput();
        yield picture;
      } else if (this.#end) {
        if (this.#end.error) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  async close(): Promise<void> {
    await this.#process.close();
  }

  #picture(data: Buffer, stampMs: number): void {
    const { widthPx, heightPx } = this.#input;
    this.#waiting.push(this.#pool.frame({ data, widthPx, heightPx, mediaTimeMs: stampMs }));
    if (this.#waiting.length >= MAX_WAITING) this.#process.pauseOutput();
    this.#wake();
  }
}

/** How the times of a file that is read whole are made again; a part of it is found by the file's own times. */
export function straightOf(
  { straight }: InputVideo,
  { fromS, durationS }: { readonly fromS: number; readonly durationS: number | undefined },
): InputVideo['straight'] {
  return fromS === 0 && durationS === undefined ? straight : undefined;
}

/** Options before `-i` that read a part of a file. */
export function rangeOptions({ fromS, durationS }: { readonly fromS: number; readonly durationS: number | undefined }): string[] {
  return [...(fromS > 0 ? ['-ss', fromS.toFixed(6)] : []), ...(durationS === undefined ? [] : ['-t', durationS.toFixed(6)])];
}
