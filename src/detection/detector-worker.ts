/**
 * The thread that runs the model: `session.run` blocks whoever calls it. Pictures come through shared memory,
 * one at a time; detections go back as values.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../base/errors.js';
import type { Detection } from '../media/index.js';
import { decoderOf } from './families/index.js';
import type { Decode, OutputTensor } from './families/family.js';
import { Letterbox } from './letterbox.js';
import type { ModelFiles } from './model-files.js';
import type { ModelDescription } from './model.js';
import { Net } from './net.js';
import { recognise } from './recognition.js';

/** What the thread is started with. */
export interface WorkerInit {
  /** The model on disk. */
  readonly files: ModelFiles;
  /** Lowest score of detections, or the model's threshold where that is lower. */
  readonly minScore: number;
  /** Of onnxruntime, in the order in which they are tried. */
  readonly executionProviders: readonly string[];
}

/**
 * Asks the thread to end by itself. `Worker.terminate` would end it inside the runtime, whose C++ answers that with an
 * exception nobody catches: the whole process would abort.
 */
export const END = 'end';

/** A picture to look at, I420 in shared memory. */
export interface WorkerRequest {
  /** I420, as in `VideoFrame`. */
  readonly picture: SharedArrayBuffer;
  /** Of the frame. */
  readonly widthPx: number;
  /** Of the frame. */
  readonly heightPx: number;
  /** Its samples are BT.709's; else BT.601's. */
  readonly hasBt709: boolean;
}

/** What the thread answers. */
export type WorkerReply =
  | { readonly kind: 'ready'; readonly model: ModelDescription; readonly executionProvider: string; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'result'; readonly detections: Detection[]; readonly inferenceMs: number; readonly isNotANumber: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

/** Values of each output that are looked at for NaN: damaged weights give nothing else. */
const SAMPLED = 64;

const port = parentPort;
if (!port) throw new Error('the detector worker runs in a worker thread');
const init = workerData as WorkerInit;

class Eye {
  readonly #net: Net;
  readonly #model: ModelDescription;
  readonly #decode: Decode;
  readonly #planes: Float32Array;
  readonly #minScore: number;
  #letterbox: Letterbox | undefined;

  constructor(net: Net, model: ModelDescription) {
    this.#net = net;
    this.#model = model;
    this.#decode = decoderOf(model);
    this.#planes = new Float32Array(3 * model.input.widthPx * model.input.heightPx);
    this.#minScore = Math.min(init.minScore, model.scoreThreshold);
  }

  async detect({ picture, widthPx, heightPx, hasBt709 }: WorkerRequest): Promise<WorkerReply> {
    const { input } = this.#model;
    if (!this.#letterbox?.fits(widthPx, heightPx)) this.#letterbox = new Letterbox(widthPx, heightPx, input);
    const { geometry } = this.#letterbox;
    this.#letterbox.write(new Uint8Array(picture), this.#planes, hasBt709);
    const startedMs = performance.now();
    const outputs = await this.#net.run({
      planes: this.#planes,
      widthPx: input.widthPx,
      heightPx: input.heightPx,
      pictureWidthPx: widthPx,
      pictureHeightPx: heightPx,
    });
    const inferenceMs = performance.now() - startedMs;
    return { kind: 'result', detections: this.#decode(outputs, geometry, this.#minScore), inferenceMs, isNotANumber: outputs.some(hasNaN) };
  }
}

function hasNaN({ data }: OutputTensor): boolean {
  const step = Math.max(1, Math.floor(data.length / SAMPLED));
  for (let i = 0; i < data.length; i += step) if (Number.isNaN(data[i])) return true;
  return false;
}

// From here on, so that a thread that still loads ends as soon as it has.
port.on('message', (message: WorkerRequest | typeof END) => {
  if (message === END) process.exit();
});

const reply = (message: WorkerReply): void => port.postMessage(message);

try {
  const warnings: string[] = [];
  const net = await Net.open(init.files, init.executionProviders, (warning) => warnings.push(warning));
  const { model, assumptions } = await recognise(net, init.files);
  const eye = new Eye(net, model);
  port.on('message', (request: WorkerRequest | typeof END) => {
    if (request === END) return;
    eye.detect(request).then(reply, (error: unknown) => reply({ kind: 'failed', reason: messageOf(error) }));
  });
  reply({ kind: 'ready', model, executionProvider: net.executionProvider, warnings: [...warnings, ...assumptions] });
} catch (error) {
  reply({ kind: 'refused', reason: messageOf(error) });
}
