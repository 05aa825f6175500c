/** Header extensions of what is sent, in the one-byte form (RFC 8285 §4.2). Pure. */

/** Longest value that the form holds. */
const MAX_VALUE_BYTES = 16;

/** One header extension of a packet. */
export interface HeaderExtension {
  /** 1 to 14, as negotiated. */
  readonly id: number;
  /** 1 to 16 bytes; another one is left out. */
  readonly value: Buffer;
}

/** The extension part of an RTP header, padded to whole words; undefined where there is none. */
export function writeExtensions(extensions: readonly HeaderExtension[]): Buffer | undefined {
  const fitting = extensions.filter(({ value }) => value.length > 0 && value.length <= MAX_VALUE_BYTES);
  if (fitting.length === 0) return undefined;
  const words = Math.ceil(fitting.reduce((bytes, { value }) => bytes + 1 + value.length, 0) / 4);
  const written = Buffer.alloc(4 + 4 * words);
  written.writeUInt16BE(0xbede, 0);
  written.writeUInt16BE(words, 2);
  let at = 4;
  for (const { id, value } of fitting) {
    written[at++] = (id << 4) | (value.length - 1);
    at += value.copy(written, at);
  }
  return written;
}
