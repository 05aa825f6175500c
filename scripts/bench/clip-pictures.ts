/** The pictures of a video, one after the other, as the pipeline hands them to the detector. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { i420Size, VideoFrame } from '../../src/media/index.js';

export interface ClipFormat {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pictures a second. */
  readonly fps: number;
}

/** Decodes a file as fast as it can. A picture's memory is its own. */
export async function* clipPictures(file: string, { widthPx, heightPx, fps }: ClipFormat): AsyncGenerator<VideoFrame> {
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-i',
    file,
    '-vf',
    `fps=${fps},scale=${widthPx}:${heightPx}`,
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    'pipe:1',
  ];
  const ffmpeg = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(ffmpeg, 'exit');
  const bytes = i420Size(widthPx, heightPx);
  let data = Buffer.allocUnsafe(bytes);
  let filled = 0;
  let index = 0;
  try {
    for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length;) {
        const copied = chunk.copy(data, filled, at);
        at += copied;
        filled += copied;
        if (filled < bytes) continue;
        yield new VideoFrame({ data, widthPx, heightPx, mediaTimeMs: (index++ * 1000) / fps });
        data = Buffer.allocUnsafe(bytes);
        filled = 0;
      }
    }
  } finally {
    ffmpeg.kill('SIGKILL');
    await exited;
  }
}
