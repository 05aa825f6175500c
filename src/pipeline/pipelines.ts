/** The one way to what sources give: finds a source, connects it where it is a camera on demand, and hands out what can be leased of it. */
import { serverClosing, sourceNotFound } from '../base/refusals.js';
import { highestProfile, type EndReason, type LadderPlan, type SourceMedia } from '../media/index.js';
import type { Source } from '../source/index.js';
import type { PipelineDeps } from './deps.js';
import { EncodePlaces } from './encode-places.js';
import { codecOf } from './ladder.js';
import { Ladders } from './ladders.js';
import { PipelineSource } from './pipeline-source.js';
import { RunningSources } from './running-sources.js';
import { SnapshotFeeds } from './snapshot-feeds.js';
import type { SourceActivity } from './source-activity.js';
import { throwIfNotPlayable } from './playable.js';
import { SourcePipeline } from './source-pipeline.js';

/** Where sources are, and how many may run. */
export interface PipelinesInit extends Omit<PipelineDeps, 'ladder' | 'places'> {
  /** The known source of that id, as it is now. Looks it up and does nothing else. */
  readonly find: (sourceId: string) => Source | undefined;
  /**
   * Awaited before a source is opened: a camera of which it is not known yet what it sends is connected. Seconds at most;
   * never rejects, because `find` tells then why it cannot be watched. Default: there are no cameras.
   */
  readonly connect?: (sourceId: string) => Promise<void>;
  /** Ids of the sources that can be played, for messages. */
  readonly playable: () => readonly string[];
  /** Sources that may run at once. */
  readonly maxRunning: number;
  /** True for a source that the operator wants to run always. */
  readonly isNeverRefused: (sourceId: string) => boolean;
  /** Told when a source begins to run, and with why it has ended. Default: nobody is told. */
  readonly onRunning?: (sourceId: string, ended: EndReason | undefined) => void;
  /** Which lower rungs sources have. Default `auto`. */
  readonly ladder?: LadderPlan;
  /** Places of encoders of lower rungs, all sources together: one is what 720p takes at 30 frames a second. Default 4 a core. */
  readonly rungPlaces?: number;
}

/** All sources that run or can run. */
export class Pipelines {
  readonly #init: PipelinesInit;
  readonly #running: RunningSources;
  readonly #snapshots: SnapshotFeeds;
  readonly #ladders: Ladders;
  #isClosed = false;

  constructor(init: PipelinesInit) {
    this.#init = init;
    const { ladder = 'auto' } = init;
    const places = new EncodePlaces(init.rungPlaces);
    this.#snapshots = new SnapshotFeeds(init);
    this.#running = new RunningSources({
      maxRunning: init.maxRunning,
      isNeverRefused: init.isNeverRefused,
      onRunning: init.onRunning,
      start: (sourceId, onIdle) => new SourcePipeline({ ...init, ladder, places, sourceId, find: () => init.find(sourceId), onIdle }),
    });
    this.#ladders = new Ladders({
      plan: ladder,
      places,
      clock: init.clock,
      find: init.find,
      running: (sourceId) => this.#running.find(sourceId),
    });
  }

  /**
   * Opens a source for somebody who wants something of it. Nothing runs until that is leased.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE, SERVER_CLOSING
   */
  async open(sourceId: string): Promise<PipelineSource> {
    await this.#init.connect?.(sourceId);
    this.#throwIfClosed();
    return new PipelineSource({
      sourceId,
      media: this.#describe(sourceId),
      labels: () => this.#init.models.of(sourceId)?.classNames ?? (this.#init.find(sourceId)?.bringsDetections === true ? [] : undefined),
      pipeline: () => {
        this.#throwIfClosed();
        // It may have gone since it was opened.
        this.#describe(sourceId);
        return this.#running.get(sourceId);
      },
      ladders: this.#ladders,
      snapshots: this.#snapshots,
    });
  }

  /** Every running source, for statistics. */
  activity(): SourceActivity[] {
    return this.#running.list().map(({ activity }) => ({
      ...activity,
      qualities: this.#ladders.of(activity.sourceId, { rendition: 'raw', codec: activity.codec ?? 'h264' }),
    }));
  }

  /** True for one that runs: whoever joins it costs no process. */
  isRunning(sourceId: string): boolean {
    return this.#running.has(sourceId);
  }

  /** True while somebody waits for the first frame of a source. */
  get areStarting(): boolean {
    return this.#running.list().some(({ isStarting }) => isStarting);
  }

  /** Ends every source. Resolves when no process of theirs is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running.close();
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw serverClosing();
  }

  #describe(sourceId: string): SourceMedia {
    const description = this.#init.find(sourceId);
    if (!description) throw sourceNotFound(sourceId, this.#init.playable());
    throwIfNotPlayable(description);
    const { bringsDetections = false, audioCodec, videoCodec, delivery, h264Profile, h265Profile, layers = [] } = description;
    const rawCodec = delivery === 'passthrough' ? codecOf(videoCodec) : undefined;
    return {
      hasAudio: audioCodec !== null,
      // What was seen when it was recorded is drawn by whatever model is used now, or none.
      renditions: bringsDetections || this.#init.models.of(sourceId) ? ['raw', 'processed'] : ['raw'],
      rawCodec,
      // What is encoded here is Constrained Baseline, which goes under any.
      rawProfile: highestProfile([rawCodec === 'h264' ? h264Profile : undefined, ...layers.map((layer) => layer.h264Profile)]),
      rawH265: rawCodec === 'h265' ? h265Profile : undefined,
    };
  }
}
