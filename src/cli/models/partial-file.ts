/**
 * A download that is not complete: its bytes, and beside them where they came from, so that another run can go on
 * with them. Hidden files in the models folder: `.yolox_nano.onnx.part` and `.yolox_nano.onnx.part.json`.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { diskTrouble } from '../errors.js';

/** Where the bytes came from. */
interface Origin {
  readonly url: string;
  /** ETag or date of the file they belong to. */
  readonly validator: string;
}

/** One unfinished download. */
export class PartialFile {
  readonly #file: string;
  readonly #part: string;
  readonly #originFile: string;
  #handle: FileHandle | undefined;
  #hash: Hash = createHash('sha256');
  #bytes = 0;
  #validator: string | undefined;

  /** @param file the path of the complete file. */
  constructor(file: string) {
    this.#file = file;
    this.#part = path.join(path.dirname(file), `.${path.basename(file)}.part`);
    this.#originFile = `${this.#part}.json`;
  }

  /** Bytes that are there. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What to send as If-Range to get the rest; undefined where the server told nothing that would do. */
  get validator(): string | undefined {
    return this.#validator;
  }

  /** Of the bytes that are there. */
  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Takes up what an earlier run left of the same address, if anything. */
  async resume(url: string, maxBytes: number): Promise<void> {
    const origin = await this.#readOrigin();
    const left = await stat(this.#part).then(
      ({ size }) => size,
      () => 0,
    );
    if (origin?.url !== url || left === 0 || left > maxBytes) return;
    await this.#attempt(async () => {
      for await (const chunk of createReadStream(this.#part)) this.#hash.update(chunk as Buffer);
      this.#handle = await open(this.#part, 'r+');
    });
    this.#bytes = left;
    this.#validator = origin.validator;
  }

  /** Makes it ready for bytes from the begin on, and remembers where they come from. */
  async restart(url: string, validator: string | undefined): Promise<void> {
    this.#hash = createHash('sha256');
    this.#bytes = 0;
    this.#validator = validator;
    await this.#attempt(async () => {
      await this.#handle?.close();
      this.#handle = await open(this.#part, 'w');
      // Without one, two halves could be of two files: the next run starts again.
      if (validator === undefined) await rm(this.#originFile, { force: true });
      else await writeFile(this.#originFile, JSON.stringify({ url, validator } satisfies Origin));
    });
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#attempt(async () => {
      let written = 0;
      while (written < chunk.length)
        written += (await this.#handle?.write(chunk, written, chunk.length - written, this.#bytes + written))?.bytesWritten ?? Infinity;
    });
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Puts the complete file in its place, in one step. */
  async complete(): Promise<void> {
    await this.#attempt(async () => {
      await this.#handle?.sync();
      await this.close();
      await rename(this.#part, this.#file);
      await rm(this.#originFile, { force: true });
    });
  }

  /** Removes it. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.#part, { force: true });
    await rm(this.#originFile, { force: true });
  }

  /** Leaves it for another run. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #readOrigin(): Promise<Origin | undefined> {
    try {
      const { url, validator } = JSON.parse(await readFile(this.#originFile, 'utf8')) as Partial<Origin>;
      return typeof url === 'string' && typeof validator === 'string' ? { url, validator } : undefined;
    } catch {
      // Absent or damaged: as good as no earlier run.
      return undefined;
    }
  }

  async #attempt(job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      throw diskTrouble(error, this.#file);
    }
  }
}

/** The sha256 of a file, read piece by piece. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
