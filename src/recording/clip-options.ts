/** What of ffmpeg makes a clip that any player plays: H.264 and AAC. */
import type { FfmpegTools } from '../ffmpeg/index.js';
import type { ClipPlan } from './clip-plan.js';

/** Hardly to be told from the original. */
const CRF = '21';
/** Where nothing tells how many frames a second there are. */
const USUAL_FPS = 30;

/** Options of the output. */
export function clipOutput(plan: ClipPlan, tools: Pick<FfmpegTools, 'passTimestamps'>): string[] {
  return [
    ...(plan.trimMs > 0 ? ['-ss', (plan.trimMs / 1000).toFixed(6)] : []),
    ...['-map', '0:v:0', ...(plan.isEncoded ? encodedPictures(plan, tools) : ['-c:v', 'copy'])],
    ...(plan.hasSound ? ['-map', '0:a:0', ...SOUND] : ['-an']),
  ];
}

/** Silence where there is none, so that picture and sound stay together over gaps. */
const SOUND = ['-af', 'aresample=async=1:first_pts=0', '-c:a', 'aac', '-b:a', '128k', '-ac', '2'];

/** What is live goes first: one thread. */
function encodedPictures({ video: { widthPx, heightPx } }: ClipPlan, tools: Pick<FfmpegTools, 'passTimestamps'>): string[] {
  const even = (side: number): number => Math.max(2, side & ~1);
  // ffmpeg 4.1 would tell x264 the time base as the rate, and it a level that phones refuse.
  const rate = tools.passTimestamps.includes('-vsync') ? ['-x264-params', `fps=${USUAL_FPS}`] : [];
  return [
    ...['-vf', `scale=${even(widthPx)}:${even(heightPx)},format=yuv420p`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', CRF, '-threads', '1', '-bf', '0', '-g', '60', ...rate],
    ...[...tools.passTimestamps, '-enc_time_base', '1:90000', '-video_track_timescale', '90000'],
  ];
}
