/**
 * The detector as the server sees it: one model in one worker thread, a picture at a time. A thread that crashes
 * or hangs is replaced; until then `detect` fails at once and the boxes coast.
 */
import { strict as assert } from 'node:assert';
import { Worker } from 'node:worker_threads';
import { Backoff } from '../base/backoff.js';
import { delay, type Clock } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { i420Size, isBt709, VideoFrame, type Detection } from '../media/index.js';
import type { ResourceLedger } from '../base/resources.js';
import type { END, WorkerInit, WorkerReply, WorkerRequest } from './detector-worker.js';
import { readModelFiles, type ModelFiles } from './model-files.js';
import type { ModelDescription } from './model.js';
import './runtime-telemetry.js';

/** Which model runs, and what it runs on. */
export interface DetectorInit {
  /** An `.onnx`, with or without a JSON beside it, or the JSON. */
  readonly modelPath: string;
  /** What the model runs on, in order of preference: `cuda`, `cpu`, ... One that cannot be used is skipped, with a warning. Default cpu. */
  readonly executionProviders?: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  /** Told of what detectors do. Default: nobody is. */
  readonly observer?: DetectorObserver;
}

/** What detectors do, for whoever watches over them from outside. Must not throw. */
export interface DetectorObserver {
  /** A picture was looked at. @param inferenceMs time of inference alone */
  inferred(model: string, inferenceMs: number): void;
  /** A picture could not be looked at. */
  failed(model: string): void;
  /** The thread has ended by itself. @param reason in words */
  ended?(model: string, reason: string): void;
  /** The thread is replaced. */
  restarted(model: string): void;
}

/** What was found in one picture. */
export interface DetectionResult {
  /** Scores from `MIN_SCORE` up: a tracker uses weak ones to keep what it follows. */
  readonly detections: readonly Detection[];
  /** Of the frame that was looked at, on the timeline of its source. */
  readonly mediaTimeMs: number;
  /** Time of inference alone. */
  readonly inferenceMs: number;
  /** Copies the frame that was looked at; undefined once the detector looks at another one. Left out: the frame is not to be had. */
  readonly copyPicture?: () => VideoFrame | undefined;
}

/** Weak detections that still help a tracker (ByteTrack, Zhang et al., 2022). */
const MIN_SCORE = 0.1;
/** About how many pictures the average is over. */
const AVERAGED_LOOKS = 20;
/** The largest models take 2 s per picture on a slow core; what takes longer hangs. */
const HANG_MS = 10_000;
/** The largest models load in a few seconds. */
const LOAD_MS = 60_000;
/** A thread that is inside the runtime does not end before that returns; nobody waits longer for it. */
const CLOSE_MS = 2000;
/** Outputs that are no numbers are reported once in this time. */
const REPORT_INTERVAL_MS = 5000;

interface PendingRun {
  resolve(reply: Extract<WorkerReply, { kind: 'result' }>): void;
  reject(error: MediaPeerError): void;
}

type Ready = Extract<WorkerReply, { kind: 'ready' }>;

/** One model in one worker thread. */
export class Detector {
  readonly #init: DetectorInit;
  readonly #files: ModelFiles;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff();
  #loaded: Ready | undefined;
  #worker: Worker | undefined;
  #pending: PendingRun | undefined;
  /** Replaces the thread that hangs. */
  #giveUp: ((reason: string) => void) | undefined;
  /** When each thread has ended. */
  readonly #exits = new Map<Worker, Promise<void>>();
  #picture = new SharedArrayBuffer(0);
  /** Pictures so far. */
  #looks = 0;
  #restarts = 0;
  #averageMs: number | undefined;
  #lastReportMs = -Infinity;

  private constructor(files: ModelFiles, init: DetectorInit) {
    this.#files = files;
    this.#init = init;
  }

