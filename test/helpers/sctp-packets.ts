/** SCTP packets as bytes, well formed or not, and a way into the association of a peer of this process. */
import type { RTCDtlsTransport, RTCSctpTransport } from 'werift';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function crc32c(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A chunk; `bytes` is the length that it tells, default the true one. */
export function chunk(type: number, body: Buffer = Buffer.alloc(0), bytes = body.length + 4, flags = 0): Buffer {
  const data = Buffer.alloc(4 + ((body.length + 3) & ~3));
  data[0] = type;
  data[1] = flags;
  data.writeUInt16BE(bytes, 2);
  body.copy(data, 4);
  return data;
}

/** A parameter or error cause; `bytes` is the length that it tells, default the true one. */
export function parameter(type: number, value: Buffer = Buffer.alloc(0), bytes = value.length + 4): Buffer {
  const data = Buffer.alloc(4 + ((value.length + 3) & ~3));
  data.writeUInt16BE(type, 0);
  data.writeUInt16BE(bytes, 2);
  value.copy(data, 4);
  return data;
}

/** Numbers of 32 bits. */
export function words(...values: number[]): Buffer {
  const data = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => data.writeUInt32BE(value >>> 0, 4 * i));
  return data;
}

/** With the checksum it needs. */
export function sctpPacket(
  verificationTag: number,
  chunks: readonly Buffer[],
  ports: readonly [source: number, destination: number] = [5000, 5000],
): Buffer {
  const packet = Buffer.concat([Buffer.alloc(12), ...chunks]);
  packet.writeUInt16BE(ports[0], 0);
  packet.writeUInt16BE(ports[1], 2);
  packet.writeUInt32BE(verificationTag >>> 0, 4);
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}

/** A peer whose association is told what a test likes, over its real DTLS. */
export class SctpAttacker {
  constructor(
    readonly dtls: RTCDtlsTransport,
    readonly sctp: RTCSctpTransport,
  ) {}

  /** The server's. */
  get tag(): number {
    return (this.sctp.sctp as unknown as { remoteVerificationTag: number }).remoteVerificationTag;
  }

  /** The TSN that the server expects next. */
  get nextTsn(): number {
    return (this.sctp.sctp as unknown as { localTsn: number }).localTsn;
  }

  /** The newest TSN that came from the server. */
  get receivedTsn(): number {
    return (this.sctp.sctp as unknown as { lastReceivedTsn: number }).lastReceivedTsn;
  }

  async send(...chunks: Buffer[]): Promise<void> {
    await this.sendPacket(sctpPacket(this.tag, chunks));
  }

  /** Lets the datagram arrive, or the socket's buffer would lose those that follow. */
  async sendPacket(packet: Buffer): Promise<void> {
    await this.dtls.sendData(packet);
    await new Promise(setImmediate);
  }
}
