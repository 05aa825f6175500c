/**
 * The media of a session: which of its streams flow, and what is acquired for each while it does. A stream that
 * stops gives its track back and keeps its numbering, so that for the client nothing but time has passed when it
 * flows again.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { clockRateHz, RENDITIONS, type EndReason, type Rendition } from '../../media/index.js';
import { MID_EXTENSION_URI } from '../sdp/extension-uris.js';
import { firstFrame } from './first-frame.js';
import type { MediaGateway, SourceMedia, TrackLease, TrackRequest } from '../api/gateway.js';
import { ContinuousTime } from '../rtp/send/continuous-time.js';
import { extensionId } from '../sdp/negotiate.js';
import type { PacketTransport } from '../transport/peer-transport.js';
import { PLAYOUT_DELAY_EXTENSION_URI } from '../sdp/extension-uris.js';
import { parseRtcp, type RtcpMessage } from '../rtp/rtcp.js';
import { RtpStream } from '../rtp/send/rtp-stream.js';
import { streamSnapshot, type SessionStream } from './session-streams.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import type { StreamSnapshot } from '../api/snapshot.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';

export interface SessionMediaInit {
  readonly sourceId: string;
  readonly streams: readonly SessionStream[];
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly transportOf: (stream: SessionStream) => PacketTransport | undefined;
  /** A track has ended. */
  readonly onEnded: (reason: EndReason) => void;
  /** The first frame of a stream has left: a keyframe, where it is video. */
  readonly onFirstFrame?: (request: TrackRequest) => void;
  /** Another source flows from now on. */
  readonly onSourceChanged: (sourceId: string) => void;
  /** A track could not be opened. */
  readonly onFailed: (error: unknown, request: TrackRequest) => void;
}

export class SessionMedia {
  readonly #init: SessionMediaInit;
  readonly #time = new ContinuousTime();
  #selected: ReadonlySet<Rendition>;
  #isPaused = false;
  #isConnected = false;
  readonly #closing = new AbortController();
  #sourceId: string;
  /** What a source that was switched to can be served as; undefined: what was negotiated. */
  #offered: SourceMedia | undefined;
  #switching: Promise<void> = Promise.resolve();

  /** @param selected renditions that flow from the start; those of the session that are not among them wait. */
  constructor(init: SessionMediaInit, selected: readonly Rendition[]) {
    this.#init = init;
    this.#sourceId = init.sourceId;
    this.#selected = new Set(selected);
  }

  /** The source that is watched now. */
  get sourceId(): string {
    return this.#sourceId;
  }

  /** Renditions that flow, or would if nothing was paused. */
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
    for (const stream of this.#init.streams) this.#startStream(stream);
  }

