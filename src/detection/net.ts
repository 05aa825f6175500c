/**
 * A model in the runtime: floats in, tensors out. The one place that knows onnxruntime; what the tensors mean is the
 * families' business. `run` blocks the thread that calls it.
 */
import './runtime-telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../base/errors.js';
import type { OutputTensor } from './families/family.js';
import { fromHalf, toHalf } from './half.js';
import { readModelData } from './model-data.js';
import type { ModelFiles } from './model-files.js';

/** An input or output as the model declares it; sizes that are open have a name or are undefined. */
export interface TensorInfo {
  /** As the model names it. */
  readonly name: string;
  /** `float32`, `float16`, `int64`, ... */
  readonly type: string;
  /** Its shape; a text is a dimension that is open. */
  readonly dims: readonly (number | string)[];
}

/** What a model is given to look at. */
export interface NetInput {
  /** Three planes, for the picture's input. */
  readonly planes: Float32Array;
  /** Of the input, in pixels. */
  readonly widthPx: number;
  /** Of the input, in pixels. */
  readonly heightPx: number;
  /** Size of the picture that the planes were made of, for models that ask for it. */
  readonly pictureWidthPx: number;
  /** Of the frame, in pixels, for models that scale boxes back by themselves. */
  readonly pictureHeightPx: number;
}

/**
 * One thread and no spinning: more threads cost more processor time than they save on small models. The memory
 * arena stays on: without it every run allocates again, which costs 10 to 30 MB more resident memory and 6 % more
 * time (YOLOX-nano, 300 runs). Memory patterns plan for inputs of one shape; off saves some MB at the same speed.
 */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  // Errors come as exceptions; what the runtime prints beside them is noise.
  logSeverityLevel: 4,
  enableCpuMemArena: true,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

/** What to do about a provider that cannot be used. */
const PROVIDER_HINTS: Readonly<Record<string, string>> = {
  cuda: "needs NVIDIA's driver, CUDA 12 and cuDNN 9, and onnxruntime-node's CUDA libraries: `npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12`",
  tensorrt:
    "needs NVIDIA's driver, CUDA 12, TensorRT 10, and onnxruntime-node's CUDA libraries: `npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12`",
  webgpu: 'needs a graphics driver with Vulkan, Metal or Direct3D 12',
  coreml: 'is available on macOS only',
  dml: 'is of Windows alone',
};
const NOT_A_PROVIDER = `is not of this runtime; EXECUTION_PROVIDERS takes cpu, ${Object.keys(PROVIDER_HINTS).join(', ')}`;

/** One model in the runtime. */
export class Net {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** What it runs on: `cpu`, `cuda`, ... */
  readonly executionProvider: string;
  readonly #session: InferenceSession;
  #halves = new Uint16Array(0);

  private constructor(session: InferenceSession, executionProvider: string) {
    this.#session = session;
    this.executionProvider = executionProvider;
    this.inputs = session.inputMetadata.map(toTensorInfo);
    this.outputs = session.outputMetadata.map(toTensorInfo);
  }

  /**
   * Loads a model for the first of the providers that can be used.
   * @param onProviderFailed is told of every one that cannot, once another could
   * @throws Error when none can, or the files of weights are not the right ones
   */
  static async open(
    { onnxPath, data }: Pick<ModelFiles, 'onnxPath' | 'data'>,
    executionProviders: readonly string[],
    onProviderFailed: (warning: string) => void = () => undefined,
  ): Promise<Net> {
    const failures: string[] = [];
    // The runtime would look for them by the names they had when the model was exported.
    const externalData = readModelData(data);
    for (const provider of executionProviders) {
      try {
        const net = new Net(
          await InferenceSession.create(onnxPath, {
            ...SESSION_OPTIONS,
            executionProviders: [provider],
            ...(externalData.length > 0 && { externalData }),
          }),
          provider,
        );
        for (const failure of failures) onProviderFailed(`${failure}; ${provider} is used instead`);
        return net;
      } catch (error) {
        failures.push(
          provider === 'cpu'
            ? loadTrouble(messageOf(error))
            : `execution provider ${provider} cannot be used (${messageOf(error)}): it ${PROVIDER_HINTS[provider] ?? NOT_A_PROVIDER}`,
        );
      }
    }
    throw new Error(
      failures.length > 1
        ? failures.join('; ')
        : (failures[0] ?? 'no execution provider is given; EXECUTION_PROVIDERS=cpu works everywhere'),
    );
  }

  /** Looks at a picture; outputs come in the model's order, all as 32-bit floats. */
  async run(input: NetInput): Promise<OutputTensor[]> {
    const feeds = Object.fromEntries(
      this.inputs.map((info) => [info.name, info.dims.length === 4 ? this.#planes(info, input) : pictureSize(info, input)]),
    );
    const outputs = await this.#session.run(feeds);
    return this.#session.outputNames.map((name) => {
      const tensor = outputs[name];
      if (!tensor) throw new Error(`output ${name} is not a tensor`);
      return { name, dims: tensor.dims, type: tensor.type, data: toFloats(name, tensor) };
    });
  }

  /** Frees the runtime's memory. */
  async close(): Promise<void> {
    await this.#session.release();
  }

  #planes({ type }: TensorInfo, { planes, widthPx, heightPx }: NetInput): Tensor {
    const dims = [1, 3, heightPx, widthPx];
    if (type !== 'float16') return new Tensor('float32', planes, dims);
    if (this.#halves.length !== planes.length) this.#halves = new Uint16Array(planes.length);
    toHalf(planes, this.#halves);
    return new Tensor('float16', this.#halves, dims);
  }
}

function loadTrouble(message: string): string {
  if (/not a registered function/i.test(message))
    return `it uses an operation that the runtime lacks, such as TensorRT's suppression of overlaps: export it without (${message})`;
  return /protobuf/i.test(message) ? `it is no ONNX model, or one that is cut off or damaged (${message})` : message;
}

/** Width and height, in the type that the input has. */
function pictureSize({ type }: TensorInfo, { pictureWidthPx, pictureHeightPx }: NetInput): Tensor {
  const size = [pictureWidthPx, pictureHeightPx];
  if (type === 'int64') return new Tensor('int64', BigInt64Array.from(size, BigInt), [1, 2]);
  return type === 'int32' ? new Tensor('int32', Int32Array.from(size), [1, 2]) : new Tensor('float32', Float32Array.from(size), [1, 2]);
}

function toFloats(name: string, { type, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === 'float16' && data instanceof Uint16Array) return fromHalf(data);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  if (Array.isArray(data)) throw new Error(`output ${name} is of type ${type}, numbers were expected`);
  return Float32Array.from(data as Iterable<number>);
}

function toTensorInfo(metadata: InferenceSession.ValueMetadata): TensorInfo {
  return metadata.isTensor
    ? { name: metadata.name, type: metadata.type, dims: metadata.shape }
    : { name: metadata.name, type: 'no tensor', dims: [] };
}

/** Such as `images float32 [1,3,416,416], orig_target_sizes int64 [1,2]`. */
export function describeTensors(
  tensors: readonly { readonly name: string; readonly type: string; readonly dims: readonly (number | string)[] }[],
): string {
  return tensors.map(({ name, type, dims }) => `${name} ${type} [${dims.join(',')}]`).join(', ') || 'none';
}
