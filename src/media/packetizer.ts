/**
 * Turns encoded frames into RTP payloads: H.264 by RFC 6184 (packetization-mode 1), H.265 by RFC 7798 (tx-mode SRST), VP8 by
 * RFC 7741, Opus by RFC 7587.
 */
import type { Codec } from './encoded-frame.js';
import { NalType } from './h264.js';
import { packetizeH265 } from './h265-packetizer.js';
import { readLengthPrefixed } from './nal-units.js';
import { MAX_RTP_PAYLOAD_BYTES } from './packetized-frame.js';

/** The RTP payloads of one encoded frame, in order; none of an access unit whose lengths do not fit. The result shares no memory that changes with `data`. */
export function packetize(codec: Codec, data: Buffer, maxBytes = MAX_RTP_PAYLOAD_BYTES): Buffer[] {
  switch (codec) {
    case 'h264':
      return packetizeH264(data, maxBytes);
    case 'h265':
      return packetizeH265(data, maxBytes);
    case 'vp8':
      return packetizeVp8(data, maxBytes);
    case 'opus':
      return [data];
  }
}

/** Small NAL units that stand together (SPS, PPS) travel in one STAP-A, large ones in FU-As (RFC 6184 §5.7, §5.8). */
function packetizeH264(data: Buffer, maxBytes: number): Buffer[] {
  const payloads: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = 1;
  const flushSmall = (): void => {
    if (small.length > 0) payloads.push(small.length === 1 ? (small[0] as Buffer) : stapA(small));
    small = [];
    smallBytes = 1;
  };
  for (const nal of readLengthPrefixed(data) ?? []) {
    if (smallBytes + 2 + nal.length > maxBytes) flushSmall();
    if (nal.length + 3 <= maxBytes) {
      small.push(nal);
      smallBytes += 2 + nal.length;
    } else if (nal.length <= maxBytes) {
      payloads.push(nal);
    } else {
      payloads.push(...fuA(nal, maxBytes));
    }
  }
  flushSmall();
  return payloads;
}

function stapA(nals: readonly Buffer[]): Buffer {
  // F is the OR and NRI the maximum of the aggregated units' (RFC 6184 §5.7.1).
  const nri = Math.max(...nals.map((nal) => (nal[0] ?? 0) & 0x60));
  const parts: Buffer[] = [Buffer.from([nri | NalType.stapA])];
  for (const nal of nals) {
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(nal.length);
    parts.push(length, nal);
  }
  return Buffer.concat(parts);
}

function fuA(nal: Buffer, maxBytes: number): Buffer[] {
  const header = nal[0] ?? 0;
  const fragments = Math.ceil((nal.length - 1) / (maxBytes - 2));
  const step = Math.ceil((nal.length - 1) / fragments);
  const payloads: Buffer[] = [];
  for (let start = 1; start < nal.length; start += step) {
    const end = Math.min(nal.length, start + step);
    const payload = Buffer.allocUnsafe(2 + end - start);
    payload[0] = (header & 0xe0) | NalType.fuA;
    payload[1] = (start === 1 ? 0x80 : 0) | (end === nal.length ? 0x40 : 0) | (header & 0x1f);
    nal.copy(payload, 2, start, end);
    payloads.push(payload);
  }
  return payloads;
}

/** The one-byte descriptor: S marks the first packet of a frame (RFC 7741 §4.2). */
function packetizeVp8(data: Buffer, maxBytes: number): Buffer[] {
  const fragments = Math.max(1, Math.ceil(data.length / (maxBytes - 1)));
  const step = Math.ceil(data.length / fragments);
  const payloads: Buffer[] = [];
  for (let start = 0; start < data.length; start += step) {
    const end = Math.min(data.length, start + step);
    const payload = Buffer.allocUnsafe(1 + end - start);
    payload[0] = start === 0 ? 0x10 : 0x00;
    data.copy(payload, 1, start, end);
    payloads.push(payload);
  }
  return payloads;
}
