/**
 * Which model looks at which source: one for all, and another for those that name one. A model is changed while
 * sources run: the next one is loaded and tried first, then every running source is handed over, then the one
 * before goes. Viewers notice other boxes and nothing else.
 */
import { Listeners } from '../base/listeners.js';
import type { DetectorPool, LoadedModel, ModelLease } from '../detection/index.js';
import type { Logger } from '../base/logger.js';
import type { DetectionModel, DetectionModels } from './deps.js';

/** Absolute path of a model, or 'none': detection is off. */
export type ModelChoice = string;

/** Which models are configured. */
export interface SourceModelsInit {
  /** Loads them. */
  readonly pool: DetectorPool;
  readonly logger: Logger;
  /** For all sources that name none. */
  readonly defaultModel: ModelChoice;
  /** By source id. */
  readonly models?: ReadonlyMap<string, ModelChoice>;
  /** What was chosen for sources while a server ran; one that cannot be loaded any more is told in the log, and counts for nothing. */
  readonly chosen?: ReadonlyMap<string, ModelChoice>;
}

/** A model as it is used. */
export interface ModelInUse {
  /** The ONNX file's, without `.onnx`. */
  readonly name: string;
  /** As a model's JSON names it. */
  readonly family: string;
  /** Of its worker. */
  readonly state: 'ready' | 'restarting' | 'closed';
  /** How often its worker was started again. */
  readonly restarts: number;
  /** How long a picture takes, averaged over the last ones; undefined before the first. */
  readonly averageMs: number | undefined;
  /** Sources with a frame that waits for it. */
  readonly waiting: number;
}

/** A choice with what it holds; the lease is undefined where detection is off. */
interface Assignment {
  readonly choice: ModelChoice;
  readonly lease: ModelLease | undefined;
  readonly model: DetectionModel | undefined;
}

/** The model of each source. */
export class SourceModels implements DetectionModels {
  readonly #init: SourceModelsInit;
  readonly #changes: Listeners;
  readonly #assignments = new Map<string, Assignment>();
  /** What sources have that nobody has chosen a model for. */
  #configured: ReadonlyMap<string, ModelChoice>;
  /** Sources that somebody has chosen a model for. */
  readonly #chosen = new Set<string>();
  #default: Assignment = { choice: 'none', lease: undefined, model: undefined };
  /** One for each loaded model: a source that is given the model it has notices nothing. */
  readonly #models = new WeakMap<LoadedModel, DetectionModel>();
  /** Changes come one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(init: SourceModelsInit) {
    this.#init = init;
    this.#configured = init.models ?? new Map();
    this.#changes = new Listeners(init.logger, 'models of sources');
  }

  /**
   * Loads every model that is named.
   * @throws MediaPeerError MODEL_INVALID
   */
  static async open(init: SourceModelsInit): Promise<SourceModels> {
    const models = new SourceModels(init);
    try {
      models.#default = await models.#load(init.defaultModel);
      for (const [sourceId, choice] of init.chosen ?? []) await models.#restore(sourceId, choice);
      for (const [sourceId, choice] of models.#configured) {
        if (!models.#chosen.has(sourceId)) models.#assignments.set(sourceId, await models.#load(choice));
      }
      return models;
    } catch (error) {
      await models.close();
      throw error;
    }
  }

  of(sourceId: string): DetectionModel | undefined {
    return (this.#assignments.get(sourceId) ?? this.#default).model;
  }

  /** The model that looks at the source. */
  choiceOf(sourceId: string): ModelChoice {
    return (this.#assignments.get(sourceId) ?? this.#default).choice;
  }

  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  /** Every model that is loaded, the one for all sources first. */
  inUse(): ModelInUse[] {
    const models = [this.#default, ...this.#assignments.values()].flatMap(({ lease }) => (lease ? [lease.model] : []));
    return [...new Set(models)].map(({ detector, scheduler }) => ({
      name: detector.model.name,
      family: detector.model.family,
      state: detector.state,
      restarts: detector.restarts,
      averageMs: detector.averageMs,
      waiting: scheduler.waiting,
    }));
  }

  /** True when every model that is in use works. */
  get areReady(): boolean {
    const used = this.inUse();
    return used.length > 0 && used.every(({ state }) => state === 'ready');
  }

  /**
   * Lets another model look at a source.
   * @param choice undefined: the one that is configured again
   * @param keep called once the model is loaded and before anything changes; where it fails, nothing does
   * @throws MediaPeerError MODEL_INVALID, or what `keep` throws; the model of before goes on then
   */
  assign(sourceId: string, choice: ModelChoice | undefined, keep?: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const counting = choice ?? this.#configured.get(sourceId);
      await this.#replace(sourceId, counting === undefined ? undefined : await this.#load(counting), keep);
      if (choice === undefined) this.#chosen.delete(sourceId);
      else this.#chosen.add(sourceId);
    });
  }

  /**
   * Nobody chooses a model for a source any more. What is configured counts again; where that cannot be loaded, which the log tells,
   * the one for all sources.
   * @param keep as in `assign`; throws what it throws, and nothing has changed then
   */
  forget(sourceId: string, keep?: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const configured = this.#configured.get(sourceId);
      const next =
        configured === undefined ? undefined : await this.#load(configured).catch((error: unknown) => this.#told(sourceId, error));
      await this.#replace(sourceId, next, keep);
      this.#chosen.delete(sourceId);
    });
  }

