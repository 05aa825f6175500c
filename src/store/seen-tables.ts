/** What was seen in recordings, in the tables. */
import type { Database, SqlRow, SqlValue, Statement } from './database.js';
import type {
  LabelDensity,
  SeenAnswers,
  SeenDensity,
  SeenEntry,
  SeenHit,
  SeenMinute,
  SeenObject,
  SeenQuery,
  SeenQuestion,
  SeenStep,
  SeenVisit,
} from './seen.js';

const MINUTE_MS = 60_000;
/** No segment is longer: it is what a look back takes in. */
const MAX_SEGMENT_MS = 3_600_000;
/** Of a row with its indexes, roughly. */
const ROW_BYTES = 110;
/** A tenth of a second of work; the rest goes an hour later. */
const SWEPT_AT_ONCE = 5000;

/** Reads and writes the tables of objects, their visits and minutes. */
export class SeenTables {
  readonly #database: Database;
  readonly #putObject: Statement;
  readonly #clearVisits: Statement;
  readonly #putVisit: Statement;
  readonly #putMinute: Statement;
  readonly #putMotion: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#putObject = database.prepare(
      'INSERT OR REPLACE INTO objects (id, source, object_id, label, first_ms, last_ms, score, best_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#clearVisits = database.prepare('DELETE FROM visits WHERE object = ?');
    this.#putVisit = database.prepare('INSERT INTO visits (object, n, place, direction, at_ms, left_ms) VALUES (?, ?, ?, ?, ?, ?)');
    this.#putMinute = database.prepare(
      'INSERT INTO minutes (source, minute, motion, counts) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (source, minute) DO UPDATE SET motion = excluded.motion, counts = excluded.counts',
    );
    this.#putMotion = database.prepare(
      "INSERT INTO minutes (source, minute, counts, stream_motion) VALUES (?, ?, '{}', ?) " +
        'ON CONFLICT (source, minute) DO UPDATE SET stream_motion = max(coalesce(stream_motion, 0), excluded.stream_motion)',
    );
  }

  /** Inside a transaction. @throws DatabaseError */
  write(entry: SeenEntry): void {
    switch (entry.kind) {
      case 'seen-object':
        return this.#write(entry.object);
      case 'seen-minute':
        return this.#add(entry.minute);
      case 'seen-motion':
        return this.#putMotion.run(entry.sourceId, Math.floor(entry.atMs / MINUTE_MS), entry.motion);
      case 'forget-seen':
        return this.#forget(entry.sourceId, entry.fromMs, entry.toMs);
      case 'sweep-seen':
        return this.#sweep(Math.floor(entry.beforeMs));
    }
  }

  /** Of what is in the file. @throws DatabaseError */
  answer(question: SeenQuestion): SeenAnswers[SeenQuestion['kind']] {
    switch (question.kind) {
      case 'seen':
        return this.#find(question.query);
      case 'seen-steps':
        return this.#steps(question);
      case 'seen-density':
        return this.#density(question);
      case 'seen-labels':
        return this.#labels(question.sourceId, question.fromMs, question.toMs);
      case 'last-seen-id':
        return this.#lastId();
    }
  }

  /** Bytes of these tables, roughly. */
  usedBytes(): number {
    const count = (table: string): number => Number(this.#all(`SELECT count(*) AS n FROM ${table}`)[0]?.n ?? 0);
    return ROW_BYTES * (count('objects') + count('visits') + count('minutes'));
  }

  /** Of the newest object; 0 where there is none. */
  #lastId(): number {
    return Number(this.#all('SELECT max(id) AS id FROM objects')[0]?.id ?? 0);
  }

  /** In the order that was asked for. */
  #find(query: SeenQuery): SeenHit[] {
    const { sql, parameters } = queryOf(query);
    return this.#all(sql, ...parameters).map(hitOf);
  }

  /** A minute counts in each step that it has a moment in. */
  #steps({ sourceId, fromMs, toMs, stepMs }: Extract<SeenQuestion, { readonly kind: 'seen-steps' }>): SeenStep[] {
    const sql = 'SELECT minute, motion, stream_motion, counts FROM minutes WHERE source = ? AND minute >= ? AND minute < ? ORDER BY minute';
    const steps = new Map<number, SeenStep>();
    for (const row of this.#all(sql, sourceId, Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS))) {
      const minute = minuteOf(sourceId, row);
      const streamMotion = typeof row.stream_motion === 'number' ? row.stream_motion : undefined;
      const first = Math.floor(Math.max(0, minute.atMs - fromMs) / stepMs);
      const last = Math.floor((Math.min(minute.atMs + MINUTE_MS, toMs) - 1 - fromMs) / stepMs);
      for (let step = first; step <= last; step++) steps.set(step, withMinute(step, steps.get(step), minute, streamMotion));
    }
    return [...steps.values()];
  }

  /** Grouped by the steps in which objects come and go: most do both in one. */
  #density({ sourceId, fromMs, toMs, stepMs }: Extract<SeenQuestion, { readonly kind: 'seen-density' }>): SeenDensity[] {
    const rows = this.#all(
      'SELECT label, CAST(max(0, first_ms - ?1) / ?2 AS INTEGER) AS first, CAST((min(last_ms, ?3 - 1) - ?1) / ?2 AS INTEGER) AS last, ' +
        'count(*) AS n FROM objects ' +
        'WHERE source = ?4 AND first_ms < ?3 AND last_ms >= ?1 GROUP BY label, first, last',
      ...[Math.floor(fromMs), Math.max(1, Math.round(stepMs)), Math.ceil(toMs), sourceId],
    );
    const sums = new Map<string, SeenDensity>();
    for (const { label: name, first, last, n } of rows) {
      const label = String(name);
      for (let step = Number(first); step <= Number(last); step++) {
        const key = `${step} ${label}`;
        sums.set(key, { step, label, seen: (sums.get(key)?.seen ?? 0) + Number(n) });
      }
    }
    return [...sums.values()];
  }

  /** The labels of objects that were there in a stretch of Unix milliseconds. */
  #labels(sourceId: string, fromMs: number, toMs: number): string[] {
    const sql = 'SELECT DISTINCT label FROM objects WHERE source = ? AND first_ms < ? AND last_ms >= ? LIMIT 100';
    return this.#all(sql, sourceId, toMs, fromMs).map(({ label }) => String(label));
  }

  #write({ id, sourceId, objectId, label, firstMs, lastMs, score, bestMs, visits }: SeenObject): void {
    this.#putObject.run(id, sourceId, objectId, label, Math.round(firstMs), Math.round(lastMs), score, Math.round(bestMs));
    this.#clearVisits.run(id);
    for (const [n, { place, direction, atMs, leftMs }] of visits.entries())
      this.#putVisit.run(id, n, place, direction ?? null, Math.round(atMs), leftMs === undefined ? null : Math.round(leftMs));
  }

  /** A source that starts again within a minute goes on with it. */
  #add({ sourceId, atMs, motion, byLabel }: SeenMinute): void {
    const minute = Math.floor(atMs / MINUTE_MS);
    const [row] = this.#all('SELECT minute, motion, counts FROM minutes WHERE source = ? AND minute = ?', sourceId, minute);
    const before = row && minuteOf(sourceId, row);
    const labels = { ...before?.byLabel };
    for (const [label, { seen, most }] of Object.entries(byLabel)) {
      const known = labels[label] ?? { seen: 0, most: 0 };
      labels[label] = { seen: known.seen + seen, most: Math.max(known.most, most) };
    }
    const counts = JSON.stringify(Object.fromEntries(Object.entries(labels).map(([label, { seen, most }]) => [label, [seen, most]])));
    const motions = [motion, before?.motion].filter((each) => each !== undefined);
    this.#putMinute.run(sourceId, minute, motions.length === 0 ? null : Math.max(...motions), counts);
  }

  #forget(sourceId: string, fromMs: number, toMs: number): void {
    const [from, to] = [Math.floor(fromMs), Math.ceil(toMs)];
    const objects = 'source = ? AND last_ms >= ? AND last_ms < ?';
    this.#run(`DELETE FROM visits WHERE object IN (SELECT id FROM objects WHERE ${objects})`, sourceId, from, to);
    this.#run(`DELETE FROM objects WHERE ${objects}`, sourceId, from, to);
    const minutes = 'DELETE FROM minutes WHERE source = ? AND minute >= ? AND minute < ?';
    this.#run(minutes, sourceId, Math.floor(from / MINUTE_MS), Math.floor(to / MINUTE_MS));
  }

  /** What is to be kept of a recording keeps what was seen in it. */
  #sweep(beforeMs: number): void {
    const isCovered = (column: string, at: string): string =>
      `EXISTS (SELECT 1 FROM segments s WHERE s.source = ${column} AND s.from_ms <= ${at} AND s.from_ms > ${at} - ${MAX_SEGMENT_MS} AND s.to_ms > ${at})`;
    const gone = `SELECT id FROM objects WHERE last_ms < ? AND NOT ${isCovered('objects.source', 'last_ms')} LIMIT ${SWEPT_AT_ONCE}`;
    const ids = this.#all(gone, beforeMs).map(({ id = null }) => id);
    for (const id of ids) {
      this.#clearVisits.run(id);
      this.#run('DELETE FROM objects WHERE id = ?', id);
    }
    const at = `(minute * ${MINUTE_MS} + ${MINUTE_MS - 1})`;
    this.#run(`DELETE FROM minutes WHERE minute < ? AND NOT ${isCovered('minutes.source', at)}`, Math.floor(beforeMs / MINUTE_MS));
  }

  #run(sql: string, ...parameters: readonly SqlValue[]): void {
    this.#database.prepare(sql).run(...parameters);
  }

  #all(sql: string, ...parameters: readonly SqlValue[]): SqlRow[] {
    return this.#database.prepare(sql).all(...parameters);
  }
}

