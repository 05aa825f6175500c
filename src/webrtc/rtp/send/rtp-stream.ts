/**
 * One viewer's RTP stream: gives the shared payloads of a track this viewer's numbering (ssrc, sequence numbers,
 * payload type, timestamp offset), remembers what was sent, and repairs what the viewer lost.
 */
import { strict as assert } from 'node:assert';
import { randomInt } from 'node:crypto';
import type { Clock } from '../../../base/clock.js';
import { clockRateHz, type Codec, type FrameSink, type PacketizedFrame, type Track } from '../../../media/index.js';
import { codecsOf, type NegotiatedCodec, type OfferedCodec } from '../../sdp/codecs.js';
import { layOutExtensions, type DepartureIds, type ExtensionBlock } from '../header-extensions.js';
import type { DeparturePlaces, PacketTransport, RtpPacket } from '../../transport/packet-transport.js';
import { PlayoutDelay } from './playout-delay.js';
import { RepairBudget } from './repair-budget.js';
import { compactNtp, writeSenderReport, writeSourceDescription, type ReceptionReport } from '../rtcp.js';

/** Packets of video that can be sent again: covers the replay of a whole group of pictures on joining. */
const VIDEO_HISTORY_PACKETS = 1024;
/** Largest batch that is handed to the transport; never more than the history holds. */
const BATCH_PACKETS = 256;
/** A packet is sent again at most once in this time, or in most of a round trip where that is longer. */
const MIN_REPAIR_INTERVAL_MS = 20;
/** A viewer that asks again after a round trip has not got the repair; its round trip may be shorter than the one measured here. */
const SAME_REQUEST = 0.7;
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

/** A remembered packet; the place in the history is used again. */
interface SentPacket extends RtpPacket {
  header: Buffer;
  payload: Buffer;
  index: number;
  lastRepairMs: number;
  places: DeparturePlaces | undefined;
}

/** Sends a track to one viewer. */
export class RtpStream implements FrameSink {
  /** This viewer's own. */
  readonly ssrc: number;
  /** Added to the track's timestamps; any integer. Default: random (RFC 3550 §5.1). */
  timestampOffset = randomInt(2 ** 32);
  readonly #init: RtpStreamInit;
  /** Of the newest frame. */
  #codec: NegotiatedCodec;
  readonly #history: SentPacket[] = [];
  readonly #historyPackets: number;
  readonly #budget = new RepairBudget();
  readonly #sourceDescription: Buffer;
  readonly #batch: SentPacket[] = [];
  /** Of the header of what is sent now. */
  #extensions: ExtensionBlock;
  /** Of the header of repairs that have an ssrc of their own, which the description names. */
  readonly #rtxExtensions: ExtensionBlock;
  /** The viewer has not reported yet: it may not know whose packets these are. */
  #isNew: boolean;
  readonly #playoutDelay = new PlayoutDelay();
  /** It has been told of a delay once, so it must be told when there is none. */
  #isDelayTold = false;
  // Below 2^15, so that the first packets cannot be mistaken for ones before a wrap (RFC 3711 §3.3.1).
  #index = randomInt(2 ** 15);
  #rtxIndex = randomInt(2 ** 15);
  #packetsSent = 0;
  #bytesSent = 0;
  #packetsRepaired = 0;
  #packetsNotRepaired = 0;
  #nacksReceived = 0;
  #report: ReceptionReport | undefined;
  #roundTripMs: number | undefined;

  constructor(init: RtpStreamInit) {
    this.#init = init;
    this.#codec = init.codec;
    this.ssrc = init.ssrc;
    this.#historyPackets = init.codec.codec === 'opus' ? 1 : VIDEO_HISTORY_PACKETS;
    this.#isNew = init.mid !== undefined;
    this.#extensions = this.#layOut();
    this.#rtxExtensions = layOutExtensions(init.departureIds ?? {}, []);
    this.#sourceDescription = writeSourceDescription(init.ssrc, init.cname);
  }

  get pendingBytes(): number {
    return this.#init.transport.pendingBytes;
  }

