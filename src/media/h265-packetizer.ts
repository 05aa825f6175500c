/** Access units of H.265 as RTP payloads (RFC 7798): single units, aggregation packets and fragmentation units, without DONL. */
import { H265_HEADER_BYTES, h265Layer, H265NalType, h265NalType } from './h265.js';
import { readLengthPrefixed } from './nal-units.js';

/** Length of a unit in an aggregation packet. */
const SIZE_BYTES = 2;
/** Header of a fragmentation unit, behind the payload header (§4.4.3). */
const FU_HEADER_BYTES = 1;

/** Small NAL units that stand together (VPS, SPS, PPS) travel in one aggregation packet, large ones in fragments. */
export function packetizeH265(data: Buffer, maxBytes: number): Buffer[] {
  const payloads: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = H265_HEADER_BYTES;
  const flushSmall = (): void => {
    if (small.length > 0) payloads.push(small.length === 1 ? (small[0] as Buffer) : aggregation(small));
    small = [];
    smallBytes = H265_HEADER_BYTES;
  };
  for (const nal of readLengthPrefixed(data) ?? []) {
    if (nal.length < H265_HEADER_BYTES) continue;
    if (smallBytes + SIZE_BYTES + nal.length > maxBytes) flushSmall();
    if (H265_HEADER_BYTES + SIZE_BYTES + nal.length <= maxBytes) {
      small.push(nal);
      smallBytes += SIZE_BYTES + nal.length;
    } else if (nal.length <= maxBytes) {
      payloads.push(nal);
    } else {
      payloads.push(...fragments(nal, maxBytes));
    }
  }
  flushSmall();
  return payloads;
}

/** F is the OR, LayerId and TID the lowest of the aggregated units' (§4.4.2). */
function aggregation(nals: readonly Buffer[]): Buffer {
  const forbidden = nals.some((nal) => nal.readUInt8(0) & 0x80) ? 0x80 : 0;
  const layer = Math.min(...nals.map(h265Layer));
  const temporalId = Math.min(...nals.map((nal) => nal.readUInt8(1) & 7));
  const parts: Buffer[] = [Buffer.from([forbidden | (H265NalType.aggregation << 1) | (layer >> 5), ((layer & 0x1f) << 3) | temporalId])];
  for (const nal of nals) {
    const size = Buffer.allocUnsafe(SIZE_BYTES);
    size.writeUInt16BE(nal.length);
    parts.push(size, nal);
  }
  return Buffer.concat(parts);
}

function fragments(nal: Buffer, maxBytes: number): Buffer[] {
  const head = H265_HEADER_BYTES + FU_HEADER_BYTES;
  const bytes = nal.length - H265_HEADER_BYTES;
  const step = Math.ceil(bytes / Math.ceil(bytes / (maxBytes - head)));
  const payloads: Buffer[] = [];
  for (let start = H265_HEADER_BYTES; start < nal.length; start += step) {
    const end = Math.min(nal.length, start + step);
    const payload = Buffer.allocUnsafe(head + end - start);
    payload[0] = (nal.readUInt8(0) & 0x81) | (H265NalType.fragmentation << 1);
    payload[1] = nal.readUInt8(1);
    payload[2] = (start === H265_HEADER_BYTES ? 0x80 : 0) | (end === nal.length ? 0x40 : 0) | h265NalType(nal);
    nal.copy(payload, head, start, end);
    payloads.push(payload);
  }
  return payloads;
}
