/** What a viewer is sent: which of its streams flow, and of which source. */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { RENDITIONS, type EndReason, type OpenedSource, type Rendition, type TrackLease } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { WatchedMedia } from '../channels/watched-media.js';
import { parseRtcp, type RtcpMessage } from '../rtp/rtcp.js';
import { ContinuousTime } from '../rtp/send/continuous-time.js';
import { NetworkReports } from '../rtp/send/network-reports.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';
import type { Congestion, PacketTransport } from '../transport/packet-transport.js';
import { openTracks } from './open-tracks.js';
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
  /** Streams whose tracks are being opened. */
  readonly #opening = new Set<ViewerStream>();
  #selected: ReadonlySet<Rendition>;
  #isPaused = false;
  #isConnected = false;
  #source: OpenedSource;
  #switching: Promise<void> = Promise.resolve();

  constructor(init: ViewerMediaInit) {
    this.#init = init;
    this.#source = init.source;
    this.#selected = new Set(init.selected);
  }

  get source(): OpenedSource {
    return this.#source;
  }

  get selected(): Rendition[] {
    return this.#renditions.filter((rendition) => this.#selected.has(rendition));
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Opens the tracks, so that the pipeline is warm when the handshake is done. */
  open(): void {
    this.#reconcile();
  }

  /** The transports are connected: what is open is sent from now on. */
  connected(): void {
    this.#isConnected = true;
    for (const stream of this.#init.streams) this.#start(stream);
  }

  canSelect(renditions: readonly Rendition[]): boolean {
    return renditions.every((rendition) => this.#renditions.includes(rendition));
  }

  select(renditions: readonly Rendition[]): void {
    throwIfNotOffered(this.#source, renditions);
    this.#selected = new Set(renditions);
    this.#reconcile();
  }

  switchSource(sourceId: string, renditions?: readonly Rendition[]): Promise<void> {
    const switched = this.#switching.then(() => this.#switch(sourceId, renditions));
    this.#switching = switched.catch(() => undefined);
    return switched;
  }

  pause(): void {
    this.#isPaused = true;
    this.#reconcile();
  }

  resume(): void {
    this.#isPaused = false;
    this.#reconcile();
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

  sendReports(): void {
    for (const stream of this.#init.streams) stream.sendReport();
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
    this.#reconcile();
  }

  get #renditions(): readonly Rendition[] {
    return RENDITIONS.filter((rendition) => this.#init.streams.some((stream) => stream.rendition === rendition));
  }

  #flows({ rendition }: ViewerStream): boolean {
    if (this.#closing.signal.aborted || this.#isPaused) return false;
    return rendition === undefined ? this.#source.media.hasAudio : this.#selected.has(rendition);
  }

  #reconcile(): void {
    for (const stream of this.#init.streams) {
      if (!this.#flows(stream)) stream.stop();
      else if (!stream.holdsTrack && !this.#opening.has(stream)) void this.#openTrack(stream); // tells `onFailed` where it fails
    }
  }

  async #openTrack(stream: ViewerStream): Promise<void> {
    const source = this.#source;
    const isWanted = (): boolean => this.#source === source && this.#flows(stream) && !stream.holdsTrack;
    this.#opening.add(stream);
    try {
      const lease = await source.openTrack(stream.keyOf(source));
      if (isWanted()) this.#hold(stream, lease);
      else lease.release();
    } catch (error) {
      if (this.#source === source) this.#init.onFailed(error);
    } finally {
      this.#opening.delete(stream);
    }
    if (this.#source !== source) this.#reconcile();
  }

  #hold(stream: ViewerStream, lease: TrackLease): void {
    stream.hold(lease, (reason) => (reason === 'source-changed' ? this.#openAnew() : this.#init.onEnded(reason)));
    if (this.#isConnected) this.#start(stream);
  }

  /** The source goes on in another codec: its other tracks take over. */
  #openAnew(): void {
    this.switchSource(this.#source.sourceId).catch((error: unknown) => this.#init.onFailed(error));
  }

  #start(stream: ViewerStream): void {
    const transport = this.#init.transport(stream.transport);
    if (transport) stream.start(transport, this.#time);
  }

  async #switch(sourceId: string, renditions: readonly Rendition[] = this.selected): Promise<void> {
    const { gateway, clock, streams, onSourceChanged } = this.#init;
    const source = await gateway.open(sourceId);
    throwIfNotOffered(source, renditions);
    const wanted = streams.filter(
      ({ rendition }) => !this.#isPaused && (rendition === undefined ? source.media.hasAudio : renditions.includes(rendition)),
    );
    const leases = await openTracks(wanted, { source, clock, signal: this.#closing.signal });
    this.#source = source;
    this.#selected = new Set(renditions);
    for (const stream of streams) stream.stop();
    for (const [stream, lease] of leases) {
      if (this.#flows(stream)) this.#hold(stream, lease);
      else lease.release();
    }
    this.#reconcile();
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
