/**
 * What the motion gate spares on a busy street, on an empty one and on a scene in which nothing moves: the share of
 * detections that the net sleeps through, processor time with the gate and without, and how much of what the net
 * would have found is among the detections that are repeated meanwhile.
 */
import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.js';
import { Detector, MotionGate } from '../../src/detection/index.js';
import { iou } from '../../src/detection/boxes.js';
import { silentLogger } from '../../src/base/logger.js';
import type { Detection, VideoFrame } from '../../src/media/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { assetPath, projectRoot } from '../../test/helpers/assets.js';
import { demoClip } from '../../test/helpers/demo-labels.js';
import { pictureAt } from '../../test/helpers/pictures.js';
import { withFolder, type BenchOptions, type Row } from './bench.js';
import { clipPictures, type ClipFormat } from './clip-pictures.js';

const DEFAULT_SECONDS = 60;
const RUNS = 7;
const LOOKS = 200;
const DETECT_FPS = 10;

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  return withFolder(async (folder) => {
    const ledger = new ResourceLedger();
    const detector = await Detector.open({ modelPath: await model(folder), clock: systemClock(ledger), logger: silentLogger, ledger });
    try {
      const rows = [await lookRow()];
      for (const clip of await clips(folder, seconds)) rows.push(...(await gated(detector, clip)));
      return rows;
    } finally {
      await detector.close();
    }
  });
}

/** YOLOX-nano, which knows people, where the assets are there; else the bundled model. */
async function model(folder: string): Promise<string> {
  const nano = assetPath('models/yolox_nano_416.onnx');
  if (!nano) return path.join(projectRoot, 'models/sightline-demo.json');
  const file = path.join(folder, 'yolox_nano.onnx');
  await copyFile(nano, file);
  await writeFile(
    path.join(folder, 'yolox_nano.json'),
    JSON.stringify({ family: 'yolox', input: { width: 416, height: 416 }, labels: 'coco', score_threshold: 0.4 }),
  );
  return file;
}

interface Clip {
  readonly name: string;
  readonly file: string;
  readonly format: ClipFormat;
  readonly seconds: number;
}

/** A street, three seconds of it with nobody in them over and over, and one picture of the demo clip with the noise of a sensor. */
async function clips(folder: string, seconds: number): Promise<Clip[]> {
  const short = Math.min(20, seconds);
  const still = {
    name: 'still scene',
    file: path.join(folder, 'still.mp4'),
    format: { widthPx: 1280, heightPx: 720, fps: 30 },
    seconds: short,
  };
  await encode(demoClip, 'trim=end_frame=1,loop=loop=599:size=1:start=0,setpts=N/30/TB,noise=alls=6:allf=t', still.format.fps, still.file);
  const street = assetPath('videos/one-by-one-person-detection.mp4');
  if (!street) return [still];
  const format = { widthPx: 768, heightPx: 432, fps: 10 };
  const empty = { name: 'empty street', file: path.join(folder, 'empty.mp4'), format, seconds: short };
  await encode(street, 'trim=2.5:5.5,fps=10,loop=loop=9:size=30:start=0,setpts=N/10/TB', format.fps, empty.file);
  return [{ name: 'busy street', file: street, format, seconds }, empty, still];
}

async function encode(from: string, filter: string, fps: number, to: string): Promise<void> {
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-y',
    '-i',
    from,
    '-an',
    '-vf',
    filter,
    '-r',
    String(fps),
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-b:v',
    '2M',
    to,
  ];
  await promisify(execFile)(process.env['FFMPEG_PATH'] ?? 'ffmpeg', args);
}

/** Plays a clip to the gate and, ten times a second, to the net. */
async function gated(detector: Detector, { name, file, format, seconds }: Clip): Promise<Row[]> {
  const gate = new MotionGate();
  const every = Math.round(format.fps / DETECT_FPS);
  const sum = { pictures: 0, looked: 0, slept: 0, gateMs: 0, allNetMs: 0, netMs: 0, found: 0, repeated: 0 };
  let isWanted = false;
  let last: readonly Detection[] = [];
  for await (const picture of clipPictures(file, format)) {
    if (picture.mediaTimeMs >= seconds * 1000) break;
    const [isAwake, gateMs] = await cpuMs(() => gate.look(picture));
    sum.gateMs += gateMs;
    isWanted ||= isAwake;
    if (sum.pictures++ % every !== 0) continue;
    const [detections, netMs] = await cpuMs(() => detect(detector, picture));
    sum.looked++;
    sum.allNetMs += netMs;
    if (isWanted) {
      sum.netMs += netMs;
      last = detections;
    } else sum.slept++;
    isWanted = false;
    sum.found += detections.length;
    sum.repeated += detections.filter(({ box, classId }) =>
      last.some((other) => other.classId === classId && iou(other.box, box) >= 0.5),
    ).length;
  }
  const share = (ms: number): number => (ms / ((sum.pictures / format.fps) * 1000)) * 100;
  return [
    { figure: `${name}: the net sleeps`, value: (sum.slept / sum.looked) * 100, unit: '% of detections' },
    { figure: `${name}: net and gate`, value: share(sum.netMs + sum.gateMs), unit: '% of a core' },
    { figure: `${name}: net, gate off`, value: share(sum.allNetMs), unit: '% of a core' },
    {
      figure: `${name}: objects the net would find that are there`,
      value: sum.found === 0 ? 100 : (sum.repeated / sum.found) * 100,
      unit: '%',
    },
  ];
}

async function detect(detector: Detector, picture: VideoFrame): Promise<Detection[]> {
  return (await detector.detect(picture)).detections.filter(({ score }) => score >= detector.model.scoreThreshold);
}

/** User and system time of the whole process, its threads included. */
async function cpuMs<T>(work: () => T | Promise<T>): Promise<[T, number]> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1000];
}

/** Median over runs, on two 720p pictures in turn. */
async function lookRow(): Promise<Row> {
  const pictures = [await pictureAt(demoClip, 5, 1280, 720), await pictureAt(demoClip, 6, 1280, 720)];
  const gate = new MotionGate();
  const values: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const [, ms] = await cpuMs(() => {
      for (let i = 0; i < LOOKS; i++) gate.look(pictures[i % 2] as VideoFrame);
    });
    // The first run warms the compiler up.
    if (run > 0) values.push(ms / LOOKS);
  }
  values.sort((a, b) => a - b);
  return { figure: 'motion gate, 720p', value: values[values.length >> 1] ?? NaN, unit: 'CPU ms per picture', limit: 0.15 };
}
