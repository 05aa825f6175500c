/**
 * One source while it is watched: its tracks with their demand, and the run that writes them. The first lease
 * of a track starts it, the last one stops it a grace period later; the last track takes the source with it.
 */
import type { Timer } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import { DetectionFeed, Timeline, Track, type EndReason, type TrackStats, type VideoCodec } from '../media/index.js';
import type { RoomState, Source, SourceKind } from '../source/index.js';
import type { PipelineDeps } from './deps.js';
import type { DecoderActivity } from './picture-hub.js';
import { FrameNumbers } from './frame-numbers.js';
import type { DetectionActivity, SeenPicture } from './source-sight.js';
import { keyName, SourceRun, type SourceState, type TrackKey } from './source-run.js';

/** A track, held for one reader. */
export interface TrackLease {
  readonly track: Track;
  /** Gives it back. Idempotent. */
  release(): void;
}

/** The detections of a source, held for one reader. */
export interface DetectionLease {
  readonly feed: DetectionFeed;
  /** Gives it back. Idempotent. */
  release(): void;
}

/** A running rendition, for `/active-streams`. */
export interface RenditionActivity {
  readonly rendition: 'raw' | 'processed' | 'audio';
  readonly codec: string;
  readonly widthPx: number | undefined;
  readonly heightPx: number | undefined;
  readonly viewers: number;
  readonly framesDropped: number;
  readonly restarts: number;
  readonly stats: TrackStats;
}

/** A running source, for `/active-streams` and `/health`. */
export interface SourceActivity {
  readonly sourceId: string;
  readonly kind: SourceKind;
  /** Of a file always `live`. */
  readonly state: RoomState;
  readonly delivery: 'passthrough' | 'transcode';
  /** Of what is copied; of what is transcoded, the codec it comes in is not told. */
  readonly codec: VideoCodec | undefined;
  /** Who publishes, or may come back; undefined for what nobody publishes. */
  readonly publisherId: string | undefined;
  /** A stand-in is shown, because nothing comes from the camera. */
  readonly isWaiting: boolean;
  readonly uptimeMs: number;
  readonly restarts: number;
  readonly lastError: string | undefined;
  /** What keeps it from running as it should; empty when nothing does. */
  readonly troubles: readonly string[];
  readonly decoder: DecoderActivity | undefined;
  readonly detection: DetectionActivity | undefined;
  readonly renditions: readonly RenditionActivity[];
}

/** Something that runs while it is wanted. */
interface Demand {
  readonly name: string;
  /** Makes the run of the time produce it. */
  start(run: SourceRun): void;
  stop(run: SourceRun): Promise<void>;
  /** Tells its readers that it is over. */
  end(reason: EndReason): void;
  leases: number;
  idle: Timer | undefined;
}

interface TrackDemand extends Demand {
  readonly key: TrackKey;
  readonly track: Track;
}

/** When to ask again for a source that is not live. */
export const RETRY_AFTER_S = 5;

export interface SourcePipelineInit extends PipelineDeps {
  readonly sourceId: string;
  /** The source as it is now; undefined when it is gone. */
  readonly find: () => Source | undefined;
}

export class SourcePipeline {
  /** Resolves when the source no longer runs: nobody wants it, or it ended. */
  readonly closed: Promise<EndReason>;
  readonly #init: SourcePipelineInit;
  readonly #state: SourceState;
  readonly #tracks = new Map<string, TrackDemand>();
  #detections: Demand | undefined;
  readonly #startedMs: number;
  #run: SourceRun;
  #end: EndReason | undefined;

  /** @throws MediaPeerError SOURCE_NOT_FOUND when the source is gone. */
  constructor(init: SourcePipelineInit) {
    this.#init = init;
    this.#startedMs = init.clock.now();
    let objectIds = 0;
    this.#state = { timeline: new Timeline(), feed: new DetectionFeed(init.sourceId), frameNumbers: new FrameNumbers(), nextObjectId: () => ++objectIds, pictureTakers: new Set() };
    this.#run = this.#openRun();
    this.closed = this.#serve();
  }

  /** Leases a track; starts what is needed for it. */
  lease(key: TrackKey): TrackLease {
    const demand = this.#tracks.get(keyName(key)) ?? this.#startTrack(key);
    return { track: demand.track, release: this.#hold(demand) };
  }

  /** Leases the detections; starts to see where nobody does. */
  leaseDetections(): DetectionLease {
    this.#detections ??= this.#startDetections();
    return { feed: this.#state.feed, release: this.#hold(this.#detections) };
  }

  /** The next picture and what is seen in it; hold detections meanwhile. Call the returned function to stop waiting. */
  takeNextSeen(taker: (seen: SeenPicture) => void): () => void {
    this.#state.pictureTakers.add(taker);
    return () => void this.#state.pictureTakers.delete(taker);
  }

  /** True once it has ended or is about to: a new pipeline must be made for the next lease. */
  get isClosed(): boolean {
    const { end } = this.#run;
    return this.#end !== undefined || (end !== undefined && end.reason !== 'replaced');
  }

  get activity(): SourceActivity {
    const run = this.#run;
    return {
      sourceId: this.#init.sourceId,
      kind: run.source.kind,
      state: run.live?.state ?? 'live',
      delivery: run.info.delivery,
      codec: run.info.delivery === 'passthrough' ? run.info.codec : undefined,
      publisherId: run.live?.publisherId,
      isWaiting: run.live?.isWaiting ?? false,
      uptimeMs: this.#init.clock.now() - this.#startedMs,
      restarts: run.restarts,
      lastError: run.lastError,
      troubles: run.troubles,
      decoder: run.decoder,
      detection: run.detection,
      renditions: [...this.#tracks.values()].map(({ key, track }) => ({
        rendition: key.kind === 'audio' ? 'audio' : key.rendition,
        codec: track.codec,
        widthPx: key.kind === 'audio' ? undefined : run.info.widthPx,
        heightPx: key.kind === 'audio' ? undefined : run.info.heightPx,
        viewers: track.viewers,
        framesDropped: run.encoderOf(key)?.framesDropped ?? 0,
        restarts: run.encoderOf(key)?.restarts ?? 0,
        stats: track.stats,
      })),
    };
  }

