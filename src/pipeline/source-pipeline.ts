/**
 * One source while it is watched: its tracks with their demand, and the run that writes them. The first lease
 * of a track starts it, the last one stops it a grace period later; the last track takes the source with it.
 */
import { RETRY_AFTER_S, sourceNotFound, sourceNotLive } from '../base/refusals.js';
import {
  DetectionFeed,
  type DetectionLease,
  SOURCE_RUNG,
  Timeline,
  Track,
  type EndReason,
  type RecordingLease,
  type RecordingSink,
  type TrackKey,
  type TrackLease,
  type VideoKey,
} from '../media/index.js';
import type { Source } from '../source/index.js';
import type { PipelineDeps } from './deps.js';
import type { EncodePlaceHolder } from './encode-places.js';
import { FrameNumbers } from './frame-numbers.js';
import { RefCount } from './ref-count.js';
import type { FrameLease } from './frame-lease.js';
import type { SourceActivity } from './source-activity.js';
import { throwIfNotPlayable } from './playable.js';
import type { RenditionKey } from './ladders.js';
import { runningRung, type RunningRendition } from './running-rendition.js';
import type { SeenKind } from './run-detection.js';
import { SourceRun, type SourceState } from './source-run.js';
import { isLower, keyName } from './track-name.js';

/** Something that runs while it is wanted. */
interface Demand {
  readonly name: string;
  /** Makes the run of the time produce it. */
  start(run: SourceRun): void;
  stop(run: SourceRun): Promise<void>;
  /** Tells its readers that it is over. */
  end(reason: EndReason): void;
  readonly refCount: RefCount;
}

interface TrackDemand extends Demand {
  readonly key: TrackKey;
  readonly track: Track;
}

/** A source that has brought nothing in this time is no longer starting, it is in trouble. */
const STARTS_WITHIN_MS = 15_000;

/** Which source runs, and what it is built on. */
export interface SourcePipelineInit extends PipelineDeps {
  /** The source that runs. */
  readonly sourceId: string;
  /** The source as it is now; undefined when it is gone. */
  readonly find: () => Source | undefined;
  /** The last one who wanted something of it has left; it runs on for the grace time. */
  readonly onIdle?: () => void;
}

/** One source while it is watched. */
export class SourcePipeline {
  /** Resolves when the source no longer runs: nobody wants it, or it ended. */
  readonly closed: Promise<EndReason>;
  readonly #init: SourcePipelineInit;
  readonly #state: SourceState;
  readonly #tracks = new Map<string, TrackDemand>();
  /** Tracks that ended while the source goes on, for as long as somebody holds them. */
  readonly #ended = new Set<Demand>();
  readonly #seen = new Map<SeenKind, Demand>();
  readonly #startedMs: number;
  #run: SourceRun;
  /** Of runs, and of what they bring themselves. */
  #changes = 0;
  #end: EndReason | undefined;
  #wantedAtMs: number;
  #idleSinceMs: number;

