/**
 * From a description of a source to what ffmpeg is given. What a description holds beside names is secret, so faults say what was
 * expected and never what was found.
 */
import { isDeepStrictEqual } from 'node:util';
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
import { fieldFault, optionFault, type EntryFault } from './entry-fault.js';
import { EXPECTED, quoted, shapeFaults, type SourceEntry } from './entry-schema.js';
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
  /** Name of its model, or `none`; undefined: the one of the configuration. */
  readonly model?: string | undefined;
  /** What people call it. */
  readonly title?: string | undefined;
  /** What it belongs to. */
  readonly group?: string | undefined;
  /** As somebody wrote it. It holds credentials. */
  readonly written: SourceEntry;
}

/** What a description is read against. */
export interface ReadingContext {
  /** For `${NAME}` in addresses and options. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Why there is no model of that name, in words; undefined where there is one. Default: models are not looked for. */
  readonly whyNoModel?: ((name: string) => string | undefined) | undefined;
}

/** Whether ffmpeg reads the same, in the same way. */
export function isSameInput(a: LiveInput | undefined, b: LiveInput | undefined): boolean {
  return isDeepStrictEqual(readOf(a), readOf(b));
}

/** Whether they say the same, values of variables included. */
export function isSameEntry(a: PullInput, b: PullInput): boolean {
  return isSameInput(a.input, b.input) && isSameInput(a.low, b.low) && isDeepStrictEqual(a.written, b.written);
}

function readOf(input: LiveInput | undefined): unknown {
  return input && [input.kind, input.address, input.format, input.options];
}

/** ffmpeg cuts its messages at about 1000 characters, and half a password is not recognised. */
const MAX_USER_INFO_CHARS = 256;
const MAX_ADDRESS_CHARS = 4_096;
/** No server takes more. */
const MAX_HEADERS = 32;
const MAX_HEADERS_CHARS = 8_192;

type OptionValue = NonNullable<SourceEntry['options']>[string];

/** The entry, or undefined and its faults. */
export function readEntry(value: unknown, { variables, whyNoModel }: ReadingContext, faults: EntryFault[]): PullInput | undefined {
  faults.push(...shapeFaults(value));
  if (faults.length > 0) return undefined;
  const entry = value as SourceEntry;
  const expansion: Expansion = { variables, faults, secrets: new Set() };
  const target = entry.url !== undefined ? readUrl(entry, 'url', entry.url, expansion) : readDevice(entry, expansion);
  const lowTarget = readLowUrl(entry, target, expansion);
  const modelFault = entry.model === undefined || entry.model === 'none' ? undefined : whyNoModel?.(entry.model);
  if (modelFault !== undefined) faults.push(fieldFault('model', 'not_found', modelFault));
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
    model: entry.model,
    title: entry.title,
    group: entry.group,
    written: entry,
  };
}

const HIDDEN_HOST =
  "an '@' stands behind the first '/', '?' or '#', so it cannot be told where the host is; in a user name or password write %2F for '/', %3F for '?', %23 for '#' and %40 for '@', or put it into a variable, as in rtsp://admin:${CAMERA_PASSWORD}@10.0.0.5/stream1; elsewhere write %40 for '@'";

/** Whether a password may have been cut at one of its own characters. */
function hidesItsHost(address: string): boolean {
  return /^[a-z]+:\/\/[^/?#]*[/?#].*@/is.test(address);
}

type Target = Pick<LiveInput, 'kind' | 'address' | 'format'>;

/** The second stream; undefined where there is none, or a fault. */
function readLowUrl(entry: SourceEntry, main: Target | undefined, expansion: Expansion): Target | undefined {
  if (entry.low_url === undefined) return undefined;
  const isBeside = entry.url !== undefined;
  if (!isBeside) expansion.faults.push(fieldFault('low_url', 'conflict', `expected ${EXPECTED.low_url}`));
  const target = isBeside ? readUrl(entry, 'low_url', entry.low_url, expansion) : undefined;
  if (target && target.address === main?.address) expansion.faults.push(fieldFault('low_url', 'conflict', `expected ${EXPECTED.low_url}`));
  return target;
}

/** Those that inputs of this kind know: both streams of a camera are given the same. */
function optionsFor(kind: LiveInput['kind'], options: Readonly<Record<string, string>>): Record<string, string> {
  const rules = liveOptionRules(kind);
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(rules, name)));
}

