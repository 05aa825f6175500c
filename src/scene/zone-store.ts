/**
 * The zones of each source, in files beside the videos: `street.zones.json` for source `street`. Edits by hand are
 * noticed by a look every other second; one that is malformed is told in the log, and what held before still holds.
 */
import { randomUUID } from 'node:crypto';
import { lstat, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { identityOf } from '../base/file-identity.js';
import { sourceNotFound } from '../base/refusals.js';
import { Listeners } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import { parseZones, type PictureFacts } from './validate.js';
import { ZONE_LIMITS, type ZonesJson } from './zones-json.js';

/** Where the files are. */
export interface ZoneStoreInit {
  /** Absolute path of a folder that exists. */
  readonly uploadDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is known of a source's picture; undefined where that is nothing. */
  readonly factsOf: (sourceId: string) => PictureFacts | undefined;
  /** Time between looks at the folder. Default 2000 ms. */
  readonly pollMs?: number;
}

/** Throws where zones are not those that are expected; undefined: there are none. */
type ZonesCheck = (zones: ZonesJson | undefined) => void;

/** A file that has been read. */
interface Entry {
  /** Changes whenever the content may have changed. */
  readonly identity: string;
  /** The last that was well; undefined where none has been. */
  readonly zones: ZonesJson | undefined;
}

const SUFFIX = '.zones.json';
/** As the library makes ids; nothing of it leads out of a folder. */
const SOURCE_ID = /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/;
const DEFAULT_POLL_MS = 2_000;
/** A file younger than this may still be written. */
const SETTLE_MS = 1_000;

/** The zones of all sources. */
export class ZoneStore {
  readonly #init: ZoneStoreInit;
  readonly #entries = new Map<string, Entry>();
  readonly #changes: Listeners<string>;
  readonly #poll: Timer;
  /** The last of the things to do, one after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #isLooking = false;
  #isClosed = false;

  /** Reads what is there. Never rejects: what cannot be read is told in the log. */
  static async open(init: ZoneStoreInit): Promise<ZoneStore> {
    const store = new ZoneStore(init);
    await store.refresh();
    return store;
  }

  private constructor(init: ZoneStoreInit) {
    this.#init = init;
    this.#changes = new Listeners(init.logger, 'zones');
    this.#poll = init.clock.every(init.pollMs ?? DEFAULT_POLL_MS, () => {
      // Never rejects.
      if (!this.#isLooking) void this.refresh();
    });
  }

  /** The zones of a source that are in force. */
  get(sourceId: string): ZonesJson | undefined {
    return this.#entries.get(sourceId)?.zones;
  }

  /** True for a source that has a zones file, well or not. */
  has(sourceId: string): boolean {
    return this.#entries.has(sourceId);
  }

  /** Ids of the sources that have a zones file in force, by name; the source itself may be gone. */
  sources(): string[] {
    return [...this.#entries]
      .filter(([, { zones }]) => zones)
      .map(([sourceId]) => sourceId)
      .sort();
  }

  /** True for a source that is to be watched even while nobody else does. */
  wantsAlways(sourceId: string): boolean {
    return this.get(sourceId)?.always === true;
  }

  /** Calls `listener` whenever the zones of a source have changed. Call the returned function to stop listening. */
  onChange(listener: (sourceId: string) => void): () => void {
    return this.#changes.add(listener);
  }

  /**
   * Checks, writes and puts in force. @param check throws where the zones that are in force by then are not those that are to be replaced
   * @throws MediaPeerError ZONES_INVALID with every fault; SOURCE_NOT_FOUND; CONFIG_INVALID where the folder cannot be written
   */
  put(sourceId: string, value: unknown, check?: ZonesCheck): Promise<ZonesJson> {
    const file = this.#fileOf(sourceId);
    const zones = parseZones(value, this.#init.factsOf(sourceId));
    return this.#inTurn(async () => {
      await this.#checkThoseInForce(sourceId, check);
      await this.#write(file, `${JSON.stringify(zones, null, 2)}\n`);
      this.#set(sourceId, { identity: identityOf(await lstat(file)), zones });
      return zones;
    });
  }

  /**
   * Removes the zones of a source; false where it has none. @param check as that of `put`
   * @throws MediaPeerError SOURCE_NOT_FOUND; CONFIG_INVALID where the folder cannot be written
   */
  delete(sourceId: string, check?: ZonesCheck): Promise<boolean> {
    const file = this.#fileOf(sourceId);
    return this.#inTurn(async () => {
      await this.#checkThoseInForce(sourceId, check);
      const wasThere = this.#entries.has(sourceId);
      await rm(file, { force: true }).catch((error: unknown) => {
        throw notWritable(this.#init.uploadDir, error);
      });
      this.#remove(sourceId);
      return wasThere;
    });
  }

  /** Looks at the folder now. Never rejects. */
  refresh(): Promise<void> {
    this.#isLooking = true;
    return this.#inTurn(() => this.#look())
      .catch((error: unknown) => this.#init.logger.warn({ err: error }, 'zones cannot be read'))
      .finally(() => (this.#isLooking = false));
  }

  /** Stops looking; resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#poll.cancel();
    this.#changes.clear();
    await this.#last;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #checkThoseInForce(sourceId: string, check: ZonesCheck | undefined): Promise<void> {
    if (!check) return;
    // Its file may just have been edited.
    await this.#read(sourceId);
    check(this.get(sourceId));
  }

  #fileOf(sourceId: string): string {
    if (!SOURCE_ID.test(sourceId)) throw sourceNotFound(sourceId);
    return path.join(this.#init.uploadDir, `${sourceId}${SUFFIX}`);
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    const names = (await readdir(this.#init.uploadDir)).filter((name) => name.endsWith(SUFFIX));
    const found = new Set(names.map((name) => name.slice(0, -SUFFIX.length)).filter((sourceId) => SOURCE_ID.test(sourceId)));
    for (const sourceId of [...this.#entries.keys()]) if (!found.has(sourceId)) this.#remove(sourceId);
    for (const sourceId of found) await this.#read(sourceId);
  }

  async #read(sourceId: string): Promise<void> {
    const file = this.#fileOf(sourceId);
    const facts = await lstat(file).catch(() => undefined);
    const before = this.#entries.get(sourceId);
    if (!facts?.isFile() || before?.identity === identityOf(facts)) return;
    try {
      if (facts.size > ZONE_LIMITS.fileBytes)
        throw new Error(`the file has ${facts.size} bytes, more than the ${ZONE_LIMITS.fileBytes} of a zones file`);
      const value: unknown = JSON.parse(await readFile(file, 'utf8'));
      this.#set(sourceId, { identity: identityOf(facts), zones: parseZones(value, this.#init.factsOf(sourceId)) });
      this.#init.logger.info({ sourceId }, 'zones read');
    } catch (error) {
      if (this.#init.clock.wallClock() - facts.mtimeMs < SETTLE_MS) return;
      this.#entries.set(sourceId, { identity: identityOf(facts), zones: before?.zones });
      this.#init.logger.warn(
        { sourceId, file, fault: messageOf(error), inForce: before?.zones ? 'the zones before' : 'none' },
        'zones file cannot be used',
      );
    }
  }

  /** All of it or nothing, also when the power fails. */
  async #write(file: string, text: string): Promise<void> {
    const temporary = path.join(this.#init.uploadDir, `.${randomUUID()}.tmp`);
    try {
      const handle = await open(temporary, 'wx', 0o644);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw notWritable(this.#init.uploadDir, error);
    }
  }

  #set(sourceId: string, entry: Entry): void {
    const before = this.#entries.get(sourceId);
    this.#entries.set(sourceId, entry);
    if (JSON.stringify(before?.zones) !== JSON.stringify(entry.zones)) this.#tell(sourceId);
  }

  #remove(sourceId: string): void {
    const before = this.#entries.get(sourceId);
    this.#entries.delete(sourceId);
    if (before?.zones) this.#tell(sourceId);
  }

  #tell(sourceId: string): void {
    this.#changes.tell(sourceId);
  }
}

function notWritable(uploadDir: string, error: unknown): MediaPeerError {
  return new MediaPeerError(
    'CONFIG_INVALID',
    `zones cannot be stored: UPLOAD_DIR '${uploadDir}' cannot be written (${messageOf(error)}); give the server write access to it`,
    { cause: error },
  );
}
