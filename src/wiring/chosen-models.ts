/** Models that somebody chose for sources while the server ran, kept over restarts by their names. */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { bundledModel, configuredPath, type Config } from '../config.js';
import path from 'node:path';
import { ModelFolder } from '../detection/index.js';
import type { SourceModels } from '../pipeline/index.js';
import { GONE_FOR_GOOD_MS, type ModelChange } from '../source/index.js';
import type { StateFile } from '../store/index.js';

/** Name of a model, or `none`, by the id of its source. */
export type ModelNames = ReadonlyMap<string, string>;

/** The models that a running server can be told to use. */
export function openModelFolder(config: Config): ModelFolder {
  const named = [config.MODEL === 'none' ? 'none' : configuredPath(config, 'MODEL'), ...config.SOURCE_MODELS.values(), bundledModel];
  return new ModelFolder(
    path.resolve('models'),
    [...new Set(named)].filter((choice) => choice !== 'none'),
  );
}

/** Absolute path of a model, or `none`. @throws MediaPeerError MODEL_NOT_FOUND */
function modelPath(folder: Pick<ModelFolder, 'pathOf'>, name: string): string {
  return name === 'none' ? 'none' : folder.pathOf(name);
}

/** Why there is no model of that name, in words; undefined where there is one. */
export function whyNoModel(folder: Pick<ModelFolder, 'pathOf'>, name: string): string | undefined {
  try {
    modelPath(folder, name);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Absolute paths of models; one that is gone is told in the log and left out. */
export function modelPaths(folder: Pick<ModelFolder, 'pathOf'>, names: ModelNames, logger: Logger): Map<string, string> {
  return new Map(
    [...names].flatMap(([sourceId, name]) => {
      const problem = whyNoModel(folder, name);
      if (problem === undefined) return [[sourceId, modelPath(folder, name)] as const];
      logger.warn({ sourceId, model: name, problem }, 'the model that was chosen for a source is gone, the configured one is used');
      return [];
    }),
  );
}

/** Names of models that were chosen for sources, apart from cameras that SOURCES_FILE names no more. */
export function keptModels(state: Pick<StateFile, 'section'>, { cameras, nowMs }: Pick<Cameras, 'cameras' | 'nowMs'>): ModelNames {
  const choices = readChoices(state).flatMap((choice) => followed(choice, cameras, nowMs) ?? []);
  return new Map(choices.filter(({ goneMs }) => goneMs === undefined).map(({ source, model }) => [source, model]));
}

const SECTION = 'models';

/** Which cameras there are. */
interface Cameras {
  /** Whether there is one of that id; undefined: SOURCES_FILE is not used, and nobody knows which it would name. */
  readonly cameras: ((sourceId: string) => boolean) | undefined;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

interface Choice {
  readonly source: string;
  readonly model: string;
  /** True for a camera: another source of its name does not get its model. */
  readonly camera?: boolean;
  /** Since when the camera is described no more, in ms of Unix time; left out: it is there. */
  readonly goneMs?: number;
}

function readChoices(state: Pick<StateFile, 'section'>): Choice[] {
  const kept = state.section(SECTION);
  const items: readonly unknown[] = Array.isArray(kept) ? kept : [];
  return items.filter(isChoice);
}

function isChoice(item: unknown): item is Choice {
  const { source, model, camera, goneMs } = (item ?? {}) as Record<string, unknown>;
  const isOfCamera = ['undefined', 'boolean'].includes(typeof camera) && ['undefined', 'number'].includes(typeof goneMs);
  return typeof source === 'string' && typeof model === 'string' && isOfCamera;
}

/** The choice as the cameras are now; undefined: the camera has been gone for too long. */
function followed(choice: Choice, cameras: Cameras['cameras'], nowMs: number): Choice | undefined {
  if (choice.camera !== true || !cameras) return choice;
  const isThere = cameras(choice.source);
  const { goneMs = isThere ? undefined : nowMs, ...lasting } = choice;
  if (goneMs === undefined) return choice;
  if (nowMs - goneMs >= GONE_FOR_GOOD_MS) return undefined;
  return isThere ? lasting : { ...lasting, goneMs };
}

/** What models are chosen with. */
export interface ChosenModelsInit {
  /** Where choices are kept. */
  readonly state: Pick<StateFile, 'section' | 'update'>;
  /** Which models there are. */
  readonly folder: Pick<ModelFolder, 'pathOf'>;
  /** Which one each source has. */
  readonly models: Pick<SourceModels, 'assign' | 'forget'>;
  /** Whether that is a camera. */
  readonly isCamera: (sourceId: string) => boolean;
  readonly clock: Pick<Clock, 'wallClock'>;
  readonly logger: Logger;
}

/** Chooses models. */
export class ChosenModels {
  readonly #init: ChosenModelsInit;
  #choices: ReadonlyMap<string, Choice>;

  constructor(init: ChosenModelsInit) {
    this.#init = init;
    this.#choices = bySource(readChoices(init.state));
  }

  /**
   * Lets a model look at a source from now on, also after a restart.
   * @param more sections that are kept with it, all or none
   * @throws MediaPeerError MODEL_NOT_FOUND, MODEL_INVALID, STATE_NOT_KEPT; nothing has changed then
   */
  async choose({ sourceId, model, isCamera }: ModelChange, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { state, folder, models } = this.#init;
    if (model === undefined && !this.#choices.has(sourceId)) return state.update(more);
    const choice = model === undefined ? undefined : { source: sourceId, model, ...(isCamera && { camera: true }) };
    await models.assign(sourceId, model === undefined ? undefined : modelPath(folder, model), () =>
      this.#keep(this.#with(sourceId, choice), more),
    );
  }

  /**
   * The source is removed for good; whatever comes by its name has the configured model, or, where that cannot be loaded, the one for all.
   * @param more sections that are kept with it, all or none @throws MediaPeerError STATE_NOT_KEPT; nothing has changed then
   */
  async forget(sourceId: string, more: Readonly<Record<string, unknown>>): Promise<void> {
    const { state, models } = this.#init;
    if (!this.#choices.has(sourceId)) return state.update(more);
    await models.forget(sourceId, () => this.#keep(this.#with(sourceId, undefined), more));
  }

  /** Other cameras are described now: those that are gone have no model, those that are back have theirs again. Never rejects. */
  async camerasChanged(): Promise<void> {
    const { isCamera, clock, models, logger } = this.#init;
    const nowMs = clock.wallClock();
    for (const before of [...this.#choices.values()]) {
      const after = followed(before, isCamera, nowMs);
      if (after === before || (before.goneMs !== undefined && after?.goneMs !== undefined)) continue;
      const sourceId = before.source;
      const keep = (): Promise<void> => this.#keep(this.#with(sourceId, after));
      const path = after && after.goneMs === undefined ? this.#pathOf(after) : undefined;
      await (path === undefined ? models.forget(sourceId, keep) : models.assign(sourceId, path, keep)).catch((error: unknown) =>
        logger.error({ err: error, sourceId }, 'the model of a camera that is gone, or back, is as it was'),
      );
    }
  }

  /** Undefined, which is told, where it is gone. */
  #pathOf({ source, model }: Choice): string | undefined {
    const { folder, logger } = this.#init;
    return modelPaths(folder, new Map([[source, model]]), logger).get(source);
  }

  #with(sourceId: string, choice: Choice | undefined): ReadonlyMap<string, Choice> {
    const choices = new Map(this.#choices);
    if (choice) choices.set(sourceId, choice);
    else choices.delete(sourceId);
    return choices;
  }

  async #keep(choices: ReadonlyMap<string, Choice>, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#init.state.update({ ...more, [SECTION]: [...choices.values()] });
    this.#choices = choices;
  }
}

function bySource(choices: readonly Choice[]): ReadonlyMap<string, Choice> {
  return new Map(choices.map((choice) => [choice.source, choice]));
}
