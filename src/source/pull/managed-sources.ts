/**
 * Cameras that are added, changed and removed while the server runs. A change is checked as a whole, kept, and only then in force;
 * one follows the other. What cannot be kept changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { sourceNotFound } from '../../base/refusals.js';
import type { Logger } from '../../base/logger.js';
import type { SourceKind } from '../source.js';
import type { EntryFault } from './entry-fault.js';
import { fieldFault } from './entry-fault.js';
import { isRecord, LABEL_FIELDS, shapeFaults } from './entry-schema.js';
import { joinPatches, mergePatch } from './merge-patch.js';
import { readEntry, type PullInput, type ReadingContext } from './read-entry.js';
import { hostFaults, removalFaults, requestFaults } from './request-faults.js';
import { changesJson, type SourceChange, type SourceLabels } from './source-changes.js';
import type { ConfiguredSource, SourceConfiguration } from './source-configuration.js';

/** Another model of a source. */
export interface ModelChange {
  /** Id of the source. */
  readonly sourceId: string;
  /** Its name, or `none`; undefined: the configured one. */
  readonly model: string | undefined;
  /** False for a file or a room. */
  readonly isCamera: boolean;
}

/** What cameras are managed with. */
export interface ManagedSourcesInit {
  /** As they are at the start. */
  readonly configuration: SourceConfiguration;
  readonly clock: Pick<Clock, 'wallClock'>;
  /** What requests are read against: no variables. */
  readonly context: Pick<ReadingContext, 'whyNoModel'>;
  /** What has a name beside cameras; undefined where that is nothing. */
  readonly otherKind: (sourceId: string) => Exclude<SourceKind, 'pull'> | undefined;
  /** Why a name cannot be given to a camera, in words; undefined where it can. */
  readonly whyTaken: (name: string) => string | undefined;
  /** Keeps what was changed, and the model with it, all or none. @throws MediaPeerError */
  readonly keep: (changes: object[], model?: ModelChange) => Promise<void>;
  /** The same of a camera that is removed, and whatever else belongs to it. @throws MediaPeerError */
  readonly keepRemoval: (sourceId: string, changes: object[]) => Promise<void>;
  /** These cameras are in force from now on. */
  readonly apply: (configuration: SourceConfiguration) => void;
  readonly logger: Logger;
}

/** Added through the API; SOURCES_FILE may name more. */
const MAX_ADDED = 200;
/** Files and rooms that have a title or a group. */
const MAX_CHANGES = 2_000;

