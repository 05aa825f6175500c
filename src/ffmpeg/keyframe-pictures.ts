/** Small pictures of a file's keyframes, one run of ffmpeg for all of them: what lies between keyframes is not even decoded. */
import { MediaPeerError } from '../base/errors.js';
import type { FfmpegDeps } from './deps.js';
import { malformed, NUT_OUTPUT, NutReader } from './nut.js';
import { SAFE_INPUT } from './probe.js';
import { runTool } from './run-tool.js';

/** Which pictures, and how large. */
export interface KeyframePicturesOptions {
  /** Absolute path. */
  readonly file: string;
  /** At most; smaller pictures stay as they are. */
  readonly widthPx: number;
  /** A picture this long after the one before at the earliest, in milliseconds. */
  readonly everyMs: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** A keyframe as a JPEG. */
export interface KeyframePicture {
  /** In the file's own time, in milliseconds. */
  readonly timeMs: number;
  /** A whole JPEG. */
  readonly jpeg: Buffer;
}

const RUN_MS = 30_000;
const MAX_BYTES = 32 << 20;
/** Of MJPEG: 2 is the best, 31 the smallest. */
const QUALITY = '5';

/** In the order of the file; of a damaged one as far as it can be read. @throws MediaPeerError FFMPEG_FAILED where there is none; the signal's reason */
export async function readKeyframePictures(
  { tools, ledger }: Pick<FfmpegDeps, 'tools' | 'ledger'>,
  { file, widthPx, everyMs, signal }: KeyframePicturesOptions,
): Promise<KeyframePicture[]> {
  const select = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${(everyMs / 1000).toFixed(3)}-0.02)'`;
  const args = [
    ...['-nostdin', '-v', 'error', '-threads', '1', '-skip_frame', 'nokey', '-copyts', ...SAFE_INPUT, '-i', file],
    ...['-map', '0:v:0', '-vf', `${select},scale='min(${widthPx},iw)':-2:out_range=pc,format=yuvj420p`],
    ...[...tools.passTimestamps, '-enc_time_base', '1:1000', '-c:v', 'mjpeg', '-threads', '1', '-q:v', QUALITY, ...NUT_OUTPUT, 'pipe:1'],
  ];
  const options = { ledger, timeoutMs: RUN_MS, maxBytes: MAX_BYTES, ...(signal && { signal }) };
  const { stdoutBytes, stderr, exitCode } = await runTool(tools.ffmpegPath, args, options);
  signal?.throwIfAborted();
  const pictures = picturesOf(stdoutBytes);
  if (pictures.length > 0) return pictures;
  const why = stderr.trim().split('\n').at(-1) ?? '';
  throw new MediaPeerError('FFMPEG_FAILED', `no keyframe can be read (exit code ${String(exitCode)}): ${why.replaceAll(file, 'the file')}`);
}

function picturesOf(nut: Buffer): KeyframePicture[] {
  const pictures: KeyframePicture[] = [];
  const reader = new NutReader({
    allocate: (sizeBytes) => {
      if (sizeBytes > MAX_BYTES) throw malformed(`a picture of ${sizeBytes} bytes`);
      return Buffer.allocUnsafe(sizeBytes);
    },
    frame: (jpeg, stampMs) => void pictures.push({ timeMs: Math.round(stampMs), jpeg }),
  });
  if (nut.length > 0) reader.push(nut);
  return pictures;
}
