/**
 * Copy or transcode? A copy costs 2 % of a core, a transcode 25 % at 720p30, but browsers play only what WebRTC
 * encoders make: H.264 4:2:0, 8 bit, progressive, no B-frames; and viewers who join need keyframes often. H.265 is copied for
 * those who offer it; for the others, and for detectors, its copy is decoded where it is needed.
 */
import {
  describeOrientation,
  isOnItsSide,
  planColour,
  UPRIGHT,
  whyColourNotCopied,
  type ProbeResult,
  type VideoStreamInfo,
} from '../ffmpeg/index.js';
import { h265ProfileOf, profileLevelIdOf } from '../media/index.js';
import type { Delivery, FeedPlan, FileDescription } from './description.js';

/** Longest wait for a keyframe that viewers of a copy may meet. */
const MAX_KEYFRAME_INTERVAL_S = 4;
/** The same without the picture that stands longest in a group. */
const MAX_MOVING_S = 3.99;
/** Containers round stamps to milliseconds or worse, and the interval is a difference of two. */
const STAMP_ROUNDING_S = 0.01;
/** Sound at the end of a file that the next pass may cut off. */
const MAX_LOST_AUDIO_S = 0.1;
const MIN_PASS_S = 0.04;
const MAX_FPS = 60;
/** Most pictures in a second of something that has 60: the borders of a second are rounded as well. */
const MAX_PEAK_FPS = 62;
/** Where nobody knows. */
const USUAL_FPS = 25;
const MAX_WIDTH_PX = 1920;
const COPIED_PROFILES = new Set(['Baseline', 'Constrained Baseline', 'Main', 'High']);
/** The part of a description that comes from looking into the file. `transcodeReason` forbids a copy. */
export function describeContent(
  found: ProbeResult,
  transcodeReason?: string,
): Omit<FileDescription, 'id' | 'name' | 'file' | 'sizeBytes' | 'watch'> {
  const { video, audio } = found;
  const common = {
    audioCodec: audio?.codec ?? null,
    hasAudio: audio !== undefined,
    ...(found.audioProblem !== undefined && { audioReason: found.audioProblem }),
  };
  if (!video || found.problem !== undefined) {
    const problem = found.problem ?? 'it has no video stream';
    const unknown = {
      widthPx: null,
      heightPx: null,
      fps: null,
      videoCodec: video?.codec ?? null,
      orientation: video?.orientation ?? UPRIGHT,
    };
    return { ...common, ...unknown, durationS: found.durationS ?? null, delivery: 'transcode', playable: false, reason: problem };
  }
  const shown = shownSize(video);
  const reason = transcodeReason ?? whyNotCopied(video);
  const plan = makePlan(found, video, reason === undefined ? 'passthrough' : 'transcode');
  return {
    ...common,
    durationS: lengthOf(found, video) === undefined ? null : Math.round(plan.passS * 1000) / 1000,
    widthPx: shown.widthPx,
    heightPx: shown.heightPx,
    fps: plan.fps,
    videoCodec: video.codec,
    orientation: video.orientation,
    delivery: plan.delivery,
    ...(plan.delivery === 'passthrough' && copiedProfile(video)),
    playable: true,
    plan,
    ...(reason !== undefined && { reason }),
  };
}

/** Why the stream cannot be copied, in words; undefined when it can. */
export function whyNotCopied(video: VideoStreamInfo): string | undefined {
  const { packets } = video;
  const profile = whyProfileNotCopied(video);
  if (profile !== undefined) return profile;
  if (video.reorderDepth > 0) return 'it has B-frames, which browsers cannot play over WebRTC';
  if (video.isInterlaced) return 'it is interlaced';
  const orientation = describeOrientation(video.orientation);
  if (orientation !== undefined) return `it is ${orientation} for display, which WebRTC does not carry`;
  if (video.widthPx % 2 !== 0 || video.heightPx % 2 !== 0)
    return `its size is odd (${video.widthPx}x${video.heightPx}); encoders want even sides`;
  if (video.pixelAspect !== 1) return 'its pixels are not square, which WebRTC does not carry';
  const colour = whyColourNotCopied(video);
  if (colour !== undefined) return colour;
  if (packets.jumps) return 'its clock restarts or jumps within the file, so its timestamps must be rewritten';
  if (isTooFast(video)) return `it has up to ${Math.round(packets.peakFps ?? 0)} frames per second; at most ${MAX_FPS} are delivered`;
  if (packets.firstKeyframeS === undefined) return 'it has no keyframe';
  if (!packets.startsWithKeyframe) return 'it does not begin with a keyframe';
  // A picture that stands could not be followed by anything sooner, whoever encoded it.
  if (packets.longestIntervalS > MAX_KEYFRAME_INTERVAL_S + STAMP_ROUNDING_S && packets.longestMovingS > MAX_MOVING_S) {
    return `its keyframes are up to ${packets.longestIntervalS.toFixed(1)} s apart; at most ${MAX_KEYFRAME_INTERVAL_S} s are copied`;
  }
  return undefined;
}

