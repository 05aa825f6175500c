/** The files beside an ONNX file that hold its weights: found by the names it gives, checked, and read for the runtime. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../base/errors.js';
import type { ModelJson } from './model-json.js';
import type { ExternalData } from './onnx-external-data.js';

/** One file of weights. */
export interface ModelDataFile {
  /** Its name as the ONNX file writes it. */
  readonly location: string;
  /** Absolute path. */
  readonly file: string;
  /** Undefined where the JSON gives none. */
  readonly sha256: string | undefined;
}

/** Exporters may write a file a tensor; no model has more tensors. */
const MAX_FILES = 10_000;

/**
 * Finds the files of weights: where the JSON says, else beside the ONNX file, also where that is a link to another folder.
 * @throws Error that names the one that is missing, is cut off, or would lie outside the folder
 */
export function findModelData(onnxPath: string, needed: ExternalData, json: ModelJson): readonly ModelDataFile[] {
  if (needed.size > MAX_FILES) throw new Error(`it names ${needed.size} files of weights; ${MAX_FILES} at most are read`);
  const told = new Map((json.data ?? []).map((entry) => [entry.location, entry]));
  for (const location of told.keys())
    if (!needed.has(location))
      throw new Error(
        `its JSON tells of the weights '${location}', which the ONNX file does not name; it names ${[...needed.keys()].join(', ') || 'none'}`,
      );
  return [...needed].map(([location, bytes]) => {
    const entry = told.get(location);
    const name = entry?.file ?? location;
    if (!isInside(location) || !isInside(name))
      throw new Error(
        `it names a file of weights that is not beside it, '${isInside(location) ? name : location}'; export it with its weights in the same folder`,
      );
    const file = [path.dirname(onnxPath), ...realFolder(onnxPath)].map((folder) => path.join(folder, name)).find(existsSync);
    if (file === undefined)
      throw new Error(
        `its weights are in a file of their own, '${name}', which is not beside it; copy that file to ${path.dirname(onnxPath)} as well`,
      );
    const found = statSync(file);
    if (!found.isFile()) throw new Error(`its weights are in '${name}', which is no file`);
    if (found.size < bytes)
      throw new Error(
        `its file of weights '${name}' has ${found.size} bytes, at least ${bytes} are needed: it is cut off, or of another model`,
      );
    return { location, file, sha256: entry?.sha256 };
  });
}

/** The bytes of the files, as the runtime takes them. @throws Error where one cannot be read, or is another one than its JSON says */
export function readModelData(files: readonly ModelDataFile[]): { readonly path: string; readonly data: Buffer }[] {
  return files.map(({ location, file, sha256 }) => {
    let data: Buffer;
    try {
      data = readFileSync(file);
    } catch (error) {
      throw new Error(`its file of weights ${file} cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const found = sha256 === undefined ? undefined : createHash('sha256').update(data).digest('hex');
    if (found !== sha256)
      throw new Error(`its file of weights ${file} is damaged or another file: its sha256 is ${found}, its JSON says ${sha256}`);
    return { path: location, data };
  });
}

/** A relative path that stays in its folder, on every system. */
function isInside(name: string): boolean {
  const parts = name.split(/[\\/]/);
  return (
    name !== '' &&
    !path.posix.isAbsolute(name) &&
    !path.win32.isAbsolute(name) &&
    !name.includes('\0') &&
    !parts.includes('..') &&
    parts.at(-1) !== ''
  );
}

/** Where a linked ONNX file really is. */
function realFolder(onnxPath: string): string[] {
  try {
    return [path.dirname(realpathSync(onnxPath))];
  } catch {
    return []; // it has just been read; a link that leads nowhere now adds no folder
  }
}
