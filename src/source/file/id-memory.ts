/** Remembers the ids of file names over restarts, in a hidden file of the upload folder. A folder that cannot be written is remembered while the server runs. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';

const FILE_NAME = '.sightline-ids.json';
/** Names that are remembered; those that went longest ago are forgotten first. */
const MAX_NAMES = 10_000;
const ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The ids that file names have had. */
export class IdMemory {
  readonly #file: string;
  readonly #logger: Logger;
  #ids: ReadonlyMap<string, string>;
  #isWritable = true;

  private constructor(file: string, logger: Logger, ids: ReadonlyMap<string, string>) {
    this.#file = file;
    this.#logger = logger;
    this.#ids = ids;
  }

  /** Reads what is remembered. @throws MediaPeerError CONFIG_INVALID where the file is damaged: guessing would move zones to other videos */
  static async open(folder: string, logger: Logger): Promise<IdMemory> {
    const file = path.join(folder, FILE_NAME);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new IdMemory(file, logger, new Map());
      throw new MediaPeerError('CONFIG_INVALID', `${file}, which holds the ids of the videos, cannot be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const ids = parse(text);
    if (!ids)
      throw new MediaPeerError(
        'CONFIG_INVALID',
        `${file}, which holds the ids of the videos, is damaged; delete it, and videos get ids made of their names again`,
      );
    return new IdMemory(file, logger, ids);
  }

  /** Id by name. */
  get ids(): ReadonlyMap<string, string> {
    return this.#ids;
  }

  /** Remembers these ids; names that are new are written down. Never rejects. */
  async remember(ids: ReadonlyMap<string, string>): Promise<void> {
    const isNew = [...ids].some(([name, id]) => this.#ids.get(name) !== id);
    if (!isNew) return;
    const gone = [...this.#ids].filter(([name]) => !ids.has(name));
    this.#ids = new Map([...gone, ...ids].slice(-MAX_NAMES));
    if (!this.#isWritable) return;
    const scratch = `${this.#file}.${process.pid}`;
    try {
      await writeFile(scratch, `${JSON.stringify({ ids: Object.fromEntries(this.#ids) }, undefined, 1)}\n`);
      await rename(scratch, this.#file);
    } catch (error) {
      this.#isWritable = false;
      this.#logger.warn(
        { err: error },
        'ids of videos cannot be written to the upload folder; of names that want the same id, another one may have it after a restart',
      );
    }
  }
}

function parse(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const { ids } = JSON.parse(text) as { readonly ids?: unknown };
    if (typeof ids !== 'object' || ids === null) return undefined;
    const entries = Object.entries(ids as Readonly<Record<string, unknown>>);
    const isSound =
      entries.every(([, id]) => typeof id === 'string' && ID.test(id)) && new Set(entries.map(([, id]) => id)).size === entries.length;
    return isSound ? new Map(entries as [string, string][]) : undefined;
  } catch {
    return undefined; // not JSON
  }
}
