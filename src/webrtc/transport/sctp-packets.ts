/**
 * The shape of a received SCTP packet (RFC 9260 §3), judged before the library reads it: the library follows the
 * lengths that the client wrote, and a length of zero never ends. Knows shapes alone; what the values do to an
 * association is bounded where the association is.
 */

const COMMON_HEADER_BYTES = 12;
const HEADER_BYTES = 4;
/** The plain text of one DTLS record (RFC 5246 §6.2.1). */
const MAX_PACKET_BYTES = 16_384;
/** Several times what fits in a packet on any network. */
const MAX_DATA_CHUNKS = 256;
/** Each may be answered by a packet. Clients send an acknowledgement and one or two more. */
const MAX_CONTROL_CHUNKS = 8;
/** Parameters or error causes of a chunk. */
const MAX_PARAMETERS = 16;
/** Reserved (RFC 8831 §6.5). */
const NO_STREAM = 65_535;

/** Types of the chunks that are understood (RFC 9260 §3.2, RFC 6525 §3.1, RFC 3758 §3.2). */
export const SCTP_CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
  reConfig: 130,
  forwardTsn: 192,
} as const;

interface Shape {
  /** Bytes, the header of the chunk included. */
  readonly min: number;
  /** Default: any. */
  readonly max?: number;
  /** True where it must be the only one of its packet (RFC 9260 §6.10). */
  readonly isAlone?: boolean;
  /** What is wrong inside. */
  readonly fault?: (chunk: Buffer) => string | undefined;
}

const parametersFrom =
  (
    start: number,
    {
      atLeast = 0,
      atMost = MAX_PARAMETERS,
      lengths,
    }: { atLeast?: number; atMost?: number; lengths?: ReadonlyMap<number, readonly [min: number, max: number]> } = {},
  ) =>
  (chunk: Buffer): string | undefined => {
    let count = 0;
    for (let at = start; at < chunk.length; count++) {
      if (count === atMost) return `more than ${atMost} parameters`;
      if (chunk.length - at < HEADER_BYTES) return 'half a parameter';
      const bytes = chunk.readUInt16BE(at + 2);
      if (bytes < HEADER_BYTES || bytes > chunk.length - at) return `a parameter of ${bytes} bytes`;
      const [min, max] = lengths?.get(chunk.readUInt16BE(at)) ?? [HEADER_BYTES, MAX_PACKET_BYTES];
      if (bytes < min || bytes > max) return `a parameter of ${bytes} bytes`;
      at += padded(bytes);
    }
    return count < atLeast ? 'no parameter' : undefined;
  };

/** RFC 9260 §3.3.2: a tag or a number of streams that is zero. */
function initFault(chunk: Buffer): string | undefined {
  if (chunk.readUInt32BE(4) === 0 || chunk.readUInt16BE(12) === 0 || chunk.readUInt16BE(14) === 0) return 'no tag or no streams';
  return parametersFrom(20)(chunk);
}

/** RFC 6525 §4: outgoing and incoming reset, reset of all, response, more outgoing and incoming streams. */
const RECONFIG_LENGTHS = new Map<number, readonly [number, number]>([
  [13, [16, MAX_PACKET_BYTES]],
  [14, [8, MAX_PACKET_BYTES]],
  [15, [8, 8]],
  [16, [12, 20]],
  [17, [12, 12]],
  [18, [12, 12]],
]);

