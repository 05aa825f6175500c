/**
 * Are the boxes right? Every real model on frames of real videos: the same tensors are decoded by the server's adapter and
 * by a straightforward reference in Python (`reference_decode.py`), and the input by the server's own letterbox is
 * compared with OpenCV's. What the net makes of the two inputs is told beside, for information.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { OutputTensor } from '../../src/detection/families/family.js';
import { assetPath, projectRoot } from '../../test/helpers/assets.js';
import { table } from '../../src/cli/table.js';
import { withFolder, type BenchOptions, type Row } from './bench.js';
import { ComparedNet, type ComparedModel } from './correctness-net.js';
import { comparedPictures, type NamedPicture } from './correctness-pictures.js';

const MODELS: readonly ComparedModel[] = [
  { file: 'yolox_nano_416.onnx', family: 'yolox' },
  { file: 'nanodet_m_320.onnx', family: 'nanodet' },
  { file: 'FastestDet.onnx', family: 'fastestdet' },
  { file: 'yolo-fastestv2_352.onnx', family: 'yolo-fastestv2' },
  { file: 'deimv2_atto_320_int8.onnx', family: 'detr' },
  { file: 'AGPL_testonly_yolov8n_320_int8.onnx', family: 'yolov8' },
  { file: 'AGPL_testonly_yolo11n_320_int8.onnx', family: 'yolov8' },
  { file: 'AGPL_testonly_yolov8n_640_int8.onnx', family: 'yolov8' },
  { file: 'AGPL_testonly_yolo26n_640_int8_end2end.onnx', family: 'yolo-end2end' },
];

/** As the detector's thread decodes: weak boxes are for the tracker. */
const MIN_SCORE = 0.1;

/** Of boxes decoded twice. */
interface Agreement {
  readonly boxes: number;
  readonly minIou: number;
  readonly meanIou: number;
  readonly maxScoreDifference: number;
  /** Boxes that one side alone has. */
  readonly unmatched: number;
  readonly faults: readonly string[];
}

interface Comparison {
  readonly planes: { readonly meanLevels: number; readonly maxLevels: number };
  /** The same tensors. */
  readonly decode: Agreement;
  /** Tensors of the server's input beside those of OpenCV's. */
  readonly letterbox: Agreement;
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const pictures = await comparedPictures();
  if (pictures.length === 0) throw new Error('this bench needs real models and videos: ../shared/assets is absent');
  const wanted = MODELS.filter(({ file }) => options.model === undefined || file.includes(options.model));
  const compared: { model: ComparedModel; comparison: Comparison }[] = [];
  for (const model of wanted) compared.push({ model, comparison: await withFolder((folder) => compare(model, pictures, folder)) });
  console.error(overview(compared, pictures.length));
  return compared.flatMap(({ model, comparison }) => rows(model.file, comparison));
}

