/** How a source is described, in SOURCES_FILE and in requests: one schema, and the same words for what does not follow it. */
import { Type, type Static } from 'typebox';
import { Errors } from 'typebox/value';
import { LIVE_SCHEMES } from '../../ffmpeg/index.js';
import { fieldFault, pointerTo, type EntryFault } from './entry-fault.js';

const MAX_LABEL_CHARS = 100;
/** One line of text for people. */
const LABEL = `^[^\\u0000-\\u001f\\u007f]{1,${MAX_LABEL_CHARS}}$`;
const MAX_VALUE_CHARS = 4_096;

const OptionValue = Type.Union([
  Type.String({ maxLength: MAX_VALUE_CHARS }),
  Type.Number(),
  Type.Boolean(),
  Type.Record(Type.String(), Type.String()),
]);

/** The fields of a description. */
const FIELDS = {
  name: Type.String({
    pattern: '^(?!\\.+$)[A-Za-z0-9._-]{1,64}$',
    description: 'Its id: 1 to 64 of A-Z a-z 0-9 . _ -, not dots alone',
  }),
  url: Type.String({ minLength: 1, description: 'Address of the camera, with its credentials' }),
  low_url: Type.String({ minLength: 1, description: "The camera's second, smaller stream" }),
  device: Type.String({ minLength: 1, description: 'Instead of `url`: a device of the server' }),
  format: Type.String({ minLength: 1, description: 'Of a device; over HTTP only where ffmpeg does not recognise it' }),
  options: Type.Record(Type.String(), OptionValue, { description: 'How it is read: docs/sources.md lists the options of each kind' }),
  audio: Type.Boolean({ description: 'False: its sound is ignored. Default true' }),
  always_on: Type.Boolean({ description: 'True: connected although nobody watches. Default false' }),
  transcode: Type.Enum(['auto', 'always'], { description: '`always`: never copied. Default `auto`' }),
  model: Type.String({
    pattern: '^[^/\\\\]{1,255}$',
    description: 'A model of GET /models, or `none`; left out: the one of the configuration',
  }),
  title: Type.String({ pattern: LABEL, description: 'What people call it' }),
  group: Type.String({ pattern: LABEL, description: 'What it belongs to, for lists' }),
};

/** What people read of a field, and nothing of how it is watched. */
export const LABEL_FIELDS = ['title', 'group', 'model'] as const;

const EXAMPLE = { name: 'gate', url: 'rtsp://viewer:secret@10.0.0.5/stream1', title: 'Main gate', group: 'Outside' };

/** A source that can be connected. */
export const SourceEntrySchema = Type.Object(
  {
    name: FIELDS.name,
    url: Type.Optional(FIELDS.url),
    low_url: Type.Optional(FIELDS.low_url),
    device: Type.Optional(FIELDS.device),
    format: Type.Optional(FIELDS.format),
    options: Type.Optional(FIELDS.options),
    audio: Type.Optional(FIELDS.audio),
    always_on: Type.Optional(FIELDS.always_on),
    transcode: Type.Optional(FIELDS.transcode),
    model: Type.Optional(FIELDS.model),
    title: Type.Optional(FIELDS.title),
    group: Type.Optional(FIELDS.group),
  },
  { additionalProperties: false, title: 'SourceEntry', description: 'A source, as in SOURCES_FILE', examples: [EXAMPLE] },
);

/** What is to be changed of one: a JSON merge patch. */
export const SourcePatchSchema = Type.Object(
  Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, Type.Optional(Type.Union([field, Type.Null()]))])),
  {
    additionalProperties: false,
    title: 'SourcePatch',
    description: 'The fields to change; null removes one',
    examples: [{ title: 'Main gate', low_url: null }],
  },
);

/** What is to be tried: a description that need not have a name, or changes of a source that there is. */
export const SourceProbeSchema = Type.Object(
  Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, Type.Optional(field)])),
  {
    additionalProperties: false,
    title: 'SourceProbe',
    description: 'A source to call once; the name of one that there is stands for its description',
    examples: [{ url: 'rtsp://viewer:secret@10.0.0.5/stream1' }],
  },
);

/** A description as somebody wrote it. It holds credentials. */
export type SourceEntry = Static<typeof SourceEntrySchema>;

/** What each field must be, in words. */
export const EXPECTED: Readonly<Record<keyof SourceEntry, string>> = {
  name: '1 to 64 of A-Z a-z 0-9 . _ -',
  url: `a URL that begins with one of ${LIVE_SCHEMES.map((scheme) => `${scheme}://`).join(' ')}`,
  low_url: "the URL of the camera's second, smaller stream, beside a `url` that it differs from",
  device: "a device's name, such as /dev/video0",
  format: 'the name of a format, such as hls, mjpeg or v4l2',
  options: 'names and values, such as {rtsp_transport: udp}',
  audio: 'true or false',
  always_on: 'true or false',
  transcode: 'auto or always',
  model: 'the name of an installed model, or none',
  title: `one line of at most ${MAX_LABEL_CHARS} characters`,
  group: `one line of at most ${MAX_LABEL_CHARS} characters`,
};

/** What of a value is not of the shape of a description. */
export function shapeFaults(value: unknown): EntryFault[] {
  if (!isRecord(value)) return [{ path: '', code: 'invalid', text: 'expected an object with a `name` and a `url` or a `device`' }];
  const known = Object.keys(EXPECTED);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  const wrong = new Set(
    [...Errors(SourceEntrySchema, value)].map(({ instancePath }) => instancePath.split('/')[1] ?? '').filter((field) => field in EXPECTED),
  );
  if (value['name'] === undefined) wrong.add('name');
  const faults = [...wrong].map((field) =>
    fieldFault(field, value[field] === undefined ? 'required' : 'invalid', `expected ${EXPECTED[field as keyof SourceEntry]}`),
  );
  faults.push(...unknown.map(unknownField));
  if ((value['url'] === undefined) === (value['device'] === undefined))
    faults.push({ path: '', code: 'conflict', text: "expected either 'url' or 'device'" });
  return faults;
}

/** That there is no field of this name. */
export function unknownField(name: string): EntryFault {
  const among = `known fields: ${Object.keys(EXPECTED).join(', ')}`;
  return { path: pointerTo(name), code: 'unknown', text: `unknown field ${quoted(name)}; ${among}` };
}

/** Names are no secrets; what is no name may be a misplaced part of the file. */
export function quoted(text: string): string {
  return /^[\w.-]{1,64}$/.test(text) ? `'${text}'` : '(not a name)';
}

/** Whether it is an object with named fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
