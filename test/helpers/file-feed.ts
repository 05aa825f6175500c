/** Files made by ffmpeg, examined and played as the server does, without a server. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { FfmpegDeps } from '../../src/ffmpeg/index.js';
import type { EncodedFrame, VideoFrame } from '../../src/media/index.js';
import {
  describeContent,
  examineFile,
  openFileFeed,
  type FeedOptions,
  type FileDescription,
  type SourceFeed,
} from '../../src/source/index.js';
import { readLumaNumber } from './numbered-clip.js';

/** Makes a file with ffmpeg. @returns its path */
export function makeFile(file: string, ...args: readonly string[]): string {
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, file], { stdio: ['ignore', 'ignore', 'inherit'] });
  return file;
}

/** As the library describes it. */
export async function describeFile(deps: FfmpegDeps, file: string, more: Partial<FileDescription> = {}): Promise<FileDescription> {
  const { size } = statSync(file);
  return {
    id: path.basename(file),
    name: path.basename(file),
    file,
    sizeBytes: size,
    ...describeContent(await examineFile(file, size, deps)),
    ...more,
  };
}

/** What a feed delivered. */
export interface Delivered {
  readonly video: number[];
  readonly audio: number[];
  readonly frames: EncodedFrame[];
  /** Mean brightness of each picture. */
  readonly luma: number[];
  /** What `readLumaNumber` reads in each picture. */
  readonly numbers: (number | undefined)[];
  /** When each picture came, on the monotonic clock. */
  readonly arrivedMs: number[];
  sizeBytes: number;
}

/** Plays it, and keeps what comes. @param onPicture is called with each decoded picture, which is the feed's */
export function play(
  description: FileDescription,
  deps: FfmpegDeps,
  options: Partial<FeedOptions> = {},
  onPicture: (picture: VideoFrame) => void = () => undefined,
): { feed: SourceFeed; got: Delivered } {
  const got: Delivered = { video: [], audio: [], frames: [], luma: [], numbers: [], arrivedMs: [], sizeBytes: 0 };
  const came = (mediaTimeMs: number): void => {
    got.video.push(mediaTimeMs);
    got.arrivedMs.push(performance.now());
  };
  const feed = openFileFeed(
    description,
    {
      encodedVideo: (frame) => {
        came(frame.mediaTimeMs);
        got.frames.push(frame);
      },
      picture: (picture) => {
        const { data, widthPx, heightPx, mediaTimeMs } = picture;
        onPicture(picture);
        came(mediaTimeMs);
        got.sizeBytes = data.length;
        got.numbers.push(readLumaNumber(data, widthPx));
        let sum = 0;
        for (let i = 0; i < widthPx * heightPx; i += 97) sum += data[i] as number;
        got.luma.push((sum * 97) / (widthPx * heightPx));
      },
      audio: (packet) => got.audio.push(packet.mediaTimeMs),
    },
    { ...deps, ...options },
  );
  return { feed, got };
}

/** From each to the next. */
export function steps(times: readonly number[]): number[] {
  return times.slice(1).map((time, i) => time - (times[i] as number));
}
