/**
 * All sources that are watched now: one pipeline each, shared by everybody who watches it. How many may run is bounded,
 * because each costs processes: a newcomer takes the place of one that nobody watches any more, or is refused. Sources
 * that the operator wants to run count, and are never refused.
 */
import { MediaPeerError } from '../base/errors.js';
import type { Rendition, VideoCodec } from '../media/index.js';
import type { Source } from '../source/index.js';
import type { PipelineDeps } from './deps.js';
import type { SourceActivity } from './source-activity.js';
import { RETRY_AFTER_S, SourcePipeline, type DetectionLease, type TrackLease } from './source-pipeline.js';
import type { TrackKey } from './source-run.js';
import type { SeenPicture } from './source-sight.js';

export interface PipelinesInit extends PipelineDeps {
  /** The known source of that id. */
  readonly find: (sourceId: string) => Source | undefined;
  /** Ids of the sources that can be played, for messages. */
  readonly playable: () => readonly string[];
  /** Sources that may run at once. */
  readonly maxRunning: number;
  /** True for a source that the operator wants to run always. */
  readonly isNeverRefused: (sourceId: string) => boolean;
}

/** Sources that run on after their last viewer: the ones that were just looked at. */
const MAX_IDLE = 4;

export class Pipelines {
  readonly #init: PipelinesInit;
  readonly #running = new Map<string, SourcePipeline>();
  /** Pipelines that end and still hold processes. */
  readonly #ending = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(init: PipelinesInit) {
    this.#init = init;
  }

  /**
   * What a source offers.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE
   */
  describe(sourceId: string): {
    hasAudio: boolean;
    renditions: readonly Rendition[];
    rawCodec: VideoCodec | undefined;
    rawProfile: string | undefined;
    labels: readonly string[] | undefined;
  } {
    const description = this.#init.find(sourceId);
    if (!description) {
      throw new MediaPeerError('SOURCE_NOT_FOUND', `no source '${sourceId}'; available: ${this.#init.playable().join(', ') || 'none'}`);
    }
    if (description.state === 'empty') {
      throw new MediaPeerError(
        'SOURCE_NOT_LIVE',
        `source '${sourceId}' is not live: ${description.reason ?? 'nothing comes from it'}; try again in ${RETRY_AFTER_S} s`,
        { retryAfterS: RETRY_AFTER_S },
      );
    }
    if (!description.playable) {
      throw new MediaPeerError('SOURCE_NOT_PLAYABLE', `source '${sourceId}' cannot be played: ${description.reason ?? 'unknown reason'}`);
    }
    const { audioCodec, videoCodec, delivery, h264Profile } = description;
    const rawCodec = delivery === 'passthrough' && (videoCodec === 'h264' || videoCodec === 'vp8') ? videoCodec : undefined;
    const seeing = this.#init.seeing.of(sourceId);
    return {
      hasAudio: audioCodec !== null,
      renditions: seeing ? ['raw', 'processed'] : ['raw'],
      labels: seeing?.classNames,
      rawCodec,
      rawProfile: rawCodec === 'h264' ? h264Profile : undefined,
    };
  }

  /**
   * Leases a track of a source, starting it when it does not run.
   * @throws MediaPeerError as `describe`, or CAPACITY_REACHED, SERVER_CLOSING
   */
  openTrack(request: TrackKey & { readonly sourceId: string }): TrackLease {
    if (this.#isClosed) throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
    this.describe(request.sourceId);
    return this.#pipeline(request.sourceId).lease(request);
  }

  /**
   * Leases the detections of a source, starting it when it does not run.
   * @throws MediaPeerError as `describe`, or DETECTION_OFF, CAPACITY_REACHED, SERVER_CLOSING
   */
  openDetections(sourceId: string): DetectionLease {
    return this.#seeingPipeline(sourceId).leaseDetections();
  }

  /**
   * As `openDetections`, for one who also wants a picture: `takeNext` gives the next one with what is seen in it.
   */
  openSight(sourceId: string): { lease: DetectionLease; takeNext: (taker: (seen: SeenPicture) => void) => () => void } {
    const pipeline = this.#seeingPipeline(sourceId);
    return { lease: pipeline.leaseDetections(), takeNext: (taker) => pipeline.takeNextSeen(taker) };
  }

  /** As `openSight`, also where detection is off: then nothing is seen in the pictures. */
  openPictures(sourceId: string): ReturnType<Pipelines['openSight']> {
    if (this.#isClosed) throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
    this.describe(sourceId);
    const pipeline = this.#pipeline(sourceId);
    return { lease: pipeline.leaseDetections(), takeNext: (taker) => pipeline.takeNextSeen(taker) };
  }

  /** Every running source, for statistics. */
  activity(): SourceActivity[] {
    return this.#open().map(({ activity }) => activity);
  }

  /** Ends every source. Resolves when no process of theirs is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running.values()].map((pipeline) => pipeline.close('server-closing')));
    await Promise.all(this.#ending);
  }

  #seeingPipeline(sourceId: string): SourcePipeline {
    if (this.#isClosed) throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
    if (!this.describe(sourceId).renditions.includes('processed')) {
      throw new MediaPeerError('DETECTION_OFF', `no detector looks at source '${sourceId}': its MODEL is 'none'`);
    }
    return this.#pipeline(sourceId);
  }

  /** True for one that runs: whoever joins it costs no process. */
  isRunning(sourceId: string): boolean {
    return this.#running.get(sourceId)?.isClosed === false;
  }

  /** True while somebody waits for the first frame of a source. */
  get areStarting(): boolean {
    return this.#open().some(({ isStarting }) => isStarting);
  }

  #open(): SourcePipeline[] {
    return [...this.#running.values()].filter(({ isClosed }) => !isClosed);
  }

  /** Those that nobody wants at the moment, the longest idle first. */
  #idle(): SourcePipeline[] {
    return this.#open()
      .filter(({ idleSinceMs }) => idleSinceMs !== undefined)
      .sort((a, b) => (a.idleSinceMs ?? 0) - (b.idleSinceMs ?? 0));
  }

  /** @throws MediaPeerError CAPACITY_REACHED */
  #makeRoom(sourceId: string): void {
    const { maxRunning, isNeverRefused } = this.#init;
    const missing = this.#open().length + 1 - maxRunning;
    if (missing <= 0 || isNeverRefused(sourceId)) return;
    const idle = this.#idle();
    // What ends still holds its processes: who comes and goes fast must not pile them up.
    const isFull = idle.length < missing || this.#ending.size - this.#open().length >= maxRunning;
    if (isFull) {
      throw new MediaPeerError(
        'CAPACITY_REACHED',
        `all ${maxRunning} places of running sources (MAX_RUNNING_SOURCES) are taken; watch one that runs, or try again in ${RETRY_AFTER_S} s`,
        { retryAfterS: RETRY_AFTER_S },
      );
    }
    for (const pipeline of idle.slice(0, missing)) void pipeline.close('viewer-left');
  }

  #boundIdle(): void {
    for (const pipeline of this.#idle().slice(0, -MAX_IDLE)) void pipeline.close('viewer-left');
  }

  #pipeline(sourceId: string): SourcePipeline {
    const running = this.#running.get(sourceId);
    if (running && !running.isClosed) return running;
    this.#makeRoom(sourceId);
    const pipeline = new SourcePipeline({
      ...this.#init,
      sourceId,
      find: () => this.#init.find(sourceId),
      onIdle: () => this.#boundIdle(),
    });
    this.#running.set(sourceId, pipeline);
    const ended = pipeline.closed.finally(() => {
      this.#ending.delete(ended);
      if (this.#running.get(sourceId) === pipeline) this.#running.delete(sourceId);
    });
    this.#ending.add(ended);
    return pipeline;
  }
}
