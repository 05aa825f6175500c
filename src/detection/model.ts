/**
 * A detector model as the JSON beside it describes it: onnxruntime does not tell what an ONNX file means, so the
 * family (layout of input and output), labels and thresholds are written down there.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Type, type Static } from 'typebox';
import { Check, Errors, Pointer } from 'typebox/value';
import { MediaPeerError, messageOf } from '../errors.js';
import { COCO_LABELS } from './coco.js';

const ModelJson = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1 })),
  family: Type.Literal('yolox'),
  file: Type.Optional(Type.String({ minLength: 1 })),
  input: Type.Object({ width: Type.Integer({ minimum: 32, maximum: 4096 }), height: Type.Integer({ minimum: 32, maximum: 4096 }) }),
  strides: Type.Optional(Type.Array(Type.Integer({ minimum: 2, maximum: 128 }), { minItems: 1 })),
  labels: Type.Union([Type.Literal('coco'), Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 10_000 })]),
  score_threshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  nms_iou: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  decoded: Type.Optional(Type.Boolean()),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  licence: Type.Optional(Type.String()),
  source: Type.Optional(Type.String()),
});

/** A detector model, ready to be opened. */
export interface ModelDescription {
  readonly name: string;
  /** Layout of input and output tensors; one adapter each. */
  readonly family: 'yolox';
  /** Absolute path of the ONNX file. */
  readonly onnxPath: string;
  readonly inputWidthPx: number;
  readonly inputHeightPx: number;
  /** Cell sizes of the output grids, ascending. Default 8, 16, 32. */
  readonly strides: readonly number[];
  readonly labels: readonly string[];
  /** Detections below are not shown. Default 0.4. */
  readonly scoreThreshold: number;
  /** Boxes of one class that overlap more are one object. Default 0.45. */
  readonly nmsIou: number;
  /** The export decodes its boxes to pixels itself. Default false. */
  readonly decoded: boolean;
}

const EXAMPLE = '{"family":"yolox","input":{"width":416,"height":416},"labels":"coco"}';

/**
 * Reads the description of the model at `modelPath`: an `.onnx` file with a JSON of the same name beside it, or
 * that JSON.
 * @throws MediaPeerError MODEL_INVALID with every fault and what was expected
 */
export function loadModelDescription(modelPath: string): ModelDescription {
  if (!/\.(onnx|json)$/i.test(modelPath)) throw invalid(`${modelPath} is neither an .onnx file nor the .json that describes one`);
  const jsonPath = path.resolve(modelPath.replace(/\.onnx$/i, '.json'));
  const json = readModelJson(jsonPath);
  const onnxPath = json.file === undefined ? jsonPath.replace(/\.json$/i, '.onnx') : path.resolve(path.dirname(jsonPath), json.file);
  const strides = [...(json.strides ?? [8, 16, 32])].sort((a, b) => a - b);
  for (const stride of strides) {
    if (json.input.width % stride !== 0 || json.input.height % stride !== 0) {
      throw invalid(`${jsonPath}: input ${json.input.width}x${json.input.height} is not a multiple of stride ${stride}`);
    }
  }
  if (json.sha256 !== undefined) verifySha256(onnxPath, json.sha256);
  return {
    name: json.name ?? path.basename(onnxPath, '.onnx'),
    family: json.family,
    onnxPath,
    inputWidthPx: json.input.width,
    inputHeightPx: json.input.height,
    strides,
    labels: json.labels === 'coco' ? COCO_LABELS : json.labels,
    scoreThreshold: json.score_threshold ?? 0.4,
    nmsIou: json.nms_iou ?? 0.45,
    decoded: json.decoded ?? false,
  };
}

function readModelJson(jsonPath: string): Static<typeof ModelJson> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(jsonPath, 'utf8'));
  } catch (error) {
    throw invalid(`${jsonPath} cannot be read as JSON (${messageOf(error)}). A model needs a JSON beside it that says how to read it, such as ${EXAMPLE}`);
  }
  if (Check(ModelJson, value)) return value;
  const faults = Errors(ModelJson, value).map(({ instancePath, message }) => {
    const found = JSON.stringify(Pointer.Get(value, instancePath));
    return `${instancePath || '(root)'} ${message}, found ${found.length > 60 ? `${found.slice(0, 60)}…` : found}`;
  });
  throw invalid(`${jsonPath}: ${[...new Set(faults)].join('; ')}. Expected something like ${EXAMPLE}; known families: yolox`);
}

function verifySha256(onnxPath: string, expected: string): void {
  let found: string;
  try {
    found = createHash('sha256').update(readFileSync(onnxPath)).digest('hex');
  } catch (error) {
    throw invalid(`${onnxPath} cannot be read: ${messageOf(error)}`);
  }
  if (found !== expected) throw invalid(`${onnxPath} is damaged or another file: its sha256 is ${found}, its JSON says ${expected}`);
}

function invalid(message: string): MediaPeerError {
  return new MediaPeerError('MODEL_INVALID', message);
}
