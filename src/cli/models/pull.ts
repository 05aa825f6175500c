/** `sightline models pull NAME`: downloads a pinned model, writes its JSON beside it and tries it. */
import { mkdir, rename, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../base/errors.js';
import { download, type DownloadOptions } from './download.js';
import { CommandError, diskTrouble } from '../errors.js';
import { proxyAdvice } from './network-trouble.js';
import { isAllowedAddress } from './http-get.js';
import { exists, howToUse, writeJson } from './model-files.js';
import { sha256Of } from './partial-file.js';
import { withPullLock } from './pull-lock.js';
import { describedBy, filesOf, findEntry, readRegistry, type RegistryEntry, type RegistryFile } from './registry.js';
import { megabytes, type Terminal } from './terminal.js';
import { tryModel, type Trial } from './trial.js';

/** Which model is downloaded, and where to. */
export interface PullOptions {
  /** As the registry names it. */
  readonly name: string;
  /** Absolute path of the registry. */
  readonly registry: string;
  /** Absolute path of the models folder; made where it does not exist. */
  readonly models: string;
  /** Does not ask. */
  readonly yes: boolean;
}

/** What a download is built on. */
export interface PullDeps extends Pick<DownloadOptions, 'signal' | 'stallMs' | 'retryMs'> {
  /** Where progress is shown. */
  readonly terminal: Terminal;
  /** Where proxies are named. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws CommandError, MediaPeerError MODEL_INVALID; the signal's reason when it is aborted */
export async function pull(options: PullOptions, deps: PullDeps): Promise<void> {
  const { terminal, signal } = deps;
  const entry = findEntry(await readRegistry(options.registry), options.name);
  const pins = filesOf(entry);
  for (const { url } of pins)
    if (!isAllowedAddress(new URL(url))) throw new CommandError(`the registry's address of ${entry.name}, ${url}, is not https`);
  const file = path.join(options.models, entry.file);
  const missing = await missingOf(pins, options.models);
  if (missing.length === 0) {
    terminal.print(`${entry.name} is there already, and intact.`);
  } else {
    const bytes = missing.reduce((sum, pin) => sum + pin.bytes, 0);
    terminal.print(
      [
        `name     ${entry.name}`,
        ...missing.map(({ url }) => `address  ${url}`),
        `size     ${megabytes(bytes)} MB`,
        `licence  ${entry.licence}`,
        `to       ${file}`,
      ].join('\n'),
    );
    await confirm(entry, options, deps);
    await makeFolder(options.models);
    await withPullLock(
      file,
      signal,
      (holder) => terminal.print(`Another pull of ${entry.name} is under way (process ${holder}); waiting for it.`),
      async () => {
        for (const pin of await missingOf(pins, options.models)) await fetchFile(pin, path.join(options.models, pin.file), deps);
      },
    );
  }
  const jsonPath = file.replace(/\.onnx$/, '.json');
  const { model, inferenceMs } = (await tryExisting(jsonPath, file, terminal)) ?? (await writeAndTry(entry, jsonPath, terminal));
  terminal.print(
    `It works: ${model.labels.length} classes, ${model.inputWidthPx}x${model.inputHeightPx}, ${inferenceMs.toFixed(1)} ms a picture on this machine.\n${howToUse(jsonPath)}`,
  );
}

/** The files that are not there, or not as they are pinned. */
async function missingOf(pins: readonly RegistryFile[], folder: string): Promise<RegistryFile[]> {
  const missing: RegistryFile[] = [];
  for (const pin of pins) if (!(await isIntact(path.join(folder, pin.file), pin))) missing.push(pin);
  return missing;
}

async function isIntact(file: string, { bytes, sha256 }: RegistryFile): Promise<boolean> {
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  );
  return size === bytes && (await sha256Of(file)) === sha256;
}

/** Without a terminal so it cannot be asked: what was printed is the record. */
async function confirm(entry: RegistryEntry, { yes }: PullOptions, { terminal, signal }: PullDeps): Promise<void> {
  if (yes || !terminal.isInteractive) return;
  const answer = await terminal.ask(`Download it under its licence (${entry.licence})? [Y/n] `, signal);
  if (!/^(y|yes)?$/i.test(answer.trim())) throw new CommandError('nothing was downloaded');
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw diskTrouble(error, folder);
  });
}

async function fetchFile(pin: RegistryFile, file: string, { terminal, environment, ...options }: PullDeps): Promise<void> {
  await checkSpace(file, pin.bytes);
  const bar = terminal.progress(pin.bytes);
  const onNote = (note: string): void => {
    bar.stop();
    terminal.print(note);
  };
  try {
    await download(
      { url: pin.url, bytes: pin.bytes, sha256: pin.sha256, file },
      { ...options, onProgress: (bytes) => bar.update(bytes), onNote },
    );
  } catch (error) {
    const advice = proxyAdvice(environment, pin.url, file);
    if (!(error instanceof CommandError) || advice === undefined) throw error;
    throw new CommandError(`${error.message}\n${advice}`, { cause: error });
  } finally {
    bar.stop();
  }
  terminal.print(`Downloaded ${file}; size and sha256 are right.`);
}

/** Told before the download where it can be known. */
async function checkSpace(file: string, bytes: number): Promise<void> {
  const folder = path.dirname(file);
  const space = await statfs(folder).catch(() => undefined);
  if (space === undefined || space.bavail * space.bsize >= bytes) return;
  throw new CommandError(`${megabytes(bytes)} MB are needed in ${folder}, ${megabytes(space.bavail * space.bsize)} MB are free`);
}

/** With the JSON that is there: one that fits is kept as it is, it may hold somebody's own threshold; another is put aside. */
async function tryExisting(jsonPath: string, file: string, terminal: Terminal): Promise<Trial | undefined> {
  if (!(await exists(jsonPath))) return undefined;
  const old = `${path.basename(jsonPath)}.old`;
  try {
    const trial = await tryModel(jsonPath);
    if (trial.model.onnxPath === file) return trial;
    terminal.print(`The JSON that was there is of ${trial.model.onnxPath}; it is kept as ${old}.`);
  } catch (error) {
    terminal.print(`The JSON that was there does not fit (${messageOf(error)}); it is kept as ${old}.`);
  }
  await rename(jsonPath, `${jsonPath}.old`);
  return undefined;
}

async function writeAndTry(entry: RegistryEntry, jsonPath: string, terminal: Terminal): Promise<Trial> {
  await writeJson(jsonPath, describedBy(entry));
  terminal.print(`Wrote ${jsonPath}.`);
  return tryModel(jsonPath);
}