  /**
   * Loads the model and tries it.
   * @throws MediaPeerError MODEL_INVALID
   */
  static async open(init: DetectorInit): Promise<Detector> {
    const detector = new Detector(readModelFiles(init.modelPath), init);
    await detector.#start();
    const { model, executionProvider } = detector;
    for (const warning of detector.#ready.warnings) init.logger.warn({ model: model.name, warning }, 'detector loaded, with a warning');
    init.logger.info({ model: model.name, family: model.family, labels: model.labels.length, executionProvider }, 'detector loaded');
    return detector;
  }

  get model(): ModelDescription {
    return this.#ready.model;
  }

  /** What the model runs on: `cpu`, `cuda`, ... */
  get executionProvider(): string {
    return this.#ready.executionProvider;
  }

  get state(): 'ready' | 'restarting' | 'closed' {
    if (this.#stop.signal.aborted) return 'closed';
    return this.#worker ? 'ready' : 'restarting';
  }

  /** True while it looks at a picture. */
  get isBusy(): boolean {
    return this.#pending !== undefined;
  }

  /** How long a picture takes, averaged over the last ones; undefined before the first. */
  get averageMs(): number | undefined {
    return this.#averageMs;
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
    if (!worker || this.#pending) throw failed(worker ? 'the detector looks at another picture' : `the detector is ${this.state}`);
    const { widthPx, heightPx, mediaTimeMs, colour } = picture;
    const bytes = bytesOf(picture);
    // Grows only: sources of several sizes take turns.
    if (this.#picture.byteLength < bytes) this.#picture = new SharedArrayBuffer(bytes);
    new Uint8Array(this.#picture).set(picture.data.subarray(0, bytes));
    const look = ++this.#looks;
    const result = new Promise<Extract<WorkerReply, { kind: 'result' }>>((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
    const hang = this.#init.clock.after(HANG_MS, () => {
      // The thread may still write its result when the next one reads.
      this.#picture = new SharedArrayBuffer(0);
      this.#giveUp?.(`it took longer than ${HANG_MS / 1000} s for a picture`);
    });
    try {
      worker.postMessage({ picture: this.#picture, widthPx, heightPx, hasBt709: isBt709(colour) } satisfies WorkerRequest);
      const { detections, inferenceMs, isNotANumber } = await result;
      if (isNotANumber) this.#reportNaN();
      this.#averageMs = this.#averageMs === undefined ? inferenceMs : this.#averageMs + (inferenceMs - this.#averageMs) / AVERAGED_LOOKS;
      this.#init.observer?.inferred(this.model.name, inferenceMs);
      const copyPicture = (): VideoFrame | undefined =>
        look === this.#looks
          ? new VideoFrame({ data: Buffer.from(new Uint8Array(this.#picture, 0, bytes)), widthPx, heightPx, mediaTimeMs, colour })
          : undefined;
      return { detections, mediaTimeMs, inferenceMs, copyPicture };
    } catch (error) {
      this.#init.observer?.failed(this.model.name);
      throw error;
    } finally {
      hang.cancel();
      this.#pending = undefined;
    }
  }

  /** Ends the thread. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#worker) this.#end(this.#worker);
    await this.#ended();
  }

  get #ready(): Ready {
    assert(this.#loaded, 'a detector is handed out once it has loaded');
    return this.#loaded;
  }

  /** Starts a thread and waits until it has loaded the model. */
  async #start(): Promise<void> {
    const { clock, ledger, executionProviders = ['cpu'] } = this.#init;
    const startedMs = clock.now();
    const release = ledger.acquire('workers');
    const worker = new Worker(new URL('./detector-worker.js', import.meta.url), {
      workerData: { files: this.#files, minScore: MIN_SCORE, executionProviders } satisfies WorkerInit,
    });
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        this.#exits.delete(worker);
        release();
        resolve();
      });
    });
    this.#exits.set(worker, exited);
    const first = await this.#firstReply(worker);
    if (first.kind !== 'ready') {
      this.#end(worker);
      await this.#ended();
      throw new MediaPeerError(
        'MODEL_INVALID',
        `${this.#files.onnxPath} cannot be used: ${first.kind === 'refused' ? first.reason : 'unexpected answer'}`,
      );
    }
    if (this.#stop.signal.aborted) {
      this.#end(worker);
      return;
    }
    // Labels and families of a model do not change under those who use it.
    this.#loaded ??= first;
    this.#watch(worker, startedMs);
    this.#worker = worker;
  }

  #firstReply(worker: Worker): Promise<WorkerReply> {
    return new Promise((resolve) => {
      const refuse = (reason: string): void => finish({ kind: 'refused', reason });
      const deadline = this.#init.clock.after(LOAD_MS, () => refuse(`it took longer than ${LOAD_MS / 1000} s to load`));
      const stop = (): void => refuse('the detector was closed');
      const finish = (reply: WorkerReply): void => {
        deadline.cancel();
        this.#stop.signal.removeEventListener('abort', stop);
        resolve(reply);
      };
      this.#stop.signal.addEventListener('abort', stop, { once: true });
      worker.once('message', finish);
      worker.once('error', (error) => refuse(messageOf(error)));
      worker.once('exit', (code) => refuse(`its thread ended with code ${code}`));
    });
  }

  /** Replaces the thread when it ends, or when it is given up because it hangs. */
  #watch(worker: Worker, startedMs: number): void {
    let lastError = 'its thread ended';
    const lose = (reason: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#pending?.reject(failed(reason));
      if (!this.#stop.signal.aborted) void this.#restart(reason, startedMs);
    };
    worker.on('error', (error) => (lastError = messageOf(error)));
    worker.on('message', (reply: WorkerReply) => {
      if (this.#worker === worker) this.#onReply(reply);
    });
    worker.once('exit', () => lose(lastError));
    this.#giveUp = (reason) => {
      this.#end(worker);
      lose(reason);
    };
  }

  #onReply(reply: WorkerReply): void {
    if (reply.kind === 'result') this.#pending?.resolve(reply);
    else if (reply.kind === 'failed') this.#pending?.reject(failed(reply.reason));
  }

  #reportNaN(): void {
    const { clock, logger } = this.#init;
    if (clock.now() - this.#lastReportMs < REPORT_INTERVAL_MS) return;
    this.#lastReportMs = clock.now();
    logger.warn(
      { model: this.model.name },
      'the outputs of the model are not numbers (NaN), so it detects nothing; its weights are damaged, or it needs float32',
    );
  }

  #end(worker: Worker): void {
    worker.postMessage('end' satisfies typeof END);
  }

  /** Waits for the threads that were told to end, though not for one that is stuck in the runtime. */
  async #ended(): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([Promise.all(this.#exits.values()), delay(this.#init.clock, CLOSE_MS, waiting.signal)]);
    waiting.abort();
  }

  /** Replaces a thread that ended, trying until it works or the detector is closed. Never rejects. */
  async #restart(reason: string, startedMs: number): Promise<void> {
    const { clock, logger } = this.#init;
    let ranMs = clock.now() - startedMs;
    let error = reason;
    this.#init.observer?.ended?.(this.model.name, reason);
    while (this.#isRestarting()) {
      const delayMs = this.#backoff.next(ranMs);
      logger.warn({ reason: error, delayMs }, 'detector ended, restarting');
      await delay(clock, delayMs, this.#stop.signal);
      if (!this.#isRestarting()) return;
      this.#restarts++;
      this.#init.observer?.restarted(this.model.name);
      ranMs = 0;
      await this.#start().catch((cause: unknown) => (error = messageOf(cause)));
    }
  }

  #isRestarting(): boolean {
    return this.state === 'restarting';
  }
}

/** Bytes of an I420 picture that can be looked at. */
function bytesOf({ widthPx, heightPx, data }: VideoFrame): number {
  const isSize = (size: number): boolean => Number.isInteger(size) && size >= 2 && size % 2 === 0;
  const bytes = i420Size(widthPx, heightPx);
  if (!isSize(widthPx) || !isSize(heightPx) || data.length < bytes)
    throw failed(
      `a picture of ${widthPx}x${heightPx} with ${data.length} bytes cannot be looked at: its sides must be even and at least 2 pixels`,
    );
  return bytes;
}

function failed(reason: string): MediaPeerError {
  return new MediaPeerError('DETECTOR_FAILED', reason);
}
