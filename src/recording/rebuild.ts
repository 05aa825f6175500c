/**
 * The index as the files have it: what the last server was writing when it ended is made whole, files without a row get one, and
 * rows without a file go. So an index that is lost, or that somebody moved files behind, costs nothing but this look.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { RecordingIndex } from '../store/index.js';
import type { Archive } from './archive.js';
import { isGone } from './is-gone.js';
import type { Keeps } from './keeps.js';
import type { RecordedSegment } from './recorded.js';
import type { ExaminedSegment } from './torn-tail.js';

/** What the look needs. */
export interface RebuildInit {
  /** The segments. */
  readonly archive: Pick<Archive, 'recorded' | 'put' | 'forget' | 'nextId' | 'totals' | 'sources' | 'isBeingWritten'>;
  /** Their rows. */
  readonly index: Pick<RecordingIndex, 'ask'>;
  /** What is to be kept. */
  readonly keeps: Pick<Keeps, 'read'>;
  /** Absolute path of RECORD_DIR. */
  readonly folder: string;
  /** The source that a folder is of; undefined where it is none of ours. Never rejects. */
  readonly sourceOf: (folder: string) => Promise<string | undefined>;
  /** Cuts what is not whole and tells what there is; undefined where that is nothing, and the file was removed. @throws MediaPeerError RECORDING_DAMAGED */
  readonly mend: (file: string) => Promise<ExaminedSegment | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a look has found. */
export interface RebuildReport {
  /** Files that got a row. */
  readonly found: number;
  /** Rows whose files are gone. */
  readonly missing: number;
  /** Files that cannot be read; they are left where they are. */
  readonly damaged: number;
}

const DAY_MS = 86_400_000;
/** No segment is longer. */
const MAX_LENGTH_MS = 3_600_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** Files of one run follow each other so closely, ms. */
const MAX_GAP_MS = 1_000;
/** More of one day nobody has. */
const MAX_SEGMENTS = 50_000;

/** Brings the index in line with the files. */
export class Rebuild {
  readonly #init: RebuildInit;
  readonly #found = { found: 0, missing: 0, damaged: 0 };
  #isClosed = false;

  constructor(init: RebuildInit) {
    this.#init = init;
  }

  /** Makes whole what was being written when the last server ended. Resolves with how many there were. @throws MediaPeerError STORE_FAILED */
  async mendOpen(): Promise<number> {
    const { archive, index } = this.#init;
    const rows = await index.ask({ kind: 'segments', query: { isOpen: true, limit: MAX_SEGMENTS } });
    for (const segment of archive.recorded(rows)) {
      const mended = await this.#mend(segment.file);
      if (mended) archive.put({ ...segment, ...sizeOf(mended), isOpen: false }, mended.groups);
      else if (await isGone(segment.file)) archive.forget([segment]);
      // What cannot be read goes by its age as everything does.
      else archive.put({ ...segment, isOpen: false }, []);
    }
    return rows.length;
  }

