/** Zones of all sources: their files, what counts in them, and which sources are read for them although nobody watches. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { SceneObservers } from './scene-observers.js';
import type { PictureFacts } from './validate.js';
import { ZoneStore } from './zone-store.js';

/** Where zones lie, and what they count. */
export interface CountingInit {
  /** Absolute path of the folder of zones files, which exists. */
  readonly uploadDir: string;
  /** True where somebody is told of what happens in zones: then every source that has some is read at all times. */
  readonly readsAll: boolean;
  /** What is known of a source's frames; undefined where that is nothing. */
  readonly factsOf: (sourceId: string) => PictureFacts | undefined;
  /** What an earlier server kept of each source. Default: nothing. */
  readonly kept?: ReadonlyMap<string, string> | undefined;
  /** Keeps what a source has counted; undefined: nothing any more. Default: counts end with the server. */
  readonly keep?: ((sourceId: string, state: string | undefined) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Counting in zones, for all sources. */
export class Counting {
  readonly zones: ZoneStore;
  /** For the pipeline: what counts in a source that begins to run. */
  readonly observers: SceneObservers;
  readonly #readsAll: boolean;

  /** Reads the zones of all sources. */
  static async open(init: CountingInit): Promise<Counting> {
    return new Counting(init, await ZoneStore.open(init));
  }

  private constructor({ clock, logger, readsAll, kept, keep }: CountingInit, store: ZoneStore) {
    this.zones = store;
    this.#readsAll = readsAll;
    this.observers = new SceneObservers({ store, clock, logger, kept, keep });
  }

  /** True for a source whose detections are read although nobody watches it. */
  isAlwaysRead(sourceId: string): boolean {
    return this.zones.has(sourceId) && (this.#readsAll || this.zones.wantsAlways(sourceId));
  }

  /** Ids of the sources that are read although nobody watches them, by name; they may be away, or gone. */
  alwaysRead(): string[] {
    return this.zones.sources().filter((sourceId) => this.isAlwaysRead(sourceId));
  }

  /** Stops looking for changes; resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.observers.close();
    await this.zones.close();
  }
}
