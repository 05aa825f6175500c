/**
 * A file of a recording while it is written: each piece, a fragment or lines, by one write, one after the other. A write that fails
 * ends it with what is whole, so a full disk leaves a segment that plays.
 */
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../base/replace-file.js';
import type { DiskSync } from './disk-sync.js';

/** What is used of a file. */
export type WritableFile = Pick<FileHandle, 'write' | 'truncate' | 'datasync' | 'close'>;
/** Opens a file as `fs/promises` does. */
export type OpenFile = (file: string, flags: string, mode: number) => Promise<WritableFile>;

/** Where it is to be, and what it is written with. */
export interface SegmentFileInit {
  /** Absolute path; another one for each attempt, for there may be a file of that name already. */
  readonly place: (attempt: number) => string;
  /** Shared by all files. */
  readonly disk: DiskSync;
  /** Default: that of `fs/promises`. */
  readonly openFile?: OpenFile | undefined;
}

const MAX_ATTEMPTS = 9;

/** One file. */
export class SegmentFile {
  readonly #init: SegmentFileInit;
  #handle: WritableFile | undefined;
  #file: string;
  /** Of what is whole. */
  #bytes = 0;
  #error: Error | undefined;
  #syncing: Promise<void> = Promise.resolve();
  /** One write after another; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(init: SegmentFileInit) {
    this.#init = init;
    this.#file = init.place(1);
  }

  /** Absolute path; certain once something was written. */
  get file(): string {
    return this.#file;
  }

  /** Bytes that are whole. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why it ended early; undefined: it did not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Appends; resolves with where that begins. @throws Error of the system; nothing is taken any more then */
  append(data: Buffer): Promise<number> {
    return this.#inTurn(async () => {
      const offset = this.#bytes;
      await this.#write(data, offset);
      this.#bytes += data.length;
      this.#init.disk.written(this);
      return offset;
    });
  }

  /** Writes over the file's beginning, which is as long. @throws Error of the system */
  rewriteBeginning(data: Buffer): Promise<void> {
    return this.#inTurn(() => this.#write(data, 0));
  }

  /** See `SyncedFile`. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.then(async () => {
      try {
        await this.#handle?.datasync();
      } catch (error) {
        // What the disk lost it will not find again: the file is not written on.
        this.#error ??= errorOf(error);
      }
    });
    return this.#syncing;
  }

  /** Everything is on the disk when this resolves; a file that nothing is in is removed. Never rejects. */
  async close(): Promise<void> {
    await this.#last;
    this.#init.disk.forget(this);
    await this.sync();
    const handle = this.#handle;
    this.#handle = undefined;
    try {
      await handle?.close();
      if (handle && this.#bytes === 0) await rm(this.#file, { force: true });
    } catch (error) {
      this.#error ??= errorOf(error);
    }
  }

  async #write(data: Buffer, at: number): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    try {
      this.#handle ??= await this.#open();
      for (let written = 0; written < data.length;) {
        const { bytesWritten } = await this.#handle.write(data, written, data.length - written, at + written);
        if (bytesWritten === 0) throw Object.assign(new Error('the disk takes no bytes'), { code: 'EIO' });
        written += bytesWritten;
      }
    } catch (error) {
      this.#error = errorOf(error);
      await this.#handle?.truncate(this.#bytes).catch(() => undefined); // whoever reads it ends at the last whole fragment anyway
      throw error;
    }
  }

  async #open(): Promise<WritableFile> {
    const openFile = this.#init.openFile ?? open;
    for (let attempt = 1; ; attempt++) {
      this.#file = this.#init.place(attempt);
      try {
        const folder = path.dirname(this.#file);
        if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(path.dirname(folder));
        const handle = await openFile(this.#file, 'wx', 0o600);
        await syncFolder(folder);
        return handle;
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
        if (!isTaken || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
