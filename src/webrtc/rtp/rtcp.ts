/** The RTCP packets that are read, and those that a sender of media writes (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4.3.1). Pure. */
import type { Arrivals } from '../transport/arrivals.js';
import { parseArrivals, parseReceiverEstimate, type ReceiverEstimate } from './congestion-messages.js';

/** A reception report block (RFC 3550 §6.4.1). */
export interface ReceptionReport {
  /** Whose packets it is about. */
  readonly ssrc: number;
  /** 0..1 since the previous report. */
  readonly fractionLost: number;
  /** Since the start; negative where duplicates outnumber losses. */
  readonly packetsLost: number;
  /** Of the sequence numbers that arrived: cycles × 2^16 + the highest (RFC 3550 §6.4.1). */
  readonly extendedHighestSequence: number;
  /** Interarrival jitter in ticks of the media's clock. */
  readonly jitterTicks: number;
  /** Middle 32 bits of the NTP time of the newest Sender Report; 0: none yet. */
  readonly lastSenderReport: number;
  /** Since that report arrived, in 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

/** What is read of a compound RTCP packet. */
export type RtcpMessage =
  /** The part of a Sender Report that tells about its sender; its reports are a message of their own. */
  | {
      readonly type: 'sender-report';
      readonly ssrc: number;
      readonly ntpMs: number;
      readonly compactNtp: number;
      readonly rtpTimestamp: number;
    }
  | { readonly type: 'report'; readonly reports: readonly ReceptionReport[] }
  | { readonly type: 'nack'; readonly ssrc: number; readonly sequenceNumbers: readonly number[] }
  /** PLI or FIR. */
  | { readonly type: 'keyframe-request'; readonly ssrc: number }
  /** Transport-wide feedback. */
  | { readonly type: 'arrivals'; readonly arrivals: Arrivals }
  /** REMB. */
  | { readonly type: 'receiver-estimate'; readonly estimate: ReceiverEstimate }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] };

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const GOODBYE = 203;
const TRANSPORT_FEEDBACK = 205;
const PAYLOAD_FEEDBACK = 206;
const REPORT_BLOCK_BYTES = 24;
/** Formats of transport feedback (RFC 4585 §6.2). */
const NACK = 1;
const TRANSPORT_WIDE = 15;
/** Formats of payload feedback (RFC 4585 §6.3, RFC 5104 §4.3.1). */
const PLI = 1;
const FIR = 4;
const APPLICATION = 15;

/** Feedbacks of one compound that are read: their bytes are few for what they may claim, and nobody sends more than one or two. */
const MAX_TRANSPORT_WIDE = 4;

/** What a compound packet says that matters here; reading stops at the first malformed packet. */
export function parseRtcp(compound: Buffer): RtcpMessage[] {
  const messages: RtcpMessage[] = [];
  let at = 0;
  let transportWide = 0;
  while (at + 4 <= compound.length) {
    const count = (compound[at] ?? 0) & 0x1f;
    const end = at + 4 * (compound.readUInt16BE(at + 2) + 1);
    if ((compound[at] ?? 0) >> 6 !== 2 || end > compound.length) break;
    const type = compound[at + 1] ?? 0;
    const isRead = type !== TRANSPORT_FEEDBACK || count !== TRANSPORT_WIDE || ++transportWide <= MAX_TRANSPORT_WIDE;
    if (isRead) messages.push(...parsePacket(type, count, compound.subarray(at, end)));
    at = end;
  }
  return messages;
}

function parsePacket(type: number, count: number, packet: Buffer): RtcpMessage[] {
  switch (type) {
    case SENDER_REPORT:
      return packet.length >= 28 ? [parseSenderInfo(packet), { type: 'report', reports: parseReports(packet, 28, count) }] : [];
    case RECEIVER_REPORT:
      return [{ type: 'report', reports: parseReports(packet, 8, count) }];
    case TRANSPORT_FEEDBACK:
      return parseTransportFeedback(count, packet);
    case PAYLOAD_FEEDBACK:
      return parsePayloadFeedback(count, packet);
    case GOODBYE: {
      const ssrcs: number[] = [];
      for (let i = 0; i < count && 8 + 4 * i <= packet.length; i++) ssrcs.push(packet.readUInt32BE(4 + 4 * i));
      return [{ type: 'bye', ssrcs }];
    }
    default:
      return [];
  }
}

/** The sender's wall clock in ms since its NTP era began, and what of its media was captured then (RFC 3550 §6.4.1). */
function parseSenderInfo(packet: Buffer): RtcpMessage {
  return {
    type: 'sender-report',
    ssrc: packet.readUInt32BE(4),
    ntpMs: packet.readUInt32BE(8) * 1000 + (packet.readUInt32BE(12) * 1000) / 2 ** 32,
    compactNtp: packet.readUInt32BE(10),
    rtpTimestamp: packet.readUInt32BE(16),
  };
}

function parseReports(packet: Buffer, from: number, count: number): ReceptionReport[] {
  const reports: ReceptionReport[] = [];
  for (let at = from; reports.length < count && at + REPORT_BLOCK_BYTES <= packet.length; at += REPORT_BLOCK_BYTES) {
    reports.push({
      ssrc: packet.readUInt32BE(at),
      fractionLost: packet.readUInt8(at + 4) / 256,
      packetsLost: packet.readIntBE(at + 5, 3),
      extendedHighestSequence: packet.readUInt32BE(at + 8),
      jitterTicks: packet.readUInt32BE(at + 12),
      lastSenderReport: packet.readUInt32BE(at + 16),
      delaySinceLastSenderReport: packet.readUInt32BE(at + 20),
    });
  }
  return reports;
}

