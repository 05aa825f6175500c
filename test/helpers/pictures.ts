/** Pictures for tests: out of real videos, or painted. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { i420Size, VideoFrame } from '../../src/media/index.js';

const run = promisify(execFile);

/** One picture of a video as I420. */
export async function pictureAt(file: string, seconds: number, widthPx: number, heightPx: number): Promise<VideoFrame> {
  const { stdout } = await run(
    'ffmpeg',
    [
      '-v',
      'error',
      '-nostdin',
      '-ss',
      String(seconds),
      '-i',
      file,
      '-frames:v',
      '1',
      '-vf',
      `scale=${widthPx}:${heightPx}`,
      '-f',
      'rawvideo',
      '-pix_fmt',
      'yuv420p',
      'pipe:1',
    ],
    { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
  );
  if (stdout.length !== i420Size(widthPx, heightPx)) throw new Error(`ffmpeg gave ${stdout.length} bytes for a picture of ${file}`);
  return new VideoFrame({ data: stdout, widthPx, heightPx, mediaTimeMs: seconds * 1000 });
}

/** A picture of one colour. */
export function plainPicture(widthPx: number, heightPx: number, y = 128, u = 128, v = 128): VideoFrame {
  const data = Buffer.alloc(i420Size(widthPx, heightPx), u);
  data.fill(y, 0, widthPx * heightPx);
  data.fill(v, (widthPx * heightPx * 5) / 4);
  return new VideoFrame({ data, widthPx, heightPx, mediaTimeMs: 0 });
}
