/**
 * SOURCES_FILE: cameras that the operator names. Read once at the start, every fault told at once. What it holds
 * beside names is secret, so messages say what was expected and never what was found.
 */
import { readFileSync, statSync } from 'node:fs';
import { Type, type Static } from 'typebox';
import { Errors } from 'typebox/value';
import { LineCounter, parseDocument } from 'yaml';
import { MediaPeerError } from '../../base/errors.js';
import {
  DEVICE_FORMATS,
  isDeviceFormat,
  LIVE_SCHEMES,
  liveOptionRules,
  redactor,
  STREAM_FORMATS,
  type LiveInput,
  type LiveScheme,
} from '../../ffmpeg/index.js';
import { expand, type Expansion } from './expand-variables.js';

/** One entry, ready to be connected. */
export interface PullInput {
  /** The source's id. */
  readonly name: string;
  /** What is opened. */
  readonly input: LiveInput;
  /** A second stream of the same camera, smaller; undefined where none is named. */
  readonly low?: LiveInput | undefined;
  /** False where the entry says `audio: false`. */
  readonly wantsAudio: boolean;
  /** Called from the start, whether anybody watches or not. */
  readonly isAlwaysOn: boolean;
  /** Never copied. */
  readonly mustTranscode: boolean;
}

const MAX_FILE_BYTES = 1 << 20;
const MAX_SOURCES = 1_000;
/** ffmpeg cuts its messages at about 1000 characters, and half a password is not recognised. */
const MAX_USER_INFO_CHARS = 256;
const MAX_ADDRESS_CHARS = 4_096;

const OptionValue = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Record(Type.String(), Type.String())]);
const EntrySchema = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
    url: Type.Optional(Type.String({ minLength: 1 })),
    low_url: Type.Optional(Type.String({ minLength: 1 })),
    device: Type.Optional(Type.String({ minLength: 1 })),
    format: Type.Optional(Type.String({ minLength: 1 })),
    options: Type.Optional(Type.Record(Type.String(), OptionValue)),
    audio: Type.Optional(Type.Boolean()),
    always_on: Type.Optional(Type.Boolean()),
    transcode: Type.Optional(Type.Enum(['auto', 'always'])),
  },
  { additionalProperties: false },
);
type Entry = Static<typeof EntrySchema>;

/** What each field must be, in words. */
const EXPECTED: Readonly<Record<keyof Entry, string>> = {
  name: '1 to 64 of A-Z a-z 0-9 . _ -',
  url: `a URL that begins with one of ${LIVE_SCHEMES.map((scheme) => `${scheme}://`).join(' ')}`,
  low_url: "the URL of the camera's second, smaller stream, beside a `url` that it differs from",
  device: "a device's name, such as /dev/video0",
  format: 'the name of a format, such as hls, mjpeg or v4l2',
  options: 'names and values, such as {rtsp_transport: udp}',
  audio: 'true or false',
  always_on: 'true or false',
  transcode: 'auto or always',
};

/** @throws MediaPeerError CONFIG_INVALID naming every fault at once. @param variables for `${NAME}` in addresses and options. */
export function readSourcesFile(file: string, variables: Readonly<Record<string, string | undefined>>): PullInput[] {
  let text: string;
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new MediaPeerError(
      'CONFIG_INVALID',
      `SOURCES_FILE '${file}' cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return parseSources(text, variables, `SOURCES_FILE '${file}'`);
}

/** As `readSourcesFile`, of a text. JSON is YAML, too. @param where what the text is, for messages. */
export function parseSources(text: string, variables: Readonly<Record<string, string | undefined>>, where = 'SOURCES_FILE'): PullInput[] {
  const faults: string[] = [];
  const entries = entriesOf(text, faults);
  const inputs = entries.flatMap((entry, i) => {
    const found: string[] = [];
    const input = readEntry(entry, variables, found);
    faults.push(...found.map((fault) => `${labelOf(entry, i)}${fault}`));
    return input ? [input] : [];
  });
  for (const name of duplicates(inputs)) faults.push(`the name '${name}' is given to more than one source; names must be unique`);
  if (faults.length > 0) throw new MediaPeerError('CONFIG_INVALID', faults.map((fault) => `${where}: ${fault}`).join('\n'));
  return inputs;
}

/** The list of entries, whatever they are. Faults of the syntax are told by place and kind: the parser's own words quote the file. */
function entriesOf(text: string, faults: string[]): unknown[] {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ''), { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  for (const { code, pos } of document.errors) {
    const { line, col } = lines.linePos(pos[0]);
    faults.push(`line ${line}, column ${col}: ${code.toLowerCase().replaceAll('_', ' ')} (expected YAML or JSON)`);
  }
  if (faults.length > 0) return [];
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch {
    faults.push('it uses an alias (*name) that leads nowhere, or too many of them');
    return [];
  }
  if (!isRecord(content) || !Array.isArray(content['sources'])) {
    faults.push('expected `sources:` with a list, such as `sources: [{name: gate, url: "rtsp://10.0.0.5/stream1"}]`');
    return [];
  }
  const unknown = Object.keys(content).filter((key) => key !== 'sources');
  if (unknown.length > 0) faults.push(`unknown at the top: ${unknown.map(quoted).join(', ')}; only \`sources\` is known`);
  if (content['sources'].length > MAX_SOURCES) faults.push(`${content['sources'].length} sources; at most ${MAX_SOURCES} are taken`);
  return content['sources'].slice(0, MAX_SOURCES);
}

