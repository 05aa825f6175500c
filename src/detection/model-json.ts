/** The JSON beside a model. All of it is optional: it says what the ONNX file does not show, or what it shows wrongly. */
import { Type, type Static } from 'typebox';
import { Check, Errors, Pointer } from 'typebox/value';
import { editDistance } from '../base/near-miss.js';
import { FAMILY_NAMES, familyKnownAs, type FamilyName } from './families/names.js';

const positive = Type.Number({ exclusiveMinimum: 0 });
const perPlane = Type.Union([Type.Number(), Type.Tuple([Type.Number(), Type.Number(), Type.Number()])]);
const positivePerPlane = Type.Union([positive, Type.Tuple([positive, positive, positive])]);
const side = Type.Integer({ minimum: 32, maximum: 4096 });

/** Members that are for people and other tools; nothing here reads them. */
const INFORMATIONAL = ['licence', 'license', 'source', 'url', 'homepage', 'description', 'notes', 'bytes', 'metrics'] as const;

const InputJson = Type.Object({
  width: Type.Optional(side),
  height: Type.Optional(side),
  channels: Type.Optional(Type.Union([Type.Literal('bgr'), Type.Literal('rgb')])),
  fit: Type.Optional(Type.Union([Type.Literal('top-left'), Type.Literal('centre'), Type.Literal('stretch')])),
  pad: Type.Optional(Type.Number({ minimum: 0, maximum: 255 })),
  scale: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  mean: Type.Optional(perPlane),
  std: Type.Optional(positivePerPlane),
});

const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** A file of weights beside the ONNX file. */
const DataJson = Type.Object({
  location: Type.String({ minLength: 1 }),
  file: Type.Optional(Type.String({ minLength: 1 })),
  sha256: Type.Optional(sha256),
});

const ModelJsonSchema = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1 })),
  file: Type.Optional(Type.String({ minLength: 1 })),
  family: Type.Optional(Type.Unsafe<FamilyName>(Type.Enum([...FAMILY_NAMES]))),
  input: Type.Optional(InputJson),
  strides: Type.Optional(Type.Array(Type.Integer({ minimum: 2, maximum: 128 }), { minItems: 1 })),
  anchors: Type.Optional(
    Type.Array(Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 6, maxItems: 6 }), { minItems: 2, maxItems: 2 }),
  ),
  labels: Type.Optional(
    Type.Union([Type.Literal('coco'), Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 10_000 })]),
  ),
  score_threshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  nms_iou: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  decoded: Type.Optional(Type.Boolean()),
  sha256: Type.Optional(sha256),
  data: Type.Optional(Type.Array(DataJson, { maxItems: 10_000 })),
});

/** What the file holds. */
export type ModelJson = Static<typeof ModelJsonSchema>;

/** What a JSON looks like, for messages. */
export const EXAMPLE_JSON = '{"family":"yolox","input":{"width":416,"height":416},"labels":"coco"}';

/**
 * Parses the text of a model's JSON.
 * @throws Error with every fault, what was found there and what was expected
 */
export function parseModelJson(text: string): ModelJson {
  const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  const faults = [...unknownMembers(value), ...schemaFaults(value)];
  if (faults.length === 0 && Check(ModelJsonSchema, value)) return value;
  throw new Error(`${faults.join('; ')}. Expected something like ${EXAMPLE_JSON}; known families: ${FAMILY_NAMES.join(', ')}`);
}

function unknownMembers(value: unknown): string[] {
  const known = [...Object.keys(ModelJsonSchema.properties), ...INFORMATIONAL];
  return [
    ...unknownIn('', value, known),
    ...unknownIn('input.', isRecord(value) ? value['input'] : undefined, Object.keys(InputJson.properties)),
  ];
}

function unknownIn(where: string, value: unknown, known: readonly string[]): string[] {
  if (!isRecord(value)) return [];
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = [...known].sort((a, b) => editDistance(key, a) - editDistance(key, b))[0] ?? '';
      const hint =
        editDistance(key, meant) <= Math.max(2, key.length / 3) ? `did you mean '${meant}'?` : `known members: ${known.join(', ')}`;
      return `unknown member '${where}${key}', ${hint}`;
    });
}

function schemaFaults(value: unknown): string[] {
  const faults = new Set<string>();
  for (const { instancePath, message } of Errors(ModelJsonSchema, value)) {
    const found: unknown = Pointer.Get(value, instancePath);
    const text = found === undefined ? 'nothing' : JSON.stringify(found);
    faults.add(`${instancePath || '(root)'} ${message}, found ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`);
    const family = instancePath === '/family' && typeof found === 'string' ? familyKnownAs(found) : undefined;
    if (family) faults.add(`${JSON.stringify(found)} models are read by the family '${family}'`);
  }
  return [...faults];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
