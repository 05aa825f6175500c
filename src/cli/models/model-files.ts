/** The files of the models folder: an ONNX file and the JSON beside it, listed with what is wrong, written in one step. */
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { npmScript } from '../../config.js';
import { calling } from '../calling.js';
import { messageOf } from '../../base/errors.js';
import { codeOf, CommandError, diskTrouble } from '../errors.js';
import { tryModel, type Trial } from './trial.js';

/** A model in the folder. */
export interface ListedModel {
  /** Name of its JSON, or of its ONNX file where it has none. */
  readonly fileName: string;
  /** Of the ONNX file and those of its weights; undefined when it is missing. */
  readonly bytes: number | undefined;
  /** As the registry or the JSON names it; undefined: unknown. */
  readonly licence: string | undefined;
  /** Undefined where it cannot be used. */
  readonly trial: Trial | undefined;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
}

/** What is in the folder, by name; each is tried. Never throws for what a file holds. */
export async function listModels(folder: string): Promise<ListedModel[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw new CommandError(`${folder} cannot be listed: ${messageOf(error)}`, { cause: error });
  });
  const jsons = names.filter((name) => name.endsWith('.json') && !name.startsWith('.') && name !== 'registry.json').sort();
  const described = new Set<string>();
  const listed: ListedModel[] = [];
  for (const json of jsons) {
    const facts = await readFacts(path.join(folder, json));
    described.add(facts.file);
    listed.push(await listModel(folder, json, facts));
  }
  for (const onnx of names.filter((name) => /\.onnx$/i.test(name) && !name.startsWith('.') && !described.has(name)).sort()) {
    listed.push(await listModel(folder, onnx, { file: onnx, licence: undefined, weights: [] }));
  }
  return listed;
}

async function listModel(folder: string, fileName: string, { file: onnx, licence, weights }: Facts): Promise<ListedModel> {
  const bytes = await sizeOf(path.resolve(folder, onnx), weights);
  if (bytes === undefined) return { fileName, bytes, licence, trial: undefined, problem: `its ONNX file ${onnx} is missing` };
  try {
    return { fileName, bytes, licence, trial: await tryModel(path.join(folder, fileName)), problem: undefined };
  } catch (error) {
    return { fileName, bytes, licence, trial: undefined, problem: messageOf(error).replaceAll(`${folder}${path.sep}`, '') };
  }
}

/** Undefined where the ONNX file is missing; what is wrong with its weights is told when it is tried. */
async function sizeOf(onnxPath: string, weights: readonly string[]): Promise<number | undefined> {
  const sizes = await Promise.all(
    [onnxPath, ...weights].map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  return sizes[0] === undefined ? undefined : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

interface Facts {
  readonly file: string;
  readonly licence: string | undefined;
  /** Absolute paths of the files of weights. */
  readonly weights: readonly string[];
}

/** What a JSON says beyond the model's description; of a damaged one, what its name says. */
async function readFacts(jsonPath: string): Promise<Facts> {
  const beside = path.basename(jsonPath).replace(/\.json$/, '.onnx');
  try {
    const { file, licence, data } = JSON.parse(await readFile(jsonPath, 'utf8')) as {
      readonly file?: unknown;
      readonly licence?: unknown;
      readonly data?: unknown;
    };
    const names = (Array.isArray(data) ? (data as readonly { readonly file?: unknown }[]) : [])
      .map((entry) => entry.file)
      .filter((name) => typeof name === 'string');
    return {
      file: typeof file === 'string' ? file : beside,
      licence: typeof licence === 'string' ? licence : undefined,
      weights: names.map((name) => path.resolve(path.dirname(jsonPath), name)),
    };
  } catch {
    // The trial tells what is wrong with it.
    return { file: beside, licence: undefined, weights: [] };
  }
}

/** A model's JSON as text, a line a member: eighty labels do not need eighty lines. */
export function formatJson(members: Readonly<Record<string, unknown>>): string {
  return `{\n${Object.entries(members)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(',\n')}\n}\n`;
}

/** Writes a model's JSON: it is there as a whole or not at all. @throws CommandError */
export async function writeJson(file: string, members: Readonly<Record<string, unknown>>): Promise<void> {
  const scratch = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    await writeFile(scratch, formatJson(members));
    await rename(scratch, file);
  } catch (error) {
    await rm(scratch, { force: true });
    throw diskTrouble(error, file);
  }
}

/** True when there is something of that name. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** The command that starts the server with the model. */
export function howToUse(jsonPath: string): string {
  const shown = path.relative(process.cwd(), jsonPath);
  const isShort = !shown.startsWith('..') && npmScript() === undefined;
  return `Use it with:\n  ${calling('serve')} --model ${isShort ? shown : jsonPath}`;
}
