/** Segments of recordings, their keyframes, and what is to be kept, in the tables. */
import type { Database, SqlRow, SqlValue, Statement } from './database.js';
import { packGroups, unpackGroups } from './packed-groups.js';
import { joinStretches } from './stretches.js';
import type { FoundGroup, IndexedGroup, IndexedRange, IndexedSegment, RecordedStretch, RecordedTotals } from './recorded-segment.js';

/** Something about recordings to write. */
export type RecordingEntry =
  /** In the place of what was known of it. */
  | { readonly kind: 'segment'; readonly segment: IndexedSegment; readonly groups: readonly IndexedGroup[] }
  | { readonly kind: 'segments-gone'; readonly ids: readonly number[] }
  /** All that is to be kept of a source. */
  | { readonly kind: 'keeps'; readonly sourceId: string; readonly ranges: readonly IndexedRange[] };

/** Which segments; what is left out selects all. */
export interface SegmentQuery {
  /** Of this source alone. */
  readonly sourceId?: string | undefined;
  /** Those that end later, Unix milliseconds. */
  readonly fromMs?: number | undefined;
  /** Those that begin earlier. */
  readonly toMs?: number | undefined;
  /** Those that were being written when the server ended, or all others. */
  readonly isOpen?: boolean | undefined;
  /** At most so many, the oldest first. */
  readonly limit: number;
}

/** A question about recordings. Segments that are being written are in the answers of `segments` alone, where they are asked for. */
export type RecordingQuestion =
  | { readonly kind: 'segments'; readonly query: SegmentQuery }
  | { readonly kind: 'stretches'; readonly sourceId: string; readonly within: IndexedRange }
  | { readonly kind: 'group-before'; readonly sourceId: string; readonly atMs: number }
  /** @param run of this run alone. Default: of any */
  | { readonly kind: 'group-after'; readonly sourceId: string; readonly atMs: number; readonly run?: number | undefined }
  | { readonly kind: 'groups'; readonly sourceId: string; readonly within: IndexedRange; readonly limit: number }
  | { readonly kind: 'recorded-sources' }
  /** The oldest that nobody wants to keep. @param beforeMs only those that end before */
  | { readonly kind: 'oldest-segments'; readonly beforeMs: number | undefined; readonly limit: number }
  | { readonly kind: 'recorded-totals'; readonly sourceId: string | undefined }
  | { readonly kind: 'keeps'; readonly sourceId: string };

/** What each of these questions is answered with. */
export interface RecordingAnswers {
  /** Oldest first. */
  readonly segments: IndexedSegment[];
  /** Oldest first. */
  readonly stretches: RecordedStretch[];
  /** The last one at or before. */
  readonly 'group-before': FoundGroup | undefined;
  /** The first one after. */
  readonly 'group-after': FoundGroup | undefined;
  /** Oldest first. */
  readonly groups: FoundGroup[];
  /** By name. */
  readonly 'recorded-sources': string[];
  /** Oldest first. */
  readonly 'oldest-segments': IndexedSegment[];
  /** Of all sources, or of one. */
  readonly 'recorded-totals': RecordedTotals;
  /** Oldest first; none overlaps another. */
  readonly keeps: IndexedRange[];
}

/** No segment is longer: it is what a look back takes in. */
const MAX_SEGMENT_MS = 3_600_000;
/** Segments that may lie over one another at a time: what one look takes in. */
const OVERLAPPING = 4;
/** Of a row with its indexes, roughly. */
const ROW_BYTES = 300;
const COLUMNS = 'id, source, run, from_ms, to_ms, file, bytes, format, transcoded, open';
const IN_RANGE = 'source = ? AND from_ms < ? AND to_ms > ? AND from_ms > ? AND open = 0';

