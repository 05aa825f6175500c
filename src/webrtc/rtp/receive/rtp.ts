/** Reads RTP packets as they come from the network (RFC 3550 §5.1, RFC 8285). Pure; nothing that is read is believed to fit. */

export interface ReceivedPacket {
  /** Of the stream. */
  readonly ssrc: number;
  /** 0 to 127. */
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequenceNumber: number;
  /** 32 bits, in ticks of the codec's clock. */
  readonly timestamp: number;
  /** True on the last packet of a video frame (RFC 6184 §5.1). */
  readonly marker: boolean;
  /** Without padding; empty in packets that only probe the network. */
  readonly payload: Buffer;
}

const FIXED_HEADER_BYTES = 12;
const ONE_BYTE_FORM = 0xbede;
/** The lower 4 bits are free for applications (RFC 8285 §4.3). */
const TWO_BYTE_FORM = 0x1000;

/** Undefined where it is no RTP of version 2, or where a length in it does not fit. `payload` is a view. */
export function parseRtp(packet: Buffer): ReceivedPacket | undefined {
  const first = packet[0] ?? 0;
  if (packet.length < FIXED_HEADER_BYTES || first >> 6 !== 2) return undefined;
  const start = payloadStart(packet);
  if (start === undefined) return undefined;
  const paddingBytes = (first & 0x20) === 0 ? 0 : (packet.at(-1) ?? 0);
  const end = packet.length - paddingBytes;
  if (((first & 0x20) !== 0 && paddingBytes === 0) || end < start) return undefined;
  const second = packet[1] ?? 0;
  return {
    ssrc: packet.readUInt32BE(8),
    payloadType: second & 0x7f,
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    marker: second >= 0x80,
    payload: packet.subarray(start, end),
  };
}

/** The value of a header extension of a packet that `parseRtp` has read, as a view; undefined where the packet has none of that id. */
export function headerExtension(packet: Buffer, id: number): Buffer | undefined {
  if (((packet[0] ?? 0) & 0x10) === 0) return undefined;
  const at = FIXED_HEADER_BYTES + 4 * ((packet[0] ?? 0) & 0x0f);
  const profile = packet.readUInt16BE(at);
  const values = packet.subarray(at + 4, at + 4 + 4 * packet.readUInt16BE(at + 2));
  if (profile === ONE_BYTE_FORM) return findOneByte(values, id);
  return (profile & 0xfff0) === TWO_BYTE_FORM ? findTwoByte(values, id) : undefined;
}

function payloadStart(packet: Buffer): number | undefined {
  const first = packet[0] ?? 0;
  let at = FIXED_HEADER_BYTES + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (at + 4 > packet.length) return undefined;
    at += 4 + 4 * packet.readUInt16BE(at + 2);
  }
  return at <= packet.length ? at : undefined;
}

/** RFC 8285 §4.2: id and length - 1 in one byte; id 15 ends the reading. */
function findOneByte(values: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at < values.length;) {
    const head = values[at++] ?? 0;
    if (head >> 4 === 15) return undefined;
    if (head === 0) continue; // padding
    const end = at + (head & 0x0f) + 1;
    if (head >> 4 === id) return end <= values.length ? values.subarray(at, end) : undefined;
    at = end;
  }
  return undefined;
}

/** RFC 8285 §4.3: id and length in a byte each. */
function findTwoByte(values: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at < values.length;) {
    const found = values[at++] ?? 0;
    if (found === 0) continue; // padding
    const end = at + 1 + (values[at] ?? 0);
    if (found === id) return end <= values.length ? values.subarray(at + 1, end) : undefined;
    at = end;
  }
  return undefined;
}
