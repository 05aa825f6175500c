/** What an ONNX file takes and gives, read from the file itself by the runtime. */
import { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../../src/errors.js';
import { CommandError } from './failures.js';

/** One input or output. */
export interface TensorInfo {
  readonly name: string;
  readonly type: string;
  /** A name stands for a size that is free. */
  readonly shape: readonly (number | string)[];
}

export interface Inspection {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** @throws CommandError when the runtime cannot load it */
export async function inspect(onnxPath: string): Promise<Inspection> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(onnxPath, { logSeverityLevel: 4, intraOpNumThreads: 1 });
  } catch (error) {
    throw new CommandError(`${onnxPath} is not a model that onnxruntime can load: ${messageOf(error)}`, { cause: error });
  }
  const tensor = (metadata: InferenceSession.ValueMetadata): TensorInfo =>
    metadata.isTensor ? { name: metadata.name, type: metadata.type, shape: metadata.shape } : { name: metadata.name, type: 'not a tensor', shape: [] };
  const inspection = { inputs: session.inputMetadata.map(tensor), outputs: session.outputMetadata.map(tensor) };
  await session.release();
  return inspection;
}

/** Width and height where the first input is a picture of one size; undefined where they are free. */
export function pictureSize({ inputs }: Inspection): { width: number; height: number } | undefined {
  const shape = inputs[0]?.shape;
  if (shape?.length !== 4) return undefined;
  const [height, width] = shape.slice(2);
  return typeof width === 'number' && typeof height === 'number' && width > 0 && height > 0 ? { width, height } : undefined;
}

/** `images  float32  [1,3,416,416]` */
export function describeTensors(tensors: readonly TensorInfo[]): string {
  const width = Math.max(0, ...tensors.map(({ name }) => name.length));
  return tensors.map(({ name, type, shape }) => `  ${name.padEnd(width)}  ${type.padEnd(7)}  [${shape.join(',')}]`).join('\n');
}
