/**
 * The folder of recordings while this server has it: nobody else writes there, what the last server left is made whole, what is too
 * old or too much goes, and what others need of the disk stays free.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { endsWithin, type Clock, type Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { FolderBusyError, lockFolder, type FolderLock, type RecordingIndex } from '../store/index.js';
import type { Archive } from './archive.js';
import { FreeSpace } from './free-space.js';
import { isGone } from './is-gone.js';
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
  readonly index: Pick<RecordingIndex, 'ask'>;
  /** What of it is to be kept. */
  readonly keeps: Keeps;
  /** How long recordings are kept, and how much of them. */
  readonly retention: { readonly maxAgeMs: number; readonly maxBytes: number };
  /** What stays free of the disk. */
  readonly minFreeBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It was taken: recordings can be written, where there is space. */
  readonly onTaken: () => void;
  /** There is too little space (true), or enough again. */
  readonly onSpace: (isShort: boolean) => void;
  /** All files were compared with the index. Resolves when everything is done that follows of it. @param beforeMs files that were written by then, UTC */
  readonly onLooked: (report: RebuildReport, beforeMs: number) => Promise<void>;
  /** Bytes that are free of the disk; undefined where nobody can say. Never rejects. Default: as the system says. */
  readonly freeBytes?: () => Promise<number | undefined>;
}

/** A disk that does not answer for so long holds nobody up: the server starts, and records when it does. */
const TAKE_MS = 5_000;
/** What could not be taken is tried again after so long. */
const RETRY_MS = 10_000;

/** The folder of one server. */
export class RecordingFolder {
  readonly #init: RecordingFolderInit;
  readonly #space: FreeSpace;
  readonly #retention: Retention;
  readonly #rebuild: Rebuild;
  #lock: FolderLock | undefined;
  /** It has the folder, and everything in it is whole. */
  #isTaken = false;
  /** Somebody wants it, whether it is there already or not. */
  #isWanted = false;
  #taking: Promise<void> | undefined;
  /** What is under way takes too long. */
  #isHung = false;
  #retry: Timer | undefined;
  #refusal: string | undefined;
  #isBusy = false;
  #isClosed = false;
  /** One look at all files after the other; never rejects. */
  #looking: Promise<void> = Promise.resolve();

  constructor(init: RecordingFolderInit) {
    const { folder, archive, index, keeps, retention, minFreeBytes, clock, logger, onSpace } = init;
    const freeBytes = init.freeBytes ?? (() => freeBytesOf(folder));
    this.#init = init;
    this.#space = new FreeSpace({ minFreeBytes, freeBytes, clock, onChange: onSpace });
    this.#retention = new Retention({ archive, index, keeps, ...retention, removeFiles: removeSegmentFiles, clock, logger });
    this.#rebuild = new Rebuild({ archive, index, keeps, folder, sourceOf: readSourceId, mend: mendSegment, clock, logger });
  }

  /** Recordings can be written into it now. */
  get isWritable(): boolean {
    return this.#isTaken && !this.#space.isShort;
  }

  /** Why another server keeps it from this one, in words; undefined: none does. */
  get busy(): string | undefined {
    return this.#isBusy ? this.#refusal : undefined;
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

  /**
   * Takes it, makes whole what was being written, and begins to look after it. Where that cannot be done it is tried again now and then,
   * and `trouble` says why. Idempotent; never rejects, and resolves within seconds also where the disk does not answer.
   * @param isWanted false: only a folder that is there already
   */
  async take(isWanted = true): Promise<void> {
    if (this.#isTaken || this.#isClosed) return;
    const { clock, folder } = this.#init;
    this.#isWanted ||= isWanted;
    this.#retry?.cancel();
    if (this.#isHung) return;
    this.#taking ??= this.#take().finally(() => {
      this.#taking = undefined;
      this.#isHung = false;
    });
    if (await endsWithin(clock, this.#taking, TAKE_MS)) return;
    this.#isHung = true;
    this.#refuse(`RECORD_DIR: '${folder}' does not answer: nothing can be recorded until its disk, or what it is mounted from, does`);
  }

  /** Compares all files that were written by now with the index, in the background. */
  lookAround(): void {
    const beforeMs = this.#init.clock.wallClock();
    this.#looking = this.#looking.then(() => this.#look(beforeMs));
  }

  /** Gives it back. Whoever writes has ended. A disk that does not answer holds it up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#space.close();
    this.#rebuild.close();
    await Promise.all([this.#taking, this.#looking, this.#retention.close()]);
    this.#lock?.release();
  }

  async #take(): Promise<void> {
    const { folder, logger, onTaken } = this.#init;
    try {
      if (!this.#isWanted && (await isGone(folder))) return;
      // What blocks comes behind what waits: a disk that hangs hangs here.
      await mkdir(folder, { recursive: true, mode: 0o700 });
      this.#lock = lockFolder(folder);
      await this.#space.begin();
      await this.#rebuild.mendOpen();
    } catch (error) {
      this.#lock?.release();
      this.#lock = undefined;
      return this.#refuse(whyRefused(folder, error), error);
    }
    if (this.#isClosed) return;
    if (this.#refusal !== undefined) logger.info({ folder }, 'the folder of recordings can be used again');
    this.#refusal = undefined;
    this.#isBusy = false;
    this.#isTaken = true;
    this.#retention.begin();
    this.lookAround();
    onTaken();
  }

  /** Says so once. @param error undefined: it may still be taken */
  #refuse(why: string, error?: unknown): void {
    const { clock, folder, logger } = this.#init;
    if (why !== this.#refusal) logger.error({ folder, ...(error !== undefined && { err: error }) }, `${why}; it is tried again`);
    this.#refusal = why;
    this.#isBusy = error instanceof FolderBusyError;
    if (error !== undefined && !this.#isClosed) this.#retry = clock.after(RETRY_MS, () => void this.take());
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
