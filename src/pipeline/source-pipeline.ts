/**
 * One source while it is watched: its tracks with their demand, and the run that writes them. The first lease
 * of a track starts it, the last one stops it a grace period later; the last track takes the source with it.
 */
import type { Timer } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import { Timeline, Track, type EndReason, type TrackStats } from '../media/index.js';
import type { SourceDescription } from '../source/index.js';
import type { PipelineDeps } from './deps.js';
import type { DecoderActivity } from './picture-hub.js';
import type { DetectionActivity } from './processed.js';
import { keyName, SourceRun, type TrackKey } from './source-run.js';

/** A track, held for one reader. */
export interface TrackLease {
  readonly track: Track;
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
  readonly delivery: 'passthrough' | 'transcode';
  readonly uptimeMs: number;
  readonly restarts: number;
  readonly lastError: string | undefined;
  /** What keeps it from running as it should; empty when nothing does. */
  readonly troubles: readonly string[];
  readonly decoder: DecoderActivity | undefined;
  readonly detection: DetectionActivity | undefined;
  readonly renditions: readonly RenditionActivity[];
}

interface Demand {
  readonly key: TrackKey;
  readonly track: Track;
  leases: number;
  idle: Timer | undefined;
}

export interface SourcePipelineInit extends PipelineDeps {
  readonly sourceId: string;
  /** The source as it is now; undefined when it is gone. */
  readonly describe: () => SourceDescription | undefined;
}

export class SourcePipeline {
  /** Resolves when the source no longer runs: nobody wants it, or it ended. */
  readonly closed: Promise<EndReason>;
  readonly #init: SourcePipelineInit;
  readonly #timeline = new Timeline();
  readonly #demands = new Map<string, Demand>();
  readonly #startedMs: number;
  #run: SourceRun;
  #end: EndReason | undefined;

  /** @throws MediaPeerError SOURCE_NOT_FOUND when the source is gone. */
  constructor(init: SourcePipelineInit) {
    this.#init = init;
    this.#startedMs = init.clock.now();
    this.#run = this.#openRun();
    this.closed = this.#serve();
  }

  /** Leases a track; starts what is needed for it. */
  lease(key: TrackKey): TrackLease {
    const demand = this.#demands.get(keyName(key)) ?? this.#start(key);
    demand.idle?.cancel();
    demand.idle = undefined;
    demand.leases++;
    let held = true;
    return {
      track: demand.track,
      release: () => {
        if (!held) return;
        held = false;
        if (--demand.leases === 0 && !this.#end) this.#idle(demand);
      },
    };
  }

  /** True once it has ended or is about to: a new pipeline must be made for the next lease. */
  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  get activity(): SourceActivity {
    const run = this.#run;
    return {
      sourceId: this.#init.sourceId,
      delivery: run.description.delivery,
      uptimeMs: this.#init.clock.now() - this.#startedMs,
      restarts: run.restarts,
      lastError: run.lastError,
      troubles: run.troubles,
      decoder: run.decoder,
      detection: run.detection,
      renditions: [...this.#demands.values()].map(({ key, track }) => ({
        rendition: key.kind === 'audio' ? 'audio' : key.rendition,
        codec: track.codec,
        widthPx: key.kind === 'audio' ? undefined : run.format.widthPx,
        heightPx: key.kind === 'audio' ? undefined : run.format.heightPx,
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
    for (const { track, idle } of this.#demands.values()) {
      idle?.cancel();
      track.close(reason);
    }
    this.#demands.clear();
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
    for (const { key, track } of this.#demands.values()) this.#run.start(key, track);
    return undefined;
  }

  #openRun(): SourceRun {
    const { sourceId } = this.#init;
    const description = this.#init.describe();
    if (!description) throw new MediaPeerError('SOURCE_NOT_FOUND', `source '${sourceId}' is gone`);
    if (!description.playable) throw new MediaPeerError('SOURCE_NOT_PLAYABLE', `source '${sourceId}' cannot be played: ${description.reason ?? 'unknown reason'}`);
    this.#init.logger.info({ sourceId, delivery: description.delivery }, 'source started');
    return new SourceRun(description, this.#timeline, this.#init);
  }

  #start(key: TrackKey): Demand {
    const track = new Track({
      name: `${this.#init.sourceId}/${keyName(key)}`,
      codec: key.kind === 'audio' ? 'opus' : key.codec,
      timeline: this.#timeline,
      clock: this.#init.clock,
      onKeyframeRequest: () => this.#run.requestKeyframe(key),
    });
    const demand: Demand = { key, track, leases: 0, idle: undefined };
    this.#demands.set(keyName(key), demand);
    this.#run.start(key, track);
    return demand;
  }

  #idle(demand: Demand): void {
    demand.idle = this.#init.clock.after(this.#init.idleGraceMs, () => {
      this.#demands.delete(keyName(demand.key));
      demand.track.close('viewer-left');
      if (this.#demands.size === 0) {
        void this.close('viewer-left');
        return;
      }
      this.#run.stop(demand.key).catch((error: unknown) => {
        this.#init.logger.error({ err: error, track: demand.track.name }, 'rendition did not stop');
      });
    });
  }
}