async function compare(model: ComparedModel, pictures: readonly NamedPicture[], folder: string): Promise<Comparison> {
  const onnx = assetPath(`models/${model.file}`);
  if (onnx === undefined) throw new Error(`../shared/assets/models/${model.file} is absent`);
  const net = await ComparedNet.open(model, onnx, folder);
  try {
    const { input, family } = net.model;
    const description = { family, width: input.widthPx, height: input.heightPx, threshold: MIN_SCORE, outputs: net.outputNames };
    const planned = pictures.map(({ name, picture }, i) => ({
      ...{ name, width: picture.widthPx, height: picture.heightPx, targetSize: [picture.widthPx, picture.heightPx] },
      ...{ i420: `${i}.i420`, planes: `${i}.planes`, referencePlanes: `${i}.reference` },
    }));
    for (const [i, { picture }] of pictures.entries()) {
      await writeFile(path.join(folder, `${i}.i420`), picture.data);
      await writeFile(path.join(folder, `${i}.planes`), net.planesOf(picture));
    }
    await writeFile(path.join(folder, 'cases.json'), JSON.stringify({ model: description, cases: planned }));
    const planes = await reference<Comparison['planes']>('planes', folder);
    const cases = [];
    for (const [i, plan] of planned.entries()) {
      const { picture } = pictures[i] as NamedPicture;
      const tensors = await net.run(await floats(folder, plan.planes), picture);
      const others = await net.run(await floats(folder, plan.referencePlanes), picture);
      const detections = net.decode(tensors, picture, MIN_SCORE).map(({ box, score, classId }) => [box, score, classId]);
      cases.push({
        ...plan,
        detections,
        tensors: await save(folder, `${i}`, tensors),
        referenceTensors: await save(folder, `${i}-reference`, others),
      });
      await Promise.all([plan.planes, plan.referencePlanes].map((file) => rm(path.join(folder, file))));
    }
    await writeFile(path.join(folder, 'cases.json'), JSON.stringify({ model: description, cases }));
    return { planes, ...(await reference<Omit<Comparison, 'planes'>>('compare', folder)) };
  } finally {
    await net.close();
  }
}

async function reference<T>(command: string, folder: string): Promise<T> {
  const script = path.join(projectRoot, 'scripts/bench/reference_decode.py');
  const { stdout } = await promisify(execFile)(process.env['PYTHON'] ?? '/usr/bin/python3', [script, command, folder], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as T;
}

async function floats(folder: string, file: string): Promise<Float32Array> {
  const bytes = await readFile(path.join(folder, file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

async function save(folder: string, name: string, tensors: readonly OutputTensor[]): Promise<{ file: string; dims: readonly number[] }[]> {
  await mkdir(path.join(folder, name));
  return Promise.all(
    tensors.map(async ({ data, dims }, i) => {
      const file = path.join(name, `${i}.f32`);
      await writeFile(path.join(folder, file), data);
      return { file, dims };
    }),
  );
}

function shortName(file: string): string {
  return file.replace(/AGPL_testonly_|\.onnx/g, '');
}

function overview(compared: readonly { model: ComparedModel; comparison: Comparison }[], pictures: number): string {
  const cells = ({ boxes, minIou, meanIou, maxScoreDifference, unmatched }: Agreement): string[] => [
    ...[String(boxes), minIou.toFixed(4), meanIou.toFixed(4), maxScoreDifference.toFixed(4), String(unmatched)],
  ];
  const head = ['boxes', 'min IoU', 'mean', 'score ±', 'alone'];
  const lines = compared.map(({ model, comparison: { planes, decode, letterbox } }) => [
    ...[
      shortName(model.file),
      model.family,
      ...cells(decode),
      planes.meanLevels.toFixed(2),
      planes.maxLevels.toFixed(0),
      ...cells(letterbox),
    ],
  ]);
  const faults = compared.flatMap(({ model, comparison }) => comparison.decode.faults.map((fault) => `${model.file}: ${fault}`));
  return [
    `${pictures} pictures; left: the same tensors decoded twice; right: input by OpenCV, in levels of 255, and what the net makes of it`,
    table(['model', 'family', ...head, 'levels', 'max', ...head], lines),
    ...faults,
  ].join('\n');
}

function rows(file: string, { decode, planes }: Comparison): Row[] {
  const name = shortName(file);
  return [
    { figure: `${name}: boxes compared`, value: decode.boxes, unit: '' },
    { figure: `${name}: 1 - IoU, at most`, value: Math.max(0, 1 - decode.minIou), unit: '', limit: 0.01 },
    { figure: `${name}: difference of scores, at most`, value: decode.maxScoreDifference, unit: '', limit: 0.01 },
    { figure: `${name}: boxes or classes that one side alone has`, value: decode.unmatched, unit: '', limit: 0 },
    { figure: `${name}: input beside OpenCV's, mean difference`, value: planes.meanLevels, unit: 'levels of 255', limit: 2 },
  ];
}
