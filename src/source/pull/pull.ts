/** The cameras of SOURCES_FILE as sources. Only that file adds any: no door does. */
import type { FfmpegDeps } from '../../ffmpeg/index.js';
import { PullSource } from './source.js';
import type { Caption } from '../picture-slate.js';
import type { Source } from '../source.js';
import type { PullInput } from './read-entry.js';

/** The cameras of SOURCES_FILE. */
export interface PullSourcesInit extends FfmpegDeps {
  /** Each camera, in the order of the file. */
  readonly entries: readonly PullInput[];
  /** Writes the text of slates. */
  readonly caption: Caption;
}

/** All cameras that connect on demand. */
export class PullSources {
  readonly #sources: ReadonlyMap<string, PullSource>;

  constructor({ entries, caption, ...deps }: PullSourcesInit) {
    this.#sources = new Map(entries.map((entry) => [entry.name, new PullSource({ ...deps, entry, caption })]));
  }

  /** All of them, in the order of the file, whether they answer or not. */
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
   * Never rejects; whether it answered, its state says. Resolves at once for what is no camera of this file.
   */
  async prepare(id: string): Promise<void> {
    await this.#sources.get(id)?.prepare();
  }

  /** Ends calls that go on; resolves when no process of theirs is left. Feeds end with who opened them. */
  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.close()));
  }
}
