/**
 * `sightline models add FILE`: takes a model of one's own into the folder. It is put together in a hidden folder
 * beside its place and tried there, so a model that does not work leaves nothing behind.
 */
import { constants, copyFile, mkdir, mkdtemp, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { inspectModel, modelDataBeside, type ModelDataFile, type ModelDescription } from '../../detection/index.js';
import { messageOf } from '../../base/errors.js';
import { CommandError, diskTrouble } from '../errors.js';
import { readLabels } from './labels.js';
import { exists, howToUse, writeJson } from './model-files.js';
import { sha256Of } from './partial-file.js';
import type { Terminal } from './terminal.js';
import { tryModel } from './trial.js';

/** Which file is taken, and under which name. */
export interface AddOptions {
  /** The ONNX file. Weights that it keeps in files beside it come with it. */
  readonly file: string;
  /** Absolute path of the models folder. */
  readonly models: string;
  /** Undefined: what the file itself shows. */
  readonly family: string | undefined;
  /** `coco`, a list with commas, or a file; undefined: what the file itself says. */
  readonly labels: string | undefined;
  /** Undefined: that of the file. */
  readonly input: { readonly width: number; readonly height: number } | undefined;
  /** Name in the folder; default that of the file. */
  readonly name: string | undefined;
  /** Further members of the JSON: strides, decoded, thresholds, licence. */
  readonly members: Readonly<Record<string, unknown>>;
  /** A link instead of a copy. */
  readonly link: boolean;
  /** Replaces a model of that name. */
  readonly force: boolean;
}

const WHAT_TO_TELL = 'What its JSON must say is told by options: --family NAME, --labels coco|a,b,c|FILE, --input WxH, --strides.';

/** @throws CommandError; nothing has changed then */
export async function add(
  options: AddOptions,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<void> {
  const file = await sourceFile(options.file);
  const name = options.name ?? path.basename(file).replace(/\.onnx$/i, '');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new CommandError(
      `'${name}' cannot be a model's name: letters, digits, '.', '_' and '-' can, 64 at most; give another one with --name`,
    );
  const onnxPath = path.join(options.models, `${name}.onnx`);
  const jsonPath = path.join(options.models, `${name}.json`);
  const isInPlace = (await realpath(onnxPath).catch(() => undefined)) === file;
  const data = weightsOf(file, name, isInPlace);
  const dataPaths = data.map((entry) => path.join(options.models, entry.name));
  const taken: string[] = [];
  for (const target of isInPlace ? [jsonPath] : [onnxPath, ...dataPaths, jsonPath]) if (await exists(target)) taken.push(target);
  if (taken.length > 0 && !options.force)
    throw new CommandError(
      `${taken.join(' and ')} ${taken.length > 1 ? 'are' : 'is'} there already; --force replaces, --name gives another name`,
    );
  const told = { ...(await describe(file, name, options)), ...(data.length > 0 && { data: await Promise.all(data.map(describeData)) }) };
  const staging = await makeStaging(options.models);
  try {
    const stagedOnnx = path.join(staging, `${name}.onnx`);
    const stagedJson = path.join(staging, `${name}.json`);
    const bring = async (from: string, to: string): Promise<void> => {
      await (options.link || isInPlace ? symlink(from, to) : copyFile(from, to, constants.COPYFILE_FICLONE)).catch((error: unknown) => {
        throw diskTrouble(error, path.join(options.models, path.basename(to)));
      });
    };
    await bring(file, stagedOnnx);
    // Of a model that is in its place, the link leads to where its weights lie.
    if (!isInPlace) for (const entry of data) await bring(entry.file, path.join(staging, entry.name));
    await writeJson(stagedJson, told);
    const { model, inferenceMs } = await tryModel(stagedJson).catch((error: unknown) => {
      const reason = messageOf(error).replaceAll(stagedOnnx, file).replaceAll(stagedJson, 'its JSON');
      throw new CommandError(`nothing was added: ${reason}\n${WHAT_TO_TELL}`, { cause: error });
    });
    const { assumptions } = await inspectModel(stagedJson);
    await writeJson(stagedJson, completed(told, model));
    signal.throwIfAborted();
    const dataMoves = data.map(({ name: dataName }): Move => [path.join(staging, dataName), path.join(options.models, dataName)]);
    await moveAll(isInPlace ? [[stagedJson, jsonPath]] : [[stagedOnnx, onnxPath], ...dataMoves, [stagedJson, jsonPath]], staging);
    for (const assumption of assumptions) terminal.print(`Note: ${assumption}`);
    terminal.print(
      `Added ${name}: ${model.family}, ${model.inputWidthPx}x${model.inputHeightPx}, ${model.labels.length} classes (${someOf(model.labels)}), ${inferenceMs.toFixed(1)} ms a picture on this machine.\n${howToUse(jsonPath)}`,
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function sourceFile(file: string): Promise<string> {
  if (!/\.onnx$/i.test(file)) throw new CommandError(`${file} is not an .onnx file; export your model to ONNX first`);
  try {
    const real = await realpath(file);
    if ((await stat(real)).isFile()) return real;
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new CommandError(`${file} is not a file`);
}

/** A file of weights and what it is called in the folder. */
interface Weights extends ModelDataFile {
  readonly name: string;
}

/** Exports of one framework all name their weights alike, so in the folder they are named after the model. */
function weightsOf(file: string, name: string, isInPlace: boolean): Weights[] {
  try {
    return modelDataBeside(file).map((entry, i) => ({
      ...entry,
      name: isInPlace ? entry.location : `${name}.onnx.data${i === 0 ? '' : `.${i}`}`,
    }));
  } catch (error) {
    throw new CommandError(`nothing was added: ${messageOf(error)}`, { cause: error });
  }
}

async function describeData({ location, name, file }: Weights): Promise<Record<string, string>> {
  return { location, file: name, sha256: await sha256Of(file) };
}

/** The model's JSON as far as it was told; the rest the file itself shows when it is tried. */
async function describe(file: string, name: string, { family, input, labels, members }: AddOptions): Promise<Record<string, unknown>> {
  return {
    ...{ name, file: `${name}.onnx` },
    ...(family !== undefined && { family }),
    ...(input && { input }),
    ...(labels !== undefined && { labels: await readLabels(labels) }),
    ...members,
    sha256: await sha256Of(file),
  };
}

/** With what the file showed, so that the JSON says it to people too. */
function completed(
  { name, file, sha256, data, ...told }: Record<string, unknown>,
  { family, inputWidthPx, inputHeightPx, labels }: ModelDescription,
): Record<string, unknown> {
  return {
    name,
    file,
    family,
    input: { width: inputWidthPx, height: inputHeightPx },
    labels,
    ...told,
    sha256,
    ...(data !== undefined && { data }),
  };
}

async function makeStaging(models: string): Promise<string> {
  try {
    await mkdir(models, { recursive: true });
    return await mkdtemp(path.join(models, '.add-'));
  } catch (error) {
    throw diskTrouble(error, models);
  }
}

type Move = readonly [from: string, to: string];

/** Puts files in their places; when one cannot be, the others are as they were. */
async function moveAll(moves: readonly Move[], staging: string): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const [from, to] of moves) {
      const old = path.join(staging, `old-${path.basename(to)}`);
      if (await exists(to)) {
        await rename(to, old);
        undo.push(() => rename(old, to));
      }
      await rename(from, to);
      undo.push(() => rm(to, { force: true }));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw diskTrouble(error, moves.map(([, to]) => to).join(' and '));
  }
}

function someOf(labels: readonly string[]): string {
  return labels.length > 5 ? `${labels.slice(0, 5).join(', ')}, …` : labels.join(', ');
}
