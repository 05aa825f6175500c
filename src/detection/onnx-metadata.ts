/**
 * The texts that exporters store in an ONNX file, such as Ultralytics' class names: onnxruntime-node does not tell
 * them, so they are read from the file itself. It is protobuf; of the outermost message (ModelProto) the fields 14
 * (`metadata_props`, pairs of key 1 and value 2) are read and all others skipped. Damaged bytes give what came before.
 */

const METADATA_FIELD = 14;
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

interface Field {
  readonly number: number;
  /** Of length-delimited fields. */
  readonly bytes: Uint8Array | undefined;
}

/** Key and value of each text; empty where there are none. Never throws. */
export function onnxMetadata(file: Uint8Array): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const { number, bytes } of fieldsOf(file)) {
    if (number !== METADATA_FIELD || !bytes) continue;
    const texts = new Map([...fieldsOf(bytes)].map((field) => [field.number, new TextDecoder().decode(field.bytes)]));
    metadata.set(texts.get(1) ?? '', texts.get(2) ?? '');
  }
  return metadata;
}

/**
 * Class names of a Python dict as Ultralytics writes it, `{0: 'person', 1: "driver's seat"}`, or of a list, as older
 * YOLOv5 does; undefined when it is none, or has gaps.
 */
export function classNames(text = ''): readonly string[] | undefined {
  const names: string[] = [];
  const isList = text.startsWith('[');
  for (const [, index, single, double] of text.matchAll(/(?:(\d+)\s*:\s*)?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g)) {
    if (isList ? index !== undefined : Number(index ?? NaN) !== names.length) return undefined;
    names.push((single ?? double ?? '').replace(/\\(.)/g, '$1'));
  }
  return names.length > 0 ? names : undefined;
}

/** The fields of a message up to its end or to bytes that are no field. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
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
    const length = kind === LENGTH_DELIMITED ? varint() : kind === FIXED64 ? 8 : kind === FIXED32 ? 4 : kind === VARINT ? 0 : NaN;
    if (kind === VARINT && Number.isNaN(varint())) return;
    if (!(at + length <= bytes.length)) return;
    yield { number, bytes: kind === LENGTH_DELIMITED ? bytes.subarray(at, at + length) : undefined };
    at += length;
  }
}
