/** Processor time of each stage of seeing, per picture: letterbox, net, decoding, tracker, drawing. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  annotate,
  LabelRenderer,
  loadModelDescription,
  ObjectTracker,
  type DrawnObject,
  type ModelDescription,
} from '../../src/detection/index.js';
import { decoderOf } from '../../src/detection/families/index.js';
import { Letterbox } from '../../src/detection/letterbox.js';
import type { Detection, VideoFrame } from '../../src/media/index.js';
import { projectRoot } from '../../test/helpers/assets.js';
import { pictureAt } from '../../test/helpers/pictures.js';
import type { Row } from './bench.js';

export interface VisionStagesOptions {
  /** An `.onnx` with its JSON beside it, or the JSON. Default: the bundled model. */
  readonly modelPath?: string;
}

/** Runs of each stage, of which the median counts. */
const RUNS = 5;
/** Pictures in a run. */
const PICTURES = 60;
const WIDTH = 1280;
const HEIGHT = 720;
const TRACKED = 20;
const DRAWN = 8;
const LABELS = ['car', 'person', 'drone'];

/** Measures on a 720p picture of the demo clip: decoding takes longer the more there is to find. */
export async function run(options: VisionStagesOptions = {}): Promise<Row[]> {
  const modelPath = options.modelPath ?? path.join(projectRoot, 'models/sightline-demo.json');
  const picture = await pictureAt(path.join(projectRoot, 'upload/demo.mp4'), 5, WIDTH, HEIGHT);
  const rows = existsSync(modelPath) ? await netStages(loadModelDescription(modelPath), picture) : [];
  return [...rows, await trackerStage(), await annotateStage(picture)];
}

export async function netStages(model: ModelDescription, picture: VideoFrame): Promise<Row[]> {
  const decode = decoderOf(model);
  const { widthPx, heightPx } = model.input;
  const letterbox = new Letterbox(WIDTH, HEIGHT, model.input);
  const planes = new Float32Array(3 * widthPx * heightPx);
  // The options of the detector's thread.
  const session = await InferenceSession.create(model.onnxPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const feeds = { [session.inputNames[0] ?? '']: new Tensor('float32', planes, [1, 3, heightPx, widthPx]) };
  letterbox.write(picture.data, planes);
  const outputs = Object.entries(await session.run(feeds)).map(([name, { dims, type, data }]) => ({
    name,
    dims,
    type,
    data: data as Float32Array,
  }));
  const rows = [
    await measure(`letterbox to ${widthPx}x${heightPx}`, () => letterbox.write(picture.data, planes)),
    await measure(`net ${model.name}`, () => session.run(feeds)),
    await measure('decode and NMS', () => decode(outputs, letterbox.geometry, 0.1)),
  ];
  await session.release();
  return rows;
}

/** A result comes every third picture, as with `DETECT_FPS` 10. */
export function trackerStage(): Promise<Row> {
  const tracker = new ObjectTracker({ widthPx: WIDTH, heightPx: HEIGHT });
  let picture = 0;
  return measure(`tracker, ${TRACKED} objects`, () => {
    const mediaTimeMs = (picture * 1000) / 30;
    if (picture++ % 3 === 0) tracker.update(movingObjects(mediaTimeMs), mediaTimeMs);
    return tracker.predict(mediaTimeMs);
  });
}

export async function annotateStage(picture: VideoFrame): Promise<Row> {
  const labels = new LabelRenderer({ labels: LABELS });
  await labels.prepare(HEIGHT);
  const objects = drawnObjects();
  return measure(`annotate, ${DRAWN} boxes at ${HEIGHT}p`, () => annotate(picture, objects, labels));
}

/** User and system time of the whole process per picture. */
async function measure(stage: string, work: () => unknown): Promise<Row> {
  return { figure: stage, value: await medianCpuMs(work), unit: 'CPU ms per picture' };
}

export async function medianCpuMs(work: () => unknown): Promise<number> {
  const values: number[] = [];
  // The first run warms the compiler up.
  for (let i = 0; i <= RUNS; i++) {
    const before = process.cpuUsage();
    for (let n = 0; n < PICTURES; n++) await work();
    const { user, system } = process.cpuUsage(before);
    if (i > 0) values.push((user + system) / 1000 / PICTURES);
  }
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}

function movingObjects(mediaTimeMs: number): Detection[] {
  return Array.from({ length: TRACKED }, (_, i) => ({
    box: [(i % 5) * 240 + 60 * Math.sin(mediaTimeMs / 900 + i), Math.floor(i / 5) * 170 + 10, 90, 70],
    classId: i % 3,
    label: String(i % 3),
    score: 0.8,
  }));
}

function drawnObjects(): DrawnObject[] {
  return Array.from({ length: DRAWN }, (_, i) => ({
    objectId: i + 1,
    classId: i % LABELS.length,
    label: LABELS[i % LABELS.length] ?? '',
    score: 0.5 + i / 20,
    box: [(i % 4) * 310 + 20, Math.floor(i / 4) * 330 + 60, 180, 140],
  }));
}