  /** Looks through all folders, one file after the other. @param beforeMs files that were written later are left to whoever writes them, UTC @throws MediaPeerError STORE_FAILED */
  async lookAround(beforeMs: number): Promise<RebuildReport> {
    const { archive, folder, sourceOf } = this.#init;
    Object.assign(this.#found, { found: 0, missing: 0, damaged: 0 });
    const onDisk = new Map<string, string>();
    for (const name of await namesIn(folder)) {
      const sourceId = await sourceOf(path.join(folder, name));
      if (sourceId !== undefined) onDisk.set(sourceId, path.join(folder, name));
    }
    for (const sourceId of new Set([...onDisk.keys(), ...(await archive.sources())]))
      await this.#lookAt(sourceId, onDisk.get(sourceId), beforeMs);
    return { ...this.#found };
  }

  /** The look ends soon. */
  close(): void {
    this.#isClosed = true;
  }

  async #lookAt(sourceId: string, folder: string | undefined, beforeMs: number): Promise<void> {
    // Before there is a row that could go for its age.
    if (folder !== undefined) await this.#init.keeps.read(sourceId);
    const { fromMs, toMs } = await this.#init.archive.totals(sourceId);
    const days = new Set(folder === undefined ? [] : (await namesIn(folder)).filter((name) => DAY.test(name)));
    if (fromMs !== undefined && toMs !== undefined)
      for (let atMs = fromMs; dayOf(atMs) <= dayOf(toMs); atMs += DAY_MS) days.add(dayOf(atMs));
    for (const day of [...days].sort()) if (!this.#isClosed) await this.#lookAtDay(sourceId, folder, day, beforeMs);
  }

  async #lookAtDay(sourceId: string, folder: string | undefined, day: string, beforeMs: number): Promise<void> {
    const { archive, index } = this.#init;
    const fromMs = Date.parse(`${day}T00:00:00Z`);
    const files = folder === undefined ? [] : (await namesIn(path.join(folder, day))).filter((name) => name.endsWith('.mp4')).sort();
    const query = { sourceId, fromMs: fromMs - DAY_MS, toMs: fromMs + 2 * DAY_MS, limit: MAX_SEGMENTS };
    const rows = archive.recorded(await index.ask({ kind: 'segments', query }));
    const known = new Set(rows.map(({ file }) => file));
    const present = new Set(folder === undefined ? [] : files.map((name) => path.join(folder, day, name)));
    const unseen = rows.filter(({ file, isOpen }) => !isOpen && path.basename(path.dirname(file)) === day && !present.has(file));
    // A folder that cannot be listed now still has what is in it.
    const gone: RecordedSegment[] = [];
    for (const segment of unseen) if (await isGone(segment.file)) gone.push(segment);
    archive.forget(gone);
    this.#found.missing += gone.length;
    let before: RecordedSegment[] = rows;
    for (const file of present) {
      if (this.#isClosed) return;
      if (known.has(file) || archive.isBeingWritten(file) || (await isYounger(file, beforeMs))) continue;
      const found = await this.#take(sourceId, file, before);
      if (found) before = [...before.slice(-MAX_SEGMENTS), found];
    }
  }

  async #take(sourceId: string, file: string, others: readonly RecordedSegment[]): Promise<RecordedSegment | undefined> {
    const { archive } = this.#init;
    const examined = await this.#mend(file);
    if (!examined) return undefined;
    const facts = sizeOf(examined);
    const neighbour = others.findLast(
      ({ fromMs, toMs }) => Math.abs(facts.fromMs - toMs) <= MAX_GAP_MS || Math.abs(fromMs - facts.toMs) <= MAX_GAP_MS,
    );
    const run = examined.run ?? neighbour?.run ?? archive.nextId();
    const segment: RecordedSegment = {
      ...facts,
      id: archive.nextId(),
      sourceId,
      run,
      file,
      isTranscoded: examined.isTranscoded,
      isOpen: false,
    };
    archive.put(segment, examined.groups);
    this.#found.found++;
    return segment;
  }

  async #mend(file: string): Promise<ExaminedSegment | undefined> {
    try {
      return await this.#init.mend(file);
    } catch (error) {
      this.#found.damaged++;
      this.#init.logger.warn({ file, reason: messageOf(error) }, 'a file of a recording cannot be read; it is left where it is');
      return undefined;
    }
  }
}

/** What of a file may be otherwise than the index has it; a damaged file may say any time. */
export function sizeOf({ fromMs, toMs, bytes, format }: ExaminedSegment): Pick<RecordedSegment, 'fromMs' | 'toMs' | 'bytes' | 'format'> {
  return { fromMs, toMs: Math.min(toMs, fromMs + MAX_LENGTH_MS), bytes, format };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Empty where it is no folder, or nobody may look into it. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function isYounger(file: string, thanMs: number): Promise<boolean> {
  const facts = await stat(file).catch(() => undefined);
  return !facts || facts.mtimeMs >= thanMs;
}
