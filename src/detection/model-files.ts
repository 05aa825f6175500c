/** The files of a model on disk, an ONNX file and perhaps weights and a JSON beside it, and what can be told of them without the runtime. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { findModelData, type ModelDataFile } from './model-data.js';
import { EXAMPLE_JSON, parseModelJson, type ModelJson } from './model-json.js';
import { externalData } from './onnx-external-data.js';
import { onnxMetadata } from './onnx-metadata.js';

/** A model's files, read and found sound. */
export interface ModelFiles {
  /** The ONNX file's, without `.onnx`. */
  readonly name: string;
  /** Absolute path of the ONNX file. */
  readonly onnxPath: string;
  /** What its JSON says; empty where there is none. */
  readonly json: ModelJson;
  /** Texts that the exporter stored in the ONNX file. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Files that hold weights; empty where all are in the ONNX file. Their sha256 is checked when they are read. */
  readonly data: readonly ModelDataFile[];
  /** Its nodes or weights are those of a DINOv3 backbone, which wants ImageNet's mean and deviation. */
  readonly hasDinov3: boolean;
}

/** What files that are mistaken for models begin with. */
const MISTAKEN: readonly { readonly begins: string; readonly is: string }[] = [
  {
    begins: 'version https://git-lfs',
    is: 'a Git LFS pointer, not the model itself: run `git lfs pull`, or download the file by its raw address',
  },
  { begins: '<!DOCTYPE', is: 'a web page: download the file itself, by its raw address' },
  { begins: '<html', is: 'a web page: download the file itself, by its raw address' },
  { begins: 'PK\u0003\u0004', is: 'a zip file, which PyTorch checkpoints are: export it to ONNX' },
];

/** How exports of DEIMv2 call the parts of that backbone. */
const DINOV3_NAMES: readonly string[] = ['backbone.dinov3.', '/backbone/dinov3/'];

const GET_ONE = '`sightline models list` shows what there is, `sightline models pull yolox_nano` downloads one';

/** A model's JSON and where its ONNX file must be. */
export type LocatedModel = Omit<ModelFiles, 'metadata' | 'data' | 'hasDinov3'>;

/**
 * Reads the files of the model at `modelPath`: an `.onnx`, with or without a JSON of the same name beside it, or
 * that JSON.
 * @throws MediaPeerError MODEL_INVALID with every fault and what was expected
 */
export function readModelFiles(modelPath: string): ModelFiles {
  const located = locateModel(modelPath);
  const bytes = readOnnx(located.onnxPath, located.json.sha256);
  return {
    ...located,
    metadata: onnxMetadata(bytes),
    data: dataOf(located, bytes),
    hasDinov3: DINOV3_NAMES.some((name) => bytes.includes(name)),
  };
}

/**
 * The files that hold the weights of an ONNX file, found beside it by the names it gives; no JSON is looked at.
 * @throws MediaPeerError MODEL_INVALID
 */
export function modelDataBeside(onnxPath: string): readonly ModelDataFile[] {
  return dataOf({ name: '', onnxPath, json: {} }, readOnnx(onnxPath, undefined));
}

function dataOf({ onnxPath, json }: LocatedModel, bytes: Uint8Array): readonly ModelDataFile[] {
  try {
    return findModelData(onnxPath, externalData(bytes), json);
  } catch (error) {
    throw invalid(`${onnxPath} cannot be used: ${messageOf(error)}`);
  }
}

/**
 * Reads the JSON of the model at `modelPath`, if there is one, and does not look at the ONNX file.
 * @throws MediaPeerError MODEL_INVALID
 */
export function locateModel(modelPath: string): LocatedModel {
  if (!/\.(onnx|json)$/i.test(modelPath))
    throw invalid(
      `${modelPath} is neither an .onnx file nor the .json that describes one; models/README.md says how to export a model to ONNX`,
    );
  const jsonPath = path.resolve(modelPath.replace(/\.onnx$/i, '.json'));
  const json = /\.json$/i.test(modelPath) || existsSync(jsonPath) ? readJson(jsonPath) : {};
  const onnxPath = /\.onnx$/i.test(modelPath)
    ? path.resolve(modelPath)
    : path.resolve(path.dirname(jsonPath), json.file ?? path.basename(jsonPath).replace(/\.json$/i, '.onnx'));
  return { name: json.name ?? path.basename(onnxPath).replace(/\.onnx$/i, ''), onnxPath, json };
}

function readJson(jsonPath: string): ModelJson {
  let text: string;
  try {
    text = readFileSync(jsonPath, 'utf8');
  } catch (error) {
    if (isMissing(error)) throw invalid(`there is no ${jsonPath}. ${GET_ONE}; one of your own comes in with: sightline models add FILE`);
    throw invalid(`${jsonPath} cannot be read (${messageOf(error)}). A model's JSON says how to read it, such as ${EXAMPLE_JSON}`);
  }
  try {
    return parseModelJson(text);
  } catch (error) {
    const isSyntax = error instanceof SyntaxError;
    throw invalid(
      isSyntax
        ? `${jsonPath} cannot be read as JSON (${error.message}). Expected something like ${EXAMPLE_JSON}`
        : `${jsonPath}: ${messageOf(error)}`,
    );
  }
}

function readOnnx(onnxPath: string, sha256: string | undefined): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(onnxPath);
  } catch (error) {
    throw invalid(isMissing(error) ? `there is no ${onnxPath}. ${GET_ONE}` : `${onnxPath} cannot be read: ${messageOf(error)}`);
  }
  if (bytes.length === 0) throw invalid(`${onnxPath} is empty: its copy or download did not end well; copy it again. ${GET_ONE}`);
  const mistaken = MISTAKEN.find(
    ({ begins }) => bytes.subarray(0, begins.length).toString('latin1').toLowerCase() === begins.toLowerCase(),
  );
  if (mistaken) throw invalid(`${onnxPath} is ${mistaken.is}`);
  const found = sha256 === undefined ? undefined : createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw invalid(`${onnxPath} is damaged or another file: its sha256 is ${found}, its JSON says ${sha256}`);
  return bytes;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function invalid(message: string): MediaPeerError {
  return new MediaPeerError('MODEL_INVALID', message);
}
