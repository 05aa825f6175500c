/**
 * Videos that clients send into the upload folder. What has come is in a hidden part, so that it can be continued after anything
 * that interrupted it; only what is complete, and has been looked into and can be played, gets its name, all at once, and is listed.
 */
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Timer } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { identityOf } from '../../base/file-identity.js';
import { capacityReached, serverClosing } from '../../base/refusals.js';
import type { FfmpegDeps } from '../../ffmpeg/index.js';
import { describeContent } from '../delivery.js';
import type { FileDescription } from '../description.js';
import type { SourceLibrary } from '../file/library.js';
import { diskSpace, throwIfFull, type DiskSpace } from './disk-space.js';
import { Looks } from './looks.js';
import { Parts, type Part } from './parts.js';
import { checkExpectation, place, placedFile, tagOf, type Expectation, type PlacedFile } from './place.js';
import { receive } from './receive.js';
import { alreadyRunning, diskFull, isFull, moreThanAnnounced, notWritten, tooLarge, uploadNotFound, wrongOffset } from './refusals.js';
import { checkUploadName } from './upload-name.js';

/** What uploads are bounded by, and where they go. */
export interface UploadsInit extends FfmpegDeps {
  /** Absolute path of a folder that exists. */
  readonly uploadDir: string;
  /** Lists what is complete. */
  readonly library: Pick<SourceLibrary, 'adopt' | 'refresh'>;
  /** Most bytes of one upload. */
  readonly maxBytes: number;
  /** How long a part is kept that does not grow. Default one day, in ms. */
  readonly keepMs?: number;
  /** The disk of a folder. Default: as the system says. */
  readonly spaceOf?: (folder: string) => Promise<DiskSpace>;
}

/** Some bytes of an upload. */
export interface UploadRequest {
  /** Name of the file. */
  readonly name: string;
  /** Where the bytes begin; undefined: where those end that there are. */
  readonly firstByte: number | undefined;
  /** Length of the whole file; undefined: what comes is the rest of it. */
  readonly totalBytes: number | undefined;
  /** Bytes that come now; undefined: all that are lacking. */
  readonly lengthBytes: number | undefined;
  /** What the file is that this replaces; undefined: there must be none. */
  readonly expected: Expectation;
  /** Gives the bytes; called once nothing speaks against them. Undefined: there are none. */
  readonly openBody: () => Readable | undefined;
}

/** What became of it. */
export type UploadResult =
  | { readonly isComplete: false; readonly receivedBytes: number; readonly totalBytes: number }
  | {
      readonly isComplete: true;
      readonly isNew: boolean;
      readonly tag: string;
      readonly sizeBytes: number;
      /** As it is listed; undefined where somebody has removed it already. */
      readonly file: FileDescription | undefined;
    };

/** What there is of a file. */
export interface UploadStatus {
  /** What has come, in bytes. */
  readonly receivedBytes: number;
  /** Length of the whole file; undefined where its client has not said. */
  readonly totalBytes: number | undefined;
  /** False while some of it is to come. */
  readonly isComplete: boolean;
  /** Of the file that is listed; undefined: there is none. */
  readonly tag: string | undefined;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Each holds a file open, and writes. */
const MAX_RUNNING = 8;

interface Running {
  readonly ending: AbortController;
  /** What is still to come, in bytes. */
  expectedBytes: number;
  done: Promise<unknown>;
}

/** Uploads into one folder. */
export class Uploads {
  readonly #init: UploadsInit;
  readonly #parts: Parts;
  readonly #running = new Map<string, Running>();
  readonly #cleaning: Timer;
  readonly #looks: Looks;
  #cleaned: Promise<void>;
  #isClosed = false;