/** All cameras, as they are described now. */
export class ManagedSources {
  readonly #init: ManagedSourcesInit;
  #configuration: SourceConfiguration;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(init: ManagedSourcesInit) {
    this.#init = init;
    this.#configuration = init.configuration;
  }

  /** As it is now. */
  get configuration(): SourceConfiguration {
    return this.#configuration;
  }

  /** How a camera is described; undefined for what is none. */
  get(sourceId: string): ConfiguredSource | undefined {
    return this.#configuration.sources.get(sourceId);
  }

  /** What people call a file or a room; a camera says that itself. */
  labelsOf(sourceId: string): SourceLabels {
    const change = this.#configuration.changes.get(sourceId);
    return change && 'labels' in change ? change.labels : {};
  }

  /**
   * A description to be tried: one without a name, or one of a camera that there is, with what it changes of it.
   * @throws MediaPeerError SOURCE_INVALID
   */
  readTrial(request: unknown): PullInput {
    if (!isRecord(request)) return this.#read(request, undefined, request);
    const known = typeof request['name'] === 'string' ? this.get(request['name'])?.input : undefined;
    return known
      ? this.#read(request, known, mergePatch(known.written, request))
      : this.#read(request, undefined, { name: 'probe', ...request });
  }

  /** Adds a camera; returns its id. @throws MediaPeerError SOURCE_INVALID, SOURCE_TAKEN, TOO_MANY_SOURCES, STATE_NOT_KEPT, MODEL_INVALID */
  add(request: unknown): Promise<string> {
    return this.#inTurn(async () => {
      const { written, name, model } = this.#read(request, undefined, request);
      const taken = this.#configuration.sources.has(name) ? 'a camera' : this.#init.whyTaken(name);
      if (taken !== undefined) throw sourceTaken(name, taken);
      if (this.#configuration.added >= MAX_ADDED)
        throw new MediaPeerError('TOO_MANY_SOURCES', `${MAX_ADDED} sources were added already; remove some, or name them in SOURCES_FILE`, {
          facts: { max: MAX_ADDED },
        });
      await this.#commit(
        name,
        { entry: withoutModel(written) },
        model === undefined ? undefined : { sourceId: name, model, isCamera: true },
      );
      return name;
    });
  }

  /**
   * Changes a source, by a JSON merge patch (RFC 7396). Of a file or a room, only what people read of it and its model.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_INVALID, STATE_NOT_KEPT, MODEL_INVALID
   */
  change(sourceId: string, patch: unknown): Promise<void> {
    return this.#inTurn(async () => {
      const camera = this.get(sourceId);
      const other = this.#init.otherKind(sourceId);
      if (!camera && !other) throw sourceNotFound(sourceId);
      if (!isRecord(patch)) throw invalid([{ path: '', code: 'invalid', text: 'expected an object with the fields to change' }]);
      const change = camera
        ? this.#changeOfCamera(camera, patch)
        : this.#changeOfOther(sourceId, other === 'file' ? 'a file' : 'a room', patch);
      const { model } = patch;
      await this.#commit(
        sourceId,
        change,
        model === undefined
          ? undefined
          : { sourceId, model: typeof model === 'string' ? model : undefined, isCamera: camera !== undefined },
      );
    });
  }

  /** Removes a camera, for everybody who watches it. @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_CONFIGURED, STATE_NOT_KEPT */
  remove(sourceId: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.get(sourceId)) throw this.#notRemovable(sourceId);
      const change: SourceChange | undefined = this.#configuration.inFile(sourceId) && { removed: true };
      const next = this.#configuration.withChange(sourceId, change);
      await this.#init.keepRemoval(sourceId, changesJson(next.changes));
      this.#apply(next);
    });
  }

  /** A file was removed for good, and what people called it goes with it. Where that cannot be kept, it counts until the end of the server. */
  forgetLabels(sourceId: string): Promise<void> {
    return this.#inTurn(async () => {
      const next = this.#configuration.withoutLabels([sourceId]);
      if (next.changes.size === this.#configuration.changes.size) return;
      await this.#keepIfPossible(next, 'what a file was called that was removed is still kept');
      this.#apply(next);
    });
  }

  /** SOURCES_FILE holds these now. What is not described otherwise notices nothing. Where that cannot be kept, it counts until the end of the server. */
  reload(fileEntries: readonly PullInput[], context: ReadingContext): Promise<void> {
    return this.#inTurn(async () => {
      const next = this.#configuration.withFile(fileEntries, context, this.#init.clock.wallClock());
      if (!isDeepStrictEqual(changesJson(next.changes), changesJson(this.#configuration.changes)))
        await this.#keepIfPossible(next, 'since when SOURCES_FILE names changed sources no more is not kept');
      this.#apply(next);
    });
  }

  /** @param otherwise what the log says where it is not */
  async #keepIfPossible({ changes }: SourceConfiguration, otherwise: string): Promise<void> {
    await this.#init.keep(changesJson(changes)).catch((error: unknown) => this.#init.logger.error({ err: error }, otherwise));
  }

  #changeOfCamera({ input, origin, isChanged }: ConfiguredSource, patch: Readonly<Record<string, unknown>>): SourceChange {
    const merged = mergePatch(input.written, patch);
    const fault = renamingFaults(input.name, patch, 'add a source of that name, and remove this one');
    if (origin === 'api') {
      return { entry: withoutModel(this.#read(patch, input, merged, fault).written) };
    }
    this.#read(patch, input, merged, fault);
    const before = this.#configuration.changes.get(input.name);
    // An earlier change that cannot be used is not in force, and would keep this one from being so.
    const first = isChanged && before && 'patch' in before ? before.patch : {};
    const { written } = this.#configuration.inFile(input.name) ?? input;
    return { patch: joinPatches(written, first, withoutModel(patch)) as Record<string, unknown> };
  }

  #changeOfOther(sourceId: string, what: string, patch: Readonly<Record<string, unknown>>): SourceChange | undefined {
    const before = this.#configuration.changes.get(sourceId);
    if (!before && this.#configuration.changes.size >= MAX_CHANGES && this.#labelledInVain().length === 0)
      throw new MediaPeerError('TOO_MANY_SOURCES', `${MAX_CHANGES} sources are described already; take back what is not needed`, {
        facts: { max: MAX_CHANGES },
      });
    const foreign = Object.keys(patch).filter((field) => field !== 'name' && !LABEL_FIELDS.some((label) => label === field));
    const faults = [
      ...renamingFaults(sourceId, patch, `it is that of ${what}; \`title\` says what people call it`),
      ...foreign.map((field) =>
        fieldFault(field.slice(0, 64).replaceAll('.', '_'), 'not_allowed', `${what} has none; ${LABEL_FIELDS.join(', ')} can be changed`),
      ),
    ];
    const labels = mergePatch(before && 'labels' in before ? before.labels : {}, patch) as Record<string, unknown>;
    const { title, group } = labels;
    // Read as part of a camera, so that the faults are the same.
    const trial = { title, group, ...(patch['model'] !== null && { model: patch['model'] }) };
    this.#read({}, undefined, { name: 'trial', url: 'rtsp://127.0.0.1/', ...withoutUndefined(trial) }, faults);
    const isNamed = title !== undefined || group !== undefined;
    return isNamed ? { labels: { title: title as string | undefined, group: group as string | undefined } } : undefined;
  }

  /** @param before what is changed @param entry what comes of it @param faults that were found already @throws MediaPeerError SOURCE_INVALID */
  #read(request: unknown, before: PullInput | undefined, entry: unknown, faults: readonly EntryFault[] = []): PullInput {
    const found = [...faults, ...requestFaults(request, entry)];
    if (before && isRecord(request)) found.push(...removalFaults(request), ...hostFaults(before, request));
    const more: EntryFault[] = [];
    // What stands in the file was read with its variables; what a request says has none.
    const input = found.length > 0 ? undefined : readEntry(entry, { ...this.#contextOf(before), ...this.#init.context }, more);
    if (!input) throw invalid(found.length > 0 ? [...found, ...shapeFaults(entry)] : more);
    return input;
  }

  #contextOf(before: PullInput | undefined): ReadingContext {
    return before ? this.#configuration.context : { variables: {} };
  }

  #notRemovable(sourceId: string): MediaPeerError {
    const kind = this.#init.otherKind(sourceId);
    if (!kind) return sourceNotFound(sourceId);
    const how = kind === 'file' ? 'a file of the upload folder: remove the file' : 'a room: it ends with its publisher';
    return new MediaPeerError('SOURCE_NOT_CONFIGURED', `'${sourceId}' is ${how}`, { facts: { kind } });
  }

  async #commit(name: string, change: SourceChange | undefined, model: ModelChange | undefined): Promise<void> {
    const isFull = this.#configuration.changes.size >= MAX_CHANGES;
    const before = isFull ? this.#configuration.withoutLabels(this.#labelledInVain()) : this.#configuration;
    const next = before.withChange(name, change);
    await this.#init.keep(changesJson(next.changes), model);
    this.#apply(next);
  }

  /** Labels that nothing has any more: kept for what comes back by that name, as long as there is room. */
  #labelledInVain(): string[] {
    return [...this.#configuration.changes].flatMap(([name, change]) =>
      'labels' in change && this.#init.otherKind(name) === undefined ? [name] : [],
    );
  }

  #apply(next: SourceConfiguration): void {
    this.#configuration = next;
    this.#init.apply(next);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(task);
    this.#changing = result.catch(() => undefined);
    return result;
  }
}

function invalid(faults: readonly EntryFault[]): MediaPeerError {
  return new MediaPeerError('SOURCE_INVALID', faults.map(({ text }) => text).join('; '), {
    facts: { faults: faults.map(({ path, code }) => ({ path, code })) },
  });
}

/** All addresses of a source hold its name. @param instead what is done for it, in words */
function renamingFaults(sourceId: string, { name }: Readonly<Record<string, unknown>>, instead: string): EntryFault[] {
  return name === undefined || name === sourceId ? [] : [fieldFault('name', 'not_allowed', `it cannot be changed; ${instead}`)];
}

function sourceTaken(name: string, by: string): MediaPeerError {
  return new MediaPeerError('SOURCE_TAKEN', `'${name}' is the name of ${by}; take another one`, {
    facts: { faults: [{ path: '/name', code: 'taken' }] },
  });
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** It is kept with the models of all other sources. */
function withoutModel<T extends object>(fields: T): Omit<T, 'model'> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'model')) as Omit<T, 'model'>;
}
