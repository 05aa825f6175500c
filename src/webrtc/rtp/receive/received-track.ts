/** What a publisher sends on one m-line, or one layer of it: its current ssrc, its repairs, and what is told to the publisher about it. */
import type { Clock } from '../../../base/clock.js';
import {
  clockRateHz,
  createDepacketizer,
  KeyframeRequests,
  type AssembledFrame,
  type Depacketizer,
  type EncodedFrame,
  type PictureSize,
} from '../../../media/index.js';
import { CAPTURE_TIME_EXTENSION_URI, extensionId } from '../../sdp/extension-uris.js';
import { parameterSetsOf } from '../../sdp/codecs.js';
import type { ReceivePlan } from '../../sdp/negotiate-publish.js';
import { CaptureTimes } from './capture-times.js';
import type { FrameClock } from './stream-clock.js';
import { writeFir, writeNack, writePli, type ReportBlock } from './feedback-packets.js';
import { PictureOrder } from './picture-order.js';
import { ReceptionStatistics } from './reception-statistics.js';
import { headerExtension, type ReceivedPacket } from './rtp.js';
import { StreamReceiver, type StreamReceiverStats } from './stream-receiver.js';

/** Another ssrc takes over when the current one was silent for this long: two at once are two encodings, of which one is taken. */
const SSRC_SILENCE_MS = 300;

/** What is received, and where it goes. */
export interface ReceivedTrackInit {
  /** What was negotiated for the m-line. */
  readonly plan: ReceivePlan;
  /** Which layer of the m-line it is; undefined where the m-line is one encoding. */
  readonly rid?: string;
  readonly clock: Clock;
  /** Maps its RTP timestamps to times of capture. */
  readonly captureClock: FrameClock;
  /** Of this side's RTCP. */
  readonly senderSsrc: number;
  /** Of the network; undefined before it is known. */
  readonly roundTripMs: () => number | undefined;
  /** Sends one RTCP packet to the publisher. */
  readonly sendRtcp: (packet: Buffer) => void;
  /** A frame in order, with its time of capture. */
  readonly onFrame: (frame: EncodedFrame) => void;
  /** A frame came that nobody can decode before the next keyframe. Left out: one is asked for at once. */
  readonly onKeyframeNeeded?: () => void;
  /** It sends B-frames. Once. */
  readonly onReordered: () => void;
}

/** Counts of one track, over all its ssrcs. */
export interface ReceivedTrackStats extends StreamReceiverStats {
  /** Packets, repairs included. */
  readonly packetsReceived: number;
  /** Bytes of their payloads. */
  readonly bytesReceived: number;
  /** Requests for a keyframe (PLI or FIR) that were sent. */
  readonly keyframesRequested: number;
  /** Interarrival jitter (RFC 3550 §6.4.1), in milliseconds. */
  readonly jitterMs: number;
}

interface CurrentStream {
  readonly ssrc: number;
  readonly receiver: StreamReceiver;
  readonly statistics: ReceptionStatistics;
  lastPacketMs: number;
}

/** What comes on one m-line, or one layer of it. */
export class ReceivedTrack {
  readonly plan: ReceivePlan;
  /** Its layer; undefined where the m-line is one encoding. */
  readonly rid: string | undefined;
  readonly kind: 'video' | 'audio';
  readonly #init: ReceivedTrackInit;
  readonly #depacketizer: Depacketizer;
  readonly #keyframes: KeyframeRequests;
  readonly #order = new PictureOrder();
  readonly #captureTimes = new CaptureTimes();
  /** Of abs-capture-time; undefined where it was not negotiated. */
  readonly #captureTimeId: number | undefined;
  #stream: CurrentStream | undefined;
  #firs = 0;
  #packetsReceived = 0;
  #bytesReceived = 0;
  #mediaAtMs = -Infinity;
  /** Of ssrcs that were replaced. */
  #before: StreamReceiverStats | undefined;

  constructor(init: ReceivedTrackInit) {
    const { codec } = init.plan;
    this.plan = init.plan;
    this.rid = init.rid;
    this.kind = codec.codec === 'opus' ? 'audio' : 'video';
    this.#init = init;
    this.#captureTimeId = this.kind === 'video' ? extensionId(init.plan.section, CAPTURE_TIME_EXTENSION_URI) : undefined;
    this.#depacketizer = createDepacketizer(codec.codec, parameterSetsOf(codec.offered));
    this.#keyframes = new KeyframeRequests(init.clock, () => this.#sendKeyframeRequest());
  }

  /** Of the newest keyframe. */
  get size(): PictureSize | undefined {
    return this.#depacketizer.size;
  }

  /** Undefined before the first packet. */
  get ssrc(): number | undefined {
    return this.#stream?.ssrc;
  }

  /** Undefined before a packet was asked for and came. */
  get roundTripMs(): number | undefined {
    return this.#stream?.receiver.roundTripMs;
  }

  /** When its newest packet came that holds media and is no repair, by the monotonic clock. */
  get mediaAtMs(): number {
    return this.#mediaAtMs;
  }

  get packetsReceived(): number {
    return this.#packetsReceived;
  }

