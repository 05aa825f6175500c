/** One ffmpeg process that calls a camera. `PullFeed` keeps one running. */
import { liveInputPort, type FfmpegDeps, type LiveInput } from '../ffmpeg/index.js';
import type { FramePool } from '../media/index.js';
import { openMediaRun, uprightPictures, type MediaRun, type RunSink } from './media-run.js';
import type { PullPlan } from './pull-plan.js';

/** Pictures that come faster are left out; a little more than 60 a second, because stamps are rounded. */
const LEAST_PERIOD_S = 1 / 61;

/** How long ffmpeg listens before it begins, where the stream does not tell at once what is in it (MPEG-TS). */
const [ANALYSE_US, PATIENT_US] = [1_000_000, 5_000_000];

/**
 * With the camera's stamps, so that sound stays with its pictures; but a camera's stamps may jump by hours, which
 * ffmpeg would fill with silence, so no step is longer than half a second.
 */
const BOUNDED_STEPS = 'if(isnan(PREV_INPTS),PTS,PREV_OUTPTS+clip(PTS-PREV_INPTS,0,0.5/TB))';

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
export function openPullRun({ owner, input, plan, pool, isPatient }: PullRunSpec, deps: FfmpegDeps, sink: RunSink): Promise<MediaRun> {
  const analysis = input.options['analyzeduration'] === undefined ? ['-analyzeduration', String(isPatient ? PATIENT_US : ANALYSE_US)] : [];
  const tooFast = plan.isTooFast ? [`select='isnan(prev_selected_t)+gte(abs(t-prev_selected_t),${LEAST_PERIOD_S.toFixed(6)})'`] : [];
  return openMediaRun(
    {
      owner,
      plan,
      pool,
      inputs: () => [liveInputPort(input, deps.tools, inputOptions(plan, analysis, deps))],
      // One size whatever the camera does. Left alone, stamps are rounded to the rate that it claims to have.
      pictures: { stream: '0:v:0', filters: [...tooFast, ...uprightPictures(plan)], options: ['-enc_time_base', '1:1000'] },
      sound: plan.hasAudio ? { stream: '0:a:0', filter: `asetpts='${BOUNDED_STEPS}',aresample=async=1000` } : undefined,
      redact: input.redact,
    },
    deps,
    sink,
  );
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
