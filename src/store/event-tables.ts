/** Events, stills and counts in the tables. */
import type { Database, SqlRow, SqlValue, Statement } from './database.js';
import type { EventType } from '../base/event-types.js';
import { wantedMembers, type EventQuery, type EventStill, type ReadPositions, type StoredEvent } from './event.js';
import { RecordingTables, type RecordingEntry } from './recording-tables.js';
import type { SeenEntry } from './seen.js';
import { SeenTables } from './seen-tables.js';

/** Something to write. */
export type Entry =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'still'; readonly id: number; readonly jpeg: Uint8Array }
  /** Undefined: there is nothing to keep any more. */
  | { readonly kind: 'counts'; readonly sourceId: string; readonly state: string | undefined }
  /** A reader is done with what has happened at a source up to that id. */
  | { readonly kind: 'position'; readonly reader: string; readonly of: Positioned; readonly lastId: number }
  /** There is no such reader any more. */
  | { readonly kind: 'reader-gone'; readonly reader: string }
  /** A text that somebody finds again. */
  | { readonly kind: 'note'; readonly name: string; readonly text: string }
  | RecordingEntry
  | SeenEntry;

/** What a position is of: a source, what is about none, or every source that has no position of its own. */
export type Positioned = { readonly sourceId: string | undefined } | 'others';

/** What was removed because it was too old or too much. */
export interface Removed {
  /** All of them. */
  readonly events: number;
  /** Of those, that a reader was not done with. */
  readonly unread: number;
}

/** In the column of sources, whose names have at least one character and no asterisk. */
const NO_SOURCE = '';
const OTHERS = '*';

/** Reads and writes the tables of one database. */
export class EventTables {
  /** Of the same file. */
  readonly recordings: RecordingTables;
  /** What was seen in recordings. */
  readonly seen: SeenTables;
  readonly #database: Database;
  readonly #insertEvent: Statement;
  readonly #insertStill: Statement;
  readonly #putCounts: Statement;
  readonly #removeCounts: Statement;
  readonly #putPosition: Statement;
  readonly #putNote: Statement;
  readonly #removeEvent: Statement;
  readonly #removeStill: Statement;

  constructor(database: Database) {
    this.seen = new SeenTables(database);
    this.#database = database;
    this.recordings = new RecordingTables(database);
    this.#insertEvent = database.prepare('INSERT OR REPLACE INTO events (id, at_ms, type, source, still, data) VALUES (?, ?, ?, ?, ?, ?)');
    this.#insertStill = database.prepare('INSERT OR REPLACE INTO stills (id, jpeg) VALUES (?, ?)');
    this.#putCounts = database.prepare('INSERT OR REPLACE INTO counts (source, state) VALUES (?, ?)');
    this.#removeCounts = database.prepare('DELETE FROM counts WHERE source = ?');
    this.#putPosition = database.prepare('INSERT OR REPLACE INTO positions (reader, source, last_id) VALUES (?, ?, ?)');
    this.#putNote = database.prepare('INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)');
    this.#removeEvent = database.prepare('DELETE FROM events WHERE id = ?');
    this.#removeStill = database.prepare('DELETE FROM stills WHERE id = ?');
  }

