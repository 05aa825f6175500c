/**
 * The thread that runs the net: `session.run` blocks whoever calls it. Pictures come through shared memory,
 * one at a time; detections go back as values.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../errors.js';
import type { Detection } from '../media/index.js';
import { familyOf } from './families.js';
import type { DetectorFamily, OutputTensor } from './family.js';
import { Letterbox } from './letterbox.js';
import type { ModelDescription } from './model.js';

/** What the thread is started with. */
export interface WorkerInit {
  readonly model: ModelDescription;
  readonly minScore: number;
}

/** A picture to look at, I420 in shared memory. */
export interface WorkerRequest {
  readonly picture: SharedArrayBuffer;
  readonly widthPx: number;
  readonly heightPx: number;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'result'; readonly detections: Detection[]; readonly inferenceMs: number }
  | { readonly kind: 'failed'; readonly reason: string };

const port = parentPort;
if (!port) throw new Error('the detector worker runs in a worker thread');
const init = workerData as WorkerInit;

/**
 * One thread and no spinning: more threads cost more processor time than they save on small nets. The memory
 * arena stays on: without it every run allocates anew, which costs 10 to 30 MB more resident memory and 6 % more
 * time (YOLOX-nano, 300 runs). Memory patterns plan for inputs of one shape; off saves some MB at the same speed.
 */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
  enableCpuMemArena: true,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

class Net {
  readonly #session: InferenceSession;
  readonly #family: DetectorFamily;
  readonly #planes: Float32Array;
  #letterbox: Letterbox | undefined;

  private constructor(session: InferenceSession, family: DetectorFamily) {
    this.#session = session;
    this.#family = family;
    this.#planes = new Float32Array(3 * family.input.widthPx * family.input.heightPx);
  }

  /** Loads the model and tries it on a grey picture, so that shapes that do not fit are known at once. */
  static async open(model: ModelDescription): Promise<Net> {
    const net = new Net(await InferenceSession.create(model.onnxPath, SESSION_OPTIONS), familyOf(model));
    const mismatch = net.#family.mismatch(await net.#run());
    if (mismatch !== undefined) throw new Error(mismatch);
    return net;
  }

  async detect({ picture, widthPx, heightPx }: WorkerRequest): Promise<WorkerReply> {
    if (!this.#letterbox?.fits(widthPx, heightPx)) this.#letterbox = new Letterbox(widthPx, heightPx, this.#family.input);
    const { ratio } = this.#letterbox;
    this.#letterbox.write(new Uint8Array(picture), this.#planes);
    const startedMs = performance.now();
    const outputs = await this.#run();
    const inferenceMs = performance.now() - startedMs;
    return { kind: 'result', detections: this.#family.decode(outputs, { widthPx, heightPx, ratio }, init.minScore), inferenceMs };
  }

  async #run(): Promise<OutputTensor[]> {
    const { widthPx, heightPx } = this.#family.input;
    const [name] = this.#session.inputNames;
    if (name === undefined || this.#session.inputNames.length !== 1) {
      throw new Error(`the model takes ${this.#session.inputNames.length} inputs (${this.#session.inputNames.join(', ')}), one was expected`);
    }
    const outputs = await this.#session.run({ [name]: new Tensor('float32', this.#planes, [1, 3, heightPx, widthPx]) });
    return this.#session.outputNames.map((output) => {
      const tensor = outputs[output];
      if (!(tensor?.data instanceof Float32Array)) throw new Error(`output ${output} is of type ${tensor?.type ?? 'none'}, float32 was expected`);
      return { dims: tensor.dims, data: tensor.data };
    });
  }
}

const reply = (message: WorkerReply): void => port.postMessage(message);

try {
  const net = await Net.open(init.model);
  port.on('message', (request: WorkerRequest) => {
    net.detect(request).then(reply, (error: unknown) => reply({ kind: 'failed', reason: messageOf(error) }));
  });
  reply({ kind: 'ready' });
} catch (error) {
  reply({ kind: 'refused', reason: messageOf(error) });
}
