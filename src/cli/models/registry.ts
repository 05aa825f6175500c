/** `models/registry.json`: models that can be downloaded, each pinned by size and sha256. */
import { readFile } from 'node:fs/promises';
import { Type, type Static } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { messageOf } from '../../base/errors.js';
import type { PinnedFile } from './download.js';
import { editDistance } from '../../base/near-miss.js';
import { calling } from '../calling.js';
import { CommandError } from '../errors.js';

const pin = {
  url: Type.String({ pattern: '^https?://' }),
  bytes: Type.Integer({ minimum: 1 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
};

/** A file of weights that the ONNX file names. */
const RegistryData = Type.Object({
  /** As the ONNX file writes it. */
  location: Type.String({ minLength: 1 }),
  /** Name in the models folder. */
  file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' }),
  ...pin,
});

const RegistryEntry = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  /** Name in the models folder. */
  file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\\.onnx$' }),
  ...pin,
  data: Type.Optional(Type.Array(RegistryData)),
  licence: Type.String({ minLength: 1 }),
  family: Type.String({ minLength: 1 }),
  input: Type.Object({ width: Type.Integer({ minimum: 32 }), height: Type.Integer({ minimum: 32 }) }),
  labels: Type.Union([Type.Literal('coco'), Type.Array(Type.String())]),
});
const Registry = Type.Object({ models: Type.Array(RegistryEntry) });

/** One file of a model, pinned. */
export interface RegistryFile extends Omit<PinnedFile, 'file'> {
  /** Name in the models folder. */
  readonly file: string;
}

/** A model that can be downloaded; members beyond these go into the model's JSON as they are. */
export type RegistryEntry = Static<typeof RegistryEntry> & Readonly<Record<string, unknown>>;

/** @throws CommandError */
export async function readRegistry(file: string): Promise<readonly RegistryEntry[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new CommandError(`the registry ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (Check(Registry, value)) return value.models;
  const faults = Errors(Registry, value).map(({ instancePath, message }) => `${instancePath || '(root)'} ${message}`);
  throw new CommandError(`the registry ${file} is malformed: ${[...new Set(faults)].join('; ')}`);
}

/** @throws CommandError that lists what there is, and what was perhaps meant */
export function findEntry(entries: readonly RegistryEntry[], name: string): RegistryEntry {
  const found = entries.find((entry) => entry.name === name || entry.file === name);
  if (found) return found;
  const names = entries.map((entry) => entry.name);
  const near = nearest(name, names);
  throw new CommandError(
    `there is no model '${name}' to download${near === undefined ? '' : `; did you mean ${near}?`}\nThe registry has: ${names.join(', ') || 'none'}. A file of your own comes in with: ${calling('models')} add FILE`,
  );
}

/** What the registry says of a model, as the JSON beside it. */
export function describedBy({ file, url, bytes: _bytes, name, data, ...rest }: RegistryEntry): Record<string, unknown> {
  const weights = data?.map(({ location, file: dataFile, sha256 }) => ({ location, file: dataFile, sha256 }));
  return { name, file, ...rest, ...(weights && { data: weights }), source: url };
}

/** All its files, the ONNX file first. */
export function filesOf({ file, url, bytes, sha256, data = [] }: RegistryEntry): readonly RegistryFile[] {
  return [{ file, url, bytes, sha256 }, ...data];
}

/** The candidate that needs the fewest edits, where a third of the letters are right. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const [best] = candidates
    .map((candidate) => ({
      candidate,
      edits: plain(candidate).includes(plain(name)) && plain(name) !== '' ? 0 : editDistance(plain(name), plain(candidate)),
    }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}