/**
 * Its text and what stands for the question marks. Each stretch of time is looked up by itself: as conditions of one look they would
 * be compared with every row there is, on the thread that those wait for who move in a recording.
 */
function queryOf(query: SeenQuery): { readonly sql: string; readonly parameters: readonly SqlValue[] } {
  const { labels, within, minMs, maxMs, minScore, after, isDescending, limit } = query;
  const sourceIds = [...new Set(query.sourceIds)];
  const place = query.line ?? query.zone;
  if (sourceIds.length === 0 || within.length === 0) return { sql: 'SELECT 1 WHERE 0', parameters: [] };
  const parameters: SqlValue[] = [...within.flatMap(({ fromMs, toMs }) => [Math.ceil(fromMs), Math.ceil(toMs)]), ...sourceIds];
  const conditions: string[] = [];
  const where = (condition: string, ...values: readonly SqlValue[]): void => {
    conditions.push(condition);
    parameters.push(...values);
  };
  const isVisit = place !== undefined;
  const at = isVisit ? 'v.at_ms' : 'o.first_ms';
  const n = isVisit ? 'v.n' : '0';
  where(`${at} >= w.from_ms AND ${at} < w.to_ms`);
  if (isVisit) where('v.place = ? AND o.id = v.object AND o.source IN (SELECT source FROM s)', place);
  else where('o.source = s.source');
  if (isVisit) where(query.line === undefined ? 'v.direction IS NULL' : 'v.direction IS NOT NULL');
  if (query.direction !== undefined) where('v.direction = ?', query.direction);
  if (labels) where(`o.label IN (${marks(labels)})`, ...labels);
  const took = query.zone === undefined ? 'o.last_ms - o.first_ms' : 'coalesce(v.left_ms, o.last_ms) - v.at_ms';
  if (minMs !== undefined) where(`${took} >= ?`, minMs);
  if (maxMs !== undefined) where(`${took} <= ?`, maxMs);
  if (minScore !== undefined) where('o.score >= ?', minScore);
  if (after) where(`(${at}, o.id, ${n}) ${isDescending ? '<' : '>'} (?, ?, ?)`, after.atMs, after.id, after.visit);
  const visit = isVisit ? 'v.place, v.direction, v.at_ms, v.left_ms' : 'NULL AS place, NULL AS direction, NULL AS at_ms, NULL AS left_ms';
  const order = isDescending ? 'DESC' : 'ASC';
  const sql =
    `WITH w (from_ms, to_ms) AS (VALUES ${within.map(() => '(?, ?)').join(', ')}), s (source) AS (VALUES ${sourceIds.map(() => '(?)').join(', ')}) ` +
    `SELECT ${at} AS begun_ms, ${n} AS n, ${visit}, o.id, o.source, o.object_id, o.label, o.first_ms, o.last_ms, o.score, o.best_ms ` +
    // A cross join is carried out in that order.
    `FROM w CROSS JOIN ${isVisit ? 'visits v' : 's'} CROSS JOIN objects o WHERE ${conditions.join(' AND ')} ` +
    `ORDER BY begun_ms ${order}, o.id ${order}, n ${order} LIMIT ?`;
  return { sql, parameters: [...parameters, limit] };
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

function hitOf(row: SqlRow): SeenHit {
  const id = Number(row.id);
  const found: SeenVisit | undefined =
    typeof row.place === 'string'
      ? {
          place: row.place,
          direction: row.direction === 'in' || row.direction === 'out' ? row.direction : undefined,
          atMs: Number(row.at_ms),
          leftMs: typeof row.left_ms === 'number' ? row.left_ms : undefined,
        }
      : undefined;
  return {
    atMs: Number(row.begun_ms),
    id,
    visit: Number(row.n),
    found,
    object: {
      id,
      sourceId: String(row.source),
      objectId: Number(row.object_id),
      label: String(row.label),
      firstMs: Number(row.first_ms),
      lastMs: Number(row.last_ms),
      score: Number(row.score),
      bestMs: Number(row.best_ms),
    },
  };
}

function withMinute(
  step: number,
  known: SeenStep | undefined,
  { motion, byLabel }: SeenMinute,
  streamMotion: number | undefined,
): SeenStep {
  const motions = [known?.motion, motion ?? streamMotion].filter((each) => each !== undefined);
  const most: Record<string, number> = { ...known?.most };
  for (const [label, density] of Object.entries(byLabel)) most[label] = Math.max(most[label] ?? 0, density.most);
  return {
    ...{ step, most, isLookedAt: known?.isLookedAt === true || motion !== undefined },
    motion: motions.length === 0 ? undefined : Math.max(...motions),
  };
}

function minuteOf(sourceId: string, { minute, motion, counts }: SqlRow): SeenMinute {
  const pairs = Object.entries(JSON.parse(String(counts)) as Readonly<Record<string, readonly [number, number]>>);
  const byLabel: Record<string, LabelDensity> = Object.fromEntries(pairs.map(([label, [seen, most]]) => [label, { seen, most }]));
  return { sourceId, atMs: Number(minute) * MINUTE_MS, motion: typeof motion === 'number' ? motion : undefined, byLabel };
}