  /** True where the session has an m-line for each of these renditions. */
  canSelect(renditions: readonly Rendition[]): boolean {
    return renditions.every((rendition) => this.#renditions.includes(rendition));
  }

  /** Lets these renditions, which `canSelect`, flow and no others. @throws MediaPeerError DETECTION_OFF */
  select(renditions: readonly Rendition[]): void {
    if (this.#offered) throwIfNotOffered(this.#sourceId, this.#offered, renditions);
    this.#selected = new Set(renditions);
    this.#reconcile();
  }

  /**
   * Sends another source on the same m-lines, in the codecs that were negotiated; numbering and time go on, and audio
   * follows where both have it. What flows goes on until the first frames of the other source are there. Changes are
   * made one after the other.
   * @param renditions those that flow from then on; left out: the same ones.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE, DETECTION_OFF; then nothing has changed.
   */
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
    for (const { subscription, request } of this.#init.streams) if (request.kind === 'video') subscription?.requestKeyframe();
  }

  sendReports(): void {
    for (const { rtp, lease, subscription } of this.#init.streams) if (rtp && lease && subscription) rtp.sendReport(lease.track);
  }

  receiveRtcp(compound: Buffer): void {
    for (const message of parseRtcp(compound)) this.#handleRtcp(message);
  }

  rtpTimestamps(mediaTimeMs: number): RtpTimestamps {
    const timestamps: Partial<Record<Rendition, number>> = {};
    for (const { request, rtp, lease, subscription } of this.#init.streams) {
      if (request.kind !== 'video' || !rtp || !lease || !subscription?.isLiveAt(mediaTimeMs)) continue;
      timestamps[request.rendition] = rtp.rtpTimestampOf(lease.track.rtpTimestampAt(mediaTimeMs));
    }
    return timestamps;
  }

  snapshots(): { readonly request: TrackRequest; readonly stats: StreamSnapshot }[] {
    return this.#init.streams.map((stream) => ({ request: stream.request, stats: streamSnapshot(stream) }));
  }

  /** Undefined before a report that tells it. */
  get roundTripMs(): number | undefined {
    return this.#init.streams.map(({ rtp }) => rtp?.stats.roundTripMs).find((ms) => ms !== undefined);
  }

  /** What is known of the streams that flow, for whoever watches over the viewer. */
  progress(): StreamProgress[] {
    return this.#init.streams.flatMap(({ rtp, subscription, local }) => {
      if (!rtp || !subscription) return [];
      const { packetsSent, highestReported, nacksReceived } = rtp.stats;
      return [{ ssrc: local.ssrc, packetsSent, highestReported, nacks: nacksReceived }];
    });
  }

  /** Gives every track back. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#reconcile();
  }

  get #renditions(): readonly Rendition[] {
    return RENDITIONS.filter((rendition) =>
      this.#init.streams.some(({ request }) => request.kind === 'video' && request.rendition === rendition),
    );
  }

  #flows({ request }: SessionStream): boolean {
    if (this.#closing.signal.aborted || this.#isPaused) return false;
    return request.kind === 'audio' ? (this.#offered?.hasAudio ?? true) : this.#selected.has(request.rendition);
  }

  #reconcile(): void {
    for (const stream of this.#init.streams) {
      if (!this.#flows(stream)) stopStream(stream);
      else if (!stream.lease && !stream.isOpening) void this.#openTrack(stream); // tells `onFailed` where it fails
    }
  }

  async #openTrack(stream: SessionStream): Promise<void> {
    const { request } = stream;
    const isWanted = (): boolean => stream.request === request && this.#flows(stream) && !stream.lease;
    stream.isOpening = true;
    try {
      const lease = await this.#init.gateway.openTrack(request);
      if (isWanted()) this.#adopt(stream, lease);
      else lease.release();
    } catch (error) {
      if (stream.request === request) this.#init.onFailed(error, request);
    } finally {
      stream.isOpening = false;
    }
    if (stream.request !== request) this.#reconcile();
  }

  #adopt(stream: SessionStream, lease: TrackLease): void {
    stream.lease = lease;
    stream.stopListening = lease.track.onClosed((reason) => this.#init.onEnded(reason));
    if (this.#isConnected) this.#startStream(stream);
  }

  async #switch(sourceId: string, renditions: readonly Rendition[] = this.selected): Promise<void> {
    const { gateway, streams, onSourceChanged } = this.#init;
    if (gateway.prepare) await gateway.prepare(sourceId);
    const offered = gateway.describe(sourceId);
    throwIfNotOffered(sourceId, offered, renditions);
    const wanted = streams.filter(
      ({ request }) => !this.#isPaused && (request.kind === 'audio' ? offered.hasAudio : renditions.includes(request.rendition)),
    );
    const leases = await this.#openAll(wanted, sourceId);
    this.#sourceId = sourceId;
    this.#offered = offered;
    this.#selected = new Set(renditions);
    for (const stream of streams) {
      stopStream(stream);
      stream.request = { ...stream.request, sourceId };
    }
    for (const [stream, lease] of leases) {
      if (this.#flows(stream)) this.#adopt(stream, lease);
      else lease.release();
    }
    this.#reconcile();
    onSourceChanged(sourceId);
  }

  /** Opens the tracks of another source and waits for their first frames. All of them, or none. */
  async #openAll(streams: readonly SessionStream[], sourceId: string): Promise<ReadonlyMap<SessionStream, TrackLease>> {
    const { gateway, clock } = this.#init;
    const leases = new Map<SessionStream, TrackLease>();
    const opened = await Promise.allSettled(
      streams.map(async (stream) => {
        const lease = await gateway.openTrack({ ...stream.request, sourceId });
        leases.set(stream, lease);
        // A microphone that is silent holds no picture up.
        if (stream.request.kind === 'video') await firstFrame(lease.track, clock, this.#closing.signal);
      }),
    );
    const failed = opened.find((result) => result.status === 'rejected');
    if (!failed && !this.#closing.signal.aborted) return leases;
    for (const lease of leases.values()) lease.release();
    throw failed?.reason ?? new MediaPeerError('SESSION_NOT_FOUND', 'the session has ended');
  }

  #startStream(stream: SessionStream): void {
    const transport = this.#init.transportOf(stream);
    if (!stream.lease || stream.subscription || !transport) return;
    const { track } = stream.lease;
    const shiftMs = this.#time.shiftMs(track.timeline, this.#init.clock.wallClock());
    stream.rtp ??= this.#makeRtpStream(stream, transport);
    stream.rtp.timestampOffset = stream.timestampOffset + Math.round((shiftMs * clockRateHz(track.codec)) / 1000);
    stream.subscription = track.subscribe(
      stream.rtp,
      stream.lastTimestamp === undefined ? undefined : stream.rtp.trackTimestampOf(stream.lastTimestamp),
    );
    stream.rtp.sendReport(track);
  }

  #makeRtpStream({ mLine: { section, codec }, local, request }: SessionStream, transport: PacketTransport): RtpStream {
    const midId = section.mid === undefined ? undefined : extensionId(section, MID_EXTENSION_URI);
    return new RtpStream({
      onFirstFrame: () => this.#init.onFirstFrame?.(request),
      transport,
      clock: this.#init.clock,
      codec,
      ssrc: local.ssrc,
      rtxSsrc: local.rtxSsrc,
      cname: local.cname,
      playoutDelayId: extensionId(section, PLAYOUT_DELAY_EXTENSION_URI),
      mid: midId === undefined || section.mid === undefined ? undefined : { id: midId, value: section.mid },
    });
  }

