/** A viewer: the participant that is sent a source, on streams and data channels. */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { SOURCE_RUNG, type EndReason, type Rendition, type TrackKey } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import { ALL_RIGHTS, type ViewerRights } from '../api/rights.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { MeasuredSide, SideStatus } from '../api/status.js';
import { ViewerChannels } from '../channels/viewer-channels.js';
import type { LocalStream } from '../sdp/answer.js';
import type { Plan } from '../sdp/negotiate.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import type { Participant, SessionHost } from './participant.js';
import { PlaybackWatch } from './playback-watch.js';
import { planStreams } from './plan-streams.js';
import { ViewerMedia } from './viewer-media.js';
import type { QualityChange } from './quality-log.js';
import type { WatchedSources } from './tiles.js';
import type { ViewerStream } from './viewer-stream.js';
import { ViewerWatch } from './viewer-watch.js';
import type { WatchedSource } from './watched-source.js';

/** Who watches what. */
export interface ViewerInit {
  /** What is watched at first. */
  readonly sources: WatchedSources;
  /** What was agreed on. */
  readonly plan: Plan;
  /** For the command that changes the source. */
  readonly gateway: Pick<MediaGateway, 'open' | 'openPast'>;
  readonly clock: Clock;
  /** Renditions that flow from the start. Default: all. */
  readonly active?: readonly Rendition[] | undefined;
  /** What an offer of this server has announced, for each m-line. Left out: numbers are made up. */
  readonly announced?: readonly (LocalStream | undefined)[] | undefined;
  /** What the client may turn to. Default: everything. */
  readonly rights?: ViewerRights | undefined;
}

/** One viewer. */
export class Viewer implements Participant {
  readonly localStreams: readonly (LocalStream | undefined)[];
  readonly #streams: readonly ViewerStream[];
  readonly #media: ViewerMedia;
  readonly #channels: ViewerChannels;
  readonly #watch: ViewerWatch;
  readonly #playback: PlaybackWatch;
  readonly #host: SessionHost;

