/**
 * SOURCES_FILE: cameras that the operator names. Every fault is told at once. What it holds
 * beside names is secret, so messages say what was expected and never what was found.
 */
import { LineCounter, parseDocument } from 'yaml';
import { readBoundedTextSync } from '../../base/bounded-text.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import type { EntryFault } from './entry-fault.js';
import { isRecord, quoted } from './entry-schema.js';
import { readEntry, type PullInput, type ReadingContext } from './read-entry.js';

/** A file that is larger is a fault. */
export const MAX_SOURCES_FILE_BYTES = 1 << 20;
const MAX_SOURCES = 1_000;

/** SOURCES_FILE as it was read. */
export interface ReadSourcesFile {
  /** What it holds. */
  readonly inputs: PullInput[];
  /** As it is written. */
  readonly text: string;
}

/** @throws MediaPeerError CONFIG_INVALID where it cannot be read, or naming every fault at once */
export function readSourcesFile(file: string, context: ReadingContext): ReadSourcesFile {
  let text: string;
  try {
    text = readBoundedTextSync(file, MAX_SOURCES_FILE_BYTES);
  } catch (error) {
    throw new MediaPeerError('CONFIG_INVALID', `SOURCES_FILE '${file}' cannot be read: ${messageOf(error)}`, { cause: error });
  }
  return { inputs: parseSources(text, context, `SOURCES_FILE '${file}'`), text };
}

/** What a text holds, as that of SOURCES_FILE. JSON is YAML, too. @param where what the text is, for messages. */
export function parseSources(text: string, context: ReadingContext, where = 'SOURCES_FILE'): PullInput[] {
  const faults: string[] = [];
  const entries = entriesOf(text, faults);
  const inputs = entries.flatMap((entry, i) => {
    const found: EntryFault[] = [];
    const input = readEntry(entry, context, found);
    faults.push(...found.map((fault) => `${labelOf(entry, i)}${fault.text}`));
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

function labelOf(entry: unknown, i: number): string {
  const name = isRecord(entry) && typeof entry['name'] === 'string' && entry['name'] !== '' ? ` ${quoted(entry['name'])}` : '';
  return `source ${i + 1}${name}: `;
}

function duplicates(inputs: readonly PullInput[]): string[] {
  const names = inputs.map(({ name }) => name);
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