function parseTransportFeedback(format: number, packet: Buffer): RtcpMessage[] {
  if (format === NACK && packet.length >= 16) return [parseNack(packet)];
  const arrivals = format === TRANSPORT_WIDE ? parseArrivals(packet) : undefined;
  return arrivals ? [{ type: 'arrivals', arrivals }] : [];
}

/** Generic NACK: each entry names one packet and, in a bit mask, the 16 after it (RFC 4585 §6.2.1). */
function parseNack(packet: Buffer): RtcpMessage {
  const sequenceNumbers: number[] = [];
  for (let at = 12; at + 4 <= packet.length; at += 4) {
    const first = packet.readUInt16BE(at);
    const mask = packet.readUInt16BE(at + 2);
    sequenceNumbers.push(first);
    for (let bit = 0; bit < 16; bit++) if ((mask >> bit) & 1) sequenceNumbers.push((first + bit + 1) & 0xffff);
  }
  return { type: 'nack', ssrc: packet.readUInt32BE(8), sequenceNumbers };
}

function parsePayloadFeedback(format: number, packet: Buffer): RtcpMessage[] {
  if (format === APPLICATION) {
    const estimate = parseReceiverEstimate(packet);
    return estimate ? [{ type: 'receiver-estimate', estimate }] : [];
  }
  if (format === PLI && packet.length >= 12) return [{ type: 'keyframe-request', ssrc: packet.readUInt32BE(8) }];
  if (format !== FIR) return [];
  const messages: RtcpMessage[] = [];
  for (let at = 12; at + 8 <= packet.length; at += 8) messages.push({ type: 'keyframe-request', ssrc: packet.readUInt32BE(at) });
  return messages;
}

/** Seconds between the epochs of NTP (1900) and Unix (1970). */
const NTP_EPOCH_OFFSET_S = 2_208_988_800;

/** Writes a Unix time in ms as an NTP timestamp, 8 bytes at `at`. */
export function writeNtp(target: Buffer, at: number, wallClockMs: number): void {
  // The NTP era ends in 2036; the seconds start again.
  target.writeUInt32BE((Math.floor(wallClockMs / 1000) + NTP_EPOCH_OFFSET_S) % 2 ** 32, at);
  target.writeUInt32BE(Math.floor(((wallClockMs % 1000) / 1000) * 2 ** 32), at + 4);
}

/** Middle 32 bits of the NTP timestamp of a Unix time, in 1/65536 s: what LSR and DLSR count in. */
export function compactNtp(wallClockMs: number): number {
  const seconds = wallClockMs / 1000 + NTP_EPOCH_OFFSET_S;
  return Math.floor((seconds % 65536) * 65536) >>> 0;
}

/** What a Sender Report says (RFC 3550 §6.4.1). */
export interface SenderReport {
  /** Of the stream. */
  readonly ssrc: number;
  /** Unix ms. */
  readonly wallClockMs: number;
  /** The RTP timestamp of what is captured at `wallClockMs`, as this viewer sees it. */
  readonly rtpTimestamp: number;
  /** Packets sent, modulo 2^32. */
  readonly packets: number;
  /** Bytes of payload sent, modulo 2^32. */
  readonly octets: number;
}

/** A Sender Report without report blocks (RFC 3550 §6.4.1): 28 bytes. */
export function writeSenderReport(report: SenderReport): Buffer {
  const packet = Buffer.allocUnsafe(28);
  packet[0] = 0x80;
  packet[1] = SENDER_REPORT;
  packet.writeUInt16BE(6, 2);
  packet.writeUInt32BE(report.ssrc, 4);
  writeNtp(packet, 8, report.wallClockMs);
  packet.writeUInt32BE(report.rtpTimestamp >>> 0, 16);
  packet.writeUInt32BE(report.packets >>> 0, 20);
  packet.writeUInt32BE(report.octets % 2 ** 32, 24);
  return packet;
}

/** SDES with one CNAME chunk (RFC 3550 §6.5.1). */
export function writeSourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, 'utf8').subarray(0, 255);
  const packet = Buffer.alloc(Math.ceil((8 + 2 + name.length + 1) / 4) * 4);
  packet[0] = 0x81;
  packet[1] = SOURCE_DESCRIPTION;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(ssrc, 4);
  packet[8] = 1;
  packet[9] = name.length;
  name.copy(packet, 10);
  return packet;
}

/** A compound packet that ends these sources (RFC 3550 §6.6): an empty receiver report goes first, as every compound's must. */
export function writeGoodbye(ssrcs: readonly number[]): Buffer {
  const packet = Buffer.alloc(8 + 4 + 4 * ssrcs.length);
  packet[0] = 0x80;
  packet[1] = RECEIVER_REPORT;
  packet.writeUInt16BE(1, 2);
  packet.writeUInt32BE(ssrcs[0] ?? 0, 4);
  packet[8] = 0x80 | ssrcs.length;
  packet[9] = GOODBYE;
  packet.writeUInt16BE(ssrcs.length, 10);
  ssrcs.forEach((ssrc, i) => packet.writeUInt32BE(ssrc, 12 + 4 * i));
  return packet;
}
