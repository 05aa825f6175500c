/**
 * One m-line on which a viewer is sent something. A stream that stops gives its track back and keeps its numbering, so
 * that for the client nothing but time has passed when it flows again.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import {
  clockRateHz,
  type EndReason,
  type OpenedSource,
  type Rendition,
  type Subscription,
  type TrackKey,
  type TrackLease,
  type VideoCodec,
} from '../../media/index.js';
import type { StreamStatus } from '../api/status.js';
import type { ReceptionReport } from '../rtp/rtcp.js';
import type { ContinuousTime } from '../rtp/send/continuous-time.js';
import type { ReportedStream } from '../rtp/send/network-reports.js';
import { RtpStream } from '../rtp/send/rtp-stream.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';
import type { LocalStream } from '../sdp/answer.js';
import { codecFor } from '../sdp/codecs.js';
import {
  answeredExtensions,
  MID_EXTENSION_URI,
  PLAYOUT_DELAY_EXTENSION_URI,
  SEND_TIME_EXTENSION_URI,
  TRANSPORT_CC_EXTENSION_URI,
} from '../sdp/extension-uris.js';
import type { MLinePlan } from '../sdp/negotiate.js';
import type { PacketTransport } from '../transport/packet-transport.js';

/** What is sent on an m-line. */
export interface ViewerStreamInit {
  /** What was agreed on for it. */
  readonly mLine: Extract<MLinePlan, { use: 'video' | 'audio' }>;
  /** The track that it carries, of whichever source is watched. */
  readonly key: TrackKey;
  /** Its numbers and names. */
  readonly local: LocalStream;
  /** Of its RTP timestamps to media time as the client sees it; the same for all m-lines of a rendition, so that one number tells a frame on each of them. */
  readonly timestampOffset: number;
  readonly clock: Clock;
  /** The first frame has left: a keyframe, where it is video. */
  readonly onFirstFrame: (key: TrackKey) => void;
}

/** What a stream holds while it flows. */
interface Flow {
  readonly lease: TrackLease;
  readonly stopListening: () => void;
  /** Since the transport is connected. */
  subscription?: Subscription;
}

/** One stream of one viewer. */
export class ViewerStream {
  readonly local: LocalStream;
  /** The track that it carries, of a source that comes in the first of its codecs. */
  readonly key: TrackKey;
  /** Index of its transport. */
  readonly transport: number;
  readonly #init: ViewerStreamInit;
  #flow: Flow | undefined;
  /** Kept while the stream does not flow, so that its numbering continues. */
  #rtp: RtpStream | undefined;
  /** The newest RTP timestamp that the client has of flows that have ended. */
  #lastTimestamp: number | undefined;
  /** Of flows that have ended. */
  #framesDropped = 0;

  constructor(init: ViewerStreamInit) {
    this.local = init.local;
    this.key = init.key;
    this.transport = init.mLine.transport;
    this.#init = init;
  }

