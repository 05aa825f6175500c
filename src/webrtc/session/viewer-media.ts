/** What a viewer is sent: which of its streams flow, and of which sources. */
import type { Clock } from '../../base/clock.js';
import {
  RENDITIONS,
  SOURCE_RUNG,
  type EndReason,
  type FrameTimestamps,
  type OpenedSource,
  type PlaybackControl,
  type Rendition,
} from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { QualityStatus, SessionQuality } from '../api/status.js';
import type { MediaChoice, ShownTile, TileChoice, WatchedMedia } from '../channels/watched-media.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';
import type { PacketTransport } from '../transport/packet-transport.js';
import { MediaChanges } from './media-changes.js';
import { QualityControl } from './quality-control.js';
import { QualityLog, qualityName, type QualityChange } from './quality-log.js';
import { SourceReturns } from './source-returns.js';
import { StreamTracks, type WantedTrack } from './stream-tracks.js';
import { Tiles, type WatchedSources } from './tiles.js';
import type { WatchedSource } from './watched-source.js';
import { ViewerRtcp } from './viewer-rtcp.js';
import type { ViewerStream } from './viewer-stream.js';

/** What a viewer is sent. */
export interface ViewerMediaInit {
  /** What is watched at first. */
  readonly sources: WatchedSources;
  /** One for each m-line that sends. */
  readonly streams: readonly ViewerStream[];
  /** Renditions that flow from the start; those of the streams that are not among them wait. Default: all. */
  readonly active?: readonly Rendition[] | undefined;
  /** For commands that change what is watched, and sources that come back. */
  readonly gateway: Pick<MediaGateway, 'open' | 'openPast'>;
  readonly clock: Clock;
  /** By its index; undefined before it is open. */
  readonly transport: (index: number) => PacketTransport | undefined;
  /** Nothing more comes of what is watched. */
  readonly onEnded: (reason: EndReason) => void;
  /** Some m-lines are about to show something else: what they were sent so far is of what they show now. */
  readonly onChanging: () => void;
  /** The session's own source is another one, or was opened anew. */
  readonly onSourceChanged: (sourceId: string) => void;
  /** Nothing more can be had of what was recorded. The present is shown where there is one. */
  readonly onPastLost: (error: unknown) => void;
  /** M-lines show other sources, or sources have come back. */
  readonly onTilesChanged: () => void;
  /** One of several sources has ended, or has come back, on these m-lines. */
  readonly onTurn: (source: WatchedSource, streams: readonly ViewerStream[]) => void;
  /** Some m-lines of a source that flows on others get nothing for now. */
  readonly onTrouble: (source: WatchedSource, error: unknown) => void;
  /** A stream is sent in another quality, or for the first time in one. */
  readonly onQuality: (change: QualityChange) => void;
  /** A track could not be opened. */
  readonly onFailed: (error: unknown) => void;
}

/** What one viewer is sent. */
export class ViewerMedia implements WatchedMedia {
  readonly #init: ViewerMediaInit;
  readonly #tiles: Tiles;
  readonly #returns: SourceReturns;
  readonly #closing = new AbortController();
  readonly #rtcp: ViewerRtcp;
  readonly #tracks: StreamTracks;
  readonly #quality: QualityControl;
  readonly #changes: MediaChanges;
  readonly #log = new QualityLog();
  /** Streams whose quality has ended while its source went on, and why. */
  readonly #orphaned = new Map<ViewerStream, EndReason>();
  #isPaused = false;
  #isConnected = false;

