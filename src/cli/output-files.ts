/** Files that appear whole or not at all: written under a hidden name beside their place, and renamed together. */
import { constants } from 'node:fs';
import { access, open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { CommandError, diskTrouble } from './errors.js';

/** One file that is being written. */
export interface OutputFile {
  /** Its place. */
  readonly file: string;
  /** Where it is written meanwhile. */
  readonly scratch: string;
}

/** Looks whether a file can be written there. @throws CommandError */
export async function planOutput(file: string, input: string, overwrite: boolean): Promise<OutputFile> {
  const absolute = path.resolve(file);
  const folder = path.dirname(absolute);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory())
    throw new CommandError(`${file} cannot be written: ${found ? `${folder} is not a folder` : `the folder ${folder} does not exist`}`);
  await access(folder, constants.W_OK).catch((error: unknown) => {
    throw diskTrouble(error, file);
  });
  const there = await realpath(absolute).catch(() => undefined);
  if (there !== undefined && there === (await realpath(input).catch(() => undefined)))
    throw new CommandError(`${file} is the video itself; name another file to write`);
  if (there !== undefined && !(await stat(there)).isFile()) throw new CommandError(`${file} is there already, and is not a file`);
  if (there !== undefined && !overwrite) throw new CommandError(`${file} is there already; --overwrite replaces it`);
  return { file: absolute, scratch: path.join(folder, `.${path.basename(absolute)}.${process.pid}.part`) };
}

/** Puts all in their places. */
export async function publish(files: readonly OutputFile[]): Promise<void> {
  for (const { file, scratch } of files) {
    await rename(scratch, file).catch((error: unknown) => {
      throw diskTrouble(error, file);
    });
  }
}

/** Removes what was written and not published. */
export async function discard(files: readonly OutputFile[]): Promise<void> {
  for (const { scratch } of files) await rm(scratch, { force: true });
}

/** A text file that is written line by line. */
export class LineWriter {
  readonly #output: OutputFile;
  readonly #handle: FileHandle;

  private constructor(output: OutputFile, handle: FileHandle) {
    this.#output = output;
    this.#handle = handle;
  }

  static async open(output: OutputFile): Promise<LineWriter> {
    const handle = await open(output.scratch, 'w').catch((error: unknown) => {
      throw diskTrouble(error, output.file);
    });
    return new LineWriter(output, handle);
  }

  async write(line: string): Promise<void> {
    await this.#handle.appendFile(`${line}\n`).catch((error: unknown) => {
      throw diskTrouble(error, this.#output.file);
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