  /**
   * The track of a source that it carries, in a codec that was agreed on.
   * @throws MediaPeerError NOTHING_TO_SERVE where there is none: H.265 alone was agreed on, and the source does not come in it
   */
  keyOf({ sourceId, media }: OpenedSource): TrackKey {
    if (this.key.kind === 'audio') return this.key;
    const sent = codecFor(this.#init.mLine.codec, media, this.key.rendition === 'raw');
    if (sent) return { ...this.key, codec: sent.codec as VideoCodec };
    throw new MediaPeerError(
      'NOTHING_TO_SERVE',
      `source '${sourceId}' does not come in the H.265 that this viewer decodes, and nothing else was agreed on; offer H264 or VP8 as well`,
    );
  }

  /** Undefined for audio. */
  get rendition(): Rendition | undefined {
    return this.key.kind === 'video' ? this.key.rendition : undefined;
  }

  get holdsTrack(): boolean {
    return this.#flow !== undefined;
  }

  /** Takes a track, which `start` sends. @param onEnded called once, also at once, when the track ends */
  hold(lease: TrackLease, onEnded: (reason: EndReason) => void): void {
    this.#flow = { lease, stopListening: lease.track.onClosed(onEnded) };
  }

  /** Sends the track that it holds, if it does not yet. */
  start(transport: PacketTransport, time: ContinuousTime): void {
    const flow = this.#flow;
    if (!flow || flow.subscription) return;
    const { track } = flow.lease;
    const rtp = (this.#rtp ??= this.#makeRtp(transport));
    const shiftMs = time.shiftMs(track.timeline, this.#init.clock.wallClock());
    rtp.timestampOffset = this.#init.timestampOffset + Math.round((shiftMs * clockRateHz(track.codec)) / 1000);
    flow.subscription = track.subscribe(rtp, this.#lastTimestamp === undefined ? undefined : rtp.trackTimestampOf(this.#lastTimestamp));
    rtp.sendReport(track);
  }

  /** Gives its track back. Idempotent. */
  stop(): void {
    const flow = this.#flow;
    if (!flow) return;
    this.#flow = undefined;
    const { subscription, lease, stopListening } = flow;
    stopListening();
    if (subscription) {
      subscription.close();
      this.#framesDropped += subscription.dropped;
      if (subscription.lastTimestamp !== undefined) this.#lastTimestamp = this.#rtp?.rtpTimestampOf(subscription.lastTimestamp);
    }
    lease.release();
  }

  requestKeyframe(): void {
    this.#flow?.subscription?.requestKeyframe();
  }

  sendReport(): void {
    if (this.#flow?.subscription) this.#rtp?.sendReport(this.#flow.lease.track);
  }

  receiveReport(report: ReceptionReport): void {
    this.#rtp?.receiveReport(report);
  }

  repair(sequenceNumbers: readonly number[]): void {
    this.#rtp?.repair(sequenceNumbers);
  }

  /** Undefined for a frame that this viewer did not get with a timestamp of its own. */
  rtpTimestampOf(mediaTimeMs: number): number | undefined {
    if (!this.#flow?.subscription?.isLiveAt(mediaTimeMs)) return undefined;
    return this.#rtp?.rtpTimestampOf(this.#flow.lease.track.rtpTimestampAt(mediaTimeMs));
  }

  /** For whoever sums up what the viewer says of its network. */
  get reported(): ReportedStream {
    const stats = this.#rtp?.stats;
    return {
      ssrc: this.local.ssrc,
      isSound: this.key.kind === 'audio',
      roundTripMs: stats?.roundTripMs,
      jitterMs: stats?.jitterMs ?? 0,
    };
  }

  /** Frames that it carries are the nearest ones of the source, not the very ones that the source's times belong to. */
  get isNearestFrame(): boolean {
    return this.#flow?.lease.track.pairing === 'nearest';
  }

  /** Undefined before a report that tells it. */
  get roundTripMs(): number | undefined {
    return this.#rtp?.stats.roundTripMs;
  }

  /** Undefined while it does not flow. */
  get progress(): StreamProgress | undefined {
    if (!this.#rtp || !this.#flow?.subscription) return undefined;
    const { packetsSent, highestReported, nacksReceived } = this.#rtp.stats;
    return { ssrc: this.local.ssrc, packetsSent, highestReported, nacks: nacksReceived };
  }

  /** True once something may have been sent. */
  get hasStarted(): boolean {
    return this.#rtp !== undefined;
  }

  get snapshot(): StreamStatus {
    const stats = this.#rtp?.stats;
    return {
      packetsSent: stats?.packetsSent ?? 0,
      bytesSent: stats?.bytesSent ?? 0,
      packetsRepaired: stats?.packetsRepaired ?? 0,
      packetsLost: stats?.packetsLost ?? 0,
      fractionLost: stats?.fractionLost ?? 0,
      jitterMs: stats?.jitterMs ?? 0,
      framesDropped: this.#framesDropped + (this.#flow?.subscription?.dropped ?? 0),
    };
  }

  #makeRtp(transport: PacketTransport): RtpStream {
    const { mLine, local, clock, onFirstFrame } = this.#init;
    const { section, codec } = mLine;
    const extensions = answeredExtensions(section, { use: mLine.use, feedback: codec.feedback });
    const idOf = (uri: string): number | undefined => extensions.find((extension) => extension.uri === uri)?.id;
    const midId = idOf(MID_EXTENSION_URI);
    return new RtpStream({
      onFirstFrame: () => onFirstFrame(this.key),
      transport,
      clock,
      codec,
      ssrc: local.ssrc,
      rtxSsrc: local.rtxSsrc,
      cname: local.cname,
      playoutDelayId: idOf(PLAYOUT_DELAY_EXTENSION_URI),
      departureIds: { transportSequence: idOf(TRANSPORT_CC_EXTENSION_URI), sendTime: idOf(SEND_TIME_EXTENSION_URI) },
      mid: midId === undefined || section.mid === undefined ? undefined : { id: midId, value: section.mid },
    });
  }
}
