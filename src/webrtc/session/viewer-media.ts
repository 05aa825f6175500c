/** What a viewer is sent: which of its streams flow, and of which source. */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { RENDITIONS, SOURCE_RUNG, type EndReason, type OpenedSource, type Rendition } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { QualityStatus, SessionQuality } from '../api/status.js';
import type { MediaChoice, WatchedMedia } from '../channels/watched-media.js';
import { parseRtcp, type RtcpMessage } from '../rtp/rtcp.js';
import { ContinuousTime } from '../rtp/send/continuous-time.js';
import { NetworkReports } from '../rtp/send/network-reports.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';
import type { Congestion, PacketTransport } from '../transport/packet-transport.js';
import { openTracks } from './open-tracks.js';
import { QualityControl } from './quality-control.js';
import { QualityLog, qualityName, type QualityChange } from './quality-log.js';
import { readWish } from './quality-wish.js';
import { StreamTracks, type WantedTrack } from './stream-tracks.js';
import type { ViewerStream } from './viewer-stream.js';

/** What a viewer is sent. */
export interface ViewerMediaInit {
  /** What is watched at first. */
  readonly source: OpenedSource;
  /** One for each m-line that sends. */
  readonly streams: readonly ViewerStream[];
  /** Renditions that flow from the start; those of the streams that are not among them wait. */
  readonly selected: readonly Rendition[];
  /** For the command that changes the source. */
  readonly gateway: Pick<MediaGateway, 'open'>;
  readonly clock: Clock;
  /** By its index; undefined before it is open. */
  readonly transport: (index: number) => PacketTransport | undefined;
  /** A track has ended. */
  readonly onEnded: (reason: EndReason) => void;
  /** Another source flows from now on. */
  readonly onSourceChanged: (sourceId: string) => void;
  /** A stream is sent in another quality, or for the first time in one. */
  readonly onQuality: (change: QualityChange) => void;
  /** A track could not be opened. */
  readonly onFailed: (error: unknown) => void;
}

/** What one viewer is sent. */
export class ViewerMedia implements WatchedMedia {
  readonly #init: ViewerMediaInit;
  readonly #time = new ContinuousTime();
  readonly #closing = new AbortController();
  /** By the index of the transport. */
  readonly #networks = new Map<number, NetworkReports>();
  readonly #tracks: StreamTracks;
  readonly #quality: QualityControl;
  readonly #log = new QualityLog();
  /** Streams whose quality has ended while its source went on, and why. */
  readonly #orphaned = new Map<ViewerStream, EndReason>();
  #selected: ReadonlySet<Rendition>;
  #isPaused = false;
  #isConnected = false;
  #source: OpenedSource;
  #switching: Promise<void> = Promise.resolve();

