/** Processor time of each stage of seeing, per picture: letterbox, net, decoding, tracker, drawing. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { annotate, LabelRenderer, loadModelDescription, ObjectTracker, type Detection, type TrackedObject } from '../../src/detection/index.js';
import { familyOf } from '../../src/detection/families.js';
import { Letterbox } from '../../src/detection/letterbox.js';
import { i420Size, VideoFrame } from '../../src/media/index.js';

export interface Options {
  /** An `.onnx` with its JSON beside it, or the JSON. */
  readonly modelPath: string;
  /** Runs of each stage of which the median is taken. Default 5. */
  readonly runs?: number;
  /** Pictures in a run. Default 60. */
  readonly pictures?: number;
}

export interface Row {
  readonly stage: string;
  /** User and system time of the whole process per picture, in ms: median of the runs. */
  readonly cpuMsPerPicture: number;
}

const WIDTH = 1280;
const HEIGHT = 720;
const TRACKED = 20;
const DRAWN = 8;

/** Measures on a 720p picture of noise; the stages take as long on any other, save decoding, which finds little in it. */
export async function run({ modelPath, runs = 5, pictures = 60 }: Options): Promise<Row[]> {
  const model = loadModelDescription(modelPath);
  const family = familyOf(model);
  const { widthPx, heightPx } = family.input;
  const picture = noisePicture();
  const letterbox = new Letterbox(WIDTH, HEIGHT, family.input);
  const planes = new Float32Array(3 * widthPx * heightPx);
  const session = await InferenceSession.create(model.onnxPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const feeds = { [session.inputNames[0] ?? '']: new Tensor('float32', planes, [1, 3, heightPx, widthPx]) };
  letterbox.write(picture.data, planes);
  const outputs = Object.values(await session.run(feeds)).map(({ dims, data }) => ({ dims, data: data as Float32Array }));
  const labels = new LabelRenderer({ labels: model.labels });
  await labels.prepare(HEIGHT);
  const tracker = new ObjectTracker({ widthPx: WIDTH, heightPx: HEIGHT });
  let mediaTimeMs = 0;
  const stages: readonly (readonly [stage: string, work: () => unknown])[] = [
    [`letterbox to ${widthPx}x${heightPx}`, () => letterbox.write(picture.data, planes)],
    [`net ${model.name}`, () => session.run(feeds)],
    ['decode and NMS', () => family.decode(outputs, { widthPx: WIDTH, heightPx: HEIGHT, ratio: letterbox.ratio }, 0.1)],
    [
      `tracker, ${TRACKED} objects, a result every third picture`,
      () => {
        mediaTimeMs += 1000 / 30;
        if (Math.round(mediaTimeMs / (1000 / 30)) % 3 === 0) tracker.update(movingObjects(mediaTimeMs), mediaTimeMs);
        return tracker.predict(mediaTimeMs);
      },
    ],
    [`annotate, ${DRAWN} boxes`, () => annotate(picture, drawnObjects(model.labels), labels)],
  ];
  const rows: Row[] = [];
  for (const [stage, work] of stages) rows.push({ stage, cpuMsPerPicture: await medianCpuMs(work, runs, pictures) });
  await session.release();
  return rows;
}

async function medianCpuMs(work: () => unknown, runs: number, pictures: number): Promise<number> {
  const values: number[] = [];
  // The first run warms the compiler up.
  for (let i = 0; i <= runs; i++) {
    const before = process.cpuUsage();
    for (let n = 0; n < pictures; n++) await work();
    const { user, system } = process.cpuUsage(before);
    if (i > 0) values.push((user + system) / 1000 / pictures);
  }
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}

function noisePicture(): VideoFrame {
  const data = Buffer.alloc(i420Size(WIDTH, HEIGHT));
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = 16 + (state >>> 24) * 0.85;
  }
  return new VideoFrame({ data, widthPx: WIDTH, heightPx: HEIGHT, mediaTimeMs: 0 });
}

function movingObjects(mediaTimeMs: number): Detection[] {
  return Array.from({ length: TRACKED }, (_, i) => ({
    box: [(i % 5) * 240 + 60 * Math.sin(mediaTimeMs / 900 + i), Math.floor(i / 5) * 170 + 10, 90, 70],
    classId: i % 3,
    label: String(i % 3),
    score: 0.8,
  }));
}

function drawnObjects(labels: readonly string[]): TrackedObject[] {
  return Array.from({ length: DRAWN }, (_, i) => ({
    objectId: i + 1,
    classId: i % labels.length,
    label: labels[i % labels.length] ?? '',
    score: 0.5 + i / 20,
    box: [(i % 4) * 310 + 20, Math.floor(i / 4) * 330 + 60, 180, 140],
  }));
}
