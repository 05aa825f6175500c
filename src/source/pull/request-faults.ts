/**
 * What is taken from SOURCES_FILE and from no request. Whoever writes that file has the machine; whoever sends a request has this
 * server's cameras, and neither its environment nor its files.
 */
import { DEVICE_FORMATS, LIVE_SCHEMES, liveOptionRules } from '../../ffmpeg/index.js';
import { fieldFault, optionFault, type EntryFault } from './entry-fault.js';
import { EXPECTED, isRecord, quoted, unknownField } from './entry-schema.js';
import type { PullInput } from './read-entry.js';

/** Sources of libavfilter that make pictures of nothing and read no file. */
const TEST_PICTURES = [
  'testsrc',
  'testsrc2',
  'smptebars',
  'smptehdbars',
  'pal75bars',
  'pal100bars',
  'rgbtestsrc',
  'yuvtestsrc',
  'color',
  'allrgb',
  'allyuv',
  'mandelbrot',
  'gradients',
] as const;
/** One filter and its plain options: no chain, no quotes. */
const ONE_FILTER = /^([a-z0-9]+)(=[\w:=./+#-]*)?$/;

/** @param request what was sent @param entry the whole description that comes of it */
export function requestFaults(request: unknown, entry: unknown): EntryFault[] {
  if (!isRecord(request) || !isRecord(entry)) return [];
  const faults: EntryFault[] = [];
  for (const field of ['url', 'low_url', 'device'] as const) {
    if (namesVariable(request[field])) faults.push(fieldFault(field, 'not_allowed', NO_VARIABLES));
  }
  for (const [name, value] of isRecord(request['options']) ? Object.entries(request['options']) : []) {
    if (name === 'ca_file' && value !== null) faults.push(optionFault(name, 'not_allowed', NO_FILES));
    if (namesVariable(value)) faults.push(optionFault(name, 'not_allowed', `option '${name}': ${NO_VARIABLES}`));
  }
  const isFilter = entry['format'] === 'lavfi' && (request['format'] !== undefined || request['device'] !== undefined);
  if (isFilter && !makesTestPictures(entry['device'])) faults.push(fieldFault('device', 'not_allowed', ONE_TEST_PICTURE));
  return faults;
}

const NO_VARIABLES =
  'variables of the environment are for SOURCES_FILE; send the value itself: it is kept in STATE_DIR, readable for the server alone, and told to nobody';
const NO_FILES = "option 'ca_file': files of the server are for SOURCES_FILE; null removes it";
const ONE_TEST_PICTURE = `expected one of ${TEST_PICTURES.join(', ')}, with its options; SOURCES_FILE takes any filter`;

function namesVariable(value: unknown): boolean {
  if (isRecord(value)) return Object.values(value).some(namesVariable);
  return typeof value === 'string' && value.includes('${');
}

function makesTestPictures(device: unknown): boolean {
  const filter = typeof device === 'string' ? ONE_FILTER.exec(device)?.[1] : undefined;
  return TEST_PICTURES.some((name) => name === filter);
}

/** What a change takes away that nothing can have: it would be kept, and what is kept grow without end. */
export function removalFaults(patch: Readonly<Record<string, unknown>>): EntryFault[] {
  const removedOf = (fields: object): string[] => Object.entries(fields).flatMap(([name, value]) => (value === null ? [name] : []));
  const options = isRecord(patch['options']) ? removedOf(patch['options']) : [];
  return [
    ...removedOf(patch)
      .filter((name) => !Object.hasOwn(EXPECTED, name))
      .map(unknownField),
    ...options
      .filter((name) => !KINDS.some((kind) => Object.hasOwn(liveOptionRules(kind), name)))
      .map((name) => optionFault(name, 'unknown', `option ${quoted(name)} is not known`)),
  ];
}

const KINDS = [...LIVE_SCHEMES, ...DEVICE_FORMATS];

/** Secrets that a camera was given are for that camera: at another host they are given anew. @param patch what is changed of it */
export function hostFaults(before: PullInput, patch: Readonly<Record<string, unknown>>): EntryFault[] {
  const known = [before.input, before.low].map((input) => hostOf(input?.address));
  const named = (['url', 'low_url'] as const).map((field) => hostOf(patch[field]));
  if (!named.some((host) => host !== undefined && !known.includes(host))) return [];
  const { options } = patch;
  const isKept = (name: string): boolean => options !== null && !(isRecord(options) && Object.hasOwn(options, name));
  const missing = Object.keys(before.written.options ?? {}).filter((name) => SECRET_OPTIONS.has(name) && isKept(name));
  return missing.map((name) =>
    optionFault(
      name,
      'required_again',
      `option '${name}': expected anew, or null, because the host is another one: it was given to the one before`,
    ),
  );
}

/** What is told to nobody who did not write it. */
export const SECRET_OPTIONS: ReadonlySet<string> = new Set(['headers', 'user_agent', 'referer', 'ca_file']);

/** With its scheme and port; undefined for what is no address. */
function hostOf(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