  constructor(init: ViewerMediaInit) {
    this.#init = init;
    this.#source = init.source;
    this.#selected = new Set(init.selected);
    this.#quality = new QualityControl({
      clock: init.clock,
      streams: init.streams.filter(({ key }) => key.kind === 'video'),
      congestion: (index) => init.transport(index)?.congestion,
      sourceOf: (stream) => (this.#flows(stream) ? this.#source : undefined),
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
  }

  get source(): OpenedSource {
    return this.#source;
  }

  get selected(): Rendition[] {
    return this.#renditions.filter((rendition) => this.#selected.has(rendition));
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
  }

  canSelect(renditions: readonly Rendition[]): boolean {
    return renditions.every((rendition) => this.#renditions.includes(rendition));
  }

  async select({ renditions = this.selected, quality }: MediaChoice): Promise<void> {
    throwIfNotOffered(this.#source, renditions);
    const before = { selected: this.#selected, wish: this.#quality.wish };
    const wish = quality === undefined ? before.wish : readWish(quality, this.#source, this.#init.streams);
    const selected = new Set(renditions);
    this.#selected = selected;
    this.#quality.wish = wish;
    this.#decide();
    if (quality === undefined) return;
    try {
      await this.#tracks.reached();
    } catch (error) {
      // What was asked for meanwhile holds.
      if (this.#selected === selected) this.#selected = before.selected;
      if (this.#quality.wish === wish) this.#quality.wish = before.wish;
      this.#decide();
      throw error;
    }
  }

  switchSource(sourceId: string, choice: MediaChoice = {}): Promise<void> {
    const switched = this.#switching.then(() => this.#switch(sourceId, choice));
    this.#switching = switched.catch(() => undefined);
    return switched;
  }

  pause(): void {
    this.#isPaused = true;
    this.#decide();
  }

  resume(): void {
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

  rtpTimestamps(mediaTimeMs: number): RtpTimestamps {
    const timestamps: Partial<Record<Rendition, number>> = {};
    const nearest: Rendition[] = [];
    for (const stream of this.#init.streams) {
      const timestamp = stream.rendition === undefined ? undefined : stream.rtpTimestampOf(mediaTimeMs);
      if (stream.rendition === undefined || timestamp === undefined) continue;
      timestamps[stream.rendition] = timestamp;
      if (stream.isNearestFrame) nearest.push(stream.rendition);
    }
    return nearest.length === 0 ? timestamps : { ...timestamps, nearest };
  }

  /** Once a second. */
  tick(): void {
    for (const stream of this.#init.streams) stream.tick();
    // Ladders change, and what was refused may be had again.
    this.#decide();
  }

  /** @param index of the transport on which it came */
  receiveRtcp(compound: Buffer, index: number): void {
    const messages = parseRtcp(compound);
    for (const message of messages) this.#handleRtcp(message);
    this.#networkOf(index)?.receive(messages, this.#init.clock.now());
  }

  /** Undefined before a report that tells it. */
  get roundTripMs(): number | undefined {
    return this.#init.streams.map(({ roundTripMs }) => roundTripMs).find((ms) => ms !== undefined);
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

  #flows({ rendition }: ViewerStream): boolean {
    if (this.#closing.signal.aborted || this.#isPaused) return false;
    return rendition === undefined ? this.#source.media.hasAudio : this.#selected.has(rendition);
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
    if (!this.#flows(stream)) return undefined;
    return { source: this.#source, rung: this.#quality.rungOf(stream), prepared: this.#quality.preparedOf(stream) };
  }

  /** One that is on its way to another quality begins with that. */
  #start(stream: ViewerStream): void {
    const transport = this.#isConnected ? this.#init.transport(stream.transport) : undefined;
    if (transport && stream.heading === this.#wanted(stream)?.rung) stream.start(transport, this.#time);
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
    if (reason === 'source-changed') return this.#openAnew();
    if (rung === SOURCE_RUNG) return this.#init.onEnded(reason);
    if (stream.rung === rung) this.#orphaned.set(stream, reason);
    this.#quality.refuse(rung);
    this.#follow();
  }

  /** The source goes on in another codec: its other tracks take over. */
  #openAnew(): void {
    this.switchSource(this.#source.sourceId).catch((error: unknown) => this.#init.onFailed(error));
  }

  #trackFailed(stream: ViewerStream, rung: string, error: unknown): void {
    const reason = this.#orphaned.get(stream);
    if (rung !== SOURCE_RUNG) this.#quality.refuse(rung);
    else if (reason !== undefined) this.#init.onEnded(reason);
    else if (!stream.holdsTrack) this.#init.onFailed(error);
  }

  async #switch(sourceId: string, { renditions = this.selected, quality }: MediaChoice): Promise<void> {
    const { gateway, clock, streams, onSourceChanged } = this.#init;
    const source = await gateway.open(sourceId);
    throwIfNotOffered(source, renditions);
    const wish = quality === undefined ? this.#quality.wish : readWish(quality, source, streams);
    const flowing = streams.filter(
      ({ rendition }) => !this.#isPaused && (rendition === undefined ? source.media.hasAudio : renditions.includes(rendition)),
    );
    const choices = this.#quality.choicesFor(source, flowing, wish);
    const wanted = flowing.map((stream) => ({ stream, keyOf: () => stream.keyOf(source, choices.get(stream)?.rung) }));
    const leases = await openTracks(wanted, { source, clock, signal: this.#closing.signal });
    this.#source = source;
    this.#selected = new Set(renditions);
    if (quality !== undefined) this.#quality.wish = wish;
    for (const stream of streams) stream.stop();
    for (const [{ stream }, lease] of leases) {
      if (this.#flows(stream)) this.#tracks.hold(stream, lease, { source, rung: choices.get(stream)?.rung ?? SOURCE_RUNG });
      else lease.release();
    }
    this.#quality.adopt(choices);
    this.#follow();
    onSourceChanged(sourceId);
  }

  #handleRtcp(message: RtcpMessage): void {
    switch (message.type) {
      case 'report':
        for (const report of message.reports) this.#streamOf(report.ssrc)?.receiveReport(report);
        break;
      case 'nack':
        this.#streamOf(message.ssrc)?.repair(message.sequenceNumbers);
        break;
      case 'keyframe-request':
        this.#streamOf(message.ssrc)?.requestKeyframe();
        break;
      case 'arrivals':
      case 'receiver-estimate':
        break; // They are about the transport.
      case 'sender-report':
      case 'bye':
        break; // A viewer sends no media; its leaving is told by DTLS and ICE.
    }
  }

  #networkOf(index: number): NetworkReports | undefined {
    const congestion = this.#init.transport(index)?.congestion;
    if (congestion && !this.#networks.has(index)) this.#networks.set(index, this.#networkReports(congestion, index));
    return this.#networks.get(index);
  }

  #networkReports(congestion: Congestion, index: number): NetworkReports {
    const streams = this.#init.streams.filter(({ transport }) => transport === index);
    return new NetworkReports(congestion, () => streams.map(({ reported }) => reported));
  }

  #streamOf(ssrc: number): ViewerStream | undefined {
    return this.#init.streams.find(({ local }) => local.ssrc === ssrc);
  }
}

function throwIfNotOffered({ sourceId, media: { renditions: offered } }: OpenedSource, renditions: readonly Rendition[]): void {
  const missing = renditions.find((rendition) => !offered.includes(rendition));
  if (missing !== undefined)
    throw new MediaPeerError('DETECTION_OFF', `source '${sourceId}' has no rendition '${missing}'; it has ${offered.join(', ')}`);
}
