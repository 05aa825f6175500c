/** Events, stills and counts in the tables. */
import type { Database, SqlRow, SqlValue, Statement } from './database.js';
import type { EventQuery, EventStill, EventType, StoredEvent } from './event.js';

/** Something to write. */
export type Entry =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'still'; readonly id: number; readonly jpeg: Uint8Array }
  /** Undefined: there is nothing to keep any more. */
  | { readonly kind: 'counts'; readonly sourceId: string; readonly state: string | undefined };

/** Reads and writes the tables of one database. */
export class EventTables {
  readonly #database: Database;
  readonly #insertEvent: Statement;
  readonly #insertStill: Statement;
  readonly #putCounts: Statement;
  readonly #removeCounts: Statement;
  readonly #removeEvent: Statement;
  readonly #removeStill: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#insertEvent = database.prepare('INSERT OR REPLACE INTO events (id, at_ms, type, source, still, data) VALUES (?, ?, ?, ?, ?, ?)');
    this.#insertStill = database.prepare('INSERT OR REPLACE INTO stills (id, jpeg) VALUES (?, ?)');
    this.#putCounts = database.prepare('INSERT OR REPLACE INTO counts (source, state) VALUES (?, ?)');
    this.#removeCounts = database.prepare('DELETE FROM counts WHERE source = ?');
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
  query({ fromMs, toMs, sourceIds, types, afterId, isDescending = false, limit }: EventQuery): StoredEvent[] {
    const conditions: string[] = [];
    const parameters: SqlValue[] = [];
    const where = (condition: string, ...values: readonly SqlValue[]): void => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (sourceIds) where(`source IN (${marks(sourceIds)})`, ...sourceIds);
    if (types) where(`type IN (${marks(types)})`, ...types);
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

  /** Removes the oldest events, and their stills; how many there were. @param beforeMs only those before; left out: any */
  removeOldest(limit: number, beforeMs?: number): number {
    const rows =
      beforeMs === undefined
        ? this.#all('SELECT id, still FROM events ORDER BY id LIMIT ?', limit)
        : this.#all('SELECT id, still FROM events WHERE at_ms < ? ORDER BY at_ms LIMIT ?', beforeMs, limit);
    if (rows.length > 0) {
      this.#database.transaction(() => {
        for (const { id = null, still = null } of rows) {
          this.#removeEvent.run(id);
          if (still !== null) this.#removeStill.run(still);
        }
      });
    }
    return rows.length;
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
    }
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
