/** Models looked at from outside: by their JSON alone, or by the model itself. */
import { MediaPeerError, messageOf } from '../base/errors.js';
import { FAMILIES } from './families/index.js';
import { USUAL_STRIDES } from './families/grids.js';
import { describeModel, labelsOf } from './model-description.js';
import { locateModel, readModelFiles } from './model-files.js';
import { EXAMPLE_JSON } from './model-json.js';
import type { ModelDescription } from './model.js';
import { Net, type TensorInfo } from './net.js';
import { recognise } from './recognition.js';

/** What a model shows of itself, and what it is taken for. */
export interface ModelInspection {
  /** Path of the ONNX file. */
  readonly onnxPath: string;
  /** What the model takes. */
  readonly inputs: readonly TensorInfo[];
  /** What the model gives. */
  readonly outputs: readonly TensorInfo[];
  /** Absolute paths of the files that hold its weights, beside the ONNX file. */
  readonly dataPaths: readonly string[];
  /** Texts that its exporter stored. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Undefined when it cannot be used. */
  readonly model: ModelDescription | undefined;
  /** Why it cannot be used, and what to write to its JSON. */
  readonly reason: string | undefined;
  /** What was taken for granted because nothing says it. */
  readonly assumptions: readonly string[];
}

/**
 * Loads a model, with the JSON beside it where there is one, and tells what it is. Blocks the thread while the model
 * looks at a grey picture.
 * @throws MediaPeerError MODEL_INVALID when the files cannot be read or are no ONNX model
 */
export async function inspectModel(modelPath: string): Promise<ModelInspection> {
  const files = readModelFiles(modelPath);
  const { onnxPath, metadata } = files;
  const dataPaths = files.data.map(({ file }) => file);
  const net = await Net.open(files, ['cpu']).catch((error: unknown) => {
    throw new MediaPeerError('MODEL_INVALID', `${onnxPath} cannot be used: ${messageOf(error)}`, { cause: error });
  });
  const { inputs, outputs } = net;
  try {
    return { onnxPath, dataPaths, inputs, outputs, metadata, reason: undefined, ...(await recognise(net, files)) };
  } catch (error) {
    return { onnxPath, dataPaths, inputs, outputs, metadata, model: undefined, reason: messageOf(error), assumptions: [] };
  } finally {
    await net.close();
  }
}

/**
 * The description of a model by its JSON alone, which must give family, input and labels; what the model itself shows
 * is not looked at.
 * @throws MediaPeerError MODEL_INVALID
 */
export function loadModelDescription(modelPath: string): ModelDescription {
  const { onnxPath, json } = locateModel(modelPath);
  const { family, input, labels, strides = USUAL_STRIDES } = json;
  if (family === undefined || input?.width === undefined || input.height === undefined || labels === undefined) {
    throw new MediaPeerError('MODEL_INVALID', `the JSON of ${onnxPath} must give family, input and labels, such as ${EXAMPLE_JSON}`);
  }
  const files = readModelFiles(modelPath);
  const size = { widthPx: input.width, heightPx: input.height };
  return describeModel(
    files,
    family,
    FAMILIES[family],
    { strides: [...strides].sort((a, b) => a - b) },
    size,
    labelsOf(files, undefined).labels,
  );
}