  /** @throws MediaPeerError SOURCE_NOT_FOUND when the source is gone. */
  constructor(init: SourcePipelineInit) {
    this.#init = init;
    this.#startedMs = this.#wantedAtMs = this.#idleSinceMs = init.clock.now();
    let objectIds = 0;
    this.#state = {
      timeline: new Timeline(),
      feed: new DetectionFeed(init.sourceId, init.logger),
      frameNumbers: new FrameNumbers(),
      nextObjectId: () => ++objectIds,
      pictureTakers: new Set(),
      layersChanged: () => this.#changes++,
    };
    this.#run = this.#openRun();
    this.closed = this.#serve();
  }

  /** Leases a track; starts what is needed for it. @throws MediaPeerError SOURCE_NOT_LIVE where it is H.265, and the source came in it a moment ago */
  lease(key: TrackKey): TrackLease {
    if (!this.#run.canMake(key))
      throw sourceNotLive(this.#init.sourceId, 'it has changed, and does not come in H.265 any more', RETRY_AFTER_S.session);
    const demand = this.#tracks.get(keyName(key)) ?? this.#startTrack(key);
    return { track: demand.track, release: this.#hold(demand) };
  }

  /** Leases what is detected; the detector begins to look where it does not yet. */
  leaseDetections(): DetectionLease {
    return { feed: this.#state.feed, release: this.#hold(this.#demandOf('detections')) };
  }

  /** Leases the decoded frames and what is detected in them, likewise. */
  leaseFrames(): FrameLease {
    return {
      feed: this.#state.feed,
      takeNext: (taker) => {
        this.#state.pictureTakers.add(taker);
        return () => void this.#state.pictureTakers.delete(taker);
      },
      release: this.#hold(this.#demandOf('frames')),
    };
  }

  /** Leases what is recorded of the source: its raw video and its sound, frame by frame. @throws MediaPeerError as `lease` */
  leaseRecording(sink: RecordingSink): RecordingLease {
    const key: VideoKey = { kind: 'video', rendition: 'raw', codec: this.#run.rawCodec };
    const [video, audio] = [this.lease(key), this.lease({ kind: 'audio' })];
    const begun = this.#run.openGroup(key);
    for (const frame of begun) sink.video(frame);
    if (begun.length === 0) this.#run.requestKeyframe(key);
    const stopTaps = [video.track.tap((frame) => sink.video(frame)), audio.track.tap((frame) => sink.audio(frame))];
    return {
      codec: key.codec,
      timeline: this.#state.timeline,
      feed: this.#state.feed,
      isTranscoded: () => this.#run.originOf(key) !== 'copied',
      isOutdated: () => this.#run.rawCodec !== key.codec,
      isStandIn: (mediaTimeMs) => this.#run.isStandIn(mediaTimeMs),
      requestKeyframe: () => void this.#run.requestKeyframe(key),
      onClosed: (listener) => video.track.onClosed(listener),
      release: () => {
        for (const stop of stopTaps) stop();
        video.release();
        audio.release();
      },
    };
  }

  /** Another one when a track begins or ends, has its first frame, or is made otherwise than before. */
  get ladderMark(): string {
    let mark = String(this.#changes);
    for (const [name, { key, track }] of this.#tracks) {
      const made = this.#run.encoderOf(key) ? 'e' : this.#run.layerOf(key) ? 'l' : '';
      mark += ` ${name}${track.hasMedia ? '+' : '-'}${made}`;
    }
    return mark;
  }

  /** What runs of a rendition, and in which qualities; undefined once it has ended. @param source as it is now */
  running(key: RenditionKey, source: Source): RunningRendition | undefined {
    if (this.isClosed) return undefined;
    const run = this.#run;
    const all = [...this.#tracks.values()].filter((each) => isRendition(each.key, key));
    return {
      base: run.base(key, source),
      hasMedia: run.info.delivery === 'passthrough' || all.some((each) => !isLower(each.key) && each.track.hasMedia),
      makesKeyframes: run.makesKeyframes(key),
      layers: run.layersBelow(key),
      lower: all.flatMap(({ key: each, track }) =>
        isLower(each) ? [runningRung(each.rung, track, run.encoderOf(each), run.layerOf(each))] : [],
      ),
    };
  }

  #hold({ refCount }: Demand): () => void {
    const release = refCount.add();
    this.#wantedAtMs = this.#init.clock.now();
    return () => {
      release();
      this.#idleSinceMs = this.#init.clock.now();
      if (this.idleSinceMs !== undefined) this.#init.onIdle?.();
    };
  }

  /** True once it has ended or is about to: a new pipeline must be made for the next lease. */
  get isClosed(): boolean {
    const { end } = this.#run;
    return this.#end !== undefined || (end !== undefined && end.reason !== 'replaced');
  }

  /** When the last one who wanted something of it left; undefined while it is wanted. */
  get idleSinceMs(): number | undefined {
    return this.#demands().some(({ refCount }) => refCount.isHeld) ? undefined : this.#idleSinceMs;
  }

  /** True while somebody waits for the first frame of a track. */
  get isStarting(): boolean {
    return (
      this.#end === undefined &&
      this.#init.clock.now() - this.#wantedAtMs < STARTS_WITHIN_MS &&
      [...this.#tracks.values()].some(({ track, refCount }) => refCount.isHeld && !track.hasMedia)
    );
  }

  get activity(): Omit<SourceActivity, 'qualities'> {
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
      layersProblem: run.layersProblem,
      renditions: [...this.#tracks.values()].map(({ key, track }) => ({
        rendition: key.kind === 'audio' ? 'audio' : key.rendition,
        codec: track.codec,
        rung: key.kind === 'audio' ? undefined : (key.rung ?? SOURCE_RUNG),
        ...run.sizeOf(key),
        origin: run.originOf(key),
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
    for (const { refCount } of this.#demands()) refCount.close();
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
    for (const demand of this.#demands()) {
      demand.refCount.close();
      demand.end(reason);
    }
    this.#state.feed.close(reason);
    this.#tracks.clear();
    this.#ended.clear();
    this.#seen.clear();
    this.#init.logger.info({ sourceId: this.#init.sourceId, reason }, 'source stopped');
    return reason;
  }

  /** Opens the source as it is now, for the same tracks; an end where it cannot be played. */
  #reopen(): EndReason | undefined {
    const before = this.#run;
    try {
      this.#run = this.#openRun();
    } catch (error) {
      this.#init.logger.warn({ sourceId: this.#init.sourceId, err: error }, 'replaced source cannot be played');
      return 'source-ended';
    }
    this.#endImpossible(before);
    for (const demand of this.#demands()) if (!this.#ended.has(demand)) demand.start(this.#run);
    return undefined;
  }

  /** Tracks that the new run cannot make, or not without asking, end; their readers look for another of the same source. */
  #endImpossible(before: SourceRun): void {
    const run = this.#run;
    const mustAsk = ({ key }: TrackDemand): boolean =>
      run.source.encodesTakePlaces === true && before.originOf(key) === 'copied' && run.originOf(key) === 'encoded';
    for (const [name, demand] of this.#tracks) {
      if (run.canMake(demand.key) && !mustAsk(demand)) continue;
      this.#tracks.delete(name);
      this.#ended.add(demand);
      demand.end('source-changed');
    }
  }

  #openRun(): SourceRun {
    const { sourceId } = this.#init;
    const source = this.#init.find();
    if (!source) throw sourceNotFound(sourceId);
    throwIfNotPlayable(source);
    this.#init.logger.info({ sourceId, delivery: source.delivery }, 'source started');
    this.#changes++;
    return new SourceRun(source, this.#state, this.#init);
  }

  #demands(): Demand[] {
    return [...this.#tracks.values(), ...this.#ended, ...this.#seen.values()];
  }

  #startTrack(key: TrackKey): TrackDemand {
    const track = new Track({
      name: `${this.#init.sourceId}/${keyName(key)}`,
      codec: key.kind === 'audio' ? 'opus' : key.codec,
      timeline: this.#state.timeline,
      clock: this.#init.clock,
      logger: this.#init.logger,
      onKeyframeRequest: () => this.#run.requestKeyframe(key),
    });
    const leaveCounts = this.#init.counts?.addTrack(this.#init.sourceId, key, track);
    const holder: EncodePlaceHolder = {
      get isIdle() {
        return !demand.refCount.isHeld;
      },
      giveUp: () => {
        demand.refCount.close();
        this.#idle(demand);
      },
    };
    const demand: TrackDemand = {
      name: track.name,
      key,
      track,
      start: (run) => run.start(key, track, holder),
      stop: (run) => {
        if (this.#ended.delete(demand)) return Promise.resolve();
        this.#tracks.delete(keyName(key));
        return run.stop(key);
      },
      end: (reason) => {
        track.close(reason);
        leaveCounts?.();
      },
      refCount: this.#refCount(() => demand),
    };
    this.#tracks.set(keyName(key), demand);
    demand.start(this.#run);
    return demand;
  }

  #demandOf(kind: SeenKind): Demand {
    const known = this.#seen.get(kind);
    if (known) return known;
    this.#run.startDetection(kind);
    const demand: Demand = {
      name: `${this.#init.sourceId}/${kind}`,
      start: (run) => run.startDetection(kind),
      stop: (run) => {
        this.#seen.delete(kind);
        return run.stopDetection(kind);
      },
      // Readers stay with the feed, which ends with the source alone.
      end: () => undefined,
      refCount: this.#refCount(() => demand),
    };
    this.#seen.set(kind, demand);
    return demand;
  }

  #refCount(demand: () => Demand): RefCount {
    const { clock, idleGraceMs } = this.#init;
    return new RefCount({ clock, graceMs: idleGraceMs, onIdle: () => this.#idle(demand()) });
  }

  /** Nobody wants it any more; the last one takes the source with it. */
  #idle(demand: Demand): void {
    demand.end('viewer-left');
    if (this.#demands().every((other) => other === demand)) {
      void this.close('viewer-left');
      return;
    }
    demand.stop(this.#run).catch((error: unknown) => {
      this.#init.logger.error({ err: error, demand: demand.name }, 'a pipeline without viewers did not stop');
    });
  }
}

function isRendition(key: TrackKey, { rendition, codec }: RenditionKey): key is VideoKey {
  return key.kind === 'video' && key.rendition === rendition && key.codec === codec;
}
