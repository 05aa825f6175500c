/**
 * The upload folder as a list of sources. Every file is looked into once; what is added, replaced or removed
 * while the server runs is noticed by `fs.watch`, and by a look every few seconds where that says nothing (network
 * folders). Names are ids, never paths: only plain files directly in the folder count, so no name leads out of it.
 */
import { watch, type FSWatcher } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Timer } from '../../base/clock.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import { EndListeners, Listeners, type StopListening } from '../../base/listeners.js';
import type { FfmpegDeps, ProbeResult } from '../../ffmpeg/index.js';
import { describeContent } from '../delivery.js';
import type { FileChange, FileDescription } from '../description.js';
import { examineFile, unplayable } from './examine-file.js';
import { openFileFeed } from './feed.js';
import { IdMemory } from './id-memory.js';
import { assignIds } from './ids.js';
import { RepeatedLooks } from './repeated-looks.js';
import type { Source } from '../source.js';
import { findFiles, type FoundFile } from './upload-folder.js';

/** Which folder is watched, and how often it is looked at. */
export interface LibraryOptions extends FfmpegDeps {
  /** Absolute path; made when it does not exist. */
  readonly uploadDir: string;
  /** Absolute path of a folder whose videos are listed while `uploadDir` has none. Default none. */
  readonly spareDir?: string;
  /** Time between looks at the folder. Default 3000 ms. */
  readonly pollMs?: number;
}

/** What happens in the folder. */
export interface LibraryChange {
  /** `added`: a file has come and has been examined. `replaced`: its content has changed. `removed`: it has gone. */
  readonly kind: 'added' | 'replaced' | 'removed';
  /** As it is now; as it was last, where it has gone. */
  readonly file: FileDescription;
}

/** What is remembered of a file. */
interface Entry {
  readonly found: FoundFile;
  readonly content: ProbeResult;
  readonly description: FileDescription;
  /** For the feeds that play it. */
  readonly ending: EndListeners<FileChange>;
}

const DEFAULT_POLL_MS = 3_000;
/** Copying a file fires many events. */
const DEBOUNCE_MS = 200;
/** A file younger than this may still be written. */
const SETTLE_MS = 2_000;
const SETTLE_RETRY_MS = 500;
const MAX_PROBES = 2;

/** The files of the upload folder as sources. */
export class SourceLibrary {
  /** Resolves when every file that was there at the start has been looked into; never rejects. */
  readonly ready: Promise<void>;
  readonly #options: LibraryOptions;
  readonly #changes: Listeners<LibraryChange>;
  readonly #memory: IdMemory;
  readonly #entries = new Map<string, Entry>();
  /** What is known of files that nobody has listed yet, by their identity. */
  readonly #examined = new Map<string, ProbeResult>();
  readonly #repeated: RepeatedLooks;
  readonly #poll: Timer;
  readonly #fsWatcher: FSWatcher | undefined;
  #soon: Timer | undefined;
  #scanning: Promise<void> | undefined;
  #scanAgain = false;
  #closed = false;

  /**
   * Opens the folder and begins to look into its files; `ready` tells when that is done.
   * @throws MediaPeerError CONFIG_INVALID when the folder, or what is remembered of its ids, cannot be made or read
   */
  static async open(options: LibraryOptions): Promise<SourceLibrary> {
    const { uploadDir } = options;
    try {
      await mkdir(uploadDir, { recursive: true });
      await readdir(uploadDir);
    } catch (error) {
      throw new MediaPeerError(
        'CONFIG_INVALID',
        `UPLOAD_DIR '${uploadDir}' cannot be read: ${messageOf(error)}; make it a folder that the server may read`,
        { cause: error },
      );
    }
    return new SourceLibrary(options, await IdMemory.open(uploadDir, options.logger));
  }

  private constructor(options: LibraryOptions, memory: IdMemory) {
    this.#options = options;
    this.#repeated = new RepeatedLooks(options.clock);
    this.#memory = memory;
    this.#changes = new Listeners(options.logger, 'upload folder');
    this.#fsWatcher = this.#watchFolder();
    this.#poll = options.clock.every(options.pollMs ?? DEFAULT_POLL_MS, () => this.#scanSoon(0));
    this.ready = this.#scan();
  }

  /** Calls `listener` with each file that is added, replaced or removed. Call the returned function to stop listening. */
  onChange(listener: (change: LibraryChange) => void): StopListening {
    return this.#changes.add(listener);
  }

