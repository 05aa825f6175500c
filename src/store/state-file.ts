/**
 * What operators change while the server runs, over restarts: one small JSON file in STATE_DIR, in sections that each belong to
 * whoever keeps something. A change is written whole before it counts, so it is there after a power failure, or was refused.
 */
import { access, constants, mkdir, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { fileIdentity } from '../base/file-identity.js';
import type { Logger } from '../base/logger.js';
import { replaceFile } from '../base/replace-file.js';

/** Where it is. */
export interface StateFileInit {
  /** Absolute path of a folder; made where it is missing. */
  readonly stateDir: string;
  /** True where somebody chose the folder. Else, where it cannot be written, changes end with the server, and a warning says so. */
  readonly isChosen: boolean;
  readonly logger: Logger;
}

/** Sections by name; undefined removes one. */
export type StateChanges = Readonly<Record<string, unknown>>;

const FILE = 'state.json';
const VERSION = 1;
/** More is neither written nor read. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The sections of the file, as they are now. */
export class StateFile {
  readonly #init: StateFileInit;
  readonly #file: string;
  #sections: ReadonlyMap<string, unknown>;
  /** Of the file as this server left it; undefined: it is not there. */
  #identity: string | undefined;
  #isKept = true;
  /** The last of the changes, one after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Reads what is there. A file that is damaged is renamed, and a new one begun.
   * @throws MediaPeerError CONFIG_INVALID where the file cannot be read, or is a later version's
   */
  static async open(init: StateFileInit): Promise<StateFile> {
    const file = path.join(init.stateDir, FILE);
    let text: string | undefined;
    try {
      text = await textOf(file);
    } catch (error) {
      throw new MediaPeerError('CONFIG_INVALID', `STATE_DIR: '${file}' cannot be read (${messageOf(error)}); let the server read it`, {
        cause: error,
      });
    }
    const sections = text === undefined ? new Map<string, unknown>() : parse(text, file);
    if (!sections) await setAside(file, init.logger);
    return new StateFile(init, file, sections ?? new Map(), await fileIdentity(file));
  }

  private constructor(init: StateFileInit, file: string, sections: ReadonlyMap<string, unknown>, identity: string | undefined) {
    this.#init = init;
    this.#file = file;
    this.#sections = sections;
    this.#identity = identity;
  }

  /** A section as it was kept; undefined where there is none. Whoever reads it checks it: a person may have written it. */
  section(name: string): unknown {
    return this.#sections.get(name);
  }

  /** Keeps sections, all or none. @throws MediaPeerError STATE_NOT_KEPT; everything is as it was then */
  update(changes: StateChanges): Promise<void> {
    const result = this.#last.then(() => this.#update(changes));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    await this.#last;
  }

  async #update(changes: StateChanges): Promise<void> {
    const sections = new Map(this.#sections);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) sections.delete(name);
      else sections.set(name, value);
    }
    const text = `${JSON.stringify({ version: VERSION, ...Object.fromEntries(sections) }, null, 2)}\n`;
    if (Buffer.byteLength(text) > MAX_BYTES) {
      const limit = `'${this.#file}' would be larger than ${MAX_BYTES / 1024 ** 2} MiB; remove what is not needed`;
      throw new MediaPeerError('STATE_NOT_KEPT', `nothing was changed: ${limit}`);
    }
    if (this.#isKept) await this.#write(text);
    this.#sections = sections;
  }

  async #write(text: string): Promise<void> {
    const { stateDir, isChosen, logger } = this.#init;
    try {
      await mkdir(stateDir, { recursive: true, mode: 0o700 });
      await access(stateDir, constants.W_OK);
    } catch (error) {
      if (isChosen) throw this.#notKept(error);
      this.#isKept = false;
      logger.warn({ stateDir, reason: messageOf(error) }, 'STATE_DIR cannot be written: what is changed ends with the server');
      return;
    }
    const identity = await fileIdentity(this.#file);
    if (identity !== undefined && identity !== this.#identity) {
      const message = `'${this.#file}' was changed by somebody else; restart the server to take it over, and give each server a STATE_DIR of its own`;
      throw new MediaPeerError('STATE_NOT_KEPT', `nothing was changed: ${message}`);
    }
    try {
      await replaceFile(this.#file, text);
    } catch (error) {
      throw this.#notKept(error);
    }
    this.#identity = await fileIdentity(this.#file);
  }

  #notKept(error: unknown): MediaPeerError {
    const { code } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
    const what = isFull ? 'there is no space left; make room' : `${messageOf(error)}; let the server write it`;
    return new MediaPeerError('STATE_NOT_KEPT', `nothing was changed: STATE_DIR '${this.#init.stateDir}' cannot be written: ${what}`, {
      cause: error,
    });
  }
}

/** Undefined where there is no file. */
async function textOf(file: string): Promise<string | undefined> {
  const facts = await stat(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  });
  // More than this server writes: nothing that could be read.
  return facts && (facts.size > MAX_BYTES ? '' : readFile(file, 'utf8'));
}

/** Undefined where it is damaged. @throws MediaPeerError CONFIG_INVALID for that of a later version */
function parse(text: string, file: string): Map<string, unknown> | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof content !== 'object' || content === null || !('version' in content)) return undefined;
  const { version, ...sections } = content;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) return undefined;
  if (version > VERSION)
    throw new MediaPeerError(
      'CONFIG_INVALID',
      `STATE_DIR: '${file}' is of version ${version}, and this Sightline knows ${VERSION}: run the one that wrote it, or move the file away`,
    );
  return new Map(Object.entries(sections));
}

async function setAside(file: string, logger: Logger): Promise<void> {
  const aside = `${file}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    throw new MediaPeerError('CONFIG_INVALID', `STATE_DIR: '${file}' is damaged and cannot be renamed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  logger.error({ file, aside }, 'what was changed before cannot be read: the file is damaged, it is kept aside and a new one begun');
}
