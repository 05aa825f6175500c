/**
 * The models that are in use: each is loaded once, in one worker thread, whatever the number of sources that it
 * looks at, and goes when the last of them has another one.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { ResourceLedger } from '../base/resources.js';
import { Detector, type DetectorObserver } from './detector.js';
import { LabelRenderer } from './label-renderer.js';
import { DetectionScheduler } from './scheduler.js';

/** What detectors are built on. */
export interface DetectorPoolInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  /** In order of preference; see `Detector`. */
  readonly executionProviders?: readonly string[];
  /** Told of what detectors do. Default: nobody is. */
  readonly observer?: DetectorObserver;
}

/** A loaded model. */
export interface LoadedModel {
  /** Runs the model. */
  readonly detector: Detector;
  /** Shares it among sources. */
  readonly scheduler: DetectionScheduler;
  /** Draws its class names. */
  readonly labels: LabelRenderer;
}

/** A hold on a loaded model. */
export interface ModelLease {
  /** Loaded as long as the lease is held. */
  readonly model: LoadedModel;
  /** Gives it back; the last one ends the thread. Idempotent. */
  release(): Promise<void>;
}

interface Entry {
  readonly loading: Promise<LoadedModel>;
  leases: number;
}

/** The models in use, each loaded once. */
export class DetectorPool {
  readonly #init: DetectorPoolInit;
  readonly #entries = new Map<string, Entry>();

  constructor(init: DetectorPoolInit) {
    this.#init = init;
  }

  /**
   * Loads the model and tries it, where nobody uses it yet.
   * @param modelPath absolute path of an `.onnx` file or its JSON
   * @throws MediaPeerError MODEL_INVALID
   */
  async acquire(modelPath: string): Promise<ModelLease> {
    const entry = this.#entries.get(modelPath) ?? this.#open(modelPath);
    entry.leases++;
    const release = (): Promise<void> => this.#release(modelPath, entry);
    try {
      return { model: await entry.loading, release: once(release) };
    } catch (error) {
      if (this.#entries.get(modelPath) === entry) this.#entries.delete(modelPath);
      throw error;
    }
  }

  /** Models that are loaded. */
  get loaded(): number {
    return this.#entries.size;
  }

  #open(modelPath: string): Entry {
    const entry: Entry = { loading: load(modelPath, this.#init), leases: 0 };
    this.#entries.set(modelPath, entry);
    return entry;
  }

  async #release(modelPath: string, entry: Entry): Promise<void> {
    if (--entry.leases > 0) return;
    if (this.#entries.get(modelPath) === entry) this.#entries.delete(modelPath);
    const { detector } = await entry.loading;
    await detector.close();
  }
}

async function load(modelPath: string, init: DetectorPoolInit): Promise<LoadedModel> {
  const detector = await Detector.open({ ...init, modelPath });
  return {
    detector,
    scheduler: new DetectionScheduler({ detector, clock: init.clock, logger: init.logger }),
    labels: new LabelRenderer({ labels: detector.model.labels, logger: init.logger }),
  };
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}
