/** The cameras that this server connects to, by name. Which they are changes while it runs. */
import { Listeners, type StopListening } from '../../base/listeners.js';
import type { FfmpegDeps } from '../../ffmpeg/index.js';
import { RefusedLogins } from './refused-logins.js';
import { PullSource } from './source.js';
import type { Caption } from '../picture-slate.js';
import type { Source } from '../source.js';
import { isSameEntry, type PullInput } from './read-entry.js';

/** What cameras there are at first. */
export interface PullSourcesInit extends FfmpegDeps {
  /** Each camera, in the order in which they are listed. */
  readonly entries: readonly PullInput[];
  /** Writes the text of slates. */
  readonly caption: Caption;
}

/** What happened to a camera. */
export interface PullChange {
  /** `changed`: it is described otherwise. */
  readonly kind: 'added' | 'changed' | 'removed';
  /** Its id. */
  readonly id: string;
}

/** All cameras that connect on demand. */
export class PullSources {
  /** What cameras have refused. */
  readonly logins: RefusedLogins;
  readonly #init: PullSourcesInit;
  readonly #changes: Listeners<PullChange>;
  /** Of cameras that are gone: their processes end. */
  readonly #ending = new Set<Promise<void>>();
  #sources: ReadonlyMap<string, PullSource>;

  constructor(init: PullSourcesInit) {
    this.#init = init;
    this.logins = new RefusedLogins(init.clock);
    this.#changes = new Listeners(init.logger, 'cameras');
    this.#sources = new Map(init.entries.map((entry) => [entry.name, this.#open(entry)]));
  }

  /** Calls `listener` with each camera that comes, goes or is described otherwise. Call the returned function to stop listening. */
  onChange(listener: (change: PullChange) => void): StopListening {
    return this.#changes.add(listener);
  }

  /** From now on there are exactly these cameras. One whose description is the same notices nothing, and nobody who watches it. */
  set(entries: readonly PullInput[]): void {
    const before = this.#sources;
    this.#sources = new Map(entries.map((entry) => [entry.name, before.get(entry.name) ?? this.#open(entry)]));
    for (const [id, source] of before) if (!this.#sources.has(id)) this.#remove(id, source);
    for (const entry of entries) {
      const known = before.get(entry.name);
      if (!known) this.#tell('added', entry.name);
      else if (!isSameEntry(known.entry, entry)) {
        known.change(entry);
        this.#tell('changed', entry.name);
      }
    }
  }

  /** All of them, whether they answer or not. */
  list(): Source[] {
    return [...this.#sources.values()].map(({ source }) => source);
  }

  /** The one of that name; undefined when there is none. */
  get(id: string): Source | undefined {
    return this.#sources.get(id)?.source;
  }

  /** Names of those that are connected from the start. */
  get alwaysOn(): readonly string[] {
    return [...this.#sources.values()].filter(({ entry }) => entry.isAlwaysOn).map(({ entry }) => entry.name);
  }

  /**
   * To be awaited before a source is opened: connects to the camera where it is not known yet what it sends, 5 s at most.
   * Never rejects; whether it answered, its state says. Resolves at once for what is none of these cameras.
   */
  async prepare(id: string): Promise<void> {
    await this.#sources.get(id)?.prepare();
  }

  /** Ends calls that go on; resolves when no process of theirs is left. Feeds end with who opened them. */
  async close(): Promise<void> {
    await Promise.all([...[...this.#sources.values()].map((source) => source.close()), ...this.#ending]);
  }

  #open(entry: PullInput): PullSource {
    const { caption, ...deps } = this.#init;
    return new PullSource({ ...deps, entry, caption, logins: this.logins });
  }

  #remove(id: string, source: PullSource): void {
    const ended = source.remove().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
    this.#tell('removed', id);
  }

  #tell(kind: PullChange['kind'], id: string): void {
    this.#init.logger.info({ sourceId: id, change: kind }, 'the list of cameras has changed');
    this.#changes.tell({ kind, id });
  }
}
