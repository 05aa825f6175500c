/** What counting is tied to: the frames and labels of sources, the pipelines that are read, and the HTTP routes of zones. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { ZonesDeps } from '../http/index.js';
import type { FrameDetections } from '../media/index.js';
import { StandingLeases, type DetectionModels, type Pipelines, type PipelineSource } from '../pipeline/index.js';
import { Counting, ZonesSchema } from '../scene/index.js';
import type { LiveRooms, PullSources, SourceCatalogue, SourceLibrary } from '../source/index.js';

/** Where zones, sources and models are. */
export interface OpenCountingInit {
  /** Where zones files lie. */
  readonly uploadDir: string;
  /** True: sources with zones are read although nobody watches. */
  readonly readsAll: boolean;
  /** Finds sources. */
  readonly catalogue: Pick<SourceCatalogue, 'find'>;
  /** Which model looks at which source. */
  readonly models: DetectionModels;
  /** What an earlier server kept of each source. Default: nothing. */
  readonly kept?: ReadonlyMap<string, string>;
  /** Keeps what a source has counted; undefined: nothing any more. Default: counts end with the server. */
  readonly keep?: (sourceId: string, state: string | undefined) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Reads the zones of all sources. */
export function openCounting({ catalogue, models, ...init }: OpenCountingInit): Promise<Counting> {
  return Counting.open({
    ...init,
    factsOf: (sourceId) => {
      const source = catalogue.find(sourceId);
      const { widthPx, heightPx } = source?.plan ?? source ?? {};
      const labels = models.of(sourceId)?.classNames;
      return widthPx && heightPx ? { widthPx, heightPx, ...(labels && { labels }) } : undefined;
    },
  });
}

/** Which sources are read for their zones. */
export interface ZoneReadersInit {
  /** Counts in zones. */
  readonly counting: Counting;
  /** Sources that are read for another reason. */
  readonly alsoRead: () => readonly string[];
  /** Opens sources. */
  readonly pipelines: Pick<Pipelines, 'open'>;
  /** Files that come and go. */
  readonly library: Pick<SourceLibrary, 'onChange'>;
  /** Cameras that come and go. */
  readonly pulls: Pick<PullSources, 'onChange'>;
  /** Rooms that come and go. */
  readonly rooms: Pick<LiveRooms, 'onState'>;
  /** Finds sources. */
  readonly catalogue: Pick<SourceCatalogue, 'find'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of what is detected in the sources that are read. */
  readonly onDetections: (detections: FrameDetections) => void;
}

/** Reads sources for their zones although nobody watches them, from now on until it is closed. */
export function readZones(init: ZoneReadersInit): StandingLeases<PipelineSource> {
  const { counting, alsoRead, pipelines, library, pulls, rooms, catalogue, clock, logger, onDetections } = init;
  const readers = new StandingLeases({
    open: (sourceId) => pipelines.open(sourceId),
    clock,
    logger,
    purpose: 'zones count',
    wanted: () => [...new Set([...counting.alwaysRead().filter((sourceId) => catalogue.find(sourceId)?.playable === true), ...alsoRead()])],
    lease: (source) => {
      const lease = source.openDetections();
      const stopReading = lease.feed.subscribe(onDetections);
      return {
        onClosed: (listener) => lease.feed.onClosed(listener),
        release: () => {
          stopReading();
          lease.release();
        },
      };
    },
  });
  counting.zones.onChange(() => readers.sync());
  library.onChange(() => readers.sync());
  pulls.onChange(() => readers.sync());
  rooms.onState(() => readers.sync());
  readers.sync();
  return readers;
}

/** What the HTTP side needs. A source whose zones stay while it is away is known to it, too. */
export function zoneRoutesOf({ zones, observers }: Counting, catalogue: Pick<SourceCatalogue, 'find'>): ZonesDeps {
  return {
    hasSource: (sourceId) => catalogue.find(sourceId) !== undefined || zones.has(sourceId),
    bodySchema: ZonesSchema,
    get: (sourceId) => zones.get(sourceId),
    put: (sourceId, body, check) => zones.put(sourceId, body, check),
    remove: (sourceId, check) => zones.delete(sourceId, check),
    counts: (sourceId) => observers.counts(sourceId),
    resetCounts: (sourceId) => observers.resetLines(sourceId),
  };
}
