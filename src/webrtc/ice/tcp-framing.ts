/** Datagrams on a TCP connection: each has its length before it in two bytes (RFC 4571 §2). Pure. */

/** Longest datagram that is taken. What peers send fits an Ethernet frame; SCTP and DTLS are fragmented below that. */
export const MAX_FRAME_BYTES = 8192;

const LENGTH_BYTES = 2;

/** Cuts what arrives in pieces of any size into datagrams. */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /**
   * Hands on each datagram that is complete; empty ones are passed over. Holds at most one that is not.
   * @returns false where a datagram is too long: the connection is of no more use.
   */
  push(chunk: Buffer): boolean {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= LENGTH_BYTES) {
      const length = data.readUInt16BE(0);
      if (length > MAX_FRAME_BYTES) return false;
      if (data.length < LENGTH_BYTES + length) break;
      if (length > 0) this.#onFrame(data.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
      data = data.subarray(LENGTH_BYTES + length);
    }
    this.#rest = data;
    return true;
  }
}

/** One datagram with its length. */
export function framed(data: Buffer): Buffer {
  return framedAll(data, [data.length]);
}

/** The datagrams that lie one after the other in `slab`, ending at `ends`, each with its length. A copy. */
export function framedAll(slab: Buffer, ends: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe((ends.at(-1) ?? 0) + ends.length * LENGTH_BYTES);
  let start = 0;
  let offset = 0;
  for (const end of ends) {
    offset = out.writeUInt16BE(end - start, offset);
    offset += slab.copy(out, offset, start, end);
    start = end;
  }
  return out;
}
