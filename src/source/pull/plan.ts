/** How a camera is turned into a feed, decided by what it was found to send. */
import { canEncode, isRtsp, type ColourPlan, type FfmpegTools, type LiveFinding, type Orientation } from '../../ffmpeg/index.js';
import { describeContent } from '../delivery.js';
import type { PictureSize } from '../../media/index.js';
import type { CopiedCodec, Delivery, SourceDescription } from '../description.js';
import type { PullInput } from './read-entry.js';

/** How a camera is read. */
export interface PullPlan {
  /** Whether the video is copied or transcoded. */
  readonly delivery: Delivery;
  /** Of the video, where it is copied. */
  readonly copiedCodec: CopiedCodec;
  /** Size of the pictures in the copy; undefined where nothing is copied. */
  readonly copiedSize: PictureSize | undefined;
  /** Size of the delivered pictures. Even. */
  readonly widthPx: number;
  /** Height that viewers get, in pixels. */
  readonly heightPx: number;
  /** As the camera says, or a guess. */
  readonly fps: number;
  /** True where its sound is played. */
  readonly hasAudio: boolean;
  /** Which of its video tracks is shown, and which of its audio tracks is heard: their order may differ between two calls, that of each kind does not. */
  readonly videoAt: number;
  /** Which of its tracks of sound is played, from 0. */
  readonly audioAt: number;
  /** ffmpeg's name of the format that it must be told; undefined where it finds it out. */
  readonly format: string | undefined;
  /** True where frames hold two fields. */
  readonly deinterlace: boolean;
  /** How frames are turned for display. */
  readonly orientation: Orientation;
  /** What is done to their colour. */
  readonly colour: ColourPlan;
  /** It has B-frames, or may have. */
  readonly reorders: boolean;
  /** Comes at more than 60 a second, or may. */
  readonly isTooFast: boolean;
  /** A recording, or in lumps of several seconds: ffmpeg must read it at its own pace. */
  readonly isPaced: boolean;
  /** It has an end, and is begun again there. */
  readonly isRecording: boolean;
  /** About how far apart pictures are, ms, where the probe waited for no more than one; a guess. */
  readonly pictureAfterMs: number;
  /** False where each picture just follows the one before. */
  readonly hasStamps: boolean;
}

/** What is known of a camera that answered. */
export interface PullKnowledge {
  /** What ffprobe found. */
  readonly found: LiveFinding;
  /** What follows for reading it. */
  readonly plan: PullPlan;
  /** What is told of it. */
  readonly description: Omit<SourceDescription, 'id' | 'name' | 'sizeBytes'>;
}

/** Containers without times of their own. */
const WITHOUT_STAMPS = new Set(['mpjpeg', 'mjpeg', 'h264', 'hevc']);
const MAX_FPS = 60;
const NO_SLATE = 'it is H.265, and this ffmpeg lacks libx265, which encodes the slate for when it is away';
const BY_OPERATOR = "its description says 'transcode: always'";

/** What was learned by playing it. */
export interface Refusals {
  /** Why it cannot be copied although it looked so. */
  readonly copy?: string | undefined;
  /** Why its sound cannot be had. */
  readonly sound?: string | undefined;
}

/** Undefined where nothing in it can be played. */
export function planPull(
  { mustTranscode, wantsAudio, input }: PullInput,
  found: LiveFinding,
  tools: Pick<FfmpegTools, 'encoders'>,
  { copy: refusal, sound }: Refusals = {},
): PullKnowledge | undefined {
  const isHeard = wantsAudio && sound === undefined;
  const heard: LiveFinding = isHeard ? found : { ...found, audio: undefined, audioProblem: wantsAudio ? sound : undefined };
  const noSlate = found.video?.codec === 'hevc' && !canEncode('h265', tools) ? NO_SLATE : undefined;
  const { plan, ...description } = describeContent(heard, mustTranscode ? BY_OPERATOR : (refusal ?? noSlate));
  if (!plan || !found.video) return undefined;
  const containers = found.container.split(',');
  const isRecording = found.durationS !== undefined;
  return {
    found,
    description,
    plan: {
      delivery: plan.delivery,
      copiedCodec: plan.copiedCodec,
      copiedSize: plan.copiedSize,
      widthPx: plan.widthPx,
      heightPx: plan.heightPx,
      fps: plan.fps,
      hasAudio: heard.audio !== undefined,
      videoAt: found.videoAt,
      audioAt: found.audioAt ?? 0,
      format: found.format,
      deinterlace: plan.deinterlace,
      orientation: plan.orientation,
      colour: plan.colour,
      // An RTSP camera is not listened to for so long that it shows, and neither H.264 nor H.265 need say it.
      reorders:
        found.video.reorderDepth > 0 || refusal !== undefined || (isRtsp(input.kind) && ['h264', 'hevc'].includes(found.video.codec)),
      isTooFast: mayBeTooFast(found, isRtsp(input.kind)),
      isPaced: isRecording || containers.includes('hls') || containers.includes('applehttp') || input.kind === 'lavfi',
      isRecording,
      pictureAfterMs: found.pictureAfterMs,
      hasStamps: !containers.some((name) => WITHOUT_STAMPS.has(name)),
    },
  };
}

/** Whether what was made of one can go on with the other. */
export function isSamePlan(a: PullPlan, b: PullPlan): boolean {
  return comparable(a) === comparable(b);
}

/** An RTSP camera is not listened to for so long that its rate shows. */
function mayBeTooFast({ video }: LiveFinding, isRtspCamera: boolean): boolean {
  const rate = rateOf(video?.averageFrameRate ?? '');
  return rate > MAX_FPS || (isRtspCamera && Number.isNaN(rate));
}

function comparable(plan: PullPlan): string {
  return JSON.stringify({ ...plan, fps: 0, pictureAfterMs: 0 });
}

function rateOf(fraction: string): number {
  const [numerator = NaN, denominator = NaN] = fraction.split('/').map(Number);
  const rate = numerator / denominator;
  // A container's clock rate is no frame rate.
  return rate <= 1000 ? rate : NaN;
}
