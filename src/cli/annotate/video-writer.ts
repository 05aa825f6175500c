/**
 * Writes pictures with their own times into an MP4 of H.264, and the sound of the file they come from beside them.
 * Pictures go in as Matroska with stamps in microseconds, which 90 kHz takes back exactly.
 */
import {
  matroskaHeader,
  matroskaPictureHeader,
  openProcess,
  runTool,
  SAFE_INPUT,
  type FfmpegDeps,
  type FfmpegProcess,
  type ProcessEnd,
} from '../../ffmpeg/index.js';
import { i420Size, type VideoFrame } from '../../media/index.js';
import type { InputVideo } from './input-video.js';
import { rangeOptions, straightOf } from './picture-reader.js';

/** What is written, and where. */
export interface VideoWriterInit {
  /** The video that is annotated. */
  readonly input: InputVideo;
  /** Which part of it, in seconds; without a duration: to its end. */
  readonly range: { readonly fromS: number; readonly durationS: number | undefined };
  /** Where to write; replaced. */
  readonly file: string;
  /** Of the first picture, in the time of the input's range. */
  readonly firstTimeMs: number;
}

/** Pictures that may wait for the encoder. */
const MAX_WAITING = 3;
/** ffmpeg tells its progress twice a second, unless one picture takes longer. */
const SILENCE_MS = 60_000;
/** Sound is decoded hundreds of times faster than it plays. */
const SOUND_TRIAL_MS = 120_000;
/** Hardly to be told from the original; a lower figure is larger and better. */
const CRF = 20;
/** Times must ascend in ticks of 1/90 s. */
const MIN_STEP_US = 12;

/** Writes one MP4. */
export class VideoWriter {
  readonly #init: VideoWriterInit;
  readonly #process: FfmpegProcess;
  #waiting = 0;
  #lastStampUs: number | undefined;
  #end: ProcessEnd | undefined;
  #wake: () => void = () => undefined;

  constructor(init: VideoWriterInit, deps: FfmpegDeps) {
    this.#init = init;
    const { input, range, file } = init;
    const pictures = { options: ['-itsoffset', (init.firstTimeMs / 1000).toFixed(6), '-f', 'matroska'], address: 'pipe:0' };
    const sound = {
      options: ['-vn', ...(straightOf(input, range) ? ['-copyts'] : []), ...SAFE_INPUT, ...rangeOptions(range)],
      address: input.file,
    };
    this.#process = openProcess(deps, {
      owner: 'writing the video',
      inputs: input.audio ? [pictures, sound] : [pictures],
      outputs: [
        // Standard output carries ffmpeg's progress, so that one that hangs is noticed.
        { options: ['-map', '0:v', '-c', 'copy', '-progress', 'pipe:1', '-f', 'null'], address: 'pipe:1' },
        {
          options: [
            '-map',
            '0:v',
            ...videoOptions(input, deps),
            ...soundOptions(input, range),
            '-map_chapters',
            '-1',
            '-movflags',
            '+faststart',
            '-y',
            '-f',
            'mp4',
          ],
          address: file,
        },
      ],
      onOutput: () => undefined,
      expectOutput: 'on-input',
      outputTimeoutMs: SILENCE_MS,
    });
    void this.#process.closed.then((end) => {
      this.#end = end;
      this.#wake();
    });
  }

  /** Hands a picture over, with its reference; waits while the encoder is behind. Throws what it failed of. */
  async write(picture: VideoFrame): Promise<void> {
    const { widthPx, heightPx, fps, colour } = this.#init.input;
    const sinceFirstUs = Math.round((picture.mediaTimeMs - this.#init.firstTimeMs) * 1000);
    const isFirst = this.#lastStampUs === undefined;
    const stampUs = this.#lastStampUs === undefined ? 0 : Math.max(sinceFirstUs, this.#lastStampUs + MIN_STEP_US);
    this.#lastStampUs = stampUs;
    this.#waiting++;
    this.#process.write(
      [
        ...(isFirst ? [matroskaHeader(widthPx, heightPx, fps, 1000, colour)] : []),
        matroskaPictureHeader(stampUs, i420Size(widthPx, heightPx)),
        picture.data,
      ],
      () => {
        this.#waiting--;
        picture.release();
        this.#wake();
      },
    );
    while (this.#waiting >= MAX_WAITING && !this.#end) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#end) throw this.#failure(this.#end);
  }

  /** Waits until everything is encoded and the file is complete. Throws what it failed of. */
  async finish(): Promise<void> {
    this.#process.endInput();
    const end = await this.#process.closed;
    if (end.error || end.requested) throw this.#failure(end);
  }

  /** Stops; the file is worth nothing then. */
  async close(): Promise<void> {
    await this.#process.close();
  }

  #failure(end: ProcessEnd): Error {
    return end.error ?? new Error('the encoder ended before its input did');
  }
}

function videoOptions({ fps, colour, audio }: InputVideo, { tools }: FfmpegDeps): string[] {
  // Before 5.1 edit lists end too early where the rate varies. Without B-frames pictures need none, but sound does.
  const isOld = tools.passTimestamps.includes('-vsync');
  // By number, as H.264 has them.
  const colours = [
    '-colorspace',
    String(colour.matrix),
    '-color_primaries',
    String(colour.primaries),
    '-color_trc',
    String(colour.transfer),
    '-color_range',
    'tv',
  ];
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', String(CRF), '-pix_fmt', 'yuv420p', ...colours],
    // ffmpeg 4.1 would tell x264 the time base as the rate.
    ...['-x264-params', `fps=${Math.round(fps * 1000)}/1000`, '-g', String(Math.max(1, Math.round(fps * 4)))],
    ...(isOld ? ['-bf', '0', ...(audio ? [] : ['-use_editlist', '0'])] : []),
    ...[...tools.passTimestamps, '-enc_time_base', '1:90000', '-video_track_timescale', '90000'],
  ];
}

/** Copied where MP4 can hold it; a part of a file is cut exactly, and times are made again, which a copy cannot be. */
function soundOptions(input: InputVideo, range: VideoWriterInit['range']): string[] {
  const { audio } = input;
  if (!audio) return [];
  const filters = [straightOf(input, range)?.audio, audio.mix].filter((filter) => filter !== undefined);
  const isCopied = audio.codec === 'aac' && filters.length === 0 && range.fromS === 0 && range.durationS === undefined;
  const encoded = [...(filters.length > 0 ? ['-af', filters.join(',')] : []), '-c:a', 'aac', '-b:a', '160k'];
  return ['-map', `1:${audio.index}`, ...(isCopied ? ['-c:a', 'copy'] : encoded)];
}

/** Reads all of the sound as a writer would; what it fails of, in words, or undefined. */
export async function whySoundFails(
  input: InputVideo,
  range: VideoWriterInit['range'],
  { tools, ledger }: FfmpegDeps,
): Promise<string | undefined> {
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-vn',
    ...SAFE_INPUT,
    ...rangeOptions(range),
    '-i',
    input.file,
    ...soundOptions(input, range).map((option) => option.replace(/^1:/, '0:')),
  ];
  const { exitCode, stderr, cut } = await runTool(tools.ffmpegPath, [...args, '-f', 'null', '-'], { ledger, timeoutMs: SOUND_TRIAL_MS });
  return exitCode === 0 || cut
    ? undefined
    : `it cannot be read to its end (${stderr.trim().split('\n').at(-1)?.replaceAll(input.file, '').trim() ?? ''})`;
}