  /** Ends it for all its readers. Idempotent; resolves when nothing of it runs. */
  async close(reason: EndReason): Promise<void> {
    this.#end ??= reason;
    await this.#run.close();
    await this.closed;
  }

  /** Runs the source until it ends; a file that was replaced is opened again for the same tracks. */
  async #serve(): Promise<EndReason> {
    let reason: EndReason | undefined;
    while (reason === undefined) {
      const end = await this.#run.closed;
      await this.#run.close();
      reason = this.#end ?? (end.reason === 'replaced' ? this.#reopen() : end.reason);
    }
    this.#end = reason;
    for (const { idle } of this.#demands()) idle?.cancel();
    for (const demand of this.#demands()) demand.end(reason);
    this.#state.feed.close(reason);
    this.#tracks.clear();
    this.#detections = undefined;
    this.#init.logger.info({ sourceId: this.#init.sourceId, reason }, 'source stopped');
    return reason;
  }

  /** Opens the source as it is now, for the same tracks; an end where it cannot be played. */
  #reopen(): EndReason | undefined {
    try {
      this.#run = this.#openRun();
    } catch (error) {
      this.#init.logger.warn({ sourceId: this.#init.sourceId, err: error }, 'replaced source cannot be played');
      return 'source-ended';
    }
    for (const demand of this.#demands()) demand.start(this.#run);
    return undefined;
  }

  #openRun(): SourceRun {
    const { sourceId } = this.#init;
    const source = this.#init.find();
    if (!source) throw new MediaPeerError('SOURCE_NOT_FOUND', `source '${sourceId}' is gone`);
    if (source.state === 'empty') throw new MediaPeerError('SOURCE_NOT_LIVE', `source '${sourceId}' is not live: ${source.reason ?? 'nothing comes from it'}`, { retryAfterS: RETRY_AFTER_S });
    if (!source.playable) throw new MediaPeerError('SOURCE_NOT_PLAYABLE', `source '${sourceId}' cannot be played: ${source.reason ?? 'unknown reason'}`);
    this.#init.logger.info({ sourceId, delivery: source.delivery }, 'source started');
    return new SourceRun(source, this.#state, this.#init);
  }

  #demands(): Demand[] {
    return [...this.#tracks.values(), ...(this.#detections ? [this.#detections] : [])];
  }

  #startTrack(key: TrackKey): TrackDemand {
    const track = new Track({
      name: `${this.#init.sourceId}/${keyName(key)}`,
      codec: key.kind === 'audio' ? 'opus' : key.codec,
      timeline: this.#state.timeline,
      clock: this.#init.clock,
      onKeyframeRequest: () => this.#run.requestKeyframe(key),
    });
    const demand: TrackDemand = {
      name: track.name,
      key,
      track,
      start: (run) => run.start(key, track),
      stop: (run) => {
        this.#tracks.delete(keyName(key));
        return run.stop(key);
      },
      end: (reason) => track.close(reason),
      leases: 0,
      idle: undefined,
    };
    this.#tracks.set(keyName(key), demand);
    demand.start(this.#run);
    return demand;
  }

  #startDetections(): Demand {
    this.#run.startSeeing();
    return {
      name: `${this.#init.sourceId}/detections`,
      start: (run) => run.startSeeing(),
      stop: (run) => {
        this.#detections = undefined;
        return run.stopSeeing();
      },
      // Readers stay with the feed, which ends with the source alone.
      end: () => undefined,
      leases: 0,
      idle: undefined,
    };
  }

  /** Counts a reader in; returns what counts it out. */
  #hold(demand: Demand): () => void {
    demand.idle?.cancel();
    demand.idle = undefined;
    demand.leases++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--demand.leases === 0 && !this.#end) this.#idle(demand);
    };
  }

  #idle(demand: Demand): void {
    demand.idle = this.#init.clock.after(this.#init.idleGraceMs, () => {
      demand.end('viewer-left');
      if (this.#demands().every((other) => other === demand)) {
        void this.close('viewer-left');
        return;
      }
      demand.stop(this.#run).catch((error: unknown) => {
        this.#init.logger.error({ err: error, demand: demand.name }, 'what nobody wants did not stop');
      });
    });
  }
}
