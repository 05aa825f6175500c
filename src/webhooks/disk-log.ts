/**
 * Lines on disk. What has been appended survives the end of this process, however it ends, and a failure of power
 * save for the last second: each line is written at once, and synchronized to the disk once a second. A log that
 * has grown is rewritten beside the old one and takes its place in one step.
 */
import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, Timer } from '../base/clock.js';

const SYNC_MS = 1000;

/** An append-only file of lines that can be rewritten in one step. */
export class DiskLog {
  readonly #file: string;
  readonly #clock: Clock;
  #handle: FileHandle | undefined;
  #sizeBytes = 0;
  #syncing: Timer | undefined;
  /** After a write that failed half of a line may lie in the file: only a rewrite heals that. */
  #isBroken = false;
  /** One write after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  /** The log in `folder`, which is made, and its lines. What follows the last line end was never completely written, and is dropped. */
  static async open(folder: string, clock: Clock): Promise<{ readonly log: DiskLog; readonly lines: string[] }> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, 'queue.jsonl');
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    });
    const log = new DiskLog(file, clock);
    log.#handle = await open(file, 'a', 0o600);
    log.#sizeBytes = Buffer.byteLength(text);
    const lines = text.split('\n');
    const torn = lines.pop();
    if (torn !== '') log.#isBroken = true;
    return { log, lines };
  }

  private constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Size of the file, in bytes. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** True where lines can be appended only after a rewrite. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Appends text that ends with a line end; resolves when it is written. Rejects when it cannot be. */
  append(text: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isBroken) throw new Error('the queue file is incomplete and could not be rewritten');
      try {
        await this.#handle?.appendFile(text);
      } catch (error) {
        this.#isBroken = true;
        throw error;
      }
      this.#sizeBytes += Buffer.byteLength(text);
      this.#syncing ??= this.#clock.after(SYNC_MS, () => {
        this.#syncing = undefined;
        // What the disk refuses now it has refused in `append`, or will.
        void this.#inTurn(() => this.#sync()).catch(() => undefined);
      });
    });
  }

  /** Replaces the whole log by what `textOf` gives when its turn has come. Rejects when it cannot be written; the old one is there then. */
  rewrite(textOf: () => string): Promise<void> {
    return this.#inTurn(async () => {
      const temporary = `${this.#file}.tmp`;
      const text = textOf();
      const handle = await open(temporary, 'w', 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
        await rename(temporary, this.#file);
      } catch (error) {
        await handle.close();
        await rm(temporary, { force: true });
        throw error;
      }
      await this.#handle?.close();
      this.#handle = handle;
      this.#sizeBytes = Buffer.byteLength(text);
      this.#isBroken = false;
    });
  }

  /** Keeps the file as it is for somebody to look at; the next rewrite begins a fresh one. Returns where it is. */
  async setAside(): Promise<string> {
    const aside = this.#file.replace(/\.jsonl$/, '.corrupt.jsonl');
    await this.#inTurn(() => rename(this.#file, aside));
    this.#isBroken = true;
    return aside;
  }

  /** Everything is on the disk when this resolves. */
  async close(): Promise<void> {
    this.#syncing?.cancel();
    await this.#inTurn(async () => {
      await this.#sync().catch(() => undefined);
      await this.#handle?.close();
      this.#handle = undefined;
    });
  }

  async #sync(): Promise<void> {
    await this.#handle?.datasync();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