function readEntry(value: unknown, variables: Readonly<Record<string, string | undefined>>, faults: string[]): PullInput | undefined {
  faults.push(...shapeFaults(value));
  if (faults.length > 0) return undefined;
  const entry = value as Entry;
  const expansion: Expansion = { variables, faults, secrets: new Set() };
  const target = entry.url !== undefined ? readUrl(entry, 'url', entry.url, expansion) : readDevice(entry, expansion);
  const lowTarget = readLowUrl(entry, target, expansion);
  if (!target || faults.length > 0) return undefined;
  const options = readOptions(entry, target.kind, expansion);
  if (faults.length > 0) return undefined;
  const redact = redactor(expansion.secrets);
  return {
    name: entry.name,
    input: { ...target, options, redact },
    low: lowTarget && { ...lowTarget, options: optionsFor(lowTarget.kind, options), redact },
    wantsAudio: entry.audio ?? true,
    isAlwaysOn: entry.always_on ?? false,
    mustTranscode: entry.transcode === 'always',
  };
}

function shapeFaults(value: unknown): string[] {
  if (!isRecord(value)) return ['expected an object with a `name` and a `url` or a `device`'];
  const known = Object.keys(EXPECTED);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  const wrong = new Set(
    [...Errors(EntrySchema, value)].map(({ instancePath }) => instancePath.split('/')[1] ?? '').filter((field) => field in EXPECTED),
  );
  if (value['name'] === undefined) wrong.add('name');
  const faults = [...wrong].map((field) => `field '${field}': expected ${EXPECTED[field as keyof Entry]}`);
  if (unknown.length > 0) faults.push(`unknown field ${unknown.map(quoted).join(', ')}; known fields: ${known.join(', ')}`);
  if ((value['url'] === undefined) === (value['device'] === undefined)) faults.push("expected either 'url' or 'device'");
  return faults;
}

const HIDDEN_HOST =
  "an '@' stands behind the first '/', '?' or '#', so it cannot be told where the host is; in a user name or password write %2F for '/', %3F for '?', %23 for '#' and %40 for '@', or put it into a variable, as in rtsp://admin:${CAMERA_PASSWORD}@10.0.0.5/stream1; elsewhere write %40 for '@'";

/** Whether a password may have been cut at one of its own characters. */
function hidesItsHost(address: string): boolean {
  return /^[a-z]+:\/\/[^/?#]*[/?#].*@/is.test(address);
}

type Target = Pick<LiveInput, 'kind' | 'address' | 'format'>;

/** The second stream; undefined where there is none, or a fault. */
function readLowUrl(entry: Entry, main: Target | undefined, expansion: Expansion): Target | undefined {
  if (entry.low_url === undefined) return undefined;
  const isBeside = entry.url !== undefined;
  if (!isBeside) expansion.faults.push(`field 'low_url': expected ${EXPECTED.low_url}`);
  const target = isBeside ? readUrl(entry, 'low_url', entry.low_url, expansion) : undefined;
  if (target && target.address === main?.address) expansion.faults.push(`field 'low_url': expected ${EXPECTED.low_url}`);
  return target;
}

/** Those that inputs of this kind know: both streams of a camera are given the same. */
function optionsFor(kind: LiveInput['kind'], options: Readonly<Record<string, string>>): Record<string, string> {
  const rules = liveOptionRules(kind);
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(rules, name)));
}

