/** One ffmpeg process that calls a camera. `PullFeed` keeps one running. */
import {
  FlvParser,
  liveInputPort,
  NutParser,
  OggOpusParser,
  openOutputSocket,
  openProcess,
  type FfmpegDeps,
  type LiveInput,
  type ProcessPort,
} from '../ffmpeg/index.js';
import { i420Size, type FramePool } from '../media/index.js';
import type { FeedRun, RunSink } from './feed-run.js';
import type { PullPlan } from './pull-plan.js';

/** As clockwise turn. */
const TURN = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] } as const;
/** Pictures that come faster are left out; a little more than 60 a second, because stamps are rounded. */
const LEAST_PERIOD_S = 1 / 61;

/** How long ffmpeg listens before it begins, where the stream does not tell at once what is in it (MPEG-TS). */
const [ANALYSE_US, PATIENT_US] = [1_000_000, 5_000_000];

/** What is called, and what is made of it. */
export interface PullRunSpec {
  readonly owner: string;
  readonly input: LiveInput;
  readonly plan: PullPlan;
  readonly pool: FramePool;
  /** Listens longer before it begins: an earlier call did not understand the stream. */
  readonly isPatient: boolean;
}

/** Calls it. Throws only when its socket cannot be made. */
export async function openPullRun({ owner, input, plan, pool, isPatient }: PullRunSpec, deps: FfmpegDeps, sink: RunSink): Promise<FeedRun> {
  const opus = new OggOpusParser((packet) => sink.audio(packet));
  const socket = await openOutputSocket((chunk) => opus.push(chunk));
  const isCopy = plan.delivery === 'passthrough';
  const video = isCopy
    ? new FlvParser((frame) => sink.video(frame))
    : new NutParser(i420Size(plan.widthPx, plan.heightPx), { allocate: () => pool.take(), picture: (data, stampMs) => sink.picture(data, stampMs) });
  const analysis = input.options['analyzeduration'] === undefined ? ['-analyzeduration', String(isPatient ? PATIENT_US : ANALYSE_US)] : [];
  const pictures: ProcessPort = { options: ['-map', '0:v:0', ...(isCopy ? COPY : pictureOptions(plan, deps))], address: 'pipe:1' };
  const sound: ProcessPort = { options: ['-map', '0:a:0', ...OPUS], address: socket.address };
  const process = openProcess(deps, {
    owner,
    inputs: [liveInputPort(input, deps.tools, inputOptions(plan, analysis, deps))],
    outputs: plan.hasAudio ? [pictures, sound] : [pictures],
    onOutput: (chunk) => video.push(chunk),
    // Frames that are copied are parts of the chunks.
    reusesChunks: !isCopy,
    expectOutput: 'always',
    redact: input.redact,
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

/**
 * No `-fflags nobuffer`: it throws away what was read to understand the stream, the first keyframe among it, and viewers
 * would wait for the next (here 1.6 s instead of 0.6 s). What came meanwhile is put right by `ArrivalClock`.
 */
function inputOptions(plan: PullPlan, analysis: readonly string[], deps: FfmpegDeps): string[] {
  return [
    ...['-threads', '1', '-noautorotate', '-fpsprobesize', '0', ...analysis],
    // Pictures are shown as they are decoded, which is right where none is shown out of order.
    ...(plan.delivery === 'transcode' && !plan.reorders ? ['-flags', 'low_delay'] : []),
    ...(plan.hasStamps ? [] : ['-use_wallclock_as_timestamps', '1']),
    ...(plan.isPaced ? deps.tools.readInRealTime : []),
  ];
}

const COPY = ['-c:v', 'copy', '-flush_packets', '1', '-flvflags', 'no_duration_filesize', '-f', 'flv'];

/** Decoded, upright, with square pixels, in one size whatever the camera does; each with its own stamp. */
function pictureOptions(plan: PullPlan, deps: FfmpegDeps): string[] {
  const filters = [
    ...(plan.isTooFast ? [`select='isnan(prev_selected_t)+gte(abs(t-prev_selected_t),${LEAST_PERIOD_S.toFixed(6)})'`] : []),
    ...(plan.deinterlace ? ['yadif'] : []),
    ...TURN[plan.rotation],
    `scale=${plan.widthPx}:${plan.heightPx}:flags=bilinear`,
    'setsar=1',
    'format=yuv420p',
  ];
  // Left alone, stamps are rounded to the rate that the camera claims to have.
  return ['-vf', filters.join(','), ...deps.tools.passTimestamps, '-enc_time_base', '1:1000', '-c:v', 'rawvideo', '-threads', '1', '-flush_packets', '1', '-f', 'nut'];
}

/**
 * With the camera's stamps, so that sound stays with its pictures; but a camera's stamps may jump by hours, which
 * ffmpeg would fill with silence, so no step is longer than half a second.
 */
const BOUNDED_STEPS = 'if(isnan(PREV_INPTS),PTS,PREV_OUTPTS+clip(PTS-PREV_INPTS,0,0.5/TB))';
const OPUS = [
  ...['-af', `asetpts='${BOUNDED_STEPS}',aresample=async=1000`],
  ...['-c:a', 'libopus', '-b:a', '64k', '-ar', '48000', '-ac', '2', '-application', 'lowdelay', '-frame_duration', '20'],
  ...['-page_duration', '20000', '-flush_packets', '1', '-f', 'opus'],
];
