/**
 * One ffmpeg process that plays a file over and over; its stamps begin near zero. `FileFeed` keeps one running.
 *
 * The loop is a list that names the file many times (ffmpeg's concat), with the exact time of a pass, because
 * `-stream_loop` takes the length of the sound for the length of a pass and then steps back in files whose
 * pictures last longer. Pictures and sound are read through two inputs, each paced by itself: many files hold
 * a second of the one before a second of the other, and sound read in such lumps would arrive a second late.
 */
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  FlvParser,
  NutParser,
  OggOpusParser,
  openOutputSocket,
  openProcess,
  SAFE_LIST_INPUT,
  type FfmpegDeps,
  type FlvFrame,
  type ProcessEnd,
  type ProcessPort,
} from '../ffmpeg/index.js';
import { i420Size, type EncodedFrame, type FramePool } from '../media/index.js';
import type { FeedPlan } from './description.js';

const MAX_LIST_S = 12 * 3600;
const MAX_PASSES = 5_000;
/** By clockwise turn. Not left to ffmpeg: whether a list passes a file's rotation on depends on its version. */
const TURN = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] } as const;

/** Where a run delivers; times are the process's own. */
export interface RunSink {
  /** A frame of a copied file. */
  video(frame: FlvFrame): void;
  /** A picture of a transcoded file, in memory of the pool. */
  picture(data: Buffer, stampMs: number): void;
  audio(packet: EncodedFrame): void;
}

/** A running process. */
export interface FeedRun {
  /** Resolves when the process is gone and its socket removed; never rejects. */
  readonly closed: Promise<ProcessEnd>;
  close(): Promise<ProcessEnd>;
}

/** Starts playing. Throws only when its socket or its list cannot be made. */
export async function openFeedRun(owner: string, file: string, plan: FeedPlan, pool: FramePool, deps: FfmpegDeps, sink: RunSink): Promise<FeedRun> {
  const opus = new OggOpusParser((packet) => sink.audio(packet));
  const socket = await openOutputSocket((chunk) => opus.push(chunk));
  const list = path.join(socket.folder, 'passes');
  // A list knows no names with line breaks; a link of our own has none. Its ending helps ffmpeg to tell the container.
  const link = `video${/\.[A-Za-z0-9]{1,8}$/.exec(file)?.[0] ?? ''}`;
  try {
    await symlink(file, path.join(socket.folder, link));
    await writeFile(list, passList(link, plan));
  } catch (error) {
    await socket.close();
    throw error;
  }
  const video = plan.delivery === 'passthrough' ? new FlvParser((frame) => sink.video(frame)) : pictureParser(plan, pool, sink);
  const input: ProcessPort = { options: ['-threads', '1', '-noautorotate', ...deps.tools.readInRealTime, ...SAFE_LIST_INPUT], address: list };
  const pictures: ProcessPort = {
    options: ['-map', `0:${plan.videoIndex}`, ...(plan.delivery === 'passthrough' ? copyOptions() : pictureOptions(plan, deps))],
    address: 'pipe:1',
  };
  const sound: ProcessPort = { options: ['-map', `1:${plan.audioIndex}`, ...opusOptions()], address: socket.address };
  const process = openProcess(deps, {
    owner,
    inputs: plan.audioIndex === undefined ? [input] : [input, input],
    outputs: plan.audioIndex === undefined ? [pictures] : [pictures, sound],
    onOutput: (chunk) => video.push(chunk),
    // Frames that are copied are parts of the chunks.
    reusesChunks: plan.delivery !== 'passthrough',
    expectOutput: 'always',
  });
  const closed = process.closed.then(async (end) => {
    await socket.close();
    return end;
  });
  return {
    closed,
    close: async () => {
      await process.close();
      return closed;
    },
  };
}

/** A list for half a day, in the format of ffmpeg's concat demuxer; then the process ends and another one follows. @param name of the file beside the list. */
function passList(name: string, plan: FeedPlan): string {
  const passes = Math.ceil(Math.min(MAX_PASSES, MAX_LIST_S / plan.passS));
  const pass = [
    `file '${name}'`,
    ...(plan.beginS === undefined ? [] : [`inpoint ${plan.beginS.toFixed(6)}`]),
    `duration ${plan.passS.toFixed(6)}`,
  ];
  return `ffconcat version 1.0\n${`${pass.join('\n')}\n`.repeat(passes)}`;
}

function pictureParser(plan: FeedPlan, pool: FramePool, sink: RunSink): NutParser {
  return new NutParser(i420Size(plan.widthPx, plan.heightPx), {
    allocate: () => pool.take(),
    picture: (data, stampMs) => sink.picture(data, stampMs),
  });
}

/** No bitstream filter: an explicit one ends the stream after its first pass (ffmpeg 5.1). */
function copyOptions(): string[] {
  return ['-c:v', 'copy', '-flush_packets', '1', '-flvflags', 'no_duration_filesize', '-f', 'flv'];
}

/** Decoded, turned upright, with square pixels, at a constant rate that starts at zero. */
function pictureOptions(plan: FeedPlan, deps: FfmpegDeps): string[] {
  const { widthPx, heightPx } = plan;
  const filters = [
    ...(plan.deinterlace ? ['yadif'] : []),
    ...TURN[plan.rotation],
    `fps=fps=${plan.frameRate}:start_time=0`,
    `scale=${widthPx}:${heightPx}:flags=bilinear`,
    'setsar=1',
    'format=yuv420p',
  ];
  // Raw video has threads too, and each holds a picture back.
  return ['-vf', filters.join(','), ...deps.tools.passTimestamps, '-c:v', 'rawvideo', '-threads', '1', '-flush_packets', '1', '-f', 'nut'];
}

function opusOptions(): string[] {
  return [
    // Evens out what the passes overlap or lack.
    ...['-af', 'aresample=async=1000'],
    ...['-c:a', 'libopus', '-b:a', '64k', '-ar', '48000', '-ac', '2', '-application', 'lowdelay', '-frame_duration', '20'],
    ...['-page_duration', '20000', '-flush_packets', '1', '-f', 'opus'],
  ];
}