/** Reads and writes the tables of recordings of one database. */
export class RecordingTables {
  readonly #database: Database;
  readonly #insertSegment: Statement;
  readonly #insertGroups: Statement;
  readonly #removeSegment: Statement;
  readonly #removeGroups: Statement;
  readonly #removeKeeps: Statement;
  readonly #insertKeep: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#insertSegment = database.prepare(`INSERT OR REPLACE INTO segments (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#insertGroups = database.prepare('INSERT OR REPLACE INTO groups (segment, places) VALUES (?, ?)');
    this.#removeSegment = database.prepare('DELETE FROM segments WHERE id = ?');
    this.#removeGroups = database.prepare('DELETE FROM groups WHERE segment = ?');
    this.#removeKeeps = database.prepare('DELETE FROM keeps WHERE source = ?');
    this.#insertKeep = database.prepare('INSERT OR REPLACE INTO keeps (source, from_ms, to_ms) VALUES (?, ?, ?)');
  }

  /** Within a transaction of whoever calls. @throws DatabaseError */
  write(entry: RecordingEntry): void {
    switch (entry.kind) {
      case 'segment':
        return this.#writeSegment(entry.segment, entry.groups);
      case 'segments-gone':
        for (const id of entry.ids) {
          this.#removeSegment.run(id);
          this.#removeGroups.run(id);
        }
        return;
      case 'keeps':
        this.#removeKeeps.run(entry.sourceId);
        for (const { fromMs, toMs } of entry.ranges) this.#insertKeep.run(entry.sourceId, fromMs, toMs);
    }
  }

  /** @throws DatabaseError */
  answer(question: RecordingQuestion): RecordingAnswers[RecordingQuestion['kind']] {
    switch (question.kind) {
      case 'segments':
        return this.#segments(question.query);
      case 'stretches':
        return this.#stretches(question.sourceId, question.within);
      case 'group-before':
        return this.#groupBefore(question.sourceId, question.atMs);
      case 'group-after':
        return this.#groupAfter(question.sourceId, question.atMs, question.run);
      case 'groups':
        return this.#groups(question.sourceId, question.within, question.limit);
      case 'recorded-sources':
        return this.#sources();
      case 'oldest-segments':
        return this.#oldest(question.beforeMs, question.limit);
      case 'recorded-totals':
        return this.#totals(question.sourceId);
      case 'keeps':
        return this.#all('SELECT from_ms, to_ms FROM keeps WHERE source = ? ORDER BY from_ms', question.sourceId).map(rangeOf);
    }
  }

  /** Bytes that recordings take up in the file, roughly. */
  usedBytes(): number {
    const [segments] = this.#all('SELECT count(*) AS n FROM segments');
    const [groups] = this.#all('SELECT sum(length(places)) AS n FROM groups');
    return Number(segments?.n ?? 0) * ROW_BYTES + Number(groups?.n ?? 0);
  }

  #writeSegment(segment: IndexedSegment, groups: readonly IndexedGroup[]): void {
    const { id, sourceId, run, fromMs, toMs, file, bytes, format, isTranscoded, isOpen } = segment;
    this.#insertSegment.run(id, sourceId, run, fromMs, toMs, file, bytes, format, isTranscoded ? 1 : 0, isOpen ? 1 : 0);
    if (groups.length > 0) this.#insertGroups.run(id, packGroups(groups, fromMs));
  }

  #segments({ sourceId, fromMs, toMs, isOpen, limit }: SegmentQuery): IndexedSegment[] {
    const conditions: string[] = [];
    const parameters: SqlValue[] = [];
    const where = (condition: string, ...values: readonly SqlValue[]): void => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (sourceId !== undefined) where('source = ?', sourceId);
    if (fromMs !== undefined) where('to_ms > ? AND from_ms > ?', fromMs, fromMs - MAX_SEGMENT_MS);
    if (toMs !== undefined) where('from_ms < ?', toMs);
    if (isOpen !== undefined) where('open = ?', isOpen ? 1 : 0);
    const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    return this.#all(`SELECT ${COLUMNS} FROM segments ${filter} ORDER BY from_ms, id LIMIT ?`, ...parameters, limit).map(segmentOf);
  }

  #stretches(sourceId: string, within: IndexedRange): RecordedStretch[] {
    const sql = `SELECT run, from_ms, to_ms FROM segments WHERE ${IN_RANGE}`;
    return joinStretches(this.#all(sql, ...inRange(sourceId, within)).map((row) => ({ run: Number(row.run), ...rangeOf(row) })));
  }

  #groupBefore(sourceId: string, atMs: number): FoundGroup | undefined {
    const sql = `SELECT ${COLUMNS} FROM segments WHERE source = ? AND from_ms <= ? AND open = 0 ORDER BY from_ms DESC LIMIT ${OVERLAPPING}`;
    const found = this.#all(sql, sourceId, atMs).flatMap((row) => {
      const segment = segmentOf(row);
      const place = this.#places(segment).findLast((each) => each.atMs <= atMs);
      return place ? [{ segment, place }] : [];
    });
    return found.sort((a, b) => b.place.atMs - a.place.atMs)[0];
  }

  #groupAfter(sourceId: string, atMs: number, run: number | undefined): FoundGroup | undefined {
    const ofRun = run === undefined ? '' : 'AND run = ?';
    const sql = `SELECT ${COLUMNS} FROM segments WHERE source = ? AND to_ms > ? AND from_ms > ? AND open = 0 ${ofRun} ORDER BY from_ms LIMIT ${OVERLAPPING}`;
    const found = this.#all(sql, sourceId, atMs, atMs - MAX_SEGMENT_MS, ...(run === undefined ? [] : [run])).flatMap((row) => {
      const segment = segmentOf(row);
      const place = this.#places(segment).find((each) => each.atMs > atMs);
      return place ? [{ segment, place }] : [];
    });
    return found.sort((a, b) => a.place.atMs - b.place.atMs)[0];
  }

  #groups(sourceId: string, within: IndexedRange, limit: number): FoundGroup[] {
    const sql = `SELECT ${COLUMNS} FROM segments WHERE ${IN_RANGE} ORDER BY from_ms, id LIMIT ?`;
    const found: FoundGroup[] = [];
    for (const row of this.#all(sql, ...inRange(sourceId, within), limit)) {
      const segment = segmentOf(row);
      const places = this.#places(segment).filter(({ atMs }) => atMs >= within.fromMs && atMs < within.toMs);
      found.push(...places.map((place) => ({ segment, place })));
      if (found.length >= limit + OVERLAPPING) break;
    }
    return found.sort((a, b) => a.place.atMs - b.place.atMs).slice(0, limit);
  }

  #places({ id, fromMs }: IndexedSegment): IndexedGroup[] {
    const packed = this.#all('SELECT places FROM groups WHERE segment = ?', id)[0]?.places;
    return packed instanceof Uint8Array ? unpackGroups(packed, fromMs) : [];
  }

  /** By name: one step of the index each, however many segments there are. */
  #sources(): string[] {
    const next = this.#database.prepare('SELECT min(source) AS source FROM segments WHERE source > ?');
    const found: string[] = [];
    for (let last = ''; ;) {
      const source = next.all(last)[0]?.source;
      if (typeof source !== 'string') return found;
      found.push((last = source));
    }
  }

  #oldest(beforeMs: number | undefined, limit: number): IndexedSegment[] {
    const isFree = 'NOT EXISTS (SELECT 1 FROM keeps k WHERE k.source = s.source AND k.from_ms < s.to_ms AND k.to_ms > s.from_ms)';
    const sql = `SELECT ${COLUMNS} FROM segments s WHERE open = 0 AND to_ms < ? AND ${isFree} ORDER BY to_ms LIMIT ?`;
    return this.#all(sql, beforeMs ?? Number.MAX_SAFE_INTEGER, limit).map(segmentOf);
  }

  #totals(sourceId: string | undefined): RecordedTotals {
    const [row] = this.#all(
      `SELECT count(*) AS n, sum(bytes) AS bytes, min(from_ms) AS from_ms, max(to_ms) AS to_ms, max(id) AS last
       FROM segments WHERE open = 0 ${sourceId === undefined ? '' : 'AND source = ?'}`,
      ...(sourceId === undefined ? [] : [sourceId]),
    );
    const numberOf = (value: SqlValue | undefined): number | undefined => (typeof value === 'number' ? value : undefined);
    return {
      segments: Number(row?.n ?? 0),
      bytes: Number(row?.bytes ?? 0),
      fromMs: numberOf(row?.from_ms),
      toMs: numberOf(row?.to_ms),
      lastId: Number(row?.last ?? 0),
    };
  }

  #all(sql: string, ...parameters: readonly SqlValue[]): SqlRow[] {
    return this.#database.prepare(sql).all(...parameters);
  }
}

/** For `IN_RANGE`. */
function inRange(sourceId: string, { fromMs, toMs }: IndexedRange): SqlValue[] {
  return [sourceId, toMs, fromMs, fromMs - MAX_SEGMENT_MS];
}

function rangeOf({ from_ms: fromMs, to_ms: toMs }: SqlRow): IndexedRange {
  return { fromMs: Number(fromMs), toMs: Number(toMs) };
}

function segmentOf(row: SqlRow): IndexedSegment {
  return {
    id: Number(row.id),
    sourceId: String(row.source),
    run: Number(row.run),
    ...rangeOf(row),
    file: String(row.file),
    bytes: Number(row.bytes),
    format: String(row.format),
    isTranscoded: Number(row.transcoded) !== 0,
    isOpen: Number(row.open) !== 0,
  };
}
