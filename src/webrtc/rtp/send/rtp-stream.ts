/**
 * One viewer's RTP stream: gives the shared payloads of a track this viewer's numbering (ssrc, sequence numbers,
 * payload type, timestamp offset), remembers what was sent, and repairs what the viewer lost.
 */
import { strict as assert } from 'node:assert';
import { randomInt } from 'node:crypto';
import type { Clock } from '../../../base/clock.js';
import { clockRateHz, type Codec, type FrameSink, type PacketizedFrame, type Track } from '../../../media/index.js';
import { codecsOf, type NegotiatedCodec } from '../../sdp/codecs.js';
import { layOutExtensions, type DepartureIds, type ExtensionBlock, type HeaderExtension } from '../header-extensions.js';
import type { ProbeDemand } from '../../congestion/index.js';
import type { PacedStream, PacketTransport, RtpPacket } from '../../transport/packet-transport.js';
import { CaptureTime } from './capture-time.js';
import { PlayoutDelay } from './playout-delay.js';
import { paddingOf } from './probe-packets.js';
import { Repairs } from './repairs.js';
import { markPadded, writeExtensions, writeHeader } from './rtp-header.js';
import { RtxStream } from './rtx-stream.js';
import { SentHistory, type SentPacket } from './sent-history.js';
import { WaitingFrames } from './waiting-frames.js';
import { compactNtp, writeSenderReport, writeSourceDescription, type ReceptionReport } from '../rtcp.js';

/** Packets of video that can be sent again: covers the replay of a whole group of pictures on joining. */
const VIDEO_HISTORY_PACKETS = 1024;
/** Largest batch that is handed to the transport; never more than the history holds. */
const BATCH_PACKETS = 256;
const MAX_CREDIBLE_RTT_MS = 60_000;

/** How one viewer gets a track. */
export interface RtpStreamInit {
  /** Called once, when the first frame has been handed to the transport: a keyframe, where it is video. */
  readonly onFirstFrame?: () => void;
  /** Where packets go. */
  readonly transport: PacketTransport;
  readonly clock: Clock;
  /** What was negotiated. */
  readonly codec: NegotiatedCodec;
  /** This viewer's own. */
  readonly ssrc: number;
  /** Undefined where retransmission (RFC 4588) was not negotiated. */
  readonly rtxSsrc: number | undefined;
  /** This side's name in RTCP (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** The MID header extension (RFC 9143 §15); undefined where it was not negotiated. */
  readonly mid: { readonly id: number; readonly value: string } | undefined;
  /** Of the playout-delay header extension; undefined where it was not negotiated. */
  readonly playoutDelayId?: number | undefined;
  /** Of the abs-capture-time header extension; undefined where it was not negotiated. */
  readonly captureTimeId?: number | undefined;
  /** Of the header extensions that the transport fills. Default: none was negotiated. */
  readonly departureIds?: DepartureIds | undefined;
}

/** Counts of one stream since its first packet. */
export interface RtpStreamStats {
  /** Packets, without repairs. */
  readonly packetsSent: number;
  /** Payload bytes, repairs not counted. */
  readonly bytesSent: number;
  /** Packets that were sent once more because the viewer asked. */
  readonly packetsRepaired: number;
  /** Asked for, but no longer remembered or beyond the budget. */
  readonly packetsNotRepaired: number;
  /** As the viewer reports it. */
  readonly packetsLost: number;
  /** 0..1, as of the latest report. */
  readonly fractionLost: number;
  /** Interarrival jitter as the viewer reports it, in milliseconds. */
  readonly jitterMs: number;
  /** Highest sequence number that the viewer reported, with its cycles; undefined before its first report. */
  readonly highestReported: number | undefined;
  /** Requests of the viewer to send packets again. */
  readonly nacksReceived: number;
  /** From reports; undefined before the first that refers to a Sender Report. */
  readonly roundTripMs: number | undefined;
}

