/** When a file flashes and when it beeps: whether its sound and its picture are together. */
import { execFileSync } from 'node:child_process';

/** Of files that flash in their middle. */
export const FLASHING = { widthPx: 160, heightPx: 90 } as const;
/** EBU R37: what nobody notices, seconds. */
export const NOTICED_S = 0.045;
const RATE_HZ = 48_000;

/** What it writes. @throws Error when it fails */
export function run(tool: 'ffmpeg' | 'ffprobe', ...args: readonly string[]): Buffer {
  return execFileSync(tool, ['-v', 'error', ...args], { maxBuffer: 256 << 20 });
}

/** Where something begins, in seconds. @param isOn in order */
function onsets(isOn: readonly boolean[], timeOf: (at: number) => number, restS: number): number[] {
  const found: number[] = [];
  let lastS = -Infinity;
  for (const [at, on] of isOn.entries()) {
    if (!on) continue;
    if (timeOf(at) - lastS > restS) found.push(timeOf(at));
    lastS = timeOf(at);
  }
  return found;
}

/** When a file flashes, seconds. */
export function flashesOf(file: string): number[] {
  const { widthPx, heightPx } = FLASHING;
  const stamps = run('ffprobe', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file);
  const times = stamps.toString().trim().split('\n').map(Number);
  const pictures = run(
    'ffmpeg',
    '-nostdin',
    '-i',
    file,
    '-vsync',
    'passthrough',
    '-enc_time_base',
    '-1',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    'pipe:1',
  );
  const isLit = times.map((_, at) => Number(pictures[at * widthPx * heightPx + (heightPx / 2) * widthPx + widthPx / 2]) > 128);
  return onsets(isLit, (at) => times[at] ?? NaN, 0.3);
}

/** When it beeps, seconds. */
export function beepsOf(file: string): number[] {
  const pcm = run(
    'ffmpeg',
    '-nostdin',
    '-i',
    file,
    '-vn',
    '-af',
    'aresample=async=1:first_pts=0',
    '-f',
    'f32le',
    '-ac',
    '1',
    '-ar',
    `${RATE_HZ}`,
    'pipe:1',
  );
  const isLoud = Array.from({ length: pcm.length / 4 }, (_, at) => Math.abs(pcm.readFloatLE(4 * at)) > 0.25);
  return onsets(isLoud, (at) => at / RATE_HZ, 0.3);
}
