/**
 * RTCP by which a receiver tells how its network is: transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-
 * extensions-01 §3.1) and REMB (draft-alvestrand-rmcat-remb-03 §2.2). Pure. What is malformed says nothing at all: a
 * part of it would put arrivals to packets that they do not belong to.
 */
import type { Arrivals } from '../transport/arrivals.js';

/** A receiver's own estimate of what may be sent to it. */
export interface ReceiverEstimate {
  /** Bits a second, all named streams together; up to 2^81. */
  readonly bitrateBps: number;
  /** The streams that it is about. */
  readonly ssrcs: readonly number[];
}

const FEEDBACK_HEADER_BYTES = 20;
const REMB_HEADER_BYTES = 20;
/** As many as are remembered: nobody sends more packets between two feedbacks. */
const MAX_STATUSES = 2048;
const REFERENCE_UNIT_MS = 64;
const DELTA_UNITS_PER_MS = 4;

/** Of a packet: one that arrived has a delta of so many bytes. */
const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const RESERVED = 3;

/** @param packet one whole RTCP packet of type 205, format 15. @returns undefined where it is malformed */
export function parseArrivals(packet: Buffer): Arrivals | undefined {
  if (packet.length < FEEDBACK_HEADER_BYTES) return undefined;
  const count = packet.readUInt16BE(14);
  const end = packet.length - paddingBytes(packet);
  if (count === 0 || count > MAX_STATUSES) return undefined;
  const statuses: number[] = [];
  let at = FEEDBACK_HEADER_BYTES;
  for (; statuses.length < count; at += 2) {
    if (at + 2 > end) return undefined;
    readChunk(packet.readUInt16BE(at), statuses, count);
  }
  // Whoever received nothing has nothing to tell: only a flood says so, in few bytes.
  if (statuses.every((status) => status === NOT_RECEIVED)) return undefined;
  const offsetsMs = readOffsets(packet.subarray(at, Math.max(at, end)), statuses);
  return offsetsMs && { firstNumber: packet.readUInt16BE(12), referenceMs: packet.readUIntBE(16, 3) * REFERENCE_UNIT_MS, offsetsMs };
}

/** @param packet one whole RTCP packet of type 206, format 15. @returns undefined where it is another message, or malformed */
export function parseReceiverEstimate(packet: Buffer): ReceiverEstimate | undefined {
  if (packet.length < REMB_HEADER_BYTES || packet.toString('latin1', 12, 16) !== 'REMB') return undefined;
  const count = packet.readUInt8(16);
  if (REMB_HEADER_BYTES + 4 * count > packet.length) return undefined;
  const value = packet.readUIntBE(17, 3);
  const bitrateBps = (value % 2 ** 18) * 2 ** (value >>> 18);
  return { bitrateBps, ssrcs: Array.from({ length: count }, (_unused, i) => packet.readUInt32BE(REMB_HEADER_BYTES + 4 * i)) };
}

/** A run of one status, or a vector of 14 or 7 (§3.1.3, §3.1.4). */
function readChunk(chunk: number, statuses: number[], count: number): void {
  if ((chunk & 0x8000) === 0) {
    const end = Math.min(count, statuses.length + (chunk & 0x1fff));
    while (statuses.length < end) statuses.push((chunk >> 13) & 3);
    return;
  }
  const bits = (chunk & 0x4000) === 0 ? 1 : 2;
  for (let shift = 14 - bits; shift >= 0 && statuses.length < count; shift -= bits) statuses.push((chunk >> shift) & (bits === 1 ? 1 : 3));
}

/** Each that arrived has its delta, in 250 us after the one before (§3.1.5). Undefined where some have none. */
function readOffsets(deltas: Buffer, statuses: readonly number[]): number[] | undefined {
  let at = 0;
  let units = 0;
  const offsetsMs: number[] = [];
  for (const status of statuses) {
    if (status === NOT_RECEIVED) {
      offsetsMs.push(NaN);
      continue;
    }
    if (status === RESERVED || at + status > deltas.length) return undefined;
    units += status === SMALL_DELTA ? deltas.readUInt8(at) : deltas.readInt16BE(at);
    at += status;
    offsetsMs.push(units / DELTA_UNITS_PER_MS);
  }
  return offsetsMs;
}

/** RFC 3550 §6.4.1: where the P bit is set, the last byte counts them. */
function paddingBytes(packet: Buffer): number {
  return ((packet[0] ?? 0) & 0x20) === 0 ? 0 : (packet.at(-1) ?? 0);
}