  /** All of them or none. @throws DatabaseError */
  write(entries: readonly Entry[]): void {
    this.#database.transaction(() => {
      for (const entry of entries) this.#write(entry);
    });
  }

  /** Id of the newest event; 0 where there is none. */
  lastId(): number {
    return Number(this.#all('SELECT max(id) AS id FROM events')[0]?.id ?? 0);
  }

  /** In the order that was asked for. */
  query(query: EventQuery): StoredEvent[] {
    const { fromMs, toMs, sourceIds, isOfNoSource = false, types, afterId, isDescending = false, limit } = query;
    const conditions: string[] = [];
    const parameters: SqlValue[] = [];
    const where = (condition: string, ...values: readonly SqlValue[]): void => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (isOfNoSource) where('source IS NULL');
    if (sourceIds) where(`source IN (${marks(sourceIds)})`, ...sourceIds);
    if (types) where(`type IN (${marks(types)})`, ...types);
    for (const [member, wanted] of wantedMembers(query)) where(`data ->> '$.${member}' IN (${marks(wanted)})`, ...wanted);
    if (fromMs !== undefined) where('at_ms >= ?', fromMs);
    if (toMs !== undefined) where('at_ms < ?', toMs);
    if (afterId !== undefined) where(isDescending ? 'id < ?' : 'id > ?', afterId);
    const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const sql = `SELECT id, at_ms, type, source, still, data FROM events ${filter} ORDER BY id ${isDescending ? 'DESC' : 'ASC'} LIMIT ?`;
    return this.#all(sql, ...parameters, limit).map(eventOf);
  }

  /** Of the event of that id: a JPEG; undefined where it has none any more. */
  still(eventId: number): EventStill | undefined {
    const [row] = this.#all('SELECT e.source, s.jpeg FROM events e JOIN stills s ON s.id = e.still WHERE e.id = ?', eventId);
    return row && { sourceId: textOf(row.source), jpeg: row.jpeg as Uint8Array };
  }

  /** The sources that events are of, by name: one step of the index each, however many events there are. */
  sources(): string[] {
    const next = this.#database.prepare('SELECT min(source) AS source FROM events WHERE source > ?');
    const found: string[] = [];
    for (let last = ''; ;) {
      const source = textOf(next.all(last)[0]?.source);
      if (source === undefined) return found;
      found.push((last = source));
    }
  }

  /** What was kept last of each source. */
  counts(): (readonly [sourceId: string, state: string])[] {
    return this.#all('SELECT source, state FROM counts').map(({ source, state }) => [String(source), String(state)]);
  }

  /** How far a reader has come. */
  positions(reader: string): ReadPositions {
    const rows = this.#all('SELECT source, last_id FROM positions WHERE reader = ?', reader);
    const found = new Map(rows.map(({ source, last_id }) => [String(source), Number(last_id)]));
    const others = found.get(OTHERS);
    found.delete(OTHERS);
    return { others, bySource: new Map([...found].map(([source, lastId]) => [source === NO_SOURCE ? undefined : source, lastId])) };
  }

  /** How many events of a source, or about none, there are after that id. */
  countAfter(sourceId: string | undefined, afterId: number): number {
    const [row] = this.#all('SELECT count(*) AS n FROM events WHERE source IS ? AND id > ?', sourceId ?? null, afterId);
    return Number(row?.n ?? 0);
  }

  /** Undefined: there is none of that name. */
  note(name: string): string | undefined {
    return textOf(this.#all('SELECT text FROM notes WHERE name = ?', name)[0]?.text);
  }

  /** Removes the oldest events, and their stills. @param beforeMs only those before; left out: any */
  removeOldest(limit: number, beforeMs?: number): Removed {
    const rows =
      beforeMs === undefined
        ? this.#all('SELECT id, source, still FROM events ORDER BY id LIMIT ?', limit)
        : this.#all('SELECT id, source, still FROM events WHERE at_ms < ? ORDER BY at_ms LIMIT ?', beforeMs, limit);
    if (rows.length === 0) return { events: 0, unread: 0 };
    const isUnread = this.#unread();
    this.#database.transaction(() => {
      for (const { id = null, still = null } of rows) {
        this.#removeEvent.run(id);
        if (still !== null) this.#removeStill.run(still);
      }
    });
    return { events: rows.length, unread: rows.filter(({ id, source }) => isUnread(Number(id), textOf(source) ?? NO_SOURCE)).length };
  }

  /** Bytes that are in use. */
  usedBytes(): number {
    const pragma = (name: string): number => Number(this.#all(`PRAGMA ${name}`)[0]?.[name] ?? 0);
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  /** Gives some of the pages that are free back to the disk. */
  shrink(): void {
    this.#database.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
  }

  #write(entry: Entry): void {
    switch (entry.kind) {
      case 'event': {
        const { id, atMs, type, sourceId, stillId, data } = entry.event;
        return this.#insertEvent.run(id, Math.round(atMs), type, sourceId ?? null, stillId ?? null, JSON.stringify(data));
      }
      case 'still':
        return this.#insertStill.run(entry.id, entry.jpeg);
      case 'counts':
        return entry.state === undefined ? this.#removeCounts.run(entry.sourceId) : this.#putCounts.run(entry.sourceId, entry.state);
      case 'position':
        return this.#putPosition.run(entry.reader, entry.of === 'others' ? OTHERS : (entry.of.sourceId ?? NO_SOURCE), entry.lastId);
      case 'reader-gone':
        return this.#database.prepare('DELETE FROM positions WHERE reader = ?').run(entry.reader);
      case 'note':
        return this.#putNote.run(entry.name, entry.text);
      case 'seen-object':
      case 'seen-minute':
      case 'seen-motion':
      case 'forget-seen':
      case 'sweep-seen':
        return this.seen.write(entry);
      default:
        return this.recordings.write(entry);
    }
  }

  /** Tells of an event whether somebody who reads all of them has not come to it. */
  #unread(): (id: number, source: string) => boolean {
    const readers = new Map<string, Map<string, number>>();
    for (const { reader, source, last_id } of this.#all('SELECT reader, source, last_id FROM positions')) {
      const positions = readers.get(String(reader)) ?? new Map<string, number>();
      readers.set(String(reader), positions.set(String(source), Number(last_id)));
    }
    return (id, source) => [...readers.values()].some((positions) => id > (positions.get(source) ?? positions.get(OTHERS) ?? Infinity));
  }

  #all(sql: string, ...parameters: readonly SqlValue[]): SqlRow[] {
    return this.#database.prepare(sql).all(...parameters);
  }
}

/** A few milliseconds of work. */
const PAGES_AT_ONCE = 256;

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

function textOf(value: SqlValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function eventOf({ id, at_ms: atMs, type, source = null, still, data }: SqlRow): StoredEvent {
  return {
    id: Number(id),
    atMs: Number(atMs),
    type: String(type) as EventType,
    sourceId: textOf(source),
    stillId: typeof still === 'number' ? still : undefined,
    data: JSON.parse(String(data)) as Readonly<Record<string, unknown>>,
  };
}