  /** Counts since the first packet. */
  get stats(): RtpStreamStats {
    return {
      packetsSent: this.#packetsSent,
      bytesSent: this.#bytesSent,
      packetsRepaired: this.#packetsRepaired,
      packetsNotRepaired: this.#packetsNotRepaired,
      packetsLost: Math.max(0, this.#report?.packetsLost ?? 0),
      fractionLost: this.#report?.fractionLost ?? 0,
      jitterMs: ((this.#report?.jitterTicks ?? 0) * 1000) / clockRateHz(this.#init.codec.codec),
      highestReported: this.#report?.extendedHighestSequence,
      nacksReceived: this.#nacksReceived,
      roundTripMs: this.#roundTripMs,
    };
  }

  send(frame: PacketizedFrame): void {
    if (frame.codec !== this.#codec.codec) this.#change(frame.codec);
    const timestamp = this.rtpTimestampOf(frame.rtpTimestamp);
    const last = frame.payloads.length - 1;
    // The marker ends a video frame (RFC 6184 §5.1); for audio it would begin a talk spurt (RFC 3551 §4.1).
    const markLast = this.#init.codec.codec !== 'opus';
    for (let i = 0; i <= last; i++) {
      this.#batch.push(this.#makePacket(frame.payloads[i] as Buffer, timestamp, markLast && i === last));
      if (this.#batch.length >= Math.min(BATCH_PACKETS, this.#historyPackets)) this.#flush();
    }
    this.#flush();
    if (this.#bytesSent === 0) this.#init.onFirstFrame?.();
    this.#bytesSent += frame.sizeBytes;
    this.#budget.count(frame.sizeBytes, this.#init.clock.now());
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
    this.#nacksReceived++;
    const now = this.#init.clock.now();
    const intervalMs = Math.max(MIN_REPAIR_INTERVAL_MS, (this.#roundTripMs ?? 0) * SAME_REQUEST);
    const { rtxSsrc, transport } = this.#init;
    const repairs: RtpPacket[] = [];
    const repeats: RtpPacket[] = [];
    for (const sequenceNumber of sequenceNumbers) {
      const packet = this.#history[sequenceNumber % this.#historyPackets];
      if (!packet || packet.index % 65536 !== sequenceNumber) {
        this.#packetsNotRepaired++;
        continue;
      }
      if (now - packet.lastRepairMs < intervalMs) continue;
      if (!this.#budget.take(packet.payload.length, now)) {
        this.#packetsNotRepaired++;
        continue;
      }
      packet.lastRepairMs = now;
      const rtx = this.#rtxOf(packet);
      if (rtxSsrc === undefined || !rtx) repeats.push(packet);
      else repairs.push(this.#makeRtxPacket(packet, rtxSsrc, rtx.payloadType));
    }
    this.#packetsRepaired += repairs.length + repeats.length;
    if (repeats.length > 0) transport.repeatRtp(repeats);
    if (repairs.length > 0) transport.sendRtp(repairs);
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
  #layOut(): ExtensionBlock {
    const { mid, playoutDelayId, departureIds = {} } = this.#init;
    return layOutExtensions(departureIds, [
      ...(this.#isDelayTold && playoutDelayId !== undefined ? [{ id: playoutDelayId, value: this.#playoutDelay.write() }] : []),
      ...(this.#isNew && mid ? [{ id: mid.id, value: Buffer.from(mid.value, 'utf8') }] : []),
    ]);
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

  #makePacket(payload: Buffer, timestamp: number, marker: boolean): SentPacket {
    const index = this.#index++;
    const place = index % this.#historyPackets;
    const { bytes, places } = this.#extensions;
    const headerBytes = 12 + (bytes?.length ?? 0);
    let packet = this.#history[place];
    if (packet?.header.length !== headerBytes) {
      packet = { header: Buffer.allocUnsafe(headerBytes), payload, index, lastRepairMs: -Infinity, places };
      this.#history[place] = packet;
    }
    packet.payload = payload;
    packet.index = index;
    packet.lastRepairMs = -Infinity;
    packet.places = places;
    writeHeader(packet.header, marker, this.#codec.offered.payloadType, index, timestamp, this.ssrc);
    writeExtensions(packet.header, bytes);
    return packet;
  }

  /** Of the codec that a packet was sent in. */
  #rtxOf({ header }: SentPacket): OfferedCodec | undefined {
    const payloadType = (header[1] ?? 0) & 0x7f;
    return codecsOf(this.#init.codec).find(({ offered }) => offered.payloadType === payloadType)?.rtx;
  }

  /** The original sequence number goes in front of the payload (RFC 4588 §4). */
  #makeRtxPacket(packet: SentPacket, rtxSsrc: number, payloadType: number): RtpPacket {
    const index = this.#rtxIndex++;
    const { bytes, places } = this.#rtxExtensions;
    const header = Buffer.allocUnsafe(12 + (bytes?.length ?? 0));
    writeHeader(header, ((packet.header[1] ?? 0) & 0x80) !== 0, payloadType, index, packet.header.readUInt32BE(4), rtxSsrc);
    writeExtensions(header, bytes);
    const payload = Buffer.allocUnsafe(2 + packet.payload.length);
    payload.writeUInt16BE(packet.index % 65536, 0);
    packet.payload.copy(payload, 2);
    return { header, payload, index, places };
  }
}

/** The fixed header (RFC 3550 §5.1), byte by byte: this runs for each packet of each viewer. */
function writeHeader(header: Buffer, marker: boolean, payloadType: number, index: number, timestamp: number, ssrc: number): void {
  header[0] = 0x80;
  header[1] = (marker ? 0x80 : 0) | payloadType;
  header[2] = (index >>> 8) & 0xff;
  header[3] = index & 0xff;
  header[4] = timestamp >>> 24;
  header[5] = (timestamp >>> 16) & 0xff;
  header[6] = (timestamp >>> 8) & 0xff;
  header[7] = timestamp & 0xff;
  header[8] = ssrc >>> 24;
  header[9] = (ssrc >>> 16) & 0xff;
  header[10] = (ssrc >>> 8) & 0xff;
  header[11] = ssrc & 0xff;
}

function writeExtensions(header: Buffer, bytes: Buffer | undefined): void {
  if (!bytes) return;
  header[0] = 0x90;
  bytes.copy(header, 12);
}