/** Sends a track to one viewer. */
export class RtpStream implements FrameSink, PacedStream {
  /** This viewer's own. */
  readonly ssrc: number;
  /** Added to the track's timestamps; any integer. Default: random (RFC 3550 §5.1). */
  timestampOffset = randomInt(2 ** 32);
  readonly #init: RtpStreamInit;
  /** Of the newest frame that leaves. */
  #codec: NegotiatedCodec;
  readonly #history: SentHistory;
  readonly #batchPackets: number;
  readonly #isSound: boolean;
  /** Undefined where retransmission was not negotiated. */
  readonly #rtx: RtxStream | undefined;
  readonly #repairs: Repairs;
  readonly #waiting = new WaitingFrames();
  readonly #sourceDescription: Buffer;
  readonly #batch: SentPacket[] = [];
  /** Of the header of what is sent now. */
  #extensions: ExtensionBlock;
  /** The viewer has not reported yet: it may not know whose packets these are. */
  #isNew: boolean;
  readonly #playoutDelay = new PlayoutDelay();
  readonly #captureTime: CaptureTime;
  /** It has been told of a delay once, so it must be told when there is none. */
  #isDelayTold = false;
  // Below 2^15, so that the first packets cannot be mistaken for ones before a wrap (RFC 3711 §3.3.1).
  #index = randomInt(2 ** 15);
  #lastTimestamp = 0;
  #hasSentFrame = false;
  #packetsSent = 0;
  #bytesSent = 0;
  #report: ReceptionReport | undefined;
  #roundTripMs: number | undefined;

