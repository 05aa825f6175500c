/** Small videos for tests, made by ffmpeg once and kept. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  ftruncateSync,
  copyFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { cachedClip } from './clip-cache.js';

const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2'];
const pictures = (size: string, fps: number | string = 30, seconds = 2): string[] => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`,
];
const h264 = (...more: string[]): string[] => [
  '-c:v',
  'libx264',
  '-preset',
  'superfast',
  '-pix_fmt',
  'yuv420p',
  '-g',
  '30',
  '-bf',
  '0',
  ...more,
];
/** H.265 without reordered frames; each keyframe but the first is a CRA. */
const h265 = (parameters = '', ...more: readonly string[]): string[] => [
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  ...['-x265-params', `log-level=error:bframes=0:keyint=30:min-keyint=30:pools=none:frame-threads=1${parameters}`],
  ...more,
];
const HEVC_COPYABLE = [...pictures('640x360'), ...SOUND, ...h265(), '-c:a', 'aac'];
const COPYABLE = [...pictures('640x360'), ...SOUND, ...h264('-profile:v', 'main'), '-c:a', 'aac'];

/** Arguments of ffmpeg, or a way to spoil another video. */
const RECIPES = {
  /** Can be copied: H.264 without B-frames, AAC. */
  'copyable.mp4': COPYABLE,
  'copyable-720p.mp4': [...pictures('1280x720'), ...h264('-b:v', '2500k', '-profile:v', 'high'), '-an'],
  'high.mp4': [...pictures('640x360'), ...h264('-profile:v', 'high'), '-an'],
  'silent.mp4': [...pictures('640x360'), ...h264(), '-an'],
  'copyable.mkv': COPYABLE,
  'copyable.mov': COPYABLE,
  'copyable.ts': COPYABLE,
  'copyable.avi': COPYABLE,
  'long-video.mp4': [...pictures('640x360', 30, 2.5), ...SOUND, ...h264(), '-c:a', 'aac'],
  'b-frames.mp4': [...pictures('640x360'), ...SOUND, ...h264('-bf', '3', '-b_strategy', '0'), '-c:a', 'aac'],
  'b-frames.mkv': [...pictures('640x360'), ...SOUND, ...h264('-bf', '3', '-b_strategy', '0'), '-c:a', 'aac'],
  'odd.webm': [
    ...pictures('852x480'),
    ...SOUND,
    '-vf',
    'scale=853:481',
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'libopus',
  ],
  'portrait.mp4': [...pictures('360x640'), ...h264(), '-an'],
  'ten-bit.mp4': [...pictures('640x360'), '-c:v', 'libx264', '-preset', 'superfast', '-pix_fmt', 'yuv420p10le', '-an'],
  'hevc.mp4': [
    ...pictures('640x360'),
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error',
    '-pix_fmt',
    'yuv420p',
    '-an',
  ],
  /** Can be copied for viewers of H.265. */
  'hevc-copyable.mp4': HEVC_COPYABLE,
  'hevc-copyable.mkv': HEVC_COPYABLE,
  'hevc-copyable.ts': HEVC_COPYABLE,
  'hevc-720p.mp4': [...pictures('1280x720'), ...h265(), '-an'],
  'hevc-2160p.mp4': [...pictures('3840x2160', 10, 1), ...h265(), '-an'],
  'hevc-ten-bit.mp4': [...pictures('640x360'), ...h265('', '-pix_fmt', 'yuv420p10le'), '-an'],
  'hevc-422.mp4': [...pictures('640x360'), ...h265('', '-pix_fmt', 'yuv422p'), '-an'],
  'hevc-rare-keyframes.mp4': [...pictures('320x180', 30, 6), ...h265(':keyint=1000:min-keyint=1000'), '-an'],
  'vp9.webm': [
    ...pictures('640x360'),
    ...SOUND,
    '-c:v',
    'libvpx-vp9',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'libopus',
  ],
  /** A second at 30 a second, then one at 10; with B-frames, so that it is transcoded. */
  'variable-rate.mp4': [...pictures('640x360'), '-vf', "select='lt(t,1)+not(mod(n,3))'", '-vsync', 'vfr', ...h264('-bf', '2'), '-an'],
  'wide.mp4': [...pictures('2560x1440', 10, 1), ...h264(), '-an'],
  'interlaced.mp4': [...pictures('720x576', 25), '-vf', 'interlace', ...h264('-flags', '+ildct+ilme'), '-an'],
  'wide-pixels.mp4': [...pictures('720x576', 25), '-vf', 'setsar=16/11', ...h264(), '-an'],
  'rare-keyframes.mp4': [...pictures('320x180', 30, 6), ...h264('-g', '300', '-keyint_min', '300', '-sc_threshold', '0'), '-an'],
  /** Keyframes as far apart as is still copied. */
  'keyframes-every-4s.mp4': [...pictures('320x180', 30, 12), ...h264('-g', '120', '-keyint_min', '120', '-sc_threshold', '0'), '-an'],
  /** One colour: whatever is drawn on it shows. With B-frames, so that it is transcoded, and without. */
  'grey.mp4': ['-f', 'lavfi', '-i', 'color=gray:size=320x180:rate=30:duration=2', ...h264(), '-an'],
  'grey-transcoded.mp4': ['-f', 'lavfi', '-i', 'color=gray:size=320x180:rate=30:duration=2', ...h264('-bf', '2'), '-an'],
  'tiny.mp4': [...pictures('2x2'), ...h264(), '-an'],
  'small.mp4': [...pictures('16x16'), ...h264(), '-an'],
  'huge.mp4': [...pictures('3840x2160', 10, 1), ...h264(), '-an'],
  'sound-only.mp4': [...SOUND, '-c:a', 'aac'],
} as const satisfies Record<string, readonly string[]>;

