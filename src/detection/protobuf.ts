/** The wire format of protobuf, as far as ONNX files need it. Damaged bytes give what came before; never throws. */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** One field of a message. */
export interface ProtobufField {
  /** Of the field in its message. */
  readonly number: number;
  /** Of length-delimited fields: a view, not a copy. */
  readonly bytes: Uint8Array | undefined;
  /** Of varints; exact up to 2^53. */
  readonly value: number | undefined;
}

/** The fields of a message up to its end or to bytes that are no field. */
export function* fieldsOf(bytes: Uint8Array): Generator<ProtobufField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return NaN;
      // Not by bits: sizes may exceed 32.
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const kind = tag % 8;
    const value = kind === VARINT ? varint() : undefined;
    if (Number.isNaN(value)) return;
    const length = kind === LENGTH_DELIMITED ? varint() : kind === FIXED64 ? 8 : kind === FIXED32 ? 4 : kind === VARINT ? 0 : NaN;
    if (!(at + length <= bytes.length)) return;
    yield { number, bytes: kind === LENGTH_DELIMITED ? bytes.subarray(at, at + length) : undefined, value };
    at += length;
  }
}