  get stats(): ReceivedTrackStats {
    return {
      ...sum(this.#before, this.#stream?.receiver.stats),
      packetsReceived: this.#packetsReceived,
      bytesReceived: this.#bytesReceived,
      keyframesRequested: this.#keyframes.sent,
      jitterMs: this.#stream?.statistics.jitterMs ?? 0,
    };
  }

  /** True where the packet's payload type is one of this m-line's. @param bytes the packet as it came */
  receive(packet: ReceivedPacket, nowMs: number, bytes: Buffer): boolean {
    const { offered, rtx } = this.plan.codec;
    if (packet.payloadType === offered.payloadType) this.#receiveMedia(packet, nowMs, bytes);
    else if (rtx && packet.payloadType === rtx.payloadType) this.#receiveRepair(packet, nowMs);
    else return false;
    this.#packetsReceived++;
    this.#bytesReceived += packet.payload.length;
    return true;
  }

  /** @param ntpMs the sender's wall clock; its epoch does not matter. */
  senderReport(ntpMs: number, compactNtp: number, rtpTimestamp: number, nowMs: number): void {
    this.#stream?.statistics.senderReport(compactNtp, nowMs);
    this.#captureTimes.senderReport(ntpMs, this.#init.clock.wallClock(), this.#init.roundTripMs());
    this.#init.captureClock.senderReport(ntpMs, rtpTimestamp);
  }

  /** Does nothing for audio. */
  requestKeyframe(): void {
    if (this.kind === 'video' && this.#stream) this.#keyframes.request();
  }

  /** For the Receiver Report; undefined before the first packet. */
  report(nowMs: number): ReportBlock | undefined {
    return this.#stream?.statistics.report(this.#stream.ssrc, nowMs);
  }

  /** Idempotent. */
  close(): void {
    this.#keyframes.close();
    this.#stream?.receiver.close();
  }

  #receiveMedia(packet: ReceivedPacket, nowMs: number, bytes: Buffer): void {
    const stream = this.#streamOf(packet.ssrc, nowMs);
    if (!stream) return;
    stream.lastPacketMs = nowMs;
    stream.statistics.count(packet.sequenceNumber, packet.timestamp, nowMs);
    if (packet.payload.length > 0) {
      this.#mediaAtMs = nowMs;
      this.#init.captureClock.arrived(packet.timestamp, nowMs);
      if (this.#captureTimeId !== undefined) this.#captureTimes.packet(packet.timestamp, headerExtension(bytes, this.#captureTimeId));
    }
    stream.receiver.receive(packet, nowMs);
  }

  /** The original sequence number stands in front of the payload (RFC 4588 §4). */
  #receiveRepair(packet: ReceivedPacket, nowMs: number): void {
    if (!this.#stream || packet.payload.length < 2) return;
    const { ssrc, receiver } = this.#stream;
    receiver.receiveRepair({ ...packet, ssrc, sequenceNumber: packet.payload.readUInt16BE(0), payload: packet.payload.subarray(2) }, nowMs);
  }

  #streamOf(ssrc: number, nowMs: number): CurrentStream | undefined {
    const current = this.#stream;
    if (current?.ssrc === ssrc) return current;
    if (current) {
      if (nowMs - current.lastPacketMs < SSRC_SILENCE_MS) return undefined;
      this.#before = sum(this.#before, current.receiver.stats);
      current.receiver.close();
      this.#init.captureClock.restart();
      this.#captureTimes.restart();
    }
    const { plan, clock, senderSsrc, roundTripMs, onKeyframeNeeded } = this.#init;
    const receiver = new StreamReceiver({
      kind: this.kind,
      clock,
      depacketizer: this.#depacketizer,
      canAsk: plan.codec.feedback.includes('nack'),
      roundTripMs,
      ask: (sequenceNumbers) => this.#init.sendRtcp(writeNack(senderSsrc, ssrc, sequenceNumbers)),
      onFrame: (frame, rtpTimestamp) => this.#deliver(frame, rtpTimestamp),
      onKeyframeNeeded: () => (onKeyframeNeeded ? onKeyframeNeeded() : this.#keyframes.request()),
      onKeyframeBegins: () => this.#keyframes.begins(),
      onInterruption: () => this.#keyframes.unheard(),
    });
    this.#stream = { ssrc, receiver, statistics: new ReceptionStatistics(clockRateHz(plan.codec.codec)), lastPacketMs: nowMs };
    return this.#stream;
  }

  #deliver({ data, keyframe }: AssembledFrame, rtpTimestamp: number): void {
    if (keyframe) this.#keyframes.answered();
    if (this.kind === 'video' && this.#order.makesCertain(rtpTimestamp)) this.#init.onReordered();
    const mediaTimeMs = this.#init.captureClock.mediaTimeMs(rtpTimestamp);
    const capturedAtMs = this.#captureTimes.take(rtpTimestamp);
    if (mediaTimeMs !== undefined) this.#init.onFrame({ data, keyframe, mediaTimeMs, ...(capturedAtMs !== undefined && { capturedAtMs }) });
  }

  /** Neither is sent where the offer has neither. */
  #sendKeyframeRequest(): void {
    const { plan, senderSsrc } = this.#init;
    if (!this.#stream) return;
    if (plan.codec.feedback.includes('nack pli')) this.#init.sendRtcp(writePli(senderSsrc, this.#stream.ssrc));
    else if (plan.codec.feedback.includes('ccm fir')) this.#init.sendRtcp(writeFir(senderSsrc, this.#stream.ssrc, this.#firs++));
  }
}

function sum(...stats: readonly (StreamReceiverStats | undefined)[]): StreamReceiverStats {
  const total: StreamReceiverStats = {
    packetsLost: 0,
    packetsRepaired: 0,
    packetsDuplicate: 0,
    nacksSent: 0,
    framesLost: 0,
    framesDelivered: 0,
  };
  for (const each of stats) {
    if (each) for (const name of Object.keys(total) as (keyof StreamReceiverStats)[]) total[name] += each[name];
  }
  return total;
}
