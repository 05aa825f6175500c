/** What was seen, in the tables. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EventTables } from '../../src/store/event-tables.js';
import type { SeenEntry, SeenHit, SeenObject, SeenQuery, SeenStep } from '../../src/store/seen.js';
import { openStoreFile } from '../../src/store/store-file.js';
import type { Database } from '../../src/store/database.js';

const T = 1_796_061_600_000;
let database: Database;
let tables: EventTables;

beforeEach(() => {
  ({ database } = openStoreFile(undefined));
  tables = new EventTables(database);
});
afterEach(() => database.close());

const write = (...entries: readonly SeenEntry[]): void => tables.write(entries);
function put(id: number, more: Partial<SeenObject> = {}): void {
  const object = {
    id,
    sourceId: 'gate',
    objectId: id,
    label: 'car',
    firstMs: T + id,
    lastMs: T + id + 1000,
    score: 0.8,
    bestMs: T + id,
    visits: [],
  };
  write({ kind: 'seen-object', object: { ...object, ...more } });
}
function find(query: Partial<SeenQuery> = {}): SeenHit[] {
  const all: SeenQuery = { sourceIds: ['gate', 'yard'], within: [{ fromMs: 0, toMs: Infinity }], isDescending: false, limit: 100 };
  return tables.seen.answer({ kind: 'seen', query: { ...all, ...query } }) as SeenHit[];
}
function stepsOf(stepMs: number, toMs: number, fromMs = T): SeenStep[] {
  return tables.seen.answer({ kind: 'seen-steps', sourceId: 'gate', fromMs, toMs, stepMs }) as SeenStep[];
}
const idsOf = (hits: readonly SeenHit[]): number[] => hits.map(({ id }) => id);

describe('the tables of what was seen', () => {
  it('find objects by source, label, time, duration and score', () => {
    put(1);
    put(2, { label: 'person', lastMs: T + 90_000 });
    put(3, { sourceId: 'yard', score: 0.3 });
    assert.deepEqual(idsOf(find()), [1, 2, 3]);
    assert.deepEqual(idsOf(find({ sourceIds: ['yard'] })), [3]);
    assert.deepEqual(idsOf(find({ labels: ['person', 'dog'] })), [2]);
    assert.deepEqual(idsOf(find({ within: [{ fromMs: T + 2, toMs: T + 3 }] })), [2]);
    assert.deepEqual(idsOf(find({ within: [] })), []);
    assert.deepEqual(idsOf(find({ minMs: 60_000 })), [2]);
    assert.deepEqual(idsOf(find({ maxMs: 60_000 })), [1, 3]);
    assert.deepEqual(idsOf(find({ minScore: 0.5 })), [1, 2]);
  });

  it('find persons who were in a zone for longer than a minute, also those who still are', () => {
    const stay = (atMs: number, leftMs: number | undefined) => ({ place: 'dock', direction: undefined, atMs, leftMs });
    put(1, { label: 'person', lastMs: T + 500_000, visits: [stay(T, T + 30_000), stay(T + 100_000, T + 200_000)] });
    put(2, { label: 'person', lastMs: T + 500_000, visits: [stay(T + 50_000, undefined)] });
    put(3, { label: 'car', lastMs: T + 500_000, visits: [stay(T, T + 100_000)] });
    const found = find({ labels: ['person'], zone: 'dock', minMs: 60_000 });
    assert.deepEqual(
      found.map(({ id, visit, atMs }) => [id, visit, atMs]),
      [
        [2, 0, T + 50_000],
        [1, 1, T + 100_000],
      ],
    );
  });

  it('find cars that crossed a line in one direction, in stretches of time', () => {
    const crossing = (direction: 'in' | 'out', atMs: number) => ({ place: 'A', direction, atMs, leftMs: undefined });
    put(1, { visits: [crossing('in', T + 10), crossing('out', T + 20)] });
    put(2, { visits: [crossing('in', T + 5000)] });
    put(3, { visits: [{ place: 'A', direction: undefined, atMs: T + 10, leftMs: undefined }] });
    const within = [
      { fromMs: T, toMs: T + 100 },
      { fromMs: T + 4000, toMs: T + 6000 },
    ];
    assert.deepEqual(idsOf(find({ line: 'A', direction: 'in', within })), [1, 2]);
    assert.deepEqual(idsOf(find({ line: 'A', within: within.slice(0, 1) })), [1, 1]);
    assert.deepEqual(idsOf(find({ zone: 'A' })), [3], 'a zone of the same name is another place');
  });

  it('give pages in which nothing comes twice and nothing is left out, in both orders', () => {
    for (let id = 1; id <= 7; id++) put(id, { firstMs: T });
    for (const isDescending of [false, true]) {
      const seen: number[] = [];
      for (let after: SeenQuery['after']; ;) {
        const page = find({ isDescending, after, limit: 2 });
        seen.push(...idsOf(page));
        after = page.at(-1);
        if (page.length < 2) break;
      }
      assert.deepEqual(seen, isDescending ? [7, 6, 5, 4, 3, 2, 1] : [1, 2, 3, 4, 5, 6, 7]);
    }
  });

  it('look each stretch of time up by itself, however many rows there are beside', () => {
    const visits = [{ place: 'A', direction: 'in', atMs: T, leftMs: undefined } as const];
    for (let id = 1; id <= 3; id++) put(id, { visits: visits.map((each) => ({ ...each, atMs: T + id * 1000 })), firstMs: T + id * 1000 });
    const hours = Array.from({ length: 366 }, (_, day) => ({ fromMs: T - day * 86_400_000, toMs: T - day * 86_400_000 + 2500 }));
    assert.deepEqual(idsOf(find({ within: hours })), [1, 2]);
    assert.deepEqual(idsOf(find({ within: hours, line: 'A', isDescending: true })), [2, 1]);
    assert.deepEqual(idsOf(find({ within: hours, sourceIds: ['gate', 'gate'] })), [1, 2]);
    // What SQLite does, in its own words: no table is gone through from end to end.
    const explained: string[] = [];
    const explaining: Database = {
      ...database,
      prepare: (sql) => {
        if (sql.includes('begun_ms'))
          return {
            run: () => undefined,
            all: (...values) => {
              explained.push(
                ...database
                  .prepare(`EXPLAIN QUERY PLAN ${sql}`)
                  .all(...values)
                  .map(({ detail }) => String(detail)),
              );
              return database.prepare(sql).all(...values);
            },
          };
        return database.prepare(sql);
      },
    };
    const watched = new EventTables(explaining);
    const query: SeenQuery = { sourceIds: ['gate', 'yard'], within: hours, labels: ['car'], isDescending: true, limit: 50 };
    for (const line of [undefined, 'A'])
      assert.equal((watched.seen.answer({ kind: 'seen', query: { ...query, line } }) as SeenHit[]).length, 2);
    assert.ok(
      explained.some((detail) =>
        /SEARCH o USING INDEX objects_by_source_and_first \(source=\? AND first_ms>\? AND first_ms<\?\)/.test(detail),
      ),
      explained.join('\n'),
    );
    assert.ok(
      explained.some((detail) => /SEARCH v USING .*INDEX visits_by_place_and_time \(place=\? AND at_ms>\? AND at_ms<\?\)/.test(detail)),
      explained.join('\n'),
    );
  });

  it('take the newer row of an object in the place of the older', () => {
    const stay = { place: 'dock', direction: undefined, atMs: T, leftMs: undefined };
    put(1, { visits: [stay] });
    put(1, { lastMs: T + 90_000, visits: [{ ...stay, leftMs: T + 80_000 }] });
    assert.deepEqual(
      find({ zone: 'dock' }).map(({ found, object }) => [found?.leftMs, object.lastMs]),
      [[T + 80_000, T + 90_000]],
    );
  });

  it('count different objects by steps, each in every step that it was there', () => {
    put(1, { firstMs: T - 5000, lastMs: T + 2500 });
    put(2, { firstMs: T + 1500, lastMs: T + 1600 });
    put(3, { label: 'person', firstMs: T + 2999, lastMs: T + 60_000 });
    put(4, { sourceId: 'yard', firstMs: T });
    const density = tables.seen.answer({ kind: 'seen-density', sourceId: 'gate', fromMs: T, toMs: T + 4000, stepMs: 1000 });
    assert.deepEqual(
      (density as { step: number; label: string; seen: number }[]).sort((a, b) => a.step - b.step || a.label.localeCompare(b.label)),
      [
        { step: 0, label: 'car', seen: 1 },
        { step: 1, label: 'car', seen: 2 },
        { step: 2, label: 'car', seen: 1 },
        { step: 2, label: 'person', seen: 1 },
        { step: 3, label: 'person', seen: 1 },
      ],
    );
  });

  it('add to a minute that has begun before a restart', () => {
    const minute = (motion: number | undefined, seen: number, most: number) =>
      write({ kind: 'seen-minute', minute: { sourceId: 'gate', atMs: T, motion, byLabel: { car: { seen, most } } } });
    minute(0.5, 2, 2);
    minute(undefined, 3, 1);
    assert.deepEqual(stepsOf(60_000, T + 60_000), [{ step: 0, motion: 0.5, isLookedAt: true, most: { car: 2 } }]);
    assert.equal(database.prepare('SELECT counts FROM minutes').all()[0]?.counts, '{"car":[5,2]}');
  });

  it('tell the motion of the stream where nobody looked', () => {
    const motion = (atMs: number, value: number) => write({ kind: 'seen-motion', sourceId: 'gate', atMs, motion: value });
    motion(T, 0.9);
    motion(T + 60_000, 0.2);
    // Two segments meet in a minute.
    motion(T + 60_000, 0.7);
    motion(T + 60_000, 0.1);
    write({ kind: 'seen-minute', minute: { sourceId: 'gate', atMs: T, motion: 0.25, byLabel: { car: { seen: 1, most: 1 } } } });
    assert.deepEqual(stepsOf(60_000, T + 120_000), [
      { step: 0, motion: 0.25, isLookedAt: true, most: { car: 1 } },
      { step: 1, motion: 0.7, isLookedAt: false, most: {} },
    ]);
    // Steps that are shorter or longer than a minute, and begin somewhere in it.
    const shown = (steps: SeenStep[]) => steps.map(({ step, motion: most }) => [step, most]);
    assert.deepEqual(shown(stepsOf(45_000, T + 120_000)), [
      [0, 0.25],
      [1, 0.7],
      [2, 0.7],
    ]);
    assert.deepEqual(shown(stepsOf(90_000, T + 120_000, T + 30_000)), [[0, 0.7]]);
    // A minute of the detector that comes later does not take that of the stream away.
    motion(T, 0.8);
    assert.equal(database.prepare('SELECT stream_motion AS m FROM minutes ORDER BY minute').all()[0]?.m, 0.9);
  });

  it('forget what was seen last in a stretch, with its visits', () => {
    const visits = [{ place: 'A', direction: 'in', atMs: T, leftMs: undefined } as const];
    put(1, { lastMs: T + 1000, visits });
    put(2, { lastMs: T + 99_000, visits });
    write({ kind: 'seen-minute', minute: { sourceId: 'gate', atMs: T, motion: 0, byLabel: {} } });
    write({ kind: 'forget-seen', sourceId: 'gate', fromMs: T, toMs: T + 60_000 });
    assert.deepEqual(idsOf(find()), [2]);
    assert.deepEqual(idsOf(find({ line: 'A' })), [2]);
    assert.deepEqual(stepsOf(60_000, T + 60_000), []);
    assert.equal(database.prepare('SELECT count(*) AS n FROM visits').all()[0]?.n, 1);
  });

  it('forget what is too old, save what lies in a segment that is kept', () => {
    put(1, { firstMs: T, lastMs: T + 1000 });
    put(2, { firstMs: T + 200_000, lastMs: T + 201_000 });
    database.exec(
      `INSERT INTO segments (id, source, run, from_ms, to_ms, file, bytes, format, transcoded, open)
       VALUES (1, 'gate', 1, ${T}, ${T + 60_000}, 'a.mp4', 1, '{}', 0, 0)`,
    );
    write({ kind: 'sweep-seen', beforeMs: T + 300_000 });
    assert.deepEqual(idsOf(find()), [1]);
    write({ kind: 'sweep-seen', beforeMs: T + 300_000 });
    assert.deepEqual(idsOf(find()), [1]);
  });

  it('hold a day of a busy street in a few megabytes', () => {
    const entries = Array.from({ length: 40_000 }, (_, i): SeenEntry => {
      const firstMs = T + i * 2160;
      const visits = [{ place: 'A', direction: 'in', atMs: firstMs, leftMs: undefined } as const];
      return {
        kind: 'seen-object',
        object: {
          id: i + 1,
          sourceId: 'gate',
          objectId: i,
          label: 'car',
          firstMs,
          lastMs: firstMs + 4000,
          score: 0.8,
          bestMs: firstMs,
          visits,
        },
      };
    });
    write(...entries);
    assert.ok(tables.usedBytes() < 12e6, `${tables.usedBytes()} bytes`);
  });
});