  constructor(init: ViewerMediaInit) {
    this.#init = init;
    this.#rtcp = new ViewerRtcp(init);
    this.#tiles = new Tiles(init.streams, init.sources, init.active);
    this.#returns = new SourceReturns({
      clock: init.clock,
      open: (sourceId) => init.gateway.open(sourceId),
      onReturned: (source, opened) => this.#returned(source, opened),
    });
    this.#quality = new QualityControl({
      clock: init.clock,
      streams: init.streams.filter(({ key }) => key.kind === 'video'),
      congestion: (index) => init.transport(index)?.congestion,
      aimOf: (stream) => (this.#flows(stream) ? this.#tiles.aimOf(stream) : undefined),
      onDecided: () => this.#follow(),
    });
    this.#tracks = new StreamTracks({
      clock: init.clock,
      streams: init.streams,
      wanted: (stream) => this.#wanted(stream),
      onHeld: (stream) => this.#held(stream),
      onEnded: (stream, rung, reason) => this.#trackEnded(stream, rung, reason),
      onFailed: (stream, rung, error) => this.#trackFailed(stream, rung, error),
    });
    this.#changes = new MediaChanges({
      ...init,
      tiles: this.#tiles,
      quality: this.#quality,
      tracks: this.#tracks,
      signal: this.#closing.signal,
      isPaused: () => this.#isPaused,
      wanted: (stream) => this.#wanted(stream),
      decide: () => this.#decide(),
      follow: () => this.#follow(),
    });
  }

  get sourceId(): string {
    return this.#tiles.own.sourceId;
  }

  get source(): OpenedSource | undefined {
    return this.#tiles.own.live;
  }

  get sources(): OpenedSource[] {
    return [...new Map(this.#tiles.shown.flatMap(({ sourceId, live }) => (live ? [[sourceId, live] as const] : []))).values()];
  }

  /** Ids of all that is shown. */
  get sourceIds(): string[] {
    return [...new Set(this.#tiles.shown.map(({ sourceId }) => sourceId))];
  }

  /** The same, and the session's own source: of it come sound and JPEG pictures also where no m-line shows it. */
  get allSourceIds(): string[] {
    return [...new Set([this.#tiles.own, ...this.#tiles.all].map(({ sourceId }) => sourceId))];
  }

  /** What has ended, and waits to come back, with its m-lines. */
  get ended(): { readonly source: WatchedSource; readonly streams: readonly ViewerStream[] }[] {
    const ended = this.#tiles.all.filter(({ end }) => end !== undefined);
    return ended.map((source) => ({ source, streams: this.#tiles.streamsOf(source) }));
  }

  get isWall(): boolean {
    return this.#tiles.isWall;
  }

  get tiles(): ShownTile[] {
    return this.#tiles.videos.map((stream) => this.tileOf(stream));
  }

  /** What an m-line of video shows. */
  tileOf(stream: ViewerStream): ShownTile {
    const maxHeightPx = this.#tiles.maxHeightOf(stream);
    return {
      mid: stream.mid,
      sourceId: this.#tiles.watchedOn(stream)?.sourceId,
      rendition: stream.rendition ?? 'raw',
      maxHeightPx: maxHeightPx === Infinity ? undefined : maxHeightPx,
    };
  }

  get selected(): Rendition[] {
    return RENDITIONS.filter((rendition) => [...this.#tiles.selected].some((stream) => stream.rendition === rendition));
  }

  get quality(): string | undefined {
    const stream = this.#init.streams.find((each) => each.rendition !== undefined && this.#flows(each));
    const target = stream && this.#quality.targetOf(stream);
    return stream && (target ? qualityName(target) : this.#quality.rungOf(stream));
  }

  /** In which quality a stream is sent, for statistics. */
  qualityOf(stream: ViewerStream): QualityStatus {
    return this.#log.statusOf(stream);
  }

  /** What a stream of video shows, and in which quality it is sent; for measurements. */
  shownOn(stream: ViewerStream): { readonly sourceId: string | undefined; readonly quality: string | undefined } {
    return { sourceId: this.#tiles.watchedOn(stream)?.sourceId, quality: this.#log.qualityOf(stream) };
  }

  /** What is known of the network. */
  get network(): Pick<SessionQuality, 'estimateBps' | 'queueMs'> {
    return this.#quality.network;
  }

  /** In which quality the viewer is sent its video, and what its network carries. */
  get sessionQuality(): SessionQuality {
    return { ...this.#log.summary(this.#init.streams.filter(({ rendition }) => rendition !== undefined)), ...this.#quality.network };
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Opens the tracks, so that the pipeline is warm when the handshake is done. */
  open(): void {
    this.#tracks.reconcile();
  }

  /** The transports are connected: what is open is sent from now on. */
  connected(): void {
    this.#isConnected = true;
    this.#quality.connected();
    this.#follow();
    this.playback?.begin();
  }

  canSelect(renditions: readonly Rendition[]): boolean {
    return renditions.every((rendition) => this.#renditions.includes(rendition));
  }

  select(choice: MediaChoice): Promise<void> {
    return this.#changes.select(choice);
  }

  switchSource(sourceId: string, choice: MediaChoice = {}): Promise<void> {
    return this.#changes.switchSource(sourceId, choice);
  }

  get playback(): PlaybackControl | undefined {
    return this.source?.playback;
  }

  /** A viewer that has paused the present is shown the one frame. */
  async seek(atMs: number): Promise<void> {
    const wasPaused = this.#isPaused;
    this.#isPaused = false;
    try {
      await this.#changes.seek(atMs);
    } catch (error) {
      this.#isPaused = wasPaused;
      throw error;
    }
    if (wasPaused) this.playback?.pause();
  }

  goLive(): Promise<void> {
    return this.#changes.goLive();
  }

  point(choices: ReadonlyMap<number, TileChoice | 'nothing'>): Promise<void> {
    return this.#changes.point(choices);
  }

  /** In the past time stands still; what is sent stays. */
  pause(): void {
    if (this.playback) return this.playback.pause();
    this.#isPaused = true;
    this.#decide();
  }

  resume(): void {
    this.playback?.resume();
    this.#isPaused = false;
    this.#decide();
  }

  /** Largest replay that the network of a stream takes, in bytes. */
  maxReplayBytes(stream: ViewerStream): number {
    return this.#quality.maxReplayBytes(stream);
  }

  /** A stream flows in another quality. */
  qualityChanged(stream: ViewerStream): void {
    this.#note(stream);
    this.#quality.arrived(stream);
  }

  /** A stream shows nothing before a keyframe that may be seconds away: something else fills that time. */
  stuck(stream: ViewerStream): void {
    if (this.#quality.detour(stream)) this.#tracks.reconcile();
  }

  requestKeyframes(): void {
    for (const stream of this.#init.streams) if (stream.rendition !== undefined) stream.requestKeyframe();
  }

  rtpTimestamps(sourceId: string, mediaTimeMs: number): RtpTimestamps {
    const shown = this.#tiles.videos.flatMap((stream) => {
      if (this.#tiles.watchedOn(stream)?.sourceId !== sourceId) return [];
      const rtpTimestamp = stream.rtpTimestampOf(mediaTimeMs);
      return rtpTimestamp === undefined ? [] : [{ stream, rendition: stream.rendition ?? 'raw', rtpTimestamp }];
    });
    const first = RENDITIONS.flatMap((rendition) => shown.find((each) => each.rendition === rendition) ?? []);
    const nearest = first.filter(({ stream }) => stream.isNearestFrame).map(({ rendition }) => rendition);
    return {
      ...(Object.fromEntries(first.map(({ rendition, rtpTimestamp }) => [rendition, rtpTimestamp])) as FrameTimestamps),
      ...(nearest.length > 0 && { nearest }),
      ...(this.isWall && {
        mLines: shown.map(({ stream, rtpTimestamp }) => ({ mid: stream.mid ?? null, rtpTimestamp, isNearest: stream.isNearestFrame })),
      }),
    };
  }

  /** Once a second. */
  tick(): void {
    for (const stream of this.#init.streams) stream.tick();
    this.#returns.look(this.#tiles.all);
    // Ladders change, and what was refused may be had again.
    this.#decide();
  }

  /** @param index of the transport on which it came */
  receiveRtcp(compound: Buffer, index: number): void {
    this.#rtcp.receive(compound, index);
  }

  /** Undefined before a report that tells it. */
  get roundTripMs(): number | undefined {
    return this.#init.streams.find(({ roundTripMs }) => roundTripMs !== undefined)?.roundTripMs;
  }

  /** What is known of the streams that flow, for whoever watches over the viewer. */
  get progress(): StreamProgress[] {
    return this.#init.streams.flatMap(({ progress }) => progress ?? []);
  }

  /** Gives every track back. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#quality.close();
    this.#tracks.reconcile();
  }

  get #renditions(): readonly Rendition[] {
    return RENDITIONS.filter((rendition) => this.#init.streams.some((stream) => stream.rendition === rendition));
  }

  #flows(stream: ViewerStream): boolean {
    if (this.#closing.signal.aborted || this.#isPaused) return false;
    return stream.rendition === undefined ? (this.#tiles.own.live?.media.hasAudio ?? false) : this.#tiles.selected.has(stream);
  }

  /** Something else may be wanted. */
  #decide(): void {
    this.#quality.decide();
    this.#follow();
  }

  /** Carries out what was decided. */
  #follow(): void {
    this.#tracks.reconcile();
    for (const stream of this.#init.streams) this.#start(stream);
  }

  #wanted(stream: ViewerStream): WantedTrack | undefined {
    const aim = this.#flows(stream) ? this.#tiles.aimOf(stream) : undefined;
    if (!aim) return undefined;
    return { source: aim.source, rung: this.#quality.rungOf(stream), prepared: this.#quality.preparedOf(stream) };
  }

  /** One that is on its way to another quality begins with that. */
  #start(stream: ViewerStream): void {
    const transport = this.#isConnected ? this.#init.transport(stream.transport) : undefined;
    if (transport && stream.heading === this.#wanted(stream)?.rung) stream.start(transport, this.#tiles.timeOf(stream));
    if (transport) this.#note(stream);
  }

  #held(stream: ViewerStream): void {
    this.#orphaned.delete(stream);
    this.#start(stream);
  }

  /** Tells where a stream is sent in another quality than before. */
  #note(stream: ViewerStream): void {
    if (stream.rendition === undefined) return;
    const change = this.#log.note(stream, this.#quality.targetOf(stream), this.#quality.isFilled(stream));
    if (change) this.#init.onQuality(change);
  }

  /** A lower quality may go while its source goes on. */
  #trackEnded(stream: ViewerStream, rung: string, reason: EndReason): void {
    const source = this.#tiles.watchedOn(stream);
    if (!source) return;
    if (reason === 'source-changed') {
      this.#changes.renew(source).catch((error: unknown) => this.#notRenewed(source, error));
      return;
    }
    if (rung === SOURCE_RUNG) return this.#over(source, reason);
    if (stream.rung === rung) this.#orphaned.set(stream, reason);
    this.#quality.refuse(source.sourceId, rung);
    this.#follow();
  }

  /** Where nothing more of the past can be had, there may still be the present. Never rejects. */
  async #notRenewed(source: WatchedSource, error: unknown): Promise<void> {
    const isPast = source === this.#tiles.own && this.playback !== undefined;
    if (isPast) this.#init.onPastLost(error);
    const isThere =
      isPast &&
      (await this.goLive().then(
        () => true,
        () => false,
      ));
    if (!isThere) this.#lost(source, error);
  }

  #trackFailed(stream: ViewerStream, rung: string, error: unknown): void {
    const source = this.#tiles.watchedOn(stream);
    const reason = this.#orphaned.get(stream);
    if (!source) return;
    if (rung !== SOURCE_RUNG) this.#quality.refuse(source.sourceId, rung);
    else if (reason !== undefined) this.#over(source, reason);
    else if (!stream.holdsTrack) this.#failed(source, error);
  }

  /** Nothing more comes of a source, for now. Its m-lines wait for it while others go on. */
  #over(source: WatchedSource, reason: EndReason): void {
    if (source.end !== undefined) return;
    source.over(reason);
    const { end } = this.#tiles;
    if (end !== undefined) return this.#init.onEnded(end);
    this.#init.onTurn(source, this.#tiles.streamsOf(source));
    this.#decide();
  }

  /** On a wall, what else flows of the same source stays, or may come yet, and the rest is tried again now and then. */
  #failed(source: WatchedSource, error: unknown): void {
    const tiles = this.#tiles;
    const goesOn = (stream: ViewerStream): boolean => stream.holdsTrack || this.#tracks.isOpening(stream);
    if (tiles.isWall && tiles.streamsOf(source).some(goesOn)) this.#init.onTrouble(source, error);
    else this.#lost(source, error);
  }

  /** Nothing of a source can be had, for now. A wall goes on while anything of it does. */
  #lost(source: WatchedSource, error: unknown): void {
    const { isWall, shown, all } = this.#tiles;
    if (this.#closing.signal.aborted || !all.includes(source)) return;
    const isLast = shown.includes(source) && shown.every((each) => each === source || each.end !== undefined);
    if (isWall && !isLast) this.#over(source, 'source-failed');
    else this.#init.onFailed(error);
  }

  #returned(source: WatchedSource, opened: OpenedSource): void {
    if (this.#closing.signal.aborted || source.end === undefined || !this.#tiles.all.includes(source)) return;
    source.begin(opened);
    this.#init.onTurn(source, this.#tiles.streamsOf(source));
    this.#init.onTilesChanged();
    this.#decide();
  }
}
