/** Boxes of ISO base media files (ISO/IEC 14496-12 §4.2): made of bytes, and found in bytes. Nothing that is read is believed before it is checked. */

/** Bytes of the header of a box: size and type. */
export const BOX_HEADER_BYTES = 8;
/** Bytes of a header whose size did not fit into 32 bits. */
const LARGE_HEADER_BYTES = 16;
/** Boxes of one parent that are looked at; what makes sense has far fewer. */
const MAX_CHILDREN = 1000;

/** Where a box begins, and what it is. */
export interface BoxHeader {
  /** Four characters. */
  readonly type: string;
  /** Bytes of the header. */
  readonly headerBytes: number;
  /** Bytes of header and content. */
  readonly bytes: number;
}

/** A box of that type around its content. */
export function box(type: string, ...content: readonly Buffer[]): Buffer {
  const bytes = content.reduce((sum, { length }) => sum + length, BOX_HEADER_BYTES);
  return Buffer.concat([uint32(bytes), Buffer.from(type, 'latin1'), ...content], bytes);
}

/** A box with a version and flags. */
export function fullBox(type: string, version: number, flags: number, ...content: readonly Buffer[]): Buffer {
  return box(type, uint32(version * 2 ** 24 + flags), ...content);
}

/** Bytes of 8 bits each. */
export function uint8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

/** Numbers of 16 bits, big-endian. */
export function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16BE(value, at * 2));
  return bytes;
}

/** Numbers of 32 bits, big-endian. */
export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32BE(value >>> 0, at * 4));
  return bytes;
}

/** A number of 64 bits, big-endian; a safe integer. */
export function uint64(value: number): Buffer {
  return uint32(Math.floor(value / 2 ** 32), value % 2 ** 32);
}

/** A number of 64 bits; Infinity where it is no safe integer. */
export function readUint64(data: Buffer, at: number): number {
  const value = data.readUInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : Infinity;
}

/** The header that begins at `at`; undefined where it is incomplete, or none: a size below its own, or a type that is no text. */
export function readBoxHeader(data: Buffer, at = 0): BoxHeader | undefined {
  if (at + BOX_HEADER_BYTES > data.length) return undefined;
  const size = data.readUInt32BE(at);
  const type = data.toString('latin1', at + 4, at + 8);
  if (!/^[ -~\xa9]{4}$/.test(type)) return undefined;
  if (size !== 1) return size < BOX_HEADER_BYTES ? undefined : { type, headerBytes: BOX_HEADER_BYTES, bytes: size };
  if (at + LARGE_HEADER_BYTES > data.length) return undefined;
  const bytes = readUint64(data, at + 8);
  return bytes < LARGE_HEADER_BYTES || bytes === Infinity ? undefined : { type, headerBytes: LARGE_HEADER_BYTES, bytes };
}

/** A box inside another one. */
export interface ReadBox {
  /** Four characters. */
  readonly type: string;
  /** Without the header; a view. */
  readonly content: Buffer;
}

/** The boxes that `data` consists of; undefined where their lengths do not fit. */
export function readBoxes(data: Buffer): readonly ReadBox[] | undefined {
  const boxes: ReadBox[] = [];
  for (let at = 0; at < data.length;) {
    const header = readBoxHeader(data, at);
    if (!header || at + header.bytes > data.length || boxes.length === MAX_CHILDREN) return undefined;
    boxes.push({ type: header.type, content: data.subarray(at + header.headerBytes, at + header.bytes) });
    at += header.bytes;
  }
  return boxes;
}

/** The content of the first box at that path; undefined where there is none, or what is on the way is damaged. */
export function findBox(data: Buffer, ...path: readonly string[]): Buffer | undefined {
  return path.reduce<Buffer | undefined>(
    (content, type) => content && readBoxes(content)?.find((each) => each.type === type)?.content,
    data,
  );
}
