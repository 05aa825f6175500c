/** What is in the video, and how its pictures come out upright, with square pixels and even sides, as the server delivers them. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../base/errors.js';
import {
  isOnItsSide,
  planColour,
  type AudioStreamInfo,
  type ClockJumps,
  type ColourPlan,
  type FfmpegDeps,
  type VideoStreamInfo,
} from '../../ffmpeg/index.js';
import { describeContent, examineFile, straightTimes, uprightPictures, type FeedPlan } from '../../source/index.js';
import { CommandError } from '../errors.js';

/** The video that is annotated. */
export interface InputVideo {
  /** Absolute path. */
  readonly file: string;
  /** Index of the video among all streams of the file. */
  readonly videoIndex: number;
  /** The sound that is copied; undefined: none. */
  readonly audio: AudioStreamInfo | undefined;
  /** Why there is sound in it that is not taken over, in words. */
  readonly audioProblem: string | undefined;
  /** Size of the pictures that come out. Even. */
  readonly widthPx: number;
  /** Of the frames that are written, in pixels. */
  readonly heightPx: number;
  /** Nominal rate, for the encoder's rate control and for estimates; pictures keep their own times. */
  readonly fps: number;
  /** Of what is read of it; undefined when nobody knows. */
  readonly durationS: number | undefined;
  /** Pictures in the file; undefined where not all of it was read. */
  readonly pictures: number | undefined;
  /** ffmpeg's filters that bring frames to that size, upright. */
  readonly filters: readonly string[];
  /** Filters that make times anew where the file's clock restarts or jumps; they need ffmpeg's `-copyts`. */
  readonly straight: { readonly video: string; readonly audio: string | undefined } | undefined;
  /** Of the pictures that come out. */
  readonly colour: ColourPlan['delivered'];
}

/** @throws CommandError */
export async function openInput(file: string, deps: FfmpegDeps): Promise<InputVideo> {
  const found = await stat(file).catch((error: unknown) => {
    throw new CommandError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  if (!found.isFile()) throw new CommandError(`${file} is not a file`);
  const absolute = path.resolve(file);
  const content = await examineFile(absolute, found.size, deps);
  const { video, audio, audioProblem, problem } = content;
  if (!video || problem !== undefined) throw new CommandError(`${file} cannot be annotated: ${problem ?? 'it has no video stream'}`);
  const { widthPx, heightPx } = uprightSize(video);
  const colour = planColour(video);
  const { plan, durationS } = describeContent(content);
  return {
    ...{
      file: absolute,
      videoIndex: video.index,
      audio,
      audioProblem,
      widthPx,
      heightPx,
      durationS: durationS ?? undefined,
      colour: colour.delivered,
    },
    fps: nominalRate(video),
    pictures: video.packets.spanS === undefined ? undefined : video.packets.count,
    straight: plan?.jumps && straightFilters(plan.jumps, plan.passS, Math.min(video.packets.beginS, audio?.span?.beginS ?? Infinity)),
    filters: uprightPictures({ widthPx, heightPx, deinterlace: video.isInterlaced, orientation: video.orientation, colour }),
  };
}

/** @param beginS where the file's times begin, which becomes 0 */
function straightFilters({ video, audio }: NonNullable<FeedPlan['jumps']>, passS: number, beginS: number): InputVideo['straight'] {
  const straight = (jumps: ClockJumps): string => `'${straightTimes(jumps, passS)}-(${beginS.toFixed(6)})/TB'`;
  return { video: `setpts=${straight(video)}`, audio: audio && `asetpts=${straight(audio)},aresample=async=1000` };
}

function uprightSize({ widthPx, heightPx, pixelAspect, orientation }: VideoStreamInfo): { widthPx: number; heightPx: number } {
  const even = (px: number): number => Math.max(2, Math.floor(px / 2 + 1e-6) * 2);
  const wide = Math.round(widthPx * pixelAspect);
  return isOnItsSide(orientation) ? { widthPx: even(heightPx), heightPx: even(wide) } : { widthPx: even(wide), heightPx: even(heightPx) };
}

function nominalRate({ averageFrameRate, baseFrameRate }: VideoStreamInfo): number {
  const rates = [averageFrameRate, baseFrameRate].map((fraction) => {
    const [numerator = NaN, denominator = NaN] = fraction.split('/').map(Number);
    return numerator / denominator;
  });
  return rates.find((fps) => fps >= 0.1 && fps <= 1000) ?? 25;
}
