/**
 * Uploads that are not complete, in a hidden folder inside the upload folder: never listed, on the same disk, and nothing that is
 * written there wakes the library. All that is known of one stands in the name of its file, so that it can be continued after a
 * restart: a hash of its name, and how long it is to become.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** One upload that is not complete. */
export interface Part {
  /** Absolute path. */
  readonly file: string;
  /** What of it is on the disk, in bytes. */
  readonly receivedBytes: number;
  /** What it is to become, in bytes; undefined where its client has not said. */
  readonly totalBytes: number | undefined;
  /** Absolute paths of what it takes the place of once something of it is there; one may be its own. */
  readonly replaced: readonly string[];
  /** What those hold, in bytes. */
  readonly replacedBytes: number;
}

const FOLDER = '.uploads';
const NAME = /^([0-9a-f]{32})-(\d+|unknown)(?:\.[A-Za-z0-9]{1,12})?$/;

/** The parts of all uploads. */
export class Parts {
  readonly #folder: string;

  /** @param uploadDir absolute path */
  constructor(uploadDir: string) {
    this.#folder = path.join(uploadDir, FOLDER);
  }

  /** What there is of an upload; undefined: nothing. */
  async find(name: string): Promise<Part | undefined> {
    return (await this.#all(name))[0];
  }

  /** Begins anew; the caller makes the file, in place of what it `replaced`. */
  async begin(name: string, totalBytes: number | undefined): Promise<Part> {
    const before = await this.#all(name);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    // ffmpeg recognises some formats by the end of the name alone.
    const [extension = ''] = /\.[A-Za-z0-9]{1,12}$/.exec(name) ?? [];
    const file = path.join(this.#folder, `${keyOf(name)}-${totalBytes ?? 'unknown'}${extension}`);
    const replacedBytes = before.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    return { file, receivedBytes: 0, totalBytes, replaced: before.map((part) => part.file), replacedBytes };
  }

  /** Removes what there is of an upload; false where there is nothing. */
  async remove(name: string): Promise<boolean> {
    const key = keyOf(name);
    const found = (await this.#entries()).filter((entry) => entry.startsWith(`${key}-`));
    for (const entry of found) await rm(path.join(this.#folder, entry), { force: true });
    return found.length > 0;
  }

  /** Removes those that have not grown since then, apart from some; says how many. @param sinceMs Unix time in milliseconds */
  async removeStale(sinceMs: number, kept: ReadonlySet<string>): Promise<number> {
    const keptKeys = new Set([...kept].map(keyOf));
    let removed = 0;
    for (const entry of await this.#entries()) {
      const [, key = ''] = NAME.exec(entry) ?? [];
      const file = path.join(this.#folder, entry);
      const facts = key === '' || keptKeys.has(key) ? undefined : await stat(file).catch(() => undefined);
      if (!facts || facts.mtimeMs >= sinceMs) continue;
      await rm(file, { force: true });
      removed++;
    }
    return removed;
  }

  async #all(name: string): Promise<Part[]> {
    const key = keyOf(name);
    const parts: Part[] = [];
    for (const entry of await this.#entries()) {
      const [, found, total] = NAME.exec(entry) ?? [];
      const file = path.join(this.#folder, entry);
      const facts = found === key ? await stat(file).catch(() => undefined) : undefined;
      if (!facts) continue;
      const totalBytes = total === 'unknown' ? undefined : Number(total);
      parts.push({ file, receivedBytes: facts.size, totalBytes, replaced: [], replacedBytes: 0 });
    }
    return parts;
  }

  #entries(): Promise<string[]> {
    return readdir(this.#folder).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    });
  }
}

function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}