function whyProfileNotCopied({ codec, profile, pixelFormat, level }: VideoStreamInfo): string | undefined {
  if (codec === 'hevc') {
    if (h265ProfileOf(profile, pixelFormat, level)) return undefined;
    return `its H.265 is ${profile || 'of an unknown profile'} in ${pixelFormat || 'an unknown pixel format'}; Main and Main 10 in 4:2:0 are copied`;
  }
  if (codec !== 'h264') return `its codec is ${codec}; only H.264 and H.265 are copied`;
  if (!COPIED_PROFILES.has(profile)) return `its H.264 profile is ${profile || 'unknown'}, which browsers do not play`;
  return pixelFormat === 'yuv420p' ? undefined : `its pixel format is ${pixelFormat || 'unknown'}; browsers play yuv420p`;
}

/** What viewers must be able to decode of a copy. */
function copiedProfile({ codec, profile, pixelFormat, level }: VideoStreamInfo): Pick<FileDescription, 'h264Profile' | 'h265Profile'> {
  return codec === 'hevc' ? { h265Profile: h265ProfileOf(profile, pixelFormat, level) } : { h264Profile: profileLevelIdOf(profile, level) };
}

function makePlan(found: ProbeResult, video: VideoStreamInfo, delivery: Delivery): FeedPlan {
  const shown = shownSize(video);
  // H.265 is decoded for most of its viewers, and what is encoded of it stays within bounds.
  const isCopy = delivery === 'passthrough' && video.codec === 'h264';
  const scale = isCopy ? 1 : Math.min(1, MAX_WIDTH_PX / Math.max(shown.widthPx, shown.heightPx));
  const even = (px: number): number => Math.max(2, Math.floor((px * scale) / 2 + 1e-6) * 2);
  const passS = passDuration(found, video);
  const fps = averageRate(video);
  return {
    delivery,
    copiedCodec: video.codec === 'hevc' ? 'h265' : 'h264',
    copiedSize: delivery === 'passthrough' ? { widthPx: video.widthPx, heightPx: video.heightPx } : undefined,
    videoIndex: video.index,
    audioIndex: found.audio?.index,
    audioMix: found.audio?.mix,
    widthPx: isCopy ? video.widthPx : even(shown.widthPx),
    heightPx: isCopy ? video.heightPx : even(shown.heightPx),
    fps,
    peakFps: Math.min(MAX_FPS, Math.max(fps, video.packets.peakFps ?? 0)),
    isTooFast: isTooFast(video),
    longestFrameS: Math.max(video.packets.longestFrameS, passS - (video.packets.spanS ?? passS)),
    deinterlace: video.isInterlaced,
    orientation: video.orientation,
    colour: planColour(video),
    beginS: video.packets.startsDecodable || video.packets.jumps ? undefined : video.packets.firstKeyframeS,
    jumps: video.packets.jumps && { video: video.packets.jumps, audio: found.audio?.jumps },
    passS,
  };
}

/** What one pass takes: what is played, without what is skipped at its begin. */
function passDuration(found: ProbeResult, video: VideoStreamInfo): number {
  const { startsDecodable, firstKeyframeS, beginS, jumps } = video.packets;
  const skippedS = startsDecodable || jumps || firstKeyframeS === undefined ? 0 : firstKeyframeS - beginS;
  return Math.max(MIN_PASS_S, (lengthOf(found, video) ?? 0) - skippedS);
}

/**
 * How long what is played is, in seconds; undefined where nobody knows. Whatever else is in the file does not count.
 * The pictures alone decide, so that they step evenly over the loop, unless the sound begins earlier or ends later by
 * more than can be left out unnoticed.
 */
function lengthOf({ durationS, audio }: ProbeResult, { packets: { beginS, spanS }, statedS }: VideoStreamInfo): number | undefined {
  if (spanS === undefined) return statedS === undefined ? durationS : Math.max(statedS, audio?.statedS ?? 0);
  if (!audio?.span) return spanS;
  const together = Math.max(beginS + spanS, audio.span.endS) - Math.min(beginS, audio.span.beginS);
  return together - spanS > MAX_LOST_AUDIO_S ? together : spanS;
}

/** Width and height with square pixels, turned upright. */
function shownSize(video: VideoStreamInfo): { widthPx: number; heightPx: number } {
  const widthPx = Math.round(video.widthPx * video.pixelAspect);
  return isOnItsSide(video.orientation) ? { widthPx: video.heightPx, heightPx: widthPx } : { widthPx, heightPx: video.heightPx };
}

function isTooFast({ packets }: VideoStreamInfo): boolean {
  return (packets.peakFps ?? 0) > MAX_PEAK_FPS;
}

/** Pictures per second on average, 60 at most: as the file says exactly, where its pictures do not tell otherwise. */
function averageRate({ averageFrameRate, baseFrameRate, packets: { spanS, count } }: VideoStreamInfo): number {
  const stated = [averageFrameRate, baseFrameRate].map(rateOf).filter((rate) => rate > 0 && rate <= 1000);
  const counted = spanS === undefined || spanS <= 0 ? undefined : count / spanS;
  const isRight = (rate: number): boolean => counted === undefined || Math.abs(rate / counted - 1) < 0.01;
  return Math.round(Math.min(MAX_FPS, stated.find(isRight) ?? counted ?? USUAL_FPS) * 1000) / 1000;
}

/** A fraction's value; NaN when it has none. */
function rateOf(fraction: string): number {
  const [numerator, denominator] = fraction.split('/').map(Number);
  return denominator ? (numerator ?? NaN) / denominator : NaN;
}
