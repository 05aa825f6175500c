/** How a camera is turned into a feed, decided by what it was found to send. */
import type { ProbeResult } from '../ffmpeg/index.js';
import { describeContent } from './delivery.js';
import type { Delivery, SourceDescription } from './description.js';
import type { PullInput } from './sources-file.js';

export interface PullPlan {
  readonly delivery: Delivery;
  /** Size of the delivered pictures. Even. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** As the camera says, or a guess. */
  readonly fps: number;
  readonly hasAudio: boolean;
  readonly deinterlace: boolean;
  readonly rotation: 0 | 90 | 180 | 270;
  /** It has B-frames. */
  readonly reorders: boolean;
  /** Comes at more than 60 a second. */
  readonly isTooFast: boolean;
  /** A recording, or in lumps of several seconds: ffmpeg must read it at its own pace. */
  readonly isPaced: boolean;
  /** It has an end, and is begun again there. */
  readonly isRecording: boolean;
  /** False where each picture just follows the one before. */
  readonly hasStamps: boolean;
}

/** What is known of a camera that answered. */
export interface PullKnowledge {
  readonly found: ProbeResult;
  readonly plan: PullPlan;
  readonly description: Omit<SourceDescription, 'id' | 'name' | 'sizeBytes'>;
}

/** Containers without times of their own. */
const WITHOUT_STAMPS = new Set(['mpjpeg', 'mjpeg', 'h264', 'hevc']);
const MAX_FPS = 60;
const BY_OPERATOR = "SOURCES_FILE says 'transcode: always'";

/** @param refusal why it cannot be copied although it looked so. Undefined where nothing in it can be played. */
export function planPull({ mustTranscode, wantsAudio, input }: PullInput, found: ProbeResult, refusal?: string): PullKnowledge | undefined {
  const heard: ProbeResult = wantsAudio ? found : { ...found, audio: undefined };
  const { plan, ...description } = describeContent(heard, mustTranscode ? BY_OPERATOR : refusal);
  if (!plan || !found.video) return undefined;
  const containers = found.container.split(',');
  const isRecording = found.durationS !== undefined;
  return {
    found,
    description,
    plan: {
      delivery: plan.delivery,
      widthPx: plan.widthPx,
      heightPx: plan.heightPx,
      fps: plan.fps,
      hasAudio: heard.audio !== undefined,
      deinterlace: plan.deinterlace,
      rotation: plan.rotation,
      reorders: found.video.reorderDepth > 0,
      isTooFast: rateOf(found.video.averageFrameRate) > MAX_FPS,
      isPaced: isRecording || containers.includes('hls') || containers.includes('applehttp') || input.kind === 'lavfi',
      isRecording,
      hasStamps: !containers.some((name) => WITHOUT_STAMPS.has(name)),
    },
  };
}

/** Whether what was made of one can go on with the other. */
export function isSamePlan(a: PullPlan, b: PullPlan): boolean {
  return JSON.stringify({ ...a, fps: 0 }) === JSON.stringify({ ...b, fps: 0 });
}

function rateOf(fraction: string): number {
  const [numerator = NaN, denominator = NaN] = fraction.split('/').map(Number);
  const rate = numerator / denominator;
  // A container's clock rate is no frame rate.
  return rate <= 1000 ? rate : NaN;
}
