/**
 * ONNX models as bytes, written field by field (onnx.proto): a graph that gives the same tensors whatever picture it
 * is shown, which is all that the reading of outputs needs.
 */

type Bytes = readonly number[] | Buffer;

const FLOAT = 1;
const UINT8 = 2;
const INT64 = 7;
const FLOAT16 = 10;
const TYPES = { float32: FLOAT, uint8: UINT8, int64: INT64, float16: FLOAT16 } as const;

export type TensorType = keyof typeof TYPES;

export interface GraphInput {
  readonly name: string;
  readonly type?: TensorType;
  /** Open sizes are names. */
  readonly dims: readonly (number | string)[];
}

interface GraphOutput {
  readonly name: string;
  readonly type?: TensorType;
  readonly dims: readonly number[];
  /** Values in order, zeros after the last. */
  readonly values?: readonly number[];
}

export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Values of the outputs are kept in this file, as the ONNX file names it; `onnxWeights` gives its bytes. */
  readonly weightsAt?: string;
  /** Rounds of a loop that every run makes before it ends; a million take some seconds. */
  readonly rounds?: number;
}

/** The picture's input of a square model. */
export function pictureInput(sizePx: number | string, type: TensorType = 'float32'): GraphInput {
  return { name: 'images', type, dims: [1, 3, sizePx, sizePx] };
}

/** The bytes of a model. */
export function onnxModel({ inputs, outputs, metadata = {}, rounds, weightsAt }: Graph): Buffer {
  let offset = 0;
  const constants = outputs.map((output) => {
    if (weightsAt === undefined) return field(1, node('Constant', [], [`${output.name}_value`], tensorAttribute('value', output)));
    const external = { location: weightsAt, offset, length: rawValues(output).length };
    offset += external.length;
    return field(5, Buffer.concat([tensor(output, external), text(8, `${output.name}_value`)]));
  });
  const given = outputs.map(({ name }) =>
    field(1, rounds === undefined ? node('Identity', [`${name}_value`], [name]) : node('Add', [`${name}_value`, 'nothing'], [name])),
  );
  const graph = [
    ...(rounds === undefined ? [] : loop(rounds)),
    ...constants,
    ...given,
    text(2, 'graph'),
    ...inputs.map((input) => field(11, valueInfo(input))),
    ...outputs.map((output) => field(12, valueInfo(output))),
  ];
  const texts = Object.entries(metadata).map(([key, value]) => field(14, Buffer.concat([text(1, key), text(2, value)])));
  return Buffer.concat([varintField(1, 8), field(8, varintField(2, 13)), field(7, Buffer.concat(graph)), ...texts]);
}

/** The bytes of the file that `weightsAt` names. */
export function onnxWeights({ outputs }: Pick<Graph, 'outputs'>): Buffer {
  return Buffer.concat(outputs.map(rawValues));
}

/** `x = sin(x)` so many times, and then a zero of it. */
function loop(rounds: number): Buffer[] {
  const scalar = (name: string): Buffer => valueInfo({ name, type: 'int64', dims: [] });
  const body = Buffer.concat([
    field(1, node('Sin', ['x'], ['y'])),
    field(1, node('Identity', ['more'], ['goes_on'])),
    text(2, 'body'),
    field(11, scalar('i')),
    field(11, boolInfo('more')),
    field(11, valueInfo({ name: 'x', dims: [1] })),
    field(12, boolInfo('goes_on')),
    field(12, valueInfo({ name: 'y', dims: [1] })),
  ]);
  const attribute = field(5, Buffer.concat([text(1, 'body'), field(6, body), varintField(20, 5)]));
  return [
    field(1, node('Constant', [], ['count'], tensorAttribute('value', { name: '', type: 'int64', dims: [], values: [rounds] }))),
    field(1, node('Constant', [], ['start'], tensorAttribute('value', { name: '', dims: [1], values: [1] }))),
    field(1, node('Loop', ['count', '', 'start'], ['last'], attribute)),
    field(1, node('Sub', ['last', 'last'], ['nothing'])),
  ];
}

function node(operator: string, inputs: readonly string[], outputs: readonly string[], attribute: Bytes = []): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    Buffer.from(attribute),
  ]);
}

function tensorAttribute(name: string, output: GraphOutput): Buffer {
  return field(5, Buffer.concat([text(1, name), field(5, tensor(output)), varintField(20, 4)]));
}

function tensor(output: GraphOutput, external?: { readonly location: string; readonly offset: number; readonly length: number }): Buffer {
  const { type = 'float32', dims } = output;
  const pairs = Object.entries(external ?? {}).map(([key, value]) => field(13, Buffer.concat([text(1, key), text(2, String(value))])));
  const values = external ? [...pairs, varintField(14, 1)] : [field(9, rawValues(output))];
  return Buffer.concat([...dims.map((size) => varintField(1, size)), varintField(2, TYPES[type]), ...values]);
}

function rawValues({ type = 'float32', dims, values = [] }: GraphOutput): Buffer {
  const count = dims.reduce((product, size) => product * size, 1);
  const raw = Buffer.alloc(count * { float32: 4, uint8: 1, int64: 8, float16: 2 }[type]);
  values.forEach((value, i) => {
    if (type === 'float32') raw.writeFloatLE(value, 4 * i);
    else if (type === 'int64') raw.writeBigInt64LE(BigInt(value), 8 * i);
    else if (type === 'float16') raw.writeUInt16LE(value, 2 * i);
    else raw.writeUInt8(value, i);
  });
  return raw;
}

function valueInfo({ name, type = 'float32', dims }: GraphInput): Buffer {
  return typed(name, TYPES[type], dims);
}

function boolInfo(name: string): Buffer {
  return typed(name, 9, []);
}

function typed(name: string, elementType: number, dims: readonly (number | string)[]): Buffer {
  const shape = Buffer.concat(dims.map((size) => field(1, typeof size === 'number' ? varintField(1, size) : text(2, size))));
  return Buffer.concat([text(1, name), field(2, field(1, Buffer.concat([varintField(1, elementType), field(2, shape)])))]);
}

function field(number: number, bytes: Bytes): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), Buffer.from(bytes)]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value));
}

function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
