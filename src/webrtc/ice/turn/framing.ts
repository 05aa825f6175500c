/** The two kinds of messages on the way to a TURN server: STUN, and ChannelData (RFC 8656 §12.4). Pure. */

/** First and last number of a channel (RFC 8656 §12). */
export const FIRST_CHANNEL = 0x4000;
/** The highest channel number (RFC 8656 §12). */
const LAST_CHANNEL = 0x4fff;

const STUN_HEADER_BYTES = 20;
const CHANNEL_HEADER_BYTES = 4;

/** The channel and what came by it; undefined for what is no ChannelData. */
export function readChannelData(message: Buffer): { readonly channel: number; readonly data: Buffer } | undefined {
  if (message.length < CHANNEL_HEADER_BYTES) return undefined;
  const channel = message.readUInt16BE(0);
  const length = message.readUInt16BE(2);
  if (channel < FIRST_CHANNEL || channel > LAST_CHANNEL || message.length < CHANNEL_HEADER_BYTES + length) return undefined;
  return { channel, data: message.subarray(CHANNEL_HEADER_BYTES, CHANNEL_HEADER_BYTES + length) };
}

/**
 * ChannelData messages of the datagrams that lie one after the other in `slab`, ending at `ends`: a copy, with the end
 * of each. On a byte stream each is padded to a multiple of four.
 */
export function channelData(
  channel: number,
  slab: Buffer,
  ends: readonly number[],
  padded: boolean,
): { readonly slab: Buffer; readonly ends: readonly number[] } {
  const out = Buffer.alloc((ends.at(-1) ?? 0) + ends.length * (CHANNEL_HEADER_BYTES + 3));
  const outEnds: number[] = [];
  let start = 0;
  let offset = 0;
  for (const end of ends) {
    offset = out.writeUInt16BE(channel, offset);
    offset = out.writeUInt16BE(end - start, offset);
    offset += slab.copy(out, offset, start, end);
    if (padded) offset = roundUp(offset);
    outEnds.push(offset);
    start = end;
  }
  return { slab: out.subarray(0, offset), ends: outEnds };
}

/** Cuts a byte stream into messages. */
export class TurnStreamReader {
  readonly #onMessage: (message: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** @returns false where it is neither STUN nor ChannelData: the connection is of no more use. */
  push(chunk: Buffer): boolean {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= CHANNEL_HEADER_BYTES) {
      const type = data.readUInt16BE(0);
      const isStun = type < FIRST_CHANNEL;
      if (!isStun && type > LAST_CHANNEL) return false;
      const length = data.readUInt16BE(2) + (isStun ? STUN_HEADER_BYTES : CHANNEL_HEADER_BYTES);
      if (data.length < roundUp(length)) break;
      this.#onMessage(data.subarray(0, length));
      data = data.subarray(roundUp(length));
    }
    this.#rest = data;
    return true;
  }
}

function roundUp(length: number): number {
  return Math.ceil(length / 4) * 4;
}
