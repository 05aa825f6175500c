/**
 * Which other files an ONNX file keeps its weights in. Exporters put them there when they are large, PyTorch from 2.9
 * on always. Each tensor (TensorProto) may name one in its `external_data`; tensors are weights of a graph, or
 * values of a node's attribute, whose graphs have tensors again.
 */
import { fieldsOf } from './protobuf.js';

/** Bytes at least that each named file must have, by its name as the ONNX file writes it (`location`). */
export type ExternalData = ReadonlyMap<string, number>;

/** What leads from a message to tensors, by field number (onnx.proto). */
type Message = 'model' | 'function' | 'graph' | 'node' | 'attribute' | 'sparse' | 'tensor';
const INSIDE: Readonly<Record<Exclude<Message, 'tensor'>, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 25: 'function' },
  function: { 7: 'node' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
};
/** Of a tensor: pairs of key 1 and value 2, and where its data are. */
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;
const IS_EXTERNAL = 1;
/** Graphs inside graphs; real ones have two or three levels, each of three messages. */
const MAX_DEPTH = 60;

/** Never throws; empty where all is in the file itself. */
export function externalData(file: Uint8Array): ExternalData {
  const needed = new Map<string, number>();
  visit(file, 'model', 0, (location, bytes) => needed.set(location, Math.max(needed.get(location) ?? 0, bytes)));
  return needed;
}

function visit(bytes: Uint8Array, message: Message, depth: number, found: (location: string, bytes: number) => void): void {
  if (message === 'tensor') return tensor(bytes, found);
  if (depth > MAX_DEPTH) return;
  for (const field of fieldsOf(bytes)) {
    const inside = INSIDE[message][field.number];
    if (inside && field.bytes) visit(field.bytes, inside, depth + 1, found);
  }
}

function tensor(bytes: Uint8Array, found: (location: string, bytes: number) => void): void {
  const stored = new Map<string, string>();
  let isExternal = false;
  for (const field of fieldsOf(bytes)) {
    if (field.number === DATA_LOCATION) isExternal = field.value === IS_EXTERNAL;
    if (field.number !== EXTERNAL_DATA || !field.bytes) continue;
    const texts = new Map([...fieldsOf(field.bytes)].map(({ number, bytes: text }) => [number, new TextDecoder().decode(text)]));
    stored.set(texts.get(1) ?? '', texts.get(2) ?? '');
  }
  if (isExternal) found(stored.get('location') ?? '', (Number(stored.get('offset')) || 0) + (Number(stored.get('length')) || 0));
}
