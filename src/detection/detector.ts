/**
 * The detector as the server sees it: one net in one worker thread, a picture at a time. A thread that crashes
 * or hangs is replaced; until then `detect` fails at once and the boxes coast.
 */
import { Worker } from 'node:worker_threads';
import { Backoff } from '../backoff.js';
import { delay, type Clock } from '../clock.js';
import { MediaPeerError, messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { i420Size, type Detection, type VideoFrame } from '../media/index.js';
import type { ResourceLedger } from '../resources.js';
import type { WorkerInit, WorkerReply, WorkerRequest } from './detector-worker.js';
import { loadModelDescription, type ModelDescription } from './model.js';

export interface DetectorInit {
  /** An `.onnx` with its JSON beside it, or the JSON. */
  readonly modelPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
}

/** What was found in one picture. */
export interface DetectionResult {
  /** Scores from `MIN_SCORE` up: a tracker uses weak ones to keep what it follows. */
  readonly detections: readonly Detection[];
  readonly mediaTimeMs: number;
  /** Time of the net alone. */
  readonly inferenceMs: number;
}

/** Weak detections that still help a tracker (ByteTrack, Zhang et al., 2022). */
const MIN_SCORE = 0.1;
/** The largest nets take 2 s a picture on a slow core; what takes longer hangs. */
const HANG_MS = 10_000;

interface PendingRun {
  resolve(reply: Extract<WorkerReply, { kind: 'result' }>): void;
  reject(error: MediaPeerError): void;
}

export class Detector {
  readonly model: ModelDescription;
  readonly #init: DetectorInit;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff();
  #worker: Worker | undefined;
  #pending: PendingRun | undefined;
  #picture = new SharedArrayBuffer(0);
  #restarts = 0;

  private constructor(model: ModelDescription, init: DetectorInit) {
    this.model = model;
    this.#init = init;
  }

  /**
   * Loads the model and tries it.
   * @throws MediaPeerError MODEL_INVALID
   */
  static async open(init: DetectorInit): Promise<Detector> {
    const detector = new Detector(loadModelDescription(init.modelPath), init);
    await detector.#start();
    init.logger.info({ model: detector.model.name, labels: detector.model.labels.length }, 'detector loaded');
    return detector;
  }

  get state(): 'ready' | 'restarting' | 'closed' {
    if (this.#stop.signal.aborted) return 'closed';
    return this.#worker ? 'ready' : 'restarting';
  }

  /** True while it looks at a picture. */
  get isBusy(): boolean {
    return this.#pending !== undefined;
  }

  /** How often the thread was replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Looks at a picture; it is copied before this returns. One at a time.
   * @throws MediaPeerError DETECTOR_FAILED
   */
  async detect(picture: VideoFrame): Promise<DetectionResult> {
    const worker = this.#worker;
    if (!worker || this.#pending) throw new MediaPeerError('DETECTOR_FAILED', worker ? 'the detector looks at another picture' : `the detector is ${this.state}`);
    const { widthPx, heightPx, mediaTimeMs } = picture;
    const bytes = i420Size(widthPx, heightPx);
    // Grows only: sources of several sizes take turns.
    if (this.#picture.byteLength < bytes) this.#picture = new SharedArrayBuffer(bytes);
    new Uint8Array(this.#picture).set(picture.data);
    const result = new Promise<Extract<WorkerReply, { kind: 'result' }>>((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
    const hang = this.#init.clock.after(HANG_MS, () => void worker.terminate());
    try {
      worker.postMessage({ picture: this.#picture, widthPx, heightPx } satisfies WorkerRequest);
      const { detections, inferenceMs } = await result;
      return { detections, mediaTimeMs, inferenceMs };
    } finally {
      hang.cancel();
      this.#pending = undefined;
    }
  }

  /** Ends the thread. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#worker?.terminate();
  }

  /** Starts a thread and waits until it has loaded the model. */
  async #start(): Promise<void> {
    const startedMs = this.#init.clock.now();
    const release = this.#init.ledger.acquire('workers');
    const worker = new Worker(new URL('./detector-worker.js', import.meta.url), {
      workerData: { model: this.model, minScore: Math.min(MIN_SCORE, this.model.scoreThreshold) } satisfies WorkerInit,
    });
    const first = await new Promise<WorkerReply>((resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve({ kind: 'refused', reason: messageOf(error) }));
      worker.once('exit', (code) => resolve({ kind: 'refused', reason: `its thread ended with code ${code}` }));
    });
    if (first.kind !== 'ready') {
      await worker.terminate();
      release();
      throw new MediaPeerError('MODEL_INVALID', `${this.model.onnxPath} cannot be used: ${first.kind === 'refused' ? first.reason : 'unexpected answer'}`);
    }
    if (this.#stop.signal.aborted) {
      await worker.terminate();
      release();
      return;
    }
    let lastError = 'its thread ended';
    worker.on('error', (error) => (lastError = messageOf(error)));
    worker.on('message', (reply: WorkerReply) => this.#onReply(reply));
    worker.once('exit', () => {
      release();
      this.#worker = undefined;
      this.#pending?.reject(new MediaPeerError('DETECTOR_FAILED', lastError));
      if (!this.#stop.signal.aborted) void this.#restart(lastError, startedMs);
    });
    this.#worker = worker;
  }

  #onReply(reply: WorkerReply): void {
    if (reply.kind === 'result') this.#pending?.resolve(reply);
    else if (reply.kind === 'failed') this.#pending?.reject(new MediaPeerError('DETECTOR_FAILED', reply.reason));
  }

  /** Replaces a thread that ended, trying until it works or the detector is closed. Never rejects. */
  async #restart(reason: string, startedMs: number): Promise<void> {
    const { clock, logger } = this.#init;
    let ranMs = clock.now() - startedMs;
    let error = reason;
    while (this.#isRestarting()) {
      const delayMs = this.#backoff.next(ranMs);
      logger.warn({ error, delayMs }, 'detector ended, restarting');
      await delay(clock, delayMs, this.#stop.signal);
      if (!this.#isRestarting()) return;
      this.#restarts++;
      ranMs = 0;
      await this.#start().catch((cause: unknown) => (error = messageOf(cause)));
    }
  }

  #isRestarting(): boolean {
    return this.state === 'restarting';
  }
}
