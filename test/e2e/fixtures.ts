/** Inputs of the end-to-end tests, made once per suite in a temporary folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { assetPath, projectRoot } from '../helpers/assets.js';
import { copyOrMake } from '../helpers/clip-cache.js';

/** A temporary folder and its end. */
export interface Folder {
  readonly path: string;
  /** A folder in it, for `UPLOAD_DIR`. */
  readonly videos: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<Folder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sightline-e2e-'));
  const videos = path.join(folder, 'videos');
  await mkdir(videos);
  return { path: folder, videos, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs ffmpeg; its standard output. @throws Error with its complaints */
export async function ffmpeg(...args: string[]): Promise<Buffer> {
  const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => complaints.push(data));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${Buffer.concat(complaints).toString()}`);
  return Buffer.concat(output);
}

const PASSTHROUGH = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30:duration=7'],
  ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=7'],
  ...['-vf', 'hue=s=0', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-pix_fmt', 'yuv420p', '-b:v', '1500k'],
  ...['-g', '120', '-keyint_min', '120', '-sc_threshold', '0', '-c:a', 'aac'],
];

/**
 * A clip that is copied as it is: 640×360 at 30 fps, keyframe every 4 s, 7 s, with AAC; every picture differs from every
 * other. Without colour, so that it looks the same whichever colour matrix a player assumes.
 */
export async function makePassthroughClip(file: string): Promise<void> {
  await copyOrMake(file, PASSTHROUGH, async (scratch) => {
    await ffmpeg(...PASSTHROUGH, scratch);
  });
}

/** A detector and a clip in which it finds something. */
export interface SeeingFixture {
  /** For `MODEL`. */
  readonly model: string;
  /** How many classes it knows. */
  readonly classes: number;
}

/**
 * Puts a clip called `seen.mp4` among the videos and names the model for it: the bundled pair, else the real
 * YOLOX-nano with a person walking. Undefined where neither is at hand.
 */
export async function makeSeeingFixture(folder: Folder): Promise<SeeingFixture | undefined> {
  const clip = path.join(folder.videos, 'seen.mp4');
  const bundled = path.join(projectRoot, 'models/sightline-demo.json');
  const demo = path.join(projectRoot, 'upload/demo.mp4');
  if (existsSync(bundled) && existsSync(demo)) {
    await ffmpeg('-i', demo, '-c', 'copy', clip);
    return { model: bundled, classes: 3 };
  }
  const onnx = assetPath('models/yolox_nano_416.onnx');
  const video = assetPath('videos/one-by-one-person-detection.mp4');
  if (onnx === undefined || video === undefined) return undefined;
  // The person is in the picture from 38 s on; silence stands in for the sound the file does not have.
  await ffmpeg(
    '-ss',
    '38',
    '-t',
    '6',
    '-i',
    video,
    '-f',
    'lavfi',
    '-t',
    '6',
    '-i',
    'sine=sample_rate=48000',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-bf',
    '0',
    '-g',
    '48',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-shortest',
    clip,
  );
  const model = path.join(folder.path, 'yolox.json');
  await writeFile(model, JSON.stringify({ family: 'yolox', file: onnx, input: { width: 416, height: 416 }, labels: 'coco' }));
  return { model, classes: 80 };
}
