/**
 * A clip whose every picture carries its own number, readable by a machine after compression and scaling: two rows of
 * sixteen black or white cells along the upper edge, twelve bits of number and four parities, the lower row inverse.
 * So a picture that is shown can be told from its neighbours, and a damaged number from a right one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { i420Size } from '../../src/media/index.js';
import { copyOrMake } from './clip-cache.js';

/** Cells in a row; a cell is a square of a sixteenth of the picture's width. */
const CELLS = 16;
const NUMBER_BITS = 12;
const CHECK_BITS = CELLS - NUMBER_BITS;

/** Numbers are below this. */
const NUMBERS = 2 ** NUMBER_BITS;

/** Least difference in brightness, of 255, between a cell and its inverse. */
const MARGIN = 60;

export interface NumberedClip {
  /** A multiple of 16. Default 640. */
  readonly widthPx?: number;
  /** Even. Default 9/16 of the width. */
  readonly heightPx?: number;
  /** Default 30. */
  readonly fps?: number;
  /** Default 4. */
  readonly seconds?: number;
  /** Between keyframes. Default 2. */
  readonly keyframeS?: number;
  /** B-frames in a row; more than none means that the file cannot be copied to browsers. Default 0. */
  readonly bFrames?: number;
  /** Number of the first picture. Default 0. */
  readonly firstNumber?: number;
}

/** What the pictures look like is said in this module: clips of another version of it are made anew. */
const PAINTER = readFileSync(fileURLToPath(import.meta.url), 'utf8');

/** Puts the clip there, which is made once: H.264, MP4, no sound. @throws Error when ffmpeg fails */
export async function makeNumberedClip(file: string, clip: NumberedClip = {}): Promise<void> {
  await copyOrMake(file, [PAINTER, clip], (scratch) => encodeNumbers(scratch, clip));
}

async function encodeNumbers(file: string, clip: NumberedClip): Promise<void> {
  const { widthPx = 640, fps = 30, seconds = 4, keyframeS = 2, bFrames = 0, firstNumber = 0 } = clip;
  const heightPx = clip.heightPx ?? (widthPx * 9) / 16;
  const ffmpeg = spawn(
    process.env['FFMPEG_PATH'] ?? 'ffmpeg',
    [
      ...['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${widthPx}x${heightPx}`, '-r', String(fps), '-i', 'pipe:0'],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-profile:v',
        bFrames > 0 ? 'main' : 'baseline',
        '-bf',
        String(bFrames),
        '-b_strategy',
        '0',
      ],
      ...['-g', String(fps * keyframeS), '-keyint_min', String(fps * keyframeS), '-sc_threshold', '0', '-movflags', '+faststart', file],
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const exited = once(ffmpeg, 'exit') as Promise<[number | null]>;
  // Its exit code tells more than the broken pipe does.
  ffmpeg.stdin.on('error', () => undefined);
  for (let i = 0; i < fps * seconds && ffmpeg.exitCode === null; i++) {
    if (!ffmpeg.stdin.write(paintNumber(firstNumber + i, widthPx, heightPx))) await Promise.race([once(ffmpeg.stdin, 'drain'), exited]);
  }
  ffmpeg.stdin.end();
  const [code] = await exited;
  if (code !== 0) throw new Error(`ffmpeg could not make ${file}: exit code ${String(code)}`);
}

/** A picture that carries a number, I420; beneath the cells a bar moves, so that there is something to compress. */
export function paintNumber(number: number, widthPx: number, heightPx: number): Buffer {
  const picture = Buffer.alloc(i420Size(widthPx, heightPx), 128);
  const cell = widthPx / CELLS;
  const bits = cellsOf(number);
  const rows = [0, 1].map((row) => Buffer.concat(bits.map((bit) => Buffer.alloc(cell, bit === row ? 16 : 235))));
  for (let y = 0; y < 2 * cell; y++) rows[y < cell ? 0 : 1]?.copy(picture, y * widthPx);
  for (let y = 2 * cell; y < heightPx; y++) {
    const bar = (number * 5) % (widthPx - cell);
    picture.fill(90 + (y * 60) / heightPx, y * widthPx, (y + 1) * widthPx);
    picture.fill(180, y * widthPx + bar, y * widthPx + bar + cell);
  }
  return picture;
}

/** The number of an I420 or grey picture, read from its luma; undefined where it is damaged or there is none. */
export function readLumaNumber(luma: Uint8Array, widthPx: number): number | undefined {
  return readNumber((x, y) => luma[y * widthPx + x] ?? NaN, widthPx);
}

/** The number of an RGBA picture, as a canvas gives it. */
export function readRgbaNumber(rgba: Uint8Array, widthPx: number): number | undefined {
  return readNumber((x, y) => rgba[(y * widthPx + x) * 4 + 1] ?? NaN, widthPx);
}

function readNumber(brightness: (x: number, y: number) => number, widthPx: number): number | undefined {
  const cell = widthPx / CELLS;
  let value = 0;
  for (let i = 0; i < CELLS; i++) {
    const x = Math.floor((i + 0.5) * cell);
    const difference = brightness(x, Math.floor(cell / 2)) - brightness(x, Math.floor(cell * 1.5));
    if (!(Math.abs(difference) >= MARGIN)) return undefined;
    value = value * 2 + (difference > 0 ? 1 : 0);
  }
  const number = value >> CHECK_BITS;
  return (value & (2 ** CHECK_BITS - 1)) === parities(number) ? number : undefined;
}

/** One for white in the upper row; the number's highest bit first, then its parities. */
function cellsOf(number: number): number[] {
  const value = (number % NUMBERS) * 2 ** CHECK_BITS + parities(number % NUMBERS);
  return Array.from({ length: CELLS }, (_unused, i) => (value >> (CELLS - 1 - i)) & 1);
}

/** Bit i is the parity of the number's bits i, i + 4 and i + 8. */
function parities(number: number): number {
  return (number ^ (number >> 4) ^ (number >> 8)) & 15;
}