function readUrl(entry: SourceEntry, field: 'url' | 'low_url', template: string, expansion: Expansion): Target | undefined {
  const address = expand(template, field, expansion);
  if (address === undefined) return undefined;
  if (hidesItsHost(address)) {
    // What would be the host is a user name, and a password would be on its way to a stranger.
    expansion.faults.push(fieldFault(field, 'ambiguous_host', HIDDEN_HOST));
    return undefined;
  }
  const scheme = /^([a-z]+):\/\//i.exec(address)?.[1]?.toLowerCase() as LiveScheme | undefined;
  const userInfo = /^[^:]+:\/\/([^/?#]*)@/.exec(address)?.[1] ?? '';
  const isClean = !/[\s"'<>\\^`{|}\x00-\x1f\x7f]/.test(address) && address.length <= MAX_ADDRESS_CHARS;
  if (scheme === undefined || !LIVE_SCHEMES.includes(scheme) || !isClean || !URL.canParse(address) || new URL(address).hostname === '') {
    const expected = `${EXPECTED.url}, then a host; without spaces, quotes and braces, at most ${MAX_ADDRESS_CHARS} characters`;
    expansion.faults.push(fieldFault(field, 'invalid', `expected ${expected}`));
    return undefined;
  }
  if (userInfo.length > MAX_USER_INFO_CHARS)
    expansion.faults.push(fieldFault(field, 'too_long', `its user name and password are longer than ${MAX_USER_INFO_CHARS} characters`));
  noteSecrets(address, userInfo, expansion.secrets);
  const format = entry.format === undefined ? undefined : STREAM_FORMATS[entry.format];
  const takesFormat = scheme === 'http' || scheme === 'https';
  // The format is the first stream's.
  if (field === 'low_url') return { kind: scheme, address, format: undefined };
  if (entry.format !== undefined && (!takesFormat || format === undefined)) {
    const expected = takesFormat ? `one of ${Object.keys(STREAM_FORMATS).join(', ')}` : `nothing, ${scheme} needs none`;
    expansion.faults.push(fieldFault('format', takesFormat ? 'invalid' : 'conflict', `expected ${expected}`));
  }
  return { kind: scheme, address, format };
}

function readDevice(entry: SourceEntry, expansion: Expansion): Target | undefined {
  const address = expand(entry.device ?? '', 'device', expansion);
  if (address === undefined) return undefined;
  const kind = entry.format ?? (/^\/dev\/video/.test(address) ? 'v4l2' : '');
  if (/^-|[\x00-\x1f\x7f]/.test(address) || address.length > MAX_ADDRESS_CHARS)
    expansion.faults.push(fieldFault('device', 'invalid', `expected ${EXPECTED.device}`));
  if (kind === 'v4l2' && !/^\/dev\/(?!.*\.\.)[\w./-]+$/.test(address))
    expansion.faults.push(fieldFault('device', 'invalid', 'expected a path below /dev for v4l2, such as /dev/video0'));
  if (isDeviceFormat(kind)) return { kind, address };
  expansion.faults.push(fieldFault('format', 'invalid', `expected one of ${DEVICE_FORMATS.join(', ')} for this device`));
  return undefined;
}

function readOptions(entry: SourceEntry, kind: LiveInput['kind'], expansion: Expansion): Record<string, string> {
  const rules = liveOptionRules(kind);
  const options: Record<string, string> = {};
  for (const [name, given] of Object.entries(entry.options ?? {})) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    const value = optionText(name, given, expansion);
    const known = Object.keys(rules).join(', ') || 'none';
    if (!rule) expansion.faults.push(optionFault(name, 'unknown', `option ${quoted(name)} is not known for ${kind}; known: ${known}`));
    else if (value !== undefined && !rule.pattern.test(value))
      expansion.faults.push(optionFault(name, 'invalid', `option '${name}': expected ${rule.allowed}`));
    else if (value !== undefined) options[name] = value;
  }
  return options;
}

/** As ffmpeg takes it. Headers are secret whoever wrote them. */
function optionText(name: string, given: OptionValue, expansion: Expansion): string | undefined {
  if (typeof given === 'boolean') return given ? '1' : '0';
  if (typeof given !== 'object') return expand(String(given), `options.${name}`, expansion);
  const lines = Object.entries(given).map(([header, template]) => {
    const value = expand(template, `options.${name}.${header}`, expansion) ?? '';
    expansion.secrets.add(value);
    if (/[\r\n]/.test(header + value))
      expansion.faults.push(optionFault(name, 'invalid', `option '${name}': expected one line for each header`));
    return `${header}: ${value}\r\n`;
  });
  const text = lines.join('');
  if (lines.length > MAX_HEADERS || text.length > MAX_HEADERS_CHARS)
    expansion.faults.push(
      optionFault(name, 'too_long', `option '${name}': expected at most ${MAX_HEADERS} of ${MAX_HEADERS_CHARS} characters in all`),
    );
  return text;
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