  constructor(init: RtpStreamInit) {
    this.#init = init;
    this.ssrc = init.ssrc;
    this.#codec = init.codec;
    this.#isSound = init.codec.codec === 'opus';
    const historyPackets = this.#isSound ? 1 : VIDEO_HISTORY_PACKETS;
    this.#history = new SentHistory(historyPackets);
    this.#batchPackets = Math.min(BATCH_PACKETS, historyPackets);
    this.#isNew = init.mid !== undefined;
    this.#captureTime = new CaptureTime(init.captureTimeId);
    this.#extensions = this.#layOut();
    this.#sourceDescription = writeSourceDescription(init.ssrc, init.cname);
    const { transport, clock, rtxSsrc, codec, departureIds = {} } = init;
    this.#rtx =
      rtxSsrc === undefined
        ? undefined
        : new RtxStream({ ssrc: rtxSsrc, codecs: codecsOf(codec), extensions: layOutExtensions(departureIds, []) });
    this.#repairs = new Repairs({ history: this.#history, rtx: this.#rtx, transport, clock });
    if (!this.#isSound) transport.pacing?.add(this);
  }

  get pendingBytes(): number {
    return this.#init.transport.pendingBytes + this.waitingBytes;
  }

  get maxPendingBytes(): number | undefined {
    return this.#init.transport.pacing?.maxWaitingBytes;
  }

  get waitingBytes(): number {
    return this.#waiting.bytes + this.#repairs.waitingBytes;
  }

  /** Counts since the first packet. */
  get stats(): RtpStreamStats {
    return {
      packetsSent: this.#packetsSent,
      bytesSent: this.#bytesSent,
      packetsRepaired: this.#repairs.repaired,
      packetsNotRepaired: this.#repairs.notRepaired,
      packetsLost: Math.max(0, this.#report?.packetsLost ?? 0),
      fractionLost: this.#report?.fractionLost ?? 0,
      jitterMs: ((this.#report?.jitterTicks ?? 0) * 1000) / clockRateHz(this.#init.codec.codec),
      highestReported: this.#report?.extendedHighestSequence,
      nacksReceived: this.#repairs.requests,
      roundTripMs: this.#roundTripMs,
    };
  }

  /** Undefined before a report that tells it, in ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  send(frame: PacketizedFrame): void {
    const { pacing } = this.#init.transport;
    const timestamp = this.rtpTimestampOf(frame.rtpTimestamp);
    if (this.#isSound || !pacing || !(pacing.isPaced || this.#waiting.first))
      this.#tellFirst(this.#sendPart(frame, timestamp, 0, Infinity), frame);
    else {
      this.#waiting.add(frame, timestamp);
      pacing.wake();
    }
  }

  sendFrames(maxBytes: number): number {
    let sent = 0;
    for (let first = this.#waiting.first; first && sent < maxBytes; first = this.#waiting.first) {
      const before = this.#waiting.bytes;
      const end = this.#sendPart(first.frame, first.timestamp, first.sent, maxBytes - sent);
      this.#waiting.advance(first, end);
      this.#tellFirst(end, first.frame);
      sent += before - this.#waiting.bytes;
    }
    return sent;
  }

  /**
   * Forgets what waits: frames, also the rest of one that has begun to leave, and repairs. What follows must be a keyframe.
   * @returns frames that the viewer does not get as a whole
   */
  dropWaiting(): number {
    this.dropRepairs();
    return this.#waiting.clear();
  }

  dropRepairs(): void {
    this.#repairs.clear();
  }

  sendRepairs(maxBytes: number): number {
    return this.#repairs.send(maxBytes);
  }

  /** Repeats what was sent last, where it has an ssrc for that and the packets are small enough; else sends padding. */
  sendProbe({ bytes, maxPacketBytes }: ProbeDemand): number {
    // Padding has a number of the stream: between the packets of a frame it would end it for some receivers.
    if (!this.#rtx && (this.#packetsSent === 0 || (this.#waiting.first?.sent ?? 0) > 0)) return 0;
    // Where nothing was sent yet a client knows the ssrc by the description alone, and only its acknowledgement is of use.
    if (this.#packetsSent === 0 && this.#init.departureIds?.transportSequence === undefined) return 0;
    const packets: RtpPacket[] = [];
    let made = 0;
    for (let back = 1; made < bytes && packets.length < BATCH_PACKETS; back++) {
      const packet = this.#makeProbe(back, Math.min(maxPacketBytes, bytes - made));
      made += packet.header.length + packet.payload.length;
      packets.push(packet);
    }
    this.#init.transport.sendRtp(packets);
    return made;
  }

  /** What this viewer's RTP timestamps say for a timestamp of the track. */
  rtpTimestampOf(trackTimestamp: number): number {
    return (trackTimestamp + this.timestampOffset) >>> 0;
  }

  /** The timestamp of the track that this viewer's RTP timestamp stands for. */
  trackTimestampOf(rtpTimestamp: number): number {
    return (rtpTimestamp - this.timestampOffset) >>> 0;
  }

  /** The viewer says what it received (RFC 3550 §6.4.1). */
  receiveReport(report: ReceptionReport): void {
    this.#report = report;
    // It knows the stream now: the MID has done its work (RFC 9143 §9.3).
    const wasNew = this.#isNew;
    this.#isNew = false;
    const isDelayChanged =
      this.#init.playoutDelayId !== undefined && this.#playoutDelay.report(report.fractionLost, this.#roundTripMs, this.#init.clock.now());
    if (isDelayChanged) this.#isDelayTold = true;
    if (wasNew || isDelayChanged) this.#extensions = this.#layOut();
    if (report.lastSenderReport === 0) return;
    const now = compactNtp(this.#init.clock.wallClock());
    const roundTripMs = (((now - report.lastSenderReport - report.delaySinceLastSenderReport) | 0) * 1000) / 65536;
    if (roundTripMs < MAX_CREDIBLE_RTT_MS) this.#roundTripMs = Math.max(0, roundTripMs);
  }

  /** The viewer lost packets (RFC 4585 §6.2.1): those still remembered are sent again, within bounds. */
  repair(sequenceNumbers: readonly number[]): void {
    const { pacing } = this.#init.transport;
    this.#repairs.request(sequenceNumbers, this.#roundTripMs);
    if (pacing?.isPaced && !this.#isSound) pacing.wake();
    else this.#repairs.send(Infinity);
  }

  /**
   * Sends a Sender Report with the CNAME. It ties now to the RTP timestamp of what is *captured* now, not of what
   * leaves now, so that renditions with different delays stay in step.
   */
  sendReport(track: Track): void {
    const wallClockMs = this.#init.clock.wallClock();
    const mediaTimeMs = track.timeline.mediaTimeAt(wallClockMs);
    if (mediaTimeMs === undefined) return;
    const rtpTimestamp = this.rtpTimestampOf(track.rtpTimestampAt(mediaTimeMs));
    const report = writeSenderReport({ ssrc: this.ssrc, wallClockMs, rtpTimestamp, packets: this.#packetsSent, octets: this.#bytesSent });
    this.#init.transport.sendRtcp(Buffer.concat([report, this.#sourceDescription]));
  }

  /** A MID of more than 16 bytes stays away: the description names the ssrc, too. */
  #layOut(more: readonly HeaderExtension[] = []): ExtensionBlock {
    const { mid, playoutDelayId, departureIds = {} } = this.#init;
    return layOutExtensions(departureIds, [
      ...(this.#isDelayTold && playoutDelayId !== undefined ? [{ id: playoutDelayId, value: this.#playoutDelay.write() }] : []),
      ...(this.#isNew && mid ? [{ id: mid.id, value: Buffer.from(mid.value, 'utf8') }] : []),
      ...more,
    ]);
  }

  /** Of the first packet of a frame. */
  #firstExtensions({ capturedAtMs }: PacketizedFrame): ExtensionBlock {
    const captureTime = this.#captureTime.next(capturedAtMs, this.timestampOffset, this.#init.clock.now());
    return captureTime ? this.#layOut([captureTime]) : this.#extensions;
  }

  /** Sends payloads of a frame from one on, until `maxBytes` have left or the frame has. @returns the first that has not left */
  #sendPart(frame: PacketizedFrame, timestamp: number, from: number, maxBytes: number): number {
    const { payloads } = frame;
    if (frame.codec !== this.#codec.codec) this.#change(frame.codec);
    let bytes = 0;
    let i = from;
    let extensions = from === 0 ? this.#firstExtensions(frame) : this.#extensions;
    for (; i < payloads.length && bytes < maxBytes; i++) {
      const payload = payloads[i] as Buffer;
      // The marker ends a video frame (RFC 6184 §5.1); for audio it would begin a talk spurt (RFC 3551 §4.1).
      this.#batch.push(this.#makePacket(payload, timestamp, !this.#isSound && i === payloads.length - 1, extensions));
      extensions = this.#extensions;
      bytes += payload.length;
      if (this.#batch.length >= this.#batchPackets) this.#flush();
    }
    this.#flush();
    this.#lastTimestamp = timestamp;
    this.#bytesSent += bytes;
    this.#repairs.count(bytes);
    return i;
  }

  /** Once all that it counts is counted: whoever is told may send. */
  #tellFirst(end: number, { payloads }: PacketizedFrame): void {
    if (this.#hasSentFrame || end < payloads.length) return;
    this.#hasSentFrame = true;
    this.#init.onFirstFrame?.();
  }

  /** What follows has another payload type; each track begins with a keyframe, and this one goes on in it. */
  #change(codec: Codec): void {
    const next = codecsOf(this.#init.codec).find((negotiated) => negotiated.codec === codec);
    assert(next, `a stream sends what was negotiated, not ${codec}`);
    this.#codec = next;
  }

  #flush(): void {
    if (this.#batch.length === 0) return;
    this.#packetsSent += this.#batch.length;
    this.#init.transport.sendRtp(this.#batch);
    this.#batch.length = 0;
  }

  /** @param back which of the newest packets would be repeated */
  #makeProbe(back: number, maxBytes: number): RtpPacket {
    const rtx = this.#rtx;
    const last = this.#history.at(this.#index - back);
    const repeated = rtx && last && last.payload.length <= maxBytes ? rtx.repeat(last) : undefined;
    const made = repeated ?? rtx?.padding(maxBytes, this.#lastTimestamp);
    if (made) return made;
    this.#packetsSent++;
    return this.#makePadding(maxBytes);
  }

  /** It takes no place in the history from a packet that is worth repeating. */
  #makePadding(maxBytes: number): RtpPacket {
    const { bytes, places } = this.#extensions;
    const index = this.#index++;
    const header = Buffer.allocUnsafe(12 + (bytes?.length ?? 0));
    writeHeader(header, false, this.#codec.offered.payloadType, index, this.#lastTimestamp, this.ssrc);
    writeExtensions(header, bytes);
    markPadded(header);
    return { header, payload: paddingOf(maxBytes), index, places };
  }

  #makePacket(payload: Buffer, timestamp: number, marker: boolean, extensions = this.#extensions): SentPacket {
    const index = this.#index++;
    const packet = this.#history.take(index, payload, extensions);
    writeHeader(packet.header, marker, this.#codec.offered.payloadType, index, timestamp, this.ssrc);
    writeExtensions(packet.header, extensions.bytes);
    return packet;
  }
}
