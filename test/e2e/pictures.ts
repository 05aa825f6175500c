/** Comparing what a browser shows with what it should show. */
import { classColour, type YuvColour } from '../../src/detection/palette.js';
import type { Picture } from '../helpers/chromium.js';
import { ffmpeg } from './fixtures.js';

/** Rows and columns of the luma that pictures are compared in: enough to see smears, little to decode. */
const COMPARE_WIDTH = 320;
const COMPARE_HEIGHT = 180;

/** Every picture of a video as full-range luma, 320×180. */
export async function lumaOfFile(file: string): Promise<Buffer[]> {
  const all = await ffmpeg(
    '-i',
    file,
    '-vf',
    `scale=${COMPARE_WIDTH}:${COMPARE_HEIGHT}:flags=area:out_range=full,format=gray`,
    '-f',
    'rawvideo',
    'pipe:1',
  );
  const size = COMPARE_WIDTH * COMPARE_HEIGHT;
  return Array.from({ length: all.length / size }, (_unused, index) => all.subarray(index * size, (index + 1) * size));
}

/** The luma of a shown picture, averaged down to 320×180; its size must be a multiple of that. */
export function lumaOfPicture({ widthPx, heightPx, rgba }: Picture): Buffer {
  const luma = Buffer.alloc(COMPARE_WIDTH * COMPARE_HEIGHT);
  const stepX = widthPx / COMPARE_WIDTH;
  const stepY = heightPx / COMPARE_HEIGHT;
  for (let row = 0; row < COMPARE_HEIGHT; row++) {
    for (let column = 0; column < COMPARE_WIDTH; column++) {
      let sum = 0;
      for (let y = row * stepY; y < (row + 1) * stepY; y++) {
        for (let x = column * stepX; x < (column + 1) * stepX; x++) {
          const at = (y * widthPx + x) * 4;
          sum += 0.299 * (rgba[at] ?? 0) + 0.587 * (rgba[at + 1] ?? 0) + 0.114 * (rgba[at + 2] ?? 0);
        }
      }
      luma[row * COMPARE_WIDTH + column] = Math.round(sum / (stepX * stepY));
    }
  }
  return luma;
}

/** Peak signal-to-noise ratio in dB of two pictures of one size; 99 for equal ones. */
function psnr(a: Buffer, b: Buffer): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return squares === 0 ? 99 : 10 * Math.log10((255 * 255 * a.length) / squares);
}

/** The picture of the file that is most like this one. */
export function bestMatch(luma: Buffer, candidates: readonly Buffer[]): { readonly index: number; readonly psnrDb: number } {
  return candidates
    .map((candidate, index) => ({ index, psnrDb: psnr(luma, candidate) }))
    .reduce((best, match) => (match.psnrDb > best.psnrDb ? match : best));
}

/** How many pixels have the colour of one of the first `classes` classes. */
export function classColouredPixels({ rgba }: Picture, classes: number): number {
  const colours = Array.from({ length: classes }, (_unused, classId) => classColour(classId)).flatMap((colour) => [
    rgb601(colour),
    rgb709(colour),
  ]);
  let count = 0;
  for (let at = 0; at < rgba.length; at += 4) {
    const isNear = ([r, g, b]: Rgb): boolean =>
      Math.abs((rgba[at] ?? 0) - r) + Math.abs((rgba[at + 1] ?? 0) - g) + Math.abs((rgba[at + 2] ?? 0) - b) < 45;
    if (colours.some(isNear)) count++;
  }
  return count;
}

type Rgb = readonly [r: number, g: number, b: number];

/** Limited range to RGB, BT.601 and BT.709: which one a browser takes for a picture that does not say depends on its size. */
function rgb601({ y, u, v }: YuvColour): Rgb {
  return clamp(
    1.164 * (y - 16) + 1.596 * (v - 128),
    1.164 * (y - 16) - 0.392 * (u - 128) - 0.813 * (v - 128),
    1.164 * (y - 16) + 2.017 * (u - 128),
  );
}

function rgb709({ y, u, v }: YuvColour): Rgb {
  return clamp(
    1.164 * (y - 16) + 1.793 * (v - 128),
    1.164 * (y - 16) - 0.213 * (u - 128) - 0.533 * (v - 128),
    1.164 * (y - 16) + 2.112 * (u - 128),
  );
}

function clamp(...channels: [number, number, number]): Rgb {
  return channels.map((channel) => Math.max(0, Math.min(255, Math.round(channel)))) as [number, number, number];
}