  /** Other models are configured now. Sources that somebody has chosen one for keep theirs; one that cannot be loaded is told in the log. */
  configure(models: ReadonlyMap<string, ModelChoice>): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#configured;
      this.#configured = models;
      for (const sourceId of new Set([...before.keys(), ...models.keys()])) {
        const choice = models.get(sourceId);
        if (choice === before.get(sourceId) || this.#chosen.has(sourceId)) continue;
        try {
          await this.#replace(sourceId, choice === undefined ? undefined : await this.#load(choice));
        } catch (error) {
          this.#init.logger.error({ err: error, sourceId }, 'the model of a source cannot be used, the one before goes on');
        }
      }
    });
  }

  /** Ends every model. Idempotent. */
  async close(): Promise<void> {
    await this.#changing;
    const before = [this.#default, ...this.#assignments.values()];
    this.#assignments.clear();
    this.#default = { choice: 'none', lease: undefined, model: undefined };
    this.#changes.tell();
    for (const { lease } of before) await lease?.release();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => undefined);
    return done;
  }

  #told(sourceId: string, error: unknown): undefined {
    this.#init.logger.error(
      { err: error, sourceId },
      'the model that is configured for a source cannot be used, the one for all sources is',
    );
  }

  /** @param next undefined: the one for all sources */
  async #replace(sourceId: string, next: Assignment | undefined, keep?: () => Promise<void>): Promise<void> {
    try {
      await keep?.();
    } catch (error) {
      await next?.lease?.release();
      throw error;
    }
    const before = this.#assignments.get(sourceId);
    if (next) this.#assignments.set(sourceId, next);
    else this.#assignments.delete(sourceId);
    this.#init.logger.info({ sourceId, model: (next ?? this.#default).model?.modelName ?? 'none' }, 'model assigned');
    this.#changes.tell();
    await before?.lease?.release();
  }

  async #restore(sourceId: string, choice: ModelChoice): Promise<void> {
    try {
      this.#assignments.set(sourceId, await this.#load(choice));
      this.#chosen.add(sourceId);
    } catch (error) {
      this.#init.logger.error({ err: error, sourceId }, 'the model that was chosen for a source cannot be used, the configured one is');
    }
  }

  async #load(choice: ModelChoice): Promise<Assignment> {
    if (choice === 'none') return { choice, lease: undefined, model: undefined };
    const lease = await this.#init.pool.acquire(choice);
    return { choice, lease, model: this.#modelOf(lease.model) };
  }

  #modelOf(loaded: LoadedModel): DetectionModel {
    const known = this.#models.get(loaded);
    if (known) return known;
    const { name, labels: classNames, scoreThreshold } = loaded.detector.model;
    const model: DetectionModel = { modelName: name, scheduler: loaded.scheduler, labels: loaded.labels, classNames, scoreThreshold };
    this.#models.set(loaded, model);
    return model;
  }
}
