/** One ffmpeg process that reads a camera. `PullFeed` keeps one running. */
import { isRtsp, liveInputPort, type CallOptions, type FfmpegDeps, type LiveInput } from '../../ffmpeg/index.js';
import type { FramePool } from '../../media/index.js';
import { openMediaRun, uprightPictures, type MediaRun, type RunSink } from '../media-run.js';
import type { PullPlan } from './plan.js';

/** Pictures that come faster are left out; a little more than 60 a second, because stamps are rounded. */
const LEAST_PERIOD_S = 1 / 61;

/** How long ffmpeg listens before it begins, where the stream does not tell at once what is in it (MPEG-TS). */
const [ANALYSE_US, PATIENT_US, MAX_ANALYSE_US] = [1_000_000, 5_000_000, 30_000_000];
/** An RTSP camera whose first picture took longer sends few: ffmpeg would listen to seven. */
const SLOW_MS = 300;

/**
 * With the camera's stamps, so that sound stays with its pictures; but a camera's stamps may jump by hours, which
 * ffmpeg would fill with silence, so no step is longer than half a second.
 */
const BOUNDED_STEPS = 'if(isnan(PREV_INPTS),PTS,PREV_OUTPTS+clip(PTS-PREV_INPTS,0,0.5/TB))';

/** What is read, and what is made of it. */
export interface PullRunSpec {
  /** For the log: whose process it is. */
  readonly owner: string;
  /** What is opened. */
  readonly input: LiveInput;
  /** What is done to the video and the sound. */
  readonly plan: PullPlan;
  /** Buffers of decoded frames. */
  readonly pool: FramePool;
  /** Listens longer before it begins: an earlier call did not understand the stream. */
  readonly isPatient: boolean;
  /** Without the sound, whatever the plan says. */
  readonly isMute: boolean;
  /** For how long it may send no picture, ms. */
  readonly deadAfterMs: () => number;
}

/** ffmpeg says why nothing comes before it is ended for that. */
const IO_MARGIN_MS = 3_000;

/** Calls it. Throws only when its socket cannot be made. */
export function openPullRun(
  { owner, input, plan, pool, isPatient, isMute, deadAfterMs }: PullRunSpec,
  deps: FfmpegDeps,
  sink: RunSink,
): Promise<MediaRun> {
  const hasAudio = plan.hasAudio && !isMute;
  const called = plan.format === undefined ? input : { ...input, format: plan.format };
  const call: CallOptions = { ioTimeoutMs: deadAfterMs() - IO_MARGIN_MS, media: hasAudio ? 'video+audio' : 'video' };
  const tooFast = plan.isTooFast ? [`select='isnan(prev_selected_t)+gte(abs(t-prev_selected_t),${LEAST_PERIOD_S.toFixed(6)})'`] : [];
  return openMediaRun(
    {
      owner,
      plan,
      pool,
      inputs: () => [liveInputPort(called, deps.tools, call, inputOptions(plan, analysisOf(called, plan, hasAudio, isPatient), deps))],
      // One size whatever the camera does. Left alone, stamps are rounded to the rate that it claims to have.
      pictures: { stream: `0:v:${plan.videoAt}`, filters: [...tooFast, ...uprightPictures(plan)], options: ['-enc_time_base', '1:1000'] },
      sound: hasAudio ? { stream: `0:a:${plan.audioAt}`, filter: `asetpts='${BOUNDED_STEPS}',aresample=async=1000` } : undefined,
      silenceMs: deadAfterMs,
      redact: input.redact,
    },
    deps,
    sink,
  );
}

/** How long ffmpeg listens before it begins; what the operator gave holds. */
function analysisOf({ kind, options }: LiveInput, { pictureAfterMs }: PullPlan, hasAudio: boolean, isPatient: boolean): string[] {
  if (options['analyzeduration'] !== undefined || options['probesize'] !== undefined) return [];
  const isSlow = isRtsp(kind) && pictureAfterMs > SLOW_MS;
  // To the first picture, of whatever size; beside sound, for as long as one may take to come.
  if (isSlow && !hasAudio && !isPatient) return ['-probesize', '32'];
  const leastUs = isPatient ? PATIENT_US : ANALYSE_US;
  return ['-analyzeduration', String(Math.round(isSlow ? Math.min(MAX_ANALYSE_US, Math.max(leastUs, 2_000 * pictureAfterMs)) : leastUs))];
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
