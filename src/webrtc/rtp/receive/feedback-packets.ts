/** The RTCP packets that a receiver of media writes (RFC 3550 §6.4.2, RFC 4585 §6, RFC 5104 §4.3.1, draft-alvestrand-rmcat-remb). Pure. */

/** One reception report block. */
export interface ReportBlock {
  /** The stream that it is about. */
  readonly ssrc: number;
  /** 0..1 since the previous report. */
  readonly fractionLost: number;
  /** Since the start; negative where duplicates outnumber losses. */
  readonly packetsLost: number;
  /** With the wraps in its upper bits. */
  readonly highestSequence: number;
  /** Interarrival jitter, in ticks of the stream's clock. */
  readonly jitterTicks: number;
  /** Middle 32 bits of the NTP time of the newest Sender Report; 0: none yet. */
  readonly lastSenderReport: number;
  /** In 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

const RECEIVER_REPORT = 201;
const TRANSPORT_FEEDBACK = 205;
const PAYLOAD_FEEDBACK = 206;
const BLOCK_BYTES = 24;
/** A report counts its blocks in 5 bits. */
const MAX_BLOCKS = 31;
const MAX_PACKETS_LOST = 0x7fffff;

/** @param blocks at most 31; the others are left out. */
export function writeReceiverReport(senderSsrc: number, blocks: readonly ReportBlock[]): Buffer {
  const written = blocks.slice(0, MAX_BLOCKS);
  const packet = startPacket(written.length, RECEIVER_REPORT, 8 + BLOCK_BYTES * written.length, senderSsrc);
  written.forEach((block, i) => {
    const at = 8 + BLOCK_BYTES * i;
    packet.writeUInt32BE(block.ssrc, at);
    packet.writeUInt8(Math.min(255, Math.floor(block.fractionLost * 256)), at + 4);
    packet.writeIntBE(Math.max(-MAX_PACKETS_LOST, Math.min(MAX_PACKETS_LOST, block.packetsLost)), at + 5, 3);
    packet.writeUInt32BE(block.highestSequence >>> 0, at + 8);
    packet.writeUInt32BE(block.jitterTicks >>> 0, at + 12);
    packet.writeUInt32BE(block.lastSenderReport, at + 16);
    packet.writeUInt32BE(block.delaySinceLastSenderReport >>> 0, at + 20);
  });
  return packet;
}

/** Generic NACK: each entry names one packet and, in a bit mask, those of the 16 after it that are missing too (RFC 4585 §6.2.1). */
export function writeNack(senderSsrc: number, mediaSsrc: number, sequenceNumbers: readonly number[]): Buffer {
  const entries: { first: number; mask: number }[] = [];
  for (const sequenceNumber of sequenceNumbers) {
    const entry = entries.at(-1);
    const behind = entry ? (sequenceNumber - entry.first) & 0xffff : 0;
    if (entry && behind >= 1 && behind <= 16) entry.mask |= 1 << (behind - 1);
    else entries.push({ first: sequenceNumber, mask: 0 });
  }
  const packet = startFeedback(1, TRANSPORT_FEEDBACK, 12 + 4 * entries.length, senderSsrc, mediaSsrc);
  entries.forEach(({ first, mask }, i) => {
    packet.writeUInt16BE(first, 12 + 4 * i);
    packet.writeUInt16BE(mask, 14 + 4 * i);
  });
  return packet;
}

/** Picture Loss Indication (RFC 4585 §6.3.1). */
export function writePli(senderSsrc: number, mediaSsrc: number): Buffer {
  return startFeedback(1, PAYLOAD_FEEDBACK, 12, senderSsrc, mediaSsrc);
}

/** Full Intra Request (RFC 5104 §4.3.1). @param number of the request: another one for each. */
export function writeFir(senderSsrc: number, mediaSsrc: number, number: number): Buffer {
  const packet = startFeedback(4, PAYLOAD_FEEDBACK, 20, senderSsrc, 0);
  packet.writeUInt32BE(mediaSsrc, 12);
  packet.writeUInt32BE(((number & 0xff) << 24) >>> 0, 16);
  return packet;
}

/** Receiver Estimated Maximum Bitrate (draft-alvestrand-rmcat-remb-03 §2.2). */
export function writeRemb(senderSsrc: number, mediaSsrcs: readonly number[], bitrateBps: number): Buffer {
  const packet = startFeedback(15, PAYLOAD_FEEDBACK, 20 + 4 * mediaSsrcs.length, senderSsrc, 0);
  let exponent = 0;
  let mantissa = Math.floor(bitrateBps);
  while (mantissa >= 2 ** 18) {
    mantissa = Math.floor(mantissa / 2);
    exponent++;
  }
  packet.write('REMB', 12, 'latin1');
  packet.writeUInt8(mediaSsrcs.length, 16);
  packet.writeUIntBE(exponent * 2 ** 18 + mantissa, 17, 3);
  mediaSsrcs.forEach((ssrc, i) => packet.writeUInt32BE(ssrc, 20 + 4 * i));
  return packet;
}

/** A packet of `bytes` (whole words) with its header filled and the rest zero. */
function startPacket(count: number, type: number, bytes: number, senderSsrc: number): Buffer {
  const packet = Buffer.alloc(bytes);
  packet[0] = 0x80 | count;
  packet[1] = type;
  packet.writeUInt16BE(bytes / 4 - 1, 2);
  packet.writeUInt32BE(senderSsrc, 4);
  return packet;
}

/** The common form of feedback (RFC 4585 §6.1). */
export function startFeedback(format: number, type: number, bytes: number, senderSsrc: number, mediaSsrc: number): Buffer {
  const packet = startPacket(format, type, bytes, senderSsrc);
  packet.writeUInt32BE(mediaSsrc, 8);
  return packet;
}