function readUrl(entry: Entry, field: 'url' | 'low_url', template: string, expansion: Expansion): Target | undefined {
  const address = expand(template, field, expansion);
  if (address === undefined) return undefined;
  if (hidesItsHost(address)) {
    // What would be the host is a user name, and a password would be on its way to a stranger.
    expansion.faults.push(`field '${field}': ${HIDDEN_HOST}`);
    return undefined;
  }
  const scheme = /^([a-z]+):\/\//i.exec(address)?.[1]?.toLowerCase() as LiveScheme | undefined;
  const userInfo = /^[^:]+:\/\/([^/?#]*)@/.exec(address)?.[1] ?? '';
  const isClean = !/[\s"'<>\\^`{|}\x00-\x1f\x7f]/.test(address) && address.length <= MAX_ADDRESS_CHARS;
  if (scheme === undefined || !LIVE_SCHEMES.includes(scheme) || !isClean || !URL.canParse(address) || new URL(address).hostname === '') {
    expansion.faults.push(
      `field '${field}': expected ${EXPECTED.url}, then a host; without spaces, quotes and braces, at most ${MAX_ADDRESS_CHARS} characters`,
    );
    return undefined;
  }
  if (userInfo.length > MAX_USER_INFO_CHARS)
    expansion.faults.push(`field '${field}': its user name and password are longer than ${MAX_USER_INFO_CHARS} characters`);
  noteSecrets(address, userInfo, expansion.secrets);
  const format = entry.format === undefined ? undefined : STREAM_FORMATS[entry.format];
  const takesFormat = scheme === 'http' || scheme === 'https';
  // The format is the first stream's.
  if (field === 'low_url') return { kind: scheme, address, format: undefined };
  if (entry.format !== undefined && (!takesFormat || format === undefined)) {
    expansion.faults.push(
      `field 'format': expected ${takesFormat ? `one of ${Object.keys(STREAM_FORMATS).join(', ')}` : `nothing, ${scheme} needs none`}`,
    );
  }
  return { kind: scheme, address, format };
}

function readDevice(entry: Entry, expansion: Expansion): Target | undefined {
  const address = expand(entry.device ?? '', 'device', expansion);
  if (address === undefined) return undefined;
  const kind = entry.format ?? (/^\/dev\/video/.test(address) ? 'v4l2' : '');
  if (/^-|[\x00-\x1f\x7f]/.test(address) || address.length > MAX_ADDRESS_CHARS)
    expansion.faults.push(`field 'device': expected ${EXPECTED.device}`);
  if (kind === 'v4l2' && !/^\/dev\/[\w./-]+$/.test(address))
    expansion.faults.push("field 'device': expected a path below /dev for v4l2, such as /dev/video0");
  if (isDeviceFormat(kind)) return { kind, address };
  expansion.faults.push(`field 'format': expected one of ${DEVICE_FORMATS.join(', ')} for this device`);
  return undefined;
}

function readOptions(entry: Entry, kind: LiveInput['kind'], expansion: Expansion): Record<string, string> {
  const rules = liveOptionRules(kind);
  const options: Record<string, string> = {};
  for (const [name, given] of Object.entries(entry.options ?? {})) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    const value = optionText(name, given, expansion);
    if (!rule) expansion.faults.push(`option ${quoted(name)} is not known for ${kind}; known: ${Object.keys(rules).join(', ') || 'none'}`);
    else if (value !== undefined && !rule.pattern.test(value)) expansion.faults.push(`option '${name}': expected ${rule.allowed}`);
    else if (value !== undefined) options[name] = value;
  }
  return options;
}

/** As ffmpeg takes it. Headers are secret whoever wrote them. */
function optionText(name: string, given: Static<typeof OptionValue>, expansion: Expansion): string | undefined {
  if (typeof given === 'boolean') return given ? '1' : '0';
  if (typeof given !== 'object') return expand(String(given), `options.${name}`, expansion);
  const lines = Object.entries(given).map(([header, template]) => {
    const value = expand(template, `options.${name}.${header}`, expansion) ?? '';
    expansion.secrets.add(value);
    if (/[\r\n]/.test(header + value)) expansion.faults.push(`option '${name}': expected one line for each header`);
    return `${header}: ${value}\r\n`;
  });
  return lines.join('');
}

/** User name, password and every value of the query. */
function noteSecrets(address: string, userInfo: string, secrets: Set<string>): void {
  const query = /\?([^#]*)/.exec(address)?.[1] ?? '';
  const [user = '', ...password] = userInfo.split(':');
  for (const secret of [
    userInfo,
    user,
    password.join(':'),
    query,
    ...query.split(/[&;]/),
    ...query.split(/[&;]/).map((pair) => pair.slice(pair.indexOf('=') + 1)),
  ])
    secrets.add(secret);
}

function labelOf(entry: unknown, i: number): string {
  const name = isRecord(entry) && typeof entry['name'] === 'string' && entry['name'] !== '' ? ` ${quoted(entry['name'])}` : '';
  return `source ${i + 1}${name}: `;
}

/** Names are no secrets; what is no name may be a misplaced part of the file. */
function quoted(text: string): string {
  return /^[\w.-]{1,64}$/.test(text) ? `'${text}'` : '(not a name)';
}

function duplicates(inputs: readonly PullInput[]): string[] {
  const names = inputs.map(({ name }) => name);
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
