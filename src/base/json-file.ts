/**
 * A small JSON file of STATE_DIR: versioned, readable by its owner alone, and written whole or not at all, also when the power
 * fails. What somebody else has written meanwhile, such as a second server, is not written over. Whoever keeps one says what its
 * content is.
 */
import { readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { MediaPeerError, messageOf } from './errors.js';
import { fileIdentity, identityOf } from './file-identity.js';
import { replaceFile } from './replace-file.js';

/** Where it is, and what it is. */
export interface JsonFileInit {
  /** Absolute path. */
  readonly file: string;
  /** Of its content; a file of a later one is not read. */
  readonly version: number;
  /** What it holds, for messages: `users`. */
  readonly what: string;
}

/** One file. */
export class JsonFile {
  readonly #init: JsonFileInit;
  /** Of the file as this server has read or left it; undefined: it is not there. */
  #identity: string | undefined;
  /** The last write; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(init: JsonFileInit) {
    this.#init = init;
  }

  /** Its content without the version; undefined where there is no file. @throws MediaPeerError CONFIG_INVALID where it is damaged, or of a later version */
  read(): Readonly<Record<string, unknown>> | undefined {
    const { file, version, what } = this.#init;
    let text: string;
    try {
      this.#identity = identityOf(statSync(file));
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
      throw this.unusable(messageOf(error), error);
    }
    const { version: found, ...content } = objectOf(text) ?? {};
    if (!Number.isInteger(found)) throw this.unusable('it is damaged');
    if ((found as number) > version)
      throw this.unusable(`it has version ${String(found)}, and this server reads ${what} up to version ${version}: use a later one`);
    return content;
  }

  /** Replaces its content. @throws MediaPeerError STATE_NOT_KEPT, also where somebody else has written it; then the file is as it was */
  write(content: object): Promise<void> {
    const result = this.#last.then(() => this.#replace(content));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** CONFIG_INVALID. @param why it cannot be used */
  unusable(why: string, cause?: unknown): MediaPeerError {
    const { file, what } = this.#init;
    return new MediaPeerError('CONFIG_INVALID', `${file}, which holds ${what}, cannot be used: ${why}; repair it, or move it away`, {
      cause,
    });
  }

  async #replace(content: object): Promise<void> {
    const { file, version, what } = this.#init;
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const there = await fileIdentity(file);
      if (there !== undefined && there !== this.#identity) throw new Error(CHANGED);
      await replaceFile(file, `${JSON.stringify({ version, ...content }, undefined, 1)}\n`);
      this.#identity = await fileIdentity(file);
    } catch (error) {
      throw new MediaPeerError('STATE_NOT_KEPT', `${what} cannot be written to STATE_DIR, and nothing has changed: ${messageOf(error)}`, {
        cause: error,
        details: { file },
      });
    }
  }
}

const CHANGED = 'the file was changed by somebody else; restart the server to take it over, and give each server a STATE_DIR of its own';

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined; // not JSON
  }
}
