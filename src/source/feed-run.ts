/** One ffmpeg process that plays a file in an endless loop; its stamps begin at zero. `FileFeed` keeps one running. */
import {
  FlvParser,
  NutParser,
  OggOpusParser,
  openOutputSocket,
  openProcess,
  SAFE_INPUT,
  type FfmpegDeps,
  type FlvFrame,
  type ProcessEnd,
} from '../ffmpeg/index.js';
import { i420Size, type EncodedFrame, type FramePool } from '../media/index.js';
import type { FeedPlan } from './delivery.js';

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

/** Starts playing. Throws only when the socket for the sound cannot be made. */
export async function openFeedRun(owner: string, file: string, plan: FeedPlan, pool: FramePool, deps: FfmpegDeps, sink: RunSink): Promise<FeedRun> {
  const opus = new OggOpusParser((packet) => sink.audio(packet));
  const socket = plan.audioIndex === undefined ? undefined : await openOutputSocket((chunk) => opus.push(chunk));
  const video = plan.delivery === 'passthrough' ? new FlvParser((frame) => sink.video(frame)) : pictureParser(plan, pool, sink);
  const process = openProcess(deps, {
    owner,
    input: { options: [...SAFE_INPUT, '-threads', '1', '-re', '-stream_loop', '-1'], address: file },
    outputs: [
      { options: ['-map', `0:${plan.videoIndex}`, ...(plan.delivery === 'passthrough' ? copyOptions() : pictureOptions(plan, deps))], address: 'pipe:1' },
      ...(socket && plan.audioIndex !== undefined ? [{ options: ['-map', `0:${plan.audioIndex}`, ...opusOptions()], address: socket.address }] : []),
    ],
    onOutput: (chunk) => video.push(chunk),
    expectOutput: 'always',
  });
  const closed = process.closed.then(async (end) => {
    await socket?.close();
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

/** Decoded, turned upright by ffmpeg itself, with square pixels, at a constant rate that starts at zero. */
function pictureOptions(plan: FeedPlan, deps: FfmpegDeps): string[] {
  const { widthPx, heightPx } = plan;
  const filters = [
    ...(plan.deinterlace ? ['yadif'] : []),
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
    ...['-c:a', 'libopus', '-b:a', '64k', '-ar', '48000', '-ac', '2', '-application', 'lowdelay', '-frame_duration', '20'],
    ...['-page_duration', '20000', '-flush_packets', '1', '-f', 'opus'],
  ];
}
