/** A still picture of a source, for pages that list what there is. */
import { MediaPeerError } from '../errors.js';
import { runTool, SAFE_INPUT, type FfmpegDeps } from '../ffmpeg/index.js';
import type { SourceDescription } from './description.js';

/** Where in the file: early, but past the black that many files begin with. */
const AT_S = 1;

/**
 * A JPEG of a picture near the begin of the file, `widthPx` wide, height in proportion.
 * @throws MediaPeerError SOURCE_NOT_PLAYABLE, FFMPEG_FAILED
 */
export async function stillPicture(source: SourceDescription, widthPx: number, deps: FfmpegDeps): Promise<Buffer> {
  const { plan, file, id } = source;
  if (!plan) throw new MediaPeerError('SOURCE_NOT_PLAYABLE', `'${id}' cannot be played: ${source.reason ?? 'it has no video stream'}`);
  const width = widthPx & ~1;
  const height = Math.max(2, 2 * Math.round((width * plan.heightPx) / plan.widthPx / 2));
  const atS = (plan.beginS ?? 0) + Math.min(AT_S, (source.durationS ?? 0) / 4);
  const output = await runTool(
    deps.tools.ffmpegPath,
    [
      ...['-nostdin', '-v', 'error', ...SAFE_INPUT, '-threads', '1', '-ss', atS.toFixed(3), '-i', file, '-map', `0:${plan.videoIndex}`],
      ...['-frames:v', '1', '-vf', `scale=${width}:${height}:flags=bilinear,format=yuvj420p`, '-q:v', '4', '-c:v', 'mjpeg', '-f', 'mjpeg', 'pipe:1'],
    ],
    { ledger: deps.ledger },
  );
  if (output.stdoutBytes.length === 0) throw new MediaPeerError('FFMPEG_FAILED', `no still picture could be made of '${id}': ${output.stderr.trim().split('\n').at(-1) ?? ''}`);
  return output.stdoutBytes;
}