/** Names of the videos that can be made. */
export type VideoName =
  keyof typeof RECIPES | 'rotated.mp4' | 'late-keyframe.ts' | 'truncated.mp4' | 'no-index.mp4' | 'empty.mp4' | 'text.mp4';

/** False, or why videos of H.265 cannot be made. */
export const noH265: string | false = execFileSync('ffmpeg', ['-hide_banner', '-encoders']).includes('libx265')
  ? false
  : 'this ffmpeg has no H.265 encoder to make the test video';

/** Absolute path of a video; do not change it, copy it with `copyVideo`. */
export function makeVideo(name: VideoName): string {
  const file = cachedClip(name, RECIPES);
  if (existsSync(file)) return file;
  // Test files run side by side: whoever is last replaces a file by the same one.
  const scratch = path.join(mkdtempSync(path.join(path.dirname(file), 'making-')), name);
  try {
    write(name, scratch);
    renameSync(scratch, file);
  } finally {
    rmSync(path.dirname(scratch), { recursive: true, force: true });
  }
  return file;
}

/** Copies a video into a folder under another name, and returns where it is. */
export function copyVideo(name: VideoName, folder: string, as: string = name): string {
  const file = path.join(folder, as);
  copyFileSync(makeVideo(name), file);
  return file;
}

function write(name: VideoName, file: string): void {
  switch (name) {
    case 'rotated.mp4':
      return ffmpeg(['-i', makeVideo('silent.mp4'), '-c', 'copy', '-metadata:s:v:0', 'rotate=90'], file);
    case 'late-keyframe.ts':
      return dropLeadingPackets(file);
    case 'truncated.mp4':
      ffmpeg(['-i', makeVideo('copyable.mp4'), '-c', 'copy', '-movflags', '+faststart'], file);
      return cut(file, 0.6);
    case 'no-index.mp4':
      copyFileSync(makeVideo('copyable.mp4'), file);
      return cut(file, 0.6);
    case 'empty.mp4':
      return writeFileSync(file, '');
    case 'text.mp4':
      return writeFileSync(file, 'this is not a video\n'.repeat(100));
    default:
      return ffmpeg(RECIPES[name], file);
  }
}

/** A stream that was recorded from the middle of a group of pictures: its first keyframe comes after 1.3 s. */
function dropLeadingPackets(file: string): void {
  const long = path.join(path.dirname(file), 'long.ts');
  ffmpeg([...pictures('640x360', 30, 5), ...h264('-g', '60', '-keyint_min', '60', '-sc_threshold', '0'), '-an'], long);
  ffmpeg(['-i', long, '-c', 'copy', '-copyinkf', '-bsf:v', 'noise=drop=lt(n\\,20)'], file);
}

function cut(file: string, share: number): void {
  const handle = openSync(file, 'r+');
  ftruncateSync(handle, Math.floor(statSync(file).size * share));
  closeSync(handle);
}

function ffmpeg(args: readonly string[], file: string): void {
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, file], { stdio: ['ignore', 'ignore', 'inherit'] });
}