const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [SCTP_CHUNK.data, { min: 17, fault: (chunk) => (chunk.readUInt16BE(8) === NO_STREAM ? `stream ${NO_STREAM}` : undefined) }],
  [SCTP_CHUNK.init, { min: 20, isAlone: true, fault: initFault }],
  [SCTP_CHUNK.initAck, { min: 20, isAlone: true, fault: initFault }],
  [
    SCTP_CHUNK.sack,
    {
      min: 16,
      fault: (chunk) =>
        chunk.length === 16 + 4 * (chunk.readUInt16BE(12) + chunk.readUInt16BE(14)) ? undefined : 'other counts than its length',
    },
  ],
  [SCTP_CHUNK.heartbeat, { min: 8, fault: parametersFrom(4, { atLeast: 1, atMost: 1 }) }],
  [SCTP_CHUNK.heartbeatAck, { min: 8, fault: parametersFrom(4, { atLeast: 1, atMost: 1 }) }],
  [SCTP_CHUNK.abort, { min: 4, fault: parametersFrom(4) }],
  [SCTP_CHUNK.shutdown, { min: 8, max: 8 }],
  [SCTP_CHUNK.shutdownAck, { min: 4, max: 4 }],
  [SCTP_CHUNK.error, { min: 8, fault: parametersFrom(4) }],
  [SCTP_CHUNK.cookieEcho, { min: 5 }],
  [SCTP_CHUNK.cookieAck, { min: 4, max: 4 }],
  [SCTP_CHUNK.shutdownComplete, { min: 4, max: 4, isAlone: true }],
  [SCTP_CHUNK.reConfig, { min: 8, fault: parametersFrom(4, { atLeast: 1, atMost: 2, lengths: RECONFIG_LENGTHS }) }],
  [SCTP_CHUNK.forwardTsn, { min: 8, fault: (chunk) => (chunk.length % 4 === 0 ? undefined : 'half a stream') }],
]);

/** Which association a packet is for; an `undefined` is not looked at. */
export interface SctpAddress {
  /** This side's. */
  readonly localPort: number;
  /** The peer's; undefined before it is known. */
  readonly remotePort: number | undefined;
  /** Of this side: in every packet but those that begin an association (RFC 9260 §8.5). */
  readonly verificationTag: number;
}

/** Type of the first chunk of a packet. */
export function firstChunk(packet: Buffer): number | undefined {
  return packet[COMMON_HEADER_BYTES];
}

/** What is wrong with a packet, in words; undefined where it can be read. The checksum is not looked at. Never throws. */
export function sctpFault(packet: Buffer, { localPort, remotePort, verificationTag }: SctpAddress): string | undefined {
  if (packet.length < COMMON_HEADER_BYTES + HEADER_BYTES || packet.length > MAX_PACKET_BYTES) return `a packet of ${packet.length} bytes`;
  const source = packet.readUInt16BE(0);
  if (packet.readUInt16BE(2) !== localPort || source !== (remotePort ?? source)) return 'other ports';
  const isInit = firstChunk(packet) === SCTP_CHUNK.init;
  if (packet.readUInt32BE(4) !== (isInit ? 0 : verificationTag)) return 'another verification tag';
  return chunksFault(packet);
}

function chunksFault(packet: Buffer): string | undefined {
  const counts = { data: 0, control: 0 };
  for (let at = COMMON_HEADER_BYTES; at < packet.length;) {
    if (packet.length - at < HEADER_BYTES) return 'half a chunk';
    const type = packet[at] as number;
    const bytes = packet.readUInt16BE(at + 2);
    const shape = SHAPES.get(type);
    if (!shape) return `a chunk of the unknown type ${type}`;
    if (bytes < shape.min || bytes > (shape.max ?? MAX_PACKET_BYTES) || bytes > packet.length - at)
      return `a chunk of type ${type} and ${bytes} bytes`;
    const next = at + padded(bytes);
    if (shape.isAlone && (at > COMMON_HEADER_BYTES || next < packet.length)) return `a chunk of type ${type} among others`;
    if (type === SCTP_CHUNK.data ? ++counts.data > MAX_DATA_CHUNKS : ++counts.control > MAX_CONTROL_CHUNKS) return 'too many chunks';
    const fault = shape.fault?.(packet.subarray(at, at + bytes));
    if (fault !== undefined) return `a chunk of type ${type} with ${fault}`;
    at = next;
  }
  return undefined;
}

/** Chunks and parameters begin at multiples of 4. */
function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}
