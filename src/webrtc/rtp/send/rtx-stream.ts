/** The stream beside a stream on which packets are sent again, under an ssrc and numbers of its own (RFC 4588). */
import { randomInt } from 'node:crypto';
import type { NegotiatedCodec } from '../../sdp/codecs.js';
import type { RtpPacket } from '../../transport/packet-transport.js';
import type { ExtensionBlock } from '../header-extensions.js';
import { paddingOf } from './probe-packets.js';
import { markPadded, writeExtensions, writeHeader } from './rtp-header.js';

/** How it was negotiated. */
export interface RtxStreamInit {
  /** Of its own. */
  readonly ssrc: number;
  /** What is sent on the stream beside it, each with a payload type for this one, or none. */
  readonly codecs: readonly NegotiatedCodec[];
  /** Of its headers: the description names its ssrc, so it needs no MID. */
  readonly extensions: ExtensionBlock;
}

/** Makes its packets. */
export class RtxStream {
  readonly #init: RtxStreamInit;
  /** By that of what is repeated. */
  readonly #payloadTypes: ReadonlyMap<number, number>;
  // Below 2^15, so that the first packets cannot be mistaken for ones before a wrap (RFC 3711 §3.3.1).
  #index = randomInt(2 ** 15);

  constructor(init: RtxStreamInit) {
    this.#init = init;
    this.#payloadTypes = new Map(init.codecs.flatMap(({ offered, rtx }) => (rtx ? [[offered.payloadType, rtx.payloadType] as const] : [])));
  }

  /** The packet once more: its sequence number goes in front of the payload (§4). Undefined where its codec is not repeated here. */
  repeat({ header, payload, index }: RtpPacket): RtpPacket | undefined {
    const payloadType = this.#payloadTypes.get((header[1] ?? 0) & 0x7f);
    if (payloadType === undefined) return undefined;
    const repeated = Buffer.allocUnsafe(2 + payload.length);
    repeated.writeUInt16BE(index % 65536, 0);
    payload.copy(repeated, 2);
    return this.#make(repeated, ((header[1] ?? 0) & 0x80) !== 0, payloadType, header.readUInt32BE(4));
  }

  /** A packet of nothing but `bytes` of padding; undefined where nothing is repeated here. */
  padding(bytes: number, timestamp: number): RtpPacket | undefined {
    const [payloadType] = this.#payloadTypes.values();
    if (payloadType === undefined) return undefined;
    const packet = this.#make(paddingOf(bytes), false, payloadType, timestamp);
    markPadded(packet.header);
    return packet;
  }

  #make(payload: Buffer, marker: boolean, payloadType: number, timestamp: number): RtpPacket {
    const { ssrc, extensions } = this.#init;
    const { bytes, places } = extensions;
    const index = this.#index++;
    const header = Buffer.allocUnsafe(12 + (bytes?.length ?? 0));
    writeHeader(header, marker, payloadType, index, timestamp, ssrc);
    writeExtensions(header, bytes);
    return { header, payload, index, places };
  }
}