  /** All files, playable or not, by name. */
  list(): FileDescription[] {
    return [...this.#entries.values()].map((entry) => entry.description).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The source of that id; undefined when there is none. */
  get(id: string): FileDescription | undefined {
    return this.list().find((description) => description.id === id);
  }

  /** As `get`, to be played. */
  source(id: string): Source | undefined {
    const file = this.get(id);
    return file && { ...file, kind: 'file', state: 'live', open: (sink, options) => openFileFeed(file, sink, options) };
  }

  /** Looks at the folder now. */
  refresh(): Promise<void> {
    return this.#scan();
  }

  /**
   * Lists a file that has just come into the folder; what is in it is known, so it is not looked into once more.
   * @param identity of the file, as it is now @returns what is listed; undefined where it is gone again
   */
  async adopt(name: string, identity: string, content: ProbeResult): Promise<FileDescription | undefined> {
    this.#examined.set(identity, content);
    try {
      await this.refresh();
    } finally {
      this.#examined.delete(identity);
    }
    return this.#entries.get(name)?.description;
  }

  /** Stops watching. Feeds that run are not touched. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#fsWatcher?.close();
    this.#poll.cancel();
    this.#soon?.cancel();
    await this.#scanning;
  }

  #watchFolder(): FSWatcher | undefined {
    const { uploadDir, logger } = this.#options;
    try {
      const watcher = watch(uploadDir, { persistent: false }, () => this.#scanSoon(DEBOUNCE_MS));
      watcher.on('error', (error) => logger.warn({ err: error }, 'upload folder is no longer watched, only polled'));
      return watcher;
    } catch (error) {
      logger.warn({ err: error }, 'upload folder cannot be watched, only polled');
      return undefined;
    }
  }

  #scanSoon(delayMs: number): void {
    if (this.#closed || this.#soon) return;
    this.#soon = this.#options.clock.after(delayMs, () => {
      this.#soon = undefined;
      // Never rejects.
      void this.#scan();
    });
  }

  /** One look at a time; a look that is asked for meanwhile follows. Never rejects. */
  #scan(): Promise<void> {
    if (this.#scanning) this.#scanAgain = true;
    this.#scanning ??= this.#scanUntilQuiet();
    return this.#scanning;
  }

  async #scanUntilQuiet(): Promise<void> {
    for (let isWanted = true; isWanted; isWanted = this.#takeScanRequest()) {
      try {
        await this.#scanOnce();
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'upload folder cannot be read');
      }
    }
    // In the same turn as the last question whether another look is wanted: none that is asked for is missed.
    this.#scanning = undefined;
  }

  #takeScanRequest(): boolean {
    const isWanted = this.#scanAgain && !this.#closed;
    this.#scanAgain = false;
    return isWanted;
  }

  async #scanOnce(): Promise<void> {
    const found = await this.#findFiles();
    const names = new Set(found.map(({ name }) => name));
    for (const [name, entry] of this.#entries) if (!names.has(name)) this.#remove(entry);
    const ids = assignIds([...names], this.#memory.ids);
    await this.#memory.remember(ids);
    const waiting = found.filter((file) => this.#entries.get(file.name)?.found.identity !== file.identity || this.#repeated.isDue(file));
    const probeNext = async (): Promise<void> => {
      for (let file = waiting.shift(); file && !this.#closed; file = waiting.shift()) await this.#look(file, ids.get(file.name) as string);
    };
    await Promise.all(Array.from({ length: MAX_PROBES }, probeNext));
  }

  async #findFiles(): Promise<FoundFile[]> {
    const { uploadDir, spareDir } = this.#options;
    const found = await findFiles(uploadDir);
    return found.length > 0 || spareDir === undefined ? found : findFiles(spareDir);
  }

  /** Looks into one file and lists it, unless it is still being written. */
  async #look(found: FoundFile, id: string): Promise<void> {
    const { file } = found;
    if (found.problem !== undefined) return this.#put(id, file, found, unplayable(found.problem));
    const content =
      this.#examined.get(found.identity) ??
      (await examineFile(file, found.sizeBytes, this.#options, { timeoutMs: this.#repeated.timeoutMs(found) }));
    if (this.#closed) return;
    const isYoung = this.#options.clock.wallClock() - found.modifiedMs < SETTLE_MS;
    const now = await stat(file).catch(() => undefined);
    if (!now || (isYoung && (content.problem !== undefined || now.size !== found.sizeBytes))) {
      // Gone again, or perhaps still being written; what was listed under this name stays until that is known.
      this.#scanSoon(SETTLE_RETRY_MS);
      return;
    }
    const settled = this.#repeated.settle(found, content);
    const known = this.#entries.get(found.name);
    const isAgain = known?.found.identity === found.identity;
    // Whoever watches is not interrupted by a look that found nothing new, or less.
    const isWorse = settled.isUnsettled === true && settled.problem !== undefined && known?.content.problem === undefined;
    if (isAgain && (isWorse || isDeepStrictEqual(settled, known.content))) return;
    this.#put(id, file, found, settled);
  }

  #put(id: string, file: string, found: FoundFile, content: ProbeResult, transcodeReason?: string): void {
    const before = this.#entries.get(found.name);
    const ending = new EndListeners<FileChange>(this.#options.logger, `file ${found.name}`);
    const description: FileDescription = {
      id,
      name: found.name,
      file,
      sizeBytes: found.sizeBytes,
      ...describeContent(content, transcodeReason),
      watch: {
        onChange: (listener) => ending.onEnded(listener),
        mustTranscode: (reason) => {
          if (this.#entries.get(found.name)?.description === description) this.#put(id, file, found, content, reason);
        },
      },
    };
    this.#entries.set(found.name, { found, content, description, ending });
    const { playable, delivery, reason } = description;
    this.#options.logger.info({ sourceId: description.id, playable, delivery, reason }, before ? 'source replaced' : 'source added');
    this.#changes.tell({ kind: before ? 'replaced' : 'added', file: description });
    before?.ending.end('replaced');
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.found.name);
    this.#repeated.forget(entry.found.name);
    this.#options.logger.info({ sourceId: entry.description.id }, 'source removed');
    this.#changes.tell({ kind: 'removed', file: entry.description });
    entry.ending.end('removed');
  }
}
