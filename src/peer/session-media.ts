/**
 * The media of a session: which of its streams flow, and what is acquired for each while it does. A stream that
 * stops gives its track back and keeps its numbering, so that for the client nothing but time has passed when it
 * flows again.
 */
import type { Clock } from '../clock.js';
import { clockRateHz, RENDITIONS, type EndReason, type Rendition } from '../media/index.js';
import { MID_EXTENSION_URI } from './answer.js';
import type { MediaGateway, TrackRequest } from './gateway.js';
import { ContinuousTime } from './continuous-time.js';
import { extensionId } from './negotiation.js';
import type { PacketTransport } from './peer-transport.js';
import { PLAYOUT_DELAY_EXTENSION_URI } from './playout-delay.js';
import { parseRtcp, type RtcpMessage } from './rtcp.js';
import { RtpStream } from './rtp-stream.js';
import { streamSnapshot, type SessionStream } from './session-streams.js';
import type { StreamSnapshot } from './snapshot.js';

/** RTP timestamps of one frame, for each rendition in which the viewer gets it with a timestamp of its own. */
export type RtpTimestamps = Readonly<Partial<Record<Rendition, number>>>;

export interface SessionMediaInit {
  readonly streams: readonly SessionStream[];
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly transportOf: (stream: SessionStream) => PacketTransport | undefined;
  /** A track has ended. */
  readonly onEnded: (reason: EndReason) => void;
  /** A track could not be opened. */
  readonly onFailed: (error: unknown, request: TrackRequest) => void;
}

export class SessionMedia {
  readonly #init: SessionMediaInit;
  readonly #time = new ContinuousTime();
  #selected: ReadonlySet<Rendition>;
  #isPaused = false;
  #isConnected = false;
  #isClosed = false;

  /** @param selected renditions that flow from the start; those of the session that are not among them wait. */
  constructor(init: SessionMediaInit, selected: readonly Rendition[]) {
    this.#init = init;
    this.#selected = new Set(selected);
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

  /** Lets these renditions flow and no others. False where the session has no m-line for one of them; then nothing changes. */
  select(renditions: readonly Rendition[]): boolean {
    if (renditions.some((rendition) => !this.#renditions.includes(rendition))) return false;
    this.#selected = new Set(renditions);
    this.#reconcile();
    return true;
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

  /** Gives every track back. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#reconcile();
  }

  get #renditions(): readonly Rendition[] {
    return RENDITIONS.filter((rendition) => this.#init.streams.some(({ request }) => request.kind === 'video' && request.rendition === rendition));
  }

  #flows({ request }: SessionStream): boolean {
    return !this.#isClosed && !this.#isPaused && (request.kind === 'audio' || this.#selected.has(request.rendition));
  }

  #reconcile(): void {
    for (const stream of this.#init.streams) {
      if (!this.#flows(stream)) stopStream(stream);
      else if (!stream.lease && !stream.isOpening) void this.#openTrack(stream); // tells `onFailed` where it fails
    }
  }

  async #openTrack(stream: SessionStream): Promise<void> {
    stream.isOpening = true;
    try {
      const lease = await this.#init.gateway.openTrack(stream.request);
      if (!this.#flows(stream)) return lease.release();
      stream.lease = lease;
      stream.stopListening = lease.track.onClosed((reason) => this.#init.onEnded(reason));
      if (this.#isConnected) this.#startStream(stream);
    } catch (error) {
      this.#init.onFailed(error, stream.request);
    } finally {
      stream.isOpening = false;
    }
  }

  #startStream(stream: SessionStream): void {
    const transport = this.#init.transportOf(stream);
    if (!stream.lease || stream.subscription || !transport) return;
    const { track } = stream.lease;
    const shiftMs = this.#time.shiftMs(track.timeline, this.#init.clock.wallClock());
    stream.rtp ??= this.#makeRtpStream(stream, transport);
    stream.rtp.timestampOffset = stream.timestampOffset + Math.round((shiftMs * clockRateHz(track.codec)) / 1000);
    stream.subscription = track.subscribe(stream.rtp, stream.lastTimestamp === undefined ? undefined : stream.rtp.trackTimestampOf(stream.lastTimestamp));
    stream.rtp.sendReport(track);
  }

  #makeRtpStream({ mLine: { section, codec }, local }: SessionStream, transport: PacketTransport): RtpStream {
    const midId = section.mid === undefined ? undefined : extensionId(section, MID_EXTENSION_URI);
    return new RtpStream({
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
