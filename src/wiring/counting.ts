/** The wiring of zones: their files, what counts in them, and the sources that are read for them at all times. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { FrameDetections } from '../media/index.js';
import { StandingLeases, type Pipelines, type PipelineSource, type DetectionModels } from '../pipeline/index.js';
import { SceneObservers, ZonesSchema, ZoneStore } from '../scene/index.js';
import type { ZonesDeps } from '../http/index.js';
import type { LiveRooms, SourceCatalogue, SourceLibrary } from '../source/index.js';

export interface CountingInit {
  readonly uploadDir: string;
  readonly library: Pick<SourceLibrary, 'onChange'>;
  readonly rooms: Pick<LiveRooms, 'onState'>;
  readonly catalogue: Pick<SourceCatalogue, 'find'>;
  readonly models: DetectionModels;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Counting {
  /** For the pipeline: what counts in a source that begins to run. */
  readonly observers: SceneObservers;
  readonly #init: CountingInit;
  readonly #store: ZoneStore;
  #readers: StandingLeases<PipelineSource> | undefined;
  /** Every source with zones is read, because somebody is told of what happens in them. */
  #reportsAll = false;

  /** Reads the zones of all sources. */
  static async open(init: CountingInit): Promise<Counting> {
    const { uploadDir, catalogue, models, clock, logger } = init;
    const store = await ZoneStore.open({
      uploadDir,
      clock,
      logger,
      factsOf: (sourceId) => {
        const source = catalogue.find(sourceId);
        const { widthPx, heightPx } = source?.plan ?? source ?? {};
        const labels = models.of(sourceId)?.classNames;
        return widthPx && heightPx ? { widthPx, heightPx, ...(labels && { labels }) } : undefined;
      },
    });
    return new Counting(init, store);
  }

  private constructor(init: CountingInit, store: ZoneStore) {
    this.#init = init;
    this.#store = store;
    this.observers = new SceneObservers({ store, clock: init.clock, logger: init.logger });
  }

  /**
   * Reads sources although nobody watches them: those whose zones say `always`, and where `onDetections` is given
   * all that have zones.
   */
  start(pipelines: Pipelines, onDetections?: (detections: FrameDetections) => void): void {
    const { library, rooms, catalogue, clock, logger } = this.#init;
    this.#reportsAll = onDetections !== undefined;
    const readers = new StandingLeases({
      open: (sourceId) => pipelines.open(sourceId),
      clock,
      logger,
      wanted: () => this.#store.sources().filter((id) => this.isAlwaysRead(id) && catalogue.find(id)?.playable === true),
      purpose: 'zones count',
      lease: (source) => {
        const lease = source.openDetections();
        const stopReading = onDetections ? lease.feed.subscribe(onDetections) : undefined;
        return {
          onClosed: (listener) => lease.feed.onClosed(listener),
          release: () => {
            stopReading?.();
            lease.release();
          },
        };
      },
    });
    this.#readers = readers;
    this.#store.onChange(() => readers.sync());
    library.onChange(() => readers.sync());
    rooms.onState(() => readers.sync());
    readers.sync();
  }

  /** True for a source whose detections are read although nobody watches it. */
  isAlwaysRead(sourceId: string): boolean {
    return this.#store.has(sourceId) && (this.#reportsAll || this.#store.wantsAlways(sourceId));
  }

  /** True for what is there, and for what has zones: those of a camera stay while it is away. */
  hasSource(sourceId: string): boolean {
    return this.#init.catalogue.find(sourceId) !== undefined || this.#store.has(sourceId);
  }

  /** What the HTTP side needs. */
  routes(): ZonesDeps {
    return {
      hasSource: (sourceId) => this.hasSource(sourceId),
      bodySchema: ZonesSchema,
      get: (sourceId) => this.#store.get(sourceId),
      put: (sourceId, body) => this.#store.put(sourceId, body),
      remove: (sourceId) => this.#store.delete(sourceId),
      counts: (sourceId) => this.observers.counts(sourceId),
      resetCounts: (sourceId) => this.observers.resetLines(sourceId),
    };
  }

  /** Stops reading; to be called before the pipelines end. */
  stopReading(): void {
    this.#readers?.close();
  }

  async close(): Promise<void> {
    this.observers.close();
    await this.#store.close();
  }
}