  constructor({ sources, plan, gateway, clock, active, announced, rights = ALL_RIGHTS }: ViewerInit, host: SessionHost) {
    const { logger } = host;
    const byMLine = planStreams({
      plan,
      announced,
      isWall: sources.tiles !== undefined,
      clock,
      onFirstFrame: (key) => this.#noteFirstFrame(key),
      onChanged: (stream) => this.#media.qualityChanged(stream),
      onStuck: (stream) => this.#media.stuck(stream),
      maxReplayBytes: (stream) => this.#media.maxReplayBytes(stream),
    });
    this.#host = host;
    this.localStreams = byMLine.map((stream) => stream?.local);
    this.#streams = byMLine.filter((stream) => stream !== undefined);
    this.#media = new ViewerMedia({
      sources,
      streams: this.#streams,
      active,
      gateway,
      clock,
      transport: (index) => host.transport(index),
      onEnded: (reason) => host.close(reason),
      onChanging: () => host.sourceChanging(),
      onSourceChanged: (to) => {
        this.#channels.sourceChanged();
        this.#playback.follow();
        host.sourceChanged(to);
      },
      onPastLost: (error) => this.#playback.lost(messageOf(error)),
      onTilesChanged: () => {
        this.#channels.sourcesChanged();
        host.step('tiles changed');
      },
      onTurn: (source, on) => this.#turned(source, on),
      onTrouble: ({ sourceId }, error) => logger.warn({ err: error, watched: sourceId }, 'some m-lines of a source get nothing'),
      onFailed: (error) => host.fail(error),
      onQuality: (change) => this.#qualityChanged(change),
    });
    this.#channels = new ViewerChannels({
      media: this.#media,
      rights,
      clock,
      logger,
      messages: () => [
        this.#playback.message,
        this.#qualityMessage(),
        ...this.#media.ended.flatMap(({ source, streams: on }) => this.#turnMessages(source, on)),
      ],
      onSilent: () => host.close('keepalive-timeout'),
    });
    this.#playback = new PlaybackWatch({
      playback: () => this.#media.playback,
      rtpTimestamp: (mediaTimeMs) => {
        const { raw, processed } = this.#media.rtpTimestamps(this.#media.sourceId, mediaTimeMs);
        return raw ?? processed;
      },
      mayPlayBack: () => rights.mayPlayBack(this.#media.sourceId),
      onForbidden: () => host.close('access-ended'),
      goLive: () => this.#media.goLive(),
      tell: (message) => this.#channels.tell(message),
      wallClock: () => clock.wallClock(),
      logger,
    });
    this.#playback.follow();
    this.#watch = new ViewerWatch({
      clock,
      logger,
      requestKeyframes: () => this.#media.requestKeyframes(),
      restartIce: () => host.restartIce(),
      onStuck: () => host.close('no-progress'),
    });
  }

  open(): void {
    this.#media.open();
  }

  connected(): void {
    this.#media.connected();
  }

  tick(): void {
    this.#media.tick();
    this.#channels.tick();
    this.#playback.tick();
    this.#watch.tick(this.#media.progress);
  }

  receiveRtp(): void {
    return; // A viewer has nothing to send; a sendrecv m-line is answered sendonly.
  }

  receiveRtcp(compound: Buffer, transport: number): void {
    this.#media.receiveRtcp(compound, transport);
  }

  takeChannel(channel: IncomingChannel): void {
    this.#channels.take(channel);
  }

  ssrcsOf(transport: number): number[] {
    return this.#streams.filter((stream) => stream.hasStarted && stream.transport === transport).map(({ local }) => local.ssrc);
  }

  /** Of a frame of the present: a viewer of the past has none of them. */
  rtpTimestamps(sourceId: string, mediaTimeMs: number): RtpTimestamps {
    if (this.#media.playback && sourceId === this.#media.sourceId) return {};
    return this.#media.rtpTimestamps(sourceId, mediaTimeMs);
  }

  get sourceIds(): string[] {
    return this.#media.sourceIds;
  }

  get allSourceIds(): string[] {
    return this.#media.allSourceIds;
  }

  snapshot(): SideStatus {
    const streams = this.#streams.map((stream) => ({ stream, key: stream.key, stats: stream.snapshot }));
    const all = streams.map(({ stats }) => stats);
    return {
      hasProcessedTrack: this.#streams.some(({ rendition }) => rendition === 'processed'),
      bytesSent: sum(all, ({ bytesSent }) => bytesSent),
      packetsSent: sum(all, ({ packetsSent }) => packetsSent),
      packetsLost: sum(all, ({ packetsLost }) => packetsLost),
      packetsRepaired: sum(all, ({ packetsRepaired }) => packetsRepaired),
      detectionsSent: this.#channels.detections.sent,
      detectionsDropped: this.#channels.detections.dropped,
      snapshotsSent: this.#channels.snapshots.sent,
      snapshotsDropped: this.#channels.snapshots.dropped,
      lastActivityS: this.#channels.lastActivityS,
      selected: this.#media.selected,
      isPaused: this.#media.isPaused,
      framesDropped: sum(all, ({ framesDropped }) => framesDropped),
      roundTripMs: this.#media.roundTripMs,
      quality: this.#media.sessionQuality,
      isWall: this.#media.isWall,
      video: streams.flatMap(({ stream, key, stats }) =>
        key.kind === 'video' ? [{ codec: key.codec, ...this.#media.tileOf(stream), ...this.#media.qualityOf(stream), ...stats }] : [],
      ),
      audio: streams.flatMap(({ key, stats }) => (key.kind === 'audio' ? [stats] : [])),
    };
  }

  measure(): MeasuredSide {
    const { detections, snapshots } = this.#channels;
    const video: MeasuredSide['video'][number][] = [];
    const audio: MeasuredSide['audio'][number][] = [];
    for (const stream of this.#streams) {
      const { rendition, snapshot } = stream;
      if (rendition === undefined) audio.push(snapshot);
      else {
        const { packetsSent, bytesSent, packetsRepaired, packetsLost, framesDropped } = snapshot;
        const { sourceId, quality } = this.#media.shownOn(stream);
        video.push({ sourceId, rendition, quality, packetsSent, bytesSent, packetsRepaired, packetsLost, framesDropped });
      }
    }
    return {
      detectionsSent: detections.sent,
      detectionsDropped: detections.dropped,
      snapshotsSent: snapshots.sent,
      snapshotsDropped: snapshots.dropped,
      roundTripMs: this.#media.roundTripMs,
      quality: this.#media.network,
      video,
      audio,
    };
  }

  close(_reason: EndReason): void {
    this.#playback.close();
    this.#channels.close();
    this.#media.close();
  }

  #qualityChanged({ stream, from, to, reason }: QualityChange): void {
    if (from === undefined) return;
    const { sourceId } = this.#media.tileOf(stream);
    this.#host.qualityChanged({
      rendition: stream.rendition,
      ...(this.#media.isWall && { mid: stream.mid, watched: sourceId }),
      from,
      to,
      reason,
    });
    const message = this.#qualityMessage();
    if (message)
      this.#channels.tell(this.#media.isWall ? { ...message, quality: to, reason, mid: stream.mid ?? null, source: sourceId } : message);
  }

  /** What a client is told of its quality; undefined while that is what every client expects. */
  #qualityMessage(): object | undefined {
    const { quality, switches, switchReason, estimateBps } = this.#media.sessionQuality;
    if (quality === undefined || (quality === SOURCE_RUNG && switches === 0)) return undefined;
    const estimateKbps = estimateBps === undefined ? null : Math.round(estimateBps / 1000);
    return { type: 'quality', quality, reason: switchReason, estimate_kbps: estimateKbps };
  }

  #turned(source: WatchedSource, streams: readonly ViewerStream[]): void {
    const { sourceId, end } = source;
    this.#host.logger.info({ watched: sourceId, reason: end }, end === undefined ? 'a source is back' : 'a source has ended');
    this.#host.step(`${end === undefined ? 'source back' : 'source ended'}: ${sourceId}`, { reason: end });
    for (const message of this.#turnMessages(source, streams)) this.#channels.tell(message);
  }

  /** What a client is told of the m-lines of a source that has ended, or is back. */
  #turnMessages({ sourceId, end }: WatchedSource, streams: readonly ViewerStream[]): object[] {
    const state = end === undefined ? { state: 'live' } : { state: 'ended', reason: end };
    return streams.map(({ mid = null, rendition = 'audio' }) => ({ type: 'track', mid, source: sourceId, rendition, ...state }));
  }

  #noteFirstFrame(key: TrackKey): void {
    this.#host.step('first packet');
    if (key.kind === 'video') this.#host.step('first keyframe', { rendition: key.rendition, codec: key.codec });
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