  #handleRtcp(message: RtcpMessage): void {
    switch (message.type) {
      case 'report':
        for (const report of message.reports) this.#streamOf(report.ssrc)?.rtp?.receiveReport(report);
        break;
      case 'nack':
        this.#streamOf(message.ssrc)?.rtp?.repair(message.sequenceNumbers);
        break;
      case 'keyframe-request':
        this.#streamOf(message.ssrc)?.subscription?.requestKeyframe();
        break;
      case 'sender-report':
      case 'bye':
        break; // A viewer sends no media; its leaving is told by DTLS and ICE.
    }
  }

  #streamOf(ssrc: number): SessionStream | undefined {
    return this.#init.streams.find(({ local }) => local.ssrc === ssrc);
  }
}

function throwIfNotOffered(sourceId: string, { renditions: offered }: SourceMedia, renditions: readonly Rendition[]): void {
  const missing = renditions.find((rendition) => !offered.includes(rendition));
  if (missing !== undefined)
    throw new MediaPeerError('DETECTION_OFF', `source '${sourceId}' has no rendition '${missing}'; it has ${offered.join(', ')}`);
}

function stopStream(stream: SessionStream): void {
  const { subscription, lease, rtp } = stream;
  stream.stopListening?.();
  if (subscription) {
    subscription.close();
    stream.framesDropped = (stream.framesDropped ?? 0) + subscription.dropped;
    if (subscription.lastTimestamp !== undefined) stream.lastTimestamp = rtp?.rtpTimestampOf(subscription.lastTimestamp);
  }
  lease?.release();
  delete stream.subscription;
  delete stream.lease;
  delete stream.stopListening;
}
