/**
 * What is to be kept whatever its age, in memory: an answer that it is kept holds from then on, also while the index cannot be
 * written. Nothing is removed of recordings but through here, so no removal and no change of mind can miss one another.
 */
import { MediaPeerError, messageOf } from '../base/errors.js';
import { Lanes } from '../base/lanes.js';
import type { Logger } from '../base/logger.js';
import type { RecordingIndex } from '../store/index.js';
import { readKeptRanges, writeKeptRanges } from './kept-ranges.js';
import type { TimeRange } from './recorded.js';

/** Where it is kept. */
export interface KeepsInit {
  /** To ask the index by, which names only what may go. */
  readonly index: Pick<RecordingIndex, 'ask' | 'putKeeps'>;
  /** Absolute path of the folder of a source. */
  readonly folderOf: (sourceId: string) => string;
  readonly logger: Logger;
}

/** Where nobody can say what is to be kept. */
const EVERYTHING: readonly TimeRange[] = [{ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }];

/** What is to be kept of all sources. */
export class Keeps {
  readonly #init: KeepsInit;
  readonly #kept = new Map<string, readonly TimeRange[]>();
  /** Changes and removals of one source, one after the other. */
  readonly #lanes = new Lanes<string>();

  constructor(init: KeepsInit) {
    this.#init = init;
  }

  /** Of a source, oldest first; all of it where that cannot be read. @throws MediaPeerError STORE_FAILED */
  async of(sourceId: string): Promise<readonly TimeRange[]> {
    return (await this.#known(sourceId)) ?? EVERYTHING;
  }

  /** What lies with the recordings counts, as it is now: for folders that somebody else had. @throws MediaPeerError STORE_FAILED */
  async read(sourceId: string): Promise<void> {
    await this.#lanes.run([sourceId], async () => {
      this.#init.index.putKeeps(sourceId, (await this.#readAgain(sourceId)) ?? EVERYTHING);
    });
  }

  /** Changes it: on disk, in memory, in the index. Resolves with all that is to be kept. @throws MediaPeerError STATE_NOT_KEPT; nothing has changed then */
  change(sourceId: string, next: (kept: readonly TimeRange[]) => readonly TimeRange[]): Promise<readonly TimeRange[]> {
    return this.#lanes.run([sourceId], async () => {
      const { index, folderOf } = this.#init;
      const before = await this.#known(sourceId);
      if (!before) throw unreadable(folderOf(sourceId));
      const kept = next(before);
      await writeKeptRanges(folderOf(sourceId), kept);
      this.#kept.set(sourceId, kept);
      index.putKeeps(sourceId, kept);
      return kept;
    });
  }

  /** Writes it again into a folder that was made anew. @throws MediaPeerError STATE_NOT_KEPT */
  async restore(sourceId: string): Promise<void> {
    await this.#lanes.run([sourceId], async () => {
      const kept = this.#kept.get(sourceId) ?? [];
      if (kept.length > 0) await writeKeptRanges(this.#init.folderOf(sourceId), kept);
    });
  }

  /** Does what must not be done to what is kept: that stays as it is meanwhile. @throws what `work` throws, MediaPeerError STORE_FAILED */
  holding<T>(sourceId: string, work: (kept: readonly TimeRange[]) => Promise<T>): Promise<T> {
    return this.#lanes.run([sourceId], async () => work(await this.of(sourceId)));
  }

  #known(sourceId: string): Promise<readonly TimeRange[] | undefined> {
    const known = this.#kept.get(sourceId);
    return known ? Promise.resolve(known) : this.#readAgain(sourceId);
  }

  /** What the file says, else what is known without it; undefined where it cannot be read: that is tried again. */
  async #readAgain(sourceId: string): Promise<readonly TimeRange[] | undefined> {
    const { index, folderOf, logger } = this.#init;
    const folder = folderOf(sourceId);
    try {
      const kept = (await readKeptRanges(folder)) ?? this.#kept.get(sourceId) ?? (await index.ask({ kind: 'keeps', sourceId }));
      this.#kept.set(sourceId, kept);
      return kept;
    } catch (error) {
      if (error instanceof MediaPeerError) throw error;
      this.#kept.delete(sourceId);
      logger.error(
        { folder, reason: messageOf(error) },
        'what is to be kept of a recording cannot be read: all of it is kept; mend or remove keep.json',
      );
      return undefined;
    }
  }
}

function unreadable(folder: string): MediaPeerError {
  return new MediaPeerError(
    'STATE_NOT_KEPT',
    `nothing was changed: 'keep.json' in '${folder}' cannot be read, so all of it is kept; mend it or remove it`,
  );
}
