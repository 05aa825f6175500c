/**
 * The texts that exporters store in an ONNX file, such as Ultralytics' class names: onnxruntime-node does not tell
 * them, so they are read from the file itself. It is protobuf; of the outermost message (ModelProto) the fields 14
 * (`metadata_props`, pairs of key 1 and value 2) are read and all others skipped. Damaged bytes give what came before.
 */

import { fieldsOf } from './protobuf.js';

const METADATA_FIELD = 14;

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
