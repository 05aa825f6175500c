/**
 * The folder of recordings while this server has it: nobody else writes there, what the last server left is made whole, what is too
 * old or too much goes, and what others need of the disk stays free.
 */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { FolderBusyError, lockFolder, type FolderLock, type RecordingIndex } from '../store/index.js';
import type { Archive } from './archive.js';
import { FreeSpace } from './free-space.js';
import type { Keeps } from './keeps.js';
import { readSourceId } from './layout.js';
import { Rebuild, type RebuildReport } from './rebuild.js';
import { removeSegmentFiles } from './remove-files.js';
import { Retention } from './retention.js';
import { mendSegment } from './torn-tail.js';

/** Which folder, and how much of it. */
export interface RecordingFolderInit {
  /** Absolute path. */
  readonly folder: string;
  /** What is in it. */
  readonly archive: Archive;
  /** The rows of that. */
  readonly index: RecordingIndex;
  /** What of it is to be kept. */
  readonly keeps: Keeps;
  /** How long recordings are kept, and how much of them. */
  readonly retention: { readonly maxAgeMs: number; readonly maxBytes: number };
  /** What stays free of the disk. */
  readonly minFreeBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** There is too little space (true), or enough again. */
  readonly onSpace: (isShort: boolean) => void;
  /** All files were compared with the index. Resolves when everything is done that follows of it. @param beforeMs files that were written by then, UTC */
  readonly onLooked: (report: RebuildReport, beforeMs: number) => Promise<void>;
}

/** The folder of one server. */
export class RecordingFolder {
  readonly #init: RecordingFolderInit;
  readonly #space: FreeSpace;
  readonly #retention: Retention;
  readonly #rebuild: Rebuild;
  #lock: FolderLock | undefined;
  #refusal: string | undefined;
  /** One look at all files after the other; never rejects. */
  #looking: Promise<void> = Promise.resolve();

  constructor(init: RecordingFolderInit) {
    const { folder, archive, index, keeps, retention, minFreeBytes, clock, logger, onSpace } = init;
    this.#init = init;
    this.#space = new FreeSpace({ minFreeBytes, freeBytes: () => freeBytesOf(folder), clock, onChange: onSpace });
    this.#retention = new Retention({ archive, index, keeps, ...retention, removeFiles: removeSegmentFiles, clock, logger });
    this.#rebuild = new Rebuild({ archive, index, keeps, folder, sourceOf: readSourceId, mend: mendSegment, clock, logger });
  }

  /** Nobody has made it yet. */
  get isMissing(): boolean {
    return !existsSync(this.#init.folder);
  }

  /** Recordings can be written into it now. */
  get isWritable(): boolean {
    return this.#lock !== undefined && !this.#space.isShort;
  }

  /** Why it cannot be used at all, in words; undefined: it can, or nobody has tried. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Why nothing can be written now, in words. */
  get trouble(): string | undefined {
    const short = `there is too little space in ${this.#init.folder} (RECORD_MIN_FREE): nothing is recorded`;
    return this.#refusal ?? (this.#space.isShort ? short : undefined);
  }

  /** Free bytes of the disk; undefined: not known. */
  get freeBytes(): number | undefined {
    return this.#space.freeBytes;
  }

  /** The disk takes no more. */
  full(): void {
    this.#space.refused();
  }

  /** Takes it, makes whole what was being written, and begins to look after it. Idempotent; never rejects: `refusal` says why it could not. */
  async take(): Promise<void> {
    if (this.#lock) return;
    const { folder, logger } = this.#init;
    try {
      this.#lock = lockFolder(folder);
      this.#refusal = undefined;
      await this.#space.begin();
      await this.#rebuild.mendOpen();
      this.#retention.begin();
      this.lookAround();
    } catch (error) {
      this.#lock?.release();
      this.#lock = undefined;
      this.#refusal = whyRefused(folder, error);
      logger.error({ folder, err: error }, 'nothing can be recorded');
    }
  }

  /** Compares all files that were written by now with the index, in the background. */
  lookAround(): void {
    const beforeMs = this.#init.clock.wallClock();
    this.#looking = this.#looking.then(() => this.#look(beforeMs));
  }

  /** Gives it back. Whoever writes has ended. */
  async close(): Promise<void> {
    this.#space.close();
    this.#rebuild.close();
    await Promise.all([this.#looking, this.#retention.close()]);
    this.#lock?.release();
  }

  async #look(beforeMs: number): Promise<void> {
    const { folder, logger, onLooked } = this.#init;
    try {
      const report = await this.#rebuild.lookAround(beforeMs);
      if (report.missing > 0) logger.warn({ folder, ...report }, 'files of recordings are gone: the index has forgotten them');
      if (report.found > 0) logger.warn({ folder, ...report }, 'recordings were not in the index, which was made anew from their files');
      await onLooked(report, beforeMs);
    } catch (error) {
      logger.error({ folder, err: error }, 'the index of recordings could not be compared with their files');
    }
  }
}

async function freeBytesOf(folder: string): Promise<number | undefined> {
  const facts = await statfs(folder).catch(() => undefined);
  return facts && facts.bavail * facts.bsize;
}

function whyRefused(folder: string, error: unknown): string {
  return error instanceof FolderBusyError
    ? `RECORD_DIR: '${folder}' is in use by another server; give each one a folder of its own`
    : `RECORD_DIR: '${folder}' cannot be used (${messageOf(error)}); name a folder that the server may write`;
}
