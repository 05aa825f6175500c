/**
 * Which cameras there are: those of SOURCES_FILE, with what was changed of them through the API, and those that were added there.
 * What was changed counts over the file, as long as the file names the source. A value: each change makes another one.
 */
import type { EntryFault } from './entry-fault.js';
import { mergePatch } from './merge-patch.js';
import { readEntry, type PullInput, type ReadingContext } from './read-entry.js';
import { hostFaults } from './request-faults.js';
import { changeOver, type SourceChange, type SourceChanges } from './source-changes.js';

/** Where a camera is described. */
type SourceOrigin = 'sources_file' | 'api';

/** What cameras are made of. */
export interface SourceConfigurationInit {
  /** Those of SOURCES_FILE, as it is. */
  readonly fileEntries: readonly PullInput[];
  /** What was changed through the API. */
  readonly changes: SourceChanges;
  /** What descriptions are read against. */
  readonly context: ReadingContext;
}

/** One camera, and where it comes from. */
export interface ConfiguredSource {
  /** As it is connected. */
  readonly input: PullInput;
  /** Where it is described. */
  readonly origin: SourceOrigin;
  /** True for one of SOURCES_FILE that was changed through the API. */
  readonly isChanged: boolean;
}

/** One that cannot be connected as it was changed. */
export interface UnusableChange {
  /** Its id. */
  readonly name: string;
  /** What is wrong, in words. */
  readonly faults: readonly EntryFault[];
}

/** All cameras. */
export class SourceConfiguration {
  /** By id, in the order in which they are listed. */
  readonly sources: ReadonlyMap<string, ConfiguredSource>;
  /** Names of SOURCES_FILE that were removed through the API. */
  readonly removed: readonly string[];
  /** What cannot be used: of a changed one the file's own description counts, an added one is left out. */
  readonly unusable: readonly UnusableChange[];
  readonly #init: SourceConfigurationInit;

  constructor(init: SourceConfigurationInit) {
    this.#init = init;
    const { fileEntries, changes } = init;
    const unusable: UnusableChange[] = [];
    const named = new Set(fileEntries.map(({ name }) => name));
    const ofFile = fileEntries.flatMap((entry) => this.#ofFile(entry, unusable));
    const added = [...changes].flatMap(([name, change]) =>
      'entry' in change && !named.has(name) ? this.#added(change.entry, unusable) : [],
    );
    this.sources = new Map([...ofFile, ...added].map((source) => [source.input.name, source]));
    this.removed = fileEntries.map(({ name }) => name).filter((name) => this.#isRemoved(name));
    this.unusable = unusable;
  }

  /** What was changed through the API. */
  get changes(): SourceChanges {
    return this.#init.changes;
  }

  /** What descriptions are read against. */
  get context(): ReadingContext {
    return this.#init.context;
  }

  /** All cameras as they are connected. */
  get inputs(): readonly PullInput[] {
    return [...this.sources.values()].map(({ input }) => input);
  }

  /** How many were added through the API. */
  get added(): number {
    return [...this.changes.values()].filter((change) => 'entry' in change).length;
  }

  /** The description in SOURCES_FILE; undefined where it has none of that name. */
  inFile(name: string): PullInput | undefined {
    return this.#init.fileEntries.find((entry) => entry.name === name);
  }

  /** Models that SOURCES_FILE names, by source. */
  get models(): ReadonlyMap<string, string> {
    return new Map(this.#init.fileEntries.flatMap(({ name, model }) => (model === undefined ? [] : [[name, model]])));
  }

  /** With another change of a source. @param change undefined: none */
  withChange(name: string, change: SourceChange | undefined): SourceConfiguration {
    const changes = new Map(this.changes);
    if (change) changes.set(name, change);
    else changes.delete(name);
    return new SourceConfiguration({ ...this.#init, changes });
  }

  /** Without what people call these files and rooms. */
  withoutLabels(names: readonly string[]): SourceConfiguration {
    const changes = new Map([...this.changes].filter(([name, change]) => !('labels' in change && names.includes(name))));
    return new SourceConfiguration({ ...this.#init, changes });
  }

  /**
   * With SOURCES_FILE as it is now: what was changed of those that it names no more rests, and is forgotten after a day.
   * @param nowMs Unix time in milliseconds
   */
  withFile(fileEntries: readonly PullInput[], context: ReadingContext, nowMs: number): SourceConfiguration {
    const named = new Set(fileEntries.map(({ name }) => name));
    const changes = [...this.changes].flatMap(([name, change]) => {
      const over = changeOver(change, named.has(name), nowMs);
      return over ? [[name, over] as const] : [];
    });
    return new SourceConfiguration({ fileEntries, context, changes: new Map(changes) });
  }

  #isRemoved(name: string): boolean {
    const change = this.changes.get(name);
    return change !== undefined && 'removed' in change;
  }

  #ofFile(input: PullInput, unusable: UnusableChange[]): ConfiguredSource[] {
    const { name } = input;
    const asWritten: ConfiguredSource = { input, origin: 'sources_file', isChanged: false };
    const change = this.changes.get(name);
    if (!change || 'labels' in change) return [asWritten];
    if ('removed' in change) return [];
    if ('entry' in change) return this.#added(change.entry, unusable);
    // The file may name another host or a secret since then: that is not for where the change leads.
    const changed = this.#read(name, mergePatch(input.written, change.patch), unusable, hostFaults(input, change.patch));
    return [changed ? { input: changed, origin: 'sources_file', isChanged: true } : asWritten];
  }

  #added(entry: unknown, unusable: UnusableChange[]): ConfiguredSource[] {
    const input = this.#read((entry as { readonly name: string }).name, entry, unusable);
    return input ? [{ input, origin: 'api', isChanged: false }] : [];
  }

  #read(name: string, entry: unknown, unusable: UnusableChange[], faults: EntryFault[] = []): PullInput | undefined {
    const input = readEntry(entry, this.#init.context, faults);
    if (!input) unusable.push({ name, faults });
    return input;
  }
}
