/** Clips of plain patches whose colours are known, and what a player would show of them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { PictureColour, VideoFrame } from '../../src/media/index.js';

export type Rgb = readonly [r: number, g: number, b: number];

/** Eight patches in two rows of four. */
export const PATCHES: readonly Rgb[] = [
  [190, 20, 20],
  [20, 190, 20],
  [20, 20, 190],
  [190, 190, 190],
  [200, 150, 120],
  [20, 180, 180],
  [128, 128, 128],
  [16, 16, 16],
];
export const [WIDTH, HEIGHT] = [320, 160];

/** An RGB picture of the patches. */
export function patchesRgb(): Buffer {
  const data = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++)
      Buffer.from(PATCHES[(y < HEIGHT / 2 ? 0 : 4) + Math.floor((4 * x) / WIDTH)] as Rgb).copy(data, (y * WIDTH + x) * 3);
  }
  return data;
}

/** Writes two seconds of one picture. @param input how its bytes are to be read @param options of ffmpeg, behind the input */
export function writeClip(file: string, picture: Buffer, input: readonly string[], options: readonly string[]): void {
  const pictures = Buffer.concat(Array.from({ length: 50 }, () => picture));
  execFileSync(
    'ffmpeg',
    ['-v', 'error', '-y', '-f', 'rawvideo', '-s', `${WIDTH}x${HEIGHT}`, '-r', '25', ...input, '-i', 'pipe:0', ...options, file],
    { input: pictures, maxBuffer: 1 << 20 },
  );
}

/** What a player shows in the middle of each patch of an I420 picture, of what its samples are said to mean. */
export function shownPatches({ data, widthPx, heightPx, colour }: Pick<VideoFrame, 'data' | 'widthPx' | 'heightPx' | 'colour'>): Rgb[] {
  return PATCHES.map((_, i) => shownAt(data, widthPx, heightPx, ((i % 4) + 0.5) / 4, i < 4 ? 0.25 : 0.75, colour));
}

export function shownAt(data: Buffer, widthPx: number, heightPx: number, fx: number, fy: number, colour: PictureColour | undefined): Rgb {
  const [x, y] = [Math.floor(fx * widthPx), Math.floor(fy * heightPx)];
  const chroma = (y >> 1) * (widthPx >> 1) + (x >> 1);
  const luma = (((data[y * widthPx + x] as number) - 16) * 255) / 219;
  const u = (((data[widthPx * heightPx + chroma] as number) - 128) * 255) / 224;
  const v = (((data[(widthPx * heightPx * 5) / 4 + chroma] as number) - 128) * 255) / 224;
  const [kr, kb] = colour?.matrix === 1 ? [0.2126, 0.0722] : [0.299, 0.114];
  const [r, b] = [luma + 2 * (1 - kr) * v, luma + 2 * (1 - kb) * u];
  const g = (luma - kr * r - kb * b) / (1 - kr - kb);
  const level = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
  return [level(r), level(g), level(b)];
}

/** The largest difference of a channel. */
export function furthest(shown: readonly Rgb[], wanted: readonly Rgb[] = PATCHES): number {
  return Math.max(...shown.flatMap((rgb, i) => rgb.map((value, channel) => Math.abs(value - ((wanted[i] as Rgb)[channel] as number)))));
}

/** Writes the four numbers that turn and mirror into an MP4's track header (ISO/IEC 14496-12 §8.3.2). */
export function setDisplayMatrix(file: string, [a, b, c, d]: readonly [number, number, number, number]): void {
  const bytes = readFileSync(file);
  const matrix = bytes.indexOf('tkhd') + 44;
  [a, b, 0, c, d].forEach((value, i) => bytes.writeInt32BE(value * 65_536, matrix + 4 * i));
  writeFileSync(file, bytes);
}