  constructor(init: UploadsInit) {
    this.#init = init;
    this.#parts = new Parts(init.uploadDir);
    this.#looks = new Looks(init);
    this.#cleaned = this.#removeStale();
    this.#cleaning = init.clock.every(HOUR_MS, () => {
      this.#cleaned = this.#removeStale();
    });
  }

  /**
   * Takes bytes of an upload. With the last one it is looked into, and listed. What has come before it ends for any reason but a full
   * disk stays for a day.
   * @throws MediaPeerError QUERY_INVALID, UPLOAD_EXISTS, PRECONDITION_FAILED, UPLOAD_RUNNING, UPLOAD_OFFSET, UPLOAD_TOO_LARGE,
   *   UPLOAD_NOT_PLAYABLE, DISK_FULL, CAPACITY_REACHED, CONFIG_INVALID; whatever ended the body
   */
  async put(request: UploadRequest): Promise<UploadResult> {
    const { name } = request;
    checkUploadName(name);
    if (this.#isClosed) throw serverClosing();
    if (this.#running.has(name)) throw alreadyRunning(name);
    if (this.#running.size >= MAX_RUNNING) throw capacityReached(`${MAX_RUNNING} uploads run already`);
    return this.#alone(name, (running) => this.#take(request, running));
  }

  /** What there is of a file. @throws MediaPeerError UPLOAD_NOT_FOUND, QUERY_INVALID, UPLOAD_EXISTS for what is no file */
  async status(name: string): Promise<UploadStatus> {
    checkUploadName(name);
    const [part, there] = [await this.#parts.find(name), await placedFile(this.#fileOf(name))];
    if (part) return { receivedBytes: part.receivedBytes, totalBytes: part.totalBytes, isComplete: false, tag: there?.tag };
    if (!there) throw uploadNotFound(name);
    return { receivedBytes: there.sizeBytes, totalBytes: there.sizeBytes, isComplete: true, tag: there.tag };
  }

  /**
   * Removes a file, and what is on its way of one of that name; whoever watches it is told that it is gone.
   * @param expected which file that is; undefined: any
   * @throws MediaPeerError UPLOAD_NOT_FOUND, QUERY_INVALID, PRECONDITION_FAILED, UPLOAD_EXISTS for what is no file, CONFIG_INVALID
   */
  async remove(name: string, expected: Expectation): Promise<void> {
    checkUploadName(name);
    // One that is refused ends nothing.
    await this.#meant(name, expected);
    let isRunning = false;
    for (let running = this.#running.get(name); running; running = this.#running.get(name)) {
      isRunning = true;
      running.ending.abort(new MediaPeerError('UPLOAD_NOT_FOUND', `'${name}' was deleted while it was being uploaded`));
      await running.done;
    }
    await this.#alone(name, () => this.#remove(name, expected, isRunning));
    await this.#init.library.refresh();
  }

  /** Ends what runs; what has come of it stays. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cleaning.cancel();
    for (const { ending } of this.#running.values()) ending.abort(serverClosing());
    await Promise.all([this.#cleaned, ...[...this.#running.values()].map(({ done }) => done)]);
  }

  /** Nothing else happens to a file of that name meanwhile. */
  #alone<T>(name: string, task: (running: Running) => Promise<T>): Promise<T> {
    const running: Running = { ending: new AbortController(), expectedBytes: 0, done: Promise.resolve() };
    this.#running.set(name, running);
    const done = task(running).finally(() => this.#running.delete(name));
    // Whoever waits for its end need not know how it ended.
    running.done = done.catch(() => undefined);
    return done;
  }

  /** @throws MediaPeerError as `remove` */
  async #remove(name: string, expected: Expectation, wasRunning: boolean): Promise<void> {
    // What ran may have been complete by the time that it was to end: what it has placed is another file.
    const there = await this.#meant(name, expected);
    try {
      const hadPart = await this.#parts.remove(name);
      if (!there && !hadPart && !wasRunning) throw uploadNotFound(name);
      await rm(this.#fileOf(name), { force: true });
    } catch (error) {
      throw notWritten(error);
    }
  }

  /** The file that is there. @throws MediaPeerError PRECONDITION_FAILED where it is not the one that is meant */
  async #meant(name: string, expected: Expectation): Promise<PlacedFile | undefined> {
    const there = await placedFile(this.#fileOf(name));
    if (expected) checkExpectation(name, there, expected);
    return there;
  }

  async #take(request: UploadRequest, running: Running): Promise<UploadResult> {
    const { name, totalBytes, expected } = request;
    const { maxBytes } = this.#init;
    if (totalBytes !== undefined && totalBytes > maxBytes) throw tooLarge(maxBytes);
    const before = await placedFile(this.#fileOf(name));
    checkExpectation(name, before, expected);
    const part = await this.#partFor(request);
    // What it takes the place of is free again with its first byte.
    running.expectedBytes = Math.max(0, (totalBytes ?? part.receivedBytes) - part.receivedBytes - part.replacedBytes);
    await this.#checkSpace(running);
    const received = await this.#receive(request, part, running);
    const receivedBytes = part.receivedBytes + received;
    if (totalBytes !== undefined && receivedBytes < totalBytes) return { isComplete: false, receivedBytes, totalBytes };
    return this.#complete(request, part, running, before === undefined);
  }

  /** Where the bytes go on. @throws MediaPeerError UPLOAD_OFFSET where they do not go on there, CONFIG_INVALID */
  async #partFor({ name, firstByte, totalBytes }: UploadRequest): Promise<Part> {
    try {
      if (firstByte === 0) return await this.#parts.begin(name, totalBytes);
      const part = await this.#parts.find(name);
      if (!part) throw wrongOffset(`there is nothing of '${name}' yet`, 0);
      const { receivedBytes } = part;
      if (part.totalBytes !== undefined && part.totalBytes !== totalBytes)
        throw wrongOffset(`what there is of '${name}' belongs to a file of ${part.totalBytes} bytes, not of ${totalBytes}`, receivedBytes);
      if ((firstByte ?? totalBytes) !== receivedBytes) throw wrongOffset(`of '${name}' there are ${receivedBytes} bytes`, receivedBytes);
      return part;
    } catch (error) {
      throw notWritten(error);
    }
  }

  async #checkSpace({ expectedBytes }: Running): Promise<void> {
    const promisedBytes = [...this.#running.values()].reduce((sum, running) => sum + running.expectedBytes, 0) - expectedBytes;
    throwIfFull(await this.#space(), expectedBytes, promisedBytes);
  }

  #space(): Promise<DiskSpace> {
    const { spaceOf = diskSpace, uploadDir } = this.#init;
    return spaceOf(uploadDir);
  }

  async #receive({ name, totalBytes, lengthBytes, openBody }: UploadRequest, part: Part, running: Running): Promise<number> {
    const { signal } = running.ending;
    const maxBytes = lengthBytes ?? (totalBytes ?? this.#init.maxBytes) - part.receivedBytes;
    const tooMany = () => (lengthBytes === undefined && totalBytes === undefined ? tooLarge(maxBytes) : moreThanAnnounced(maxBytes));
    let hasBegun = part.receivedBytes > 0;
    const onBegun = (): void => {
      hasBegun = true;
      running.expectedBytes += part.replacedBytes;
    };
    try {
      signal.throwIfAborted();
      // What is written takes of what is free.
      const onWritten = (bytes: number): void => void (running.expectedBytes = Math.max(0, running.expectedBytes - bytes));
      return await receive({ part, body: openBody(), maxBytes, tooMany, onBegun, onWritten, signal });
    } catch (error) {
      const isLost = isFull(error) || (error instanceof MediaPeerError && error.code === 'UPLOAD_TOO_LARGE');
      if (isLost && hasBegun) await this.#parts.remove(name);
      if (isFull(error)) throw diskFull((await this.#space()).freeBytes, totalBytes ?? 0, error);
      throw signal.aborted ? signal.reason : notWritten(error);
    } finally {
      running.expectedBytes = 0;
    }
  }

  async #complete({ name, expected }: UploadRequest, part: Part, { ending }: Running, isNew: boolean): Promise<UploadResult> {
    const content = await this.#looks.into(part.file, ending.signal);
    ending.signal.throwIfAborted();
    const { playable, reason } = describeContent(content);
    // What could not be looked into in time is listed, and looked into again.
    if (!playable && content.isUnsettled !== true) {
      await this.#parts.remove(name);
      throw new MediaPeerError('UPLOAD_NOT_PLAYABLE', `'${name}' is no video that can be played: ${reason}; it was not kept`);
    }
    const facts = await stat(part.file);
    const [identity, sizeBytes] = [identityOf(facts), facts.size];
    try {
      await place(part.file, this.#fileOf(name), name, expected);
    } catch (error) {
      throw notWritten(error);
    }
    this.#init.logger.info({ file: name, sizeBytes, isNew }, 'upload complete');
    return { isComplete: true, isNew, tag: tagOf(identity), sizeBytes, file: await this.#init.library.adopt(name, identity, content) };
  }

  /** Never rejects. */
  async #removeStale(): Promise<void> {
    const { clock, keepMs = DAY_MS, logger } = this.#init;
    try {
      const removed = await this.#parts.removeStale(clock.wallClock() - keepMs, new Set(this.#running.keys()));
      if (removed > 0) logger.info({ removed }, 'parts of uploads that nobody went on with are removed');
    } catch (error) {
      logger.warn({ err: error }, 'parts of uploads cannot be looked through');
    }
  }

  #fileOf(name: string): string {
    return path.join(this.#init.uploadDir, name);
  }
}
