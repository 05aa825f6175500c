/** Models that somebody chose for sources while the server ran, kept over restarts by their names. */
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { bundledModel, configuredPath, type Config } from '../config.js';
import path from 'node:path';
import { ModelFolder } from '../detection/index.js';
import type { SourceModels } from '../pipeline/index.js';
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
function modelPath(folder: ModelFolder, name: string): string {
  return name === 'none' ? 'none' : folder.pathOf(name);
}

/** Why there is no model of that name, in words; undefined where there is one. */
export function whyNoModel(folder: ModelFolder, name: string): string | undefined {
  try {
    modelPath(folder, name);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Absolute paths of models; one that is gone is told in the log and left out. */
export function modelPaths(folder: ModelFolder, names: ModelNames, logger: Logger): Map<string, string> {
  return new Map(
    [...names].flatMap(([sourceId, name]) => {
      const problem = whyNoModel(folder, name);
      if (problem === undefined) return [[sourceId, modelPath(folder, name)] as const];
      logger.warn({ sourceId, model: name, problem }, 'the model that was chosen for a source is gone, the configured one is used');
      return [];
    }),
  );
}

/** What was kept. */
export function keptModels(state: StateFile): ModelNames {
  const kept = state.section(SECTION);
  const items: readonly unknown[] = Array.isArray(kept) ? kept : [];
  return new Map(items.filter(isChoice).map(({ source, model }) => [source, model]));
}

const SECTION = 'models';

interface Choice {
  readonly source: string;
  readonly model: string;
}

function isChoice(item: unknown): item is Choice {
  const { source, model } = (item ?? {}) as Record<string, unknown>;
  return typeof source === 'string' && typeof model === 'string';
}

/** What models are chosen with. */
export interface ChosenModelsInit {
  /** Where choices are kept. */
  readonly state: StateFile;
  /** Which models there are. */
  readonly folder: ModelFolder;
  /** Which one each source has. */
  readonly models: SourceModels;
}

/** Chooses models. */
export class ChosenModels {
  readonly #init: ChosenModelsInit;
  #names: ModelNames;

  constructor(init: ChosenModelsInit) {
    this.#init = init;
    this.#names = keptModels(init.state);
  }

  /**
   * Lets a model look at a source from now on, also after a restart.
   * @param name undefined: the configured one @param more sections that are kept with it, all or none
   * @throws MediaPeerError MODEL_NOT_FOUND, MODEL_INVALID, STATE_NOT_KEPT; nothing has changed then
   */
  async choose(sourceId: string, name: string | undefined, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { state, folder, models } = this.#init;
    const isNews = name !== undefined || this.#names.has(sourceId);
    if (!isNews) return state.update(more);
    await models.assign(sourceId, name === undefined ? undefined : modelPath(folder, name), async () => {
      const names = new Map(this.#names);
      if (name === undefined) names.delete(sourceId);
      else names.set(sourceId, name);
      await state.update({ ...more, [SECTION]: [...names].map(([source, model]): Choice => ({ source, model })) });
      this.#names = names;
    });
  }
}
