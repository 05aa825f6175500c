/** What the store asks of a database, of each that can stand behind it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { DatabaseError, type Database, type DatabaseFault } from '../../src/store/database.js';
import { EventTables } from '../../src/store/event-tables.js';
import { openLibsql } from '../../src/store/libsql.js';
import { migrate, NewerSchemaError } from '../../src/store/schema.js';
import { eventAt } from './events-rig.js';
import { nodeSqlite } from './node-sqlite.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-database-'));
after(() => rmSync(folder, { recursive: true }));

const fault =
  (expected: DatabaseFault) =>
  (error: unknown): boolean =>
    error instanceof DatabaseError && error.fault === expected;

const node = await nodeSqlite();
const databases: readonly (readonly [name: string, open: ((file: string) => Database) | undefined])[] = [
  ['libsql', openLibsql],
  ['node:sqlite', node],
];

for (const [name, open] of databases) {
  describe(`the store's database on ${name}`, { skip: open ? false : `Node ${process.version} has no node:sqlite` }, () => {
    let files = 0;
    const fileOf = (): string => path.join(folder, `${name.replace(':', '-')}-${++files}.db`);
    const opened = (file = ':memory:'): Database => (open ?? openLibsql)(file);

    it('gives back what a column holds', () => {
      const database = opened();
      database.exec('CREATE TABLE t (a, b, c, d)');
      database.prepare('INSERT INTO t VALUES (?, ?, ?, ?)').run('é\n', 1_795_266_357_344_000, null, new Uint8Array([0, 255]));
      const [row] = database.prepare('SELECT * FROM t').all();
      assert.deepEqual({ ...row }, { a: 'é\n', b: 1_795_266_357_344_000, c: null, d: new Uint8Array([0, 255]) });
      database.close();
    });

    it('refuses a value that no column can hold, and goes on', () => {
      const database = opened();
      database.exec('CREATE TABLE t (a)');
      const insert = database.prepare('INSERT INTO t VALUES (?)');
      // Node's own takes truth values from 24 on; libsql would end the process.
      for (const value of [undefined, Symbol('x'), ...(name === 'libsql' ? [true, [1]] : [])])
        assert.throws(() => insert.run(value as never), TypeError);
      insert.run(1);
      assert.equal(database.prepare('SELECT * FROM t').all().length, 1);
      database.close();
    });

    it('undoes a transaction that throws', () => {
      const database = opened();
      database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)');
      const insert = database.prepare('INSERT INTO t VALUES (?)');
      insert.run(1);
      assert.throws(
        () =>
          database.transaction(() => {
            insert.run(2);
            insert.run(1);
          }),
        fault('failed'),
      );
      assert.equal(
        database.transaction(() => 'done'),
        'done',
      );
      assert.deepEqual(
        database
          .prepare('SELECT a FROM t')
          .all()
          .map(({ a }) => a),
        [1],
      );
      database.close();
    });

    it('says that the disk is full, and keeps what was there', () => {
      const database = opened(fileOf());
      database.exec('CREATE TABLE t (a)');
      database.exec('PRAGMA max_page_count = 4');
      const insert = database.prepare('INSERT INTO t VALUES (?)');
      insert.run('kept');
      assert.throws(() => database.transaction(() => insert.run('x'.repeat(100_000))), fault('full'));
      assert.deepEqual(
        database
          .prepare('SELECT a FROM t')
          .all()
          .map(({ a }) => a),
        ['kept'],
      );
      database.close();
    });

    it('says that a file is no database', () => {
      const file = fileOf();
      writeFileSync(file, Buffer.alloc(8192, 7));
      assert.throws(() => {
        const database = opened(file);
        database.prepare('SELECT * FROM sqlite_master').all();
      }, fault('corrupt'));
    });

    it('takes the tables, and refuses those of a later version', () => {
      const database = opened(fileOf());
      migrate(database);
      migrate(database);
      database.exec('PRAGMA user_version = 99');
      assert.throws(() => migrate(database), NewerSchemaError);
      database.close();
    });

    it('finds events by time, source and type, page by page in either order', () => {
      const database = opened();
      migrate(database);
      const tables = new EventTables(database);
      const events = Array.from({ length: 50 }, (_, i) =>
        eventAt(1000 + i, { sourceId: ['a', 'b', undefined][i % 3], type: i % 2 === 0 ? 'enter' : 'leave', atMs: 1000 * i }),
      );
      tables.write(events.map((event) => ({ kind: 'event', event })));
      const ids = (query: Parameters<EventTables['query']>[0]): number[] => tables.query(query).map(({ id }) => id);
      assert.deepEqual(tables.query({ limit: 1, afterId: 1006 }), [events[7]]);
      assert.deepEqual(ids({ limit: 3, sourceIds: ['a'], types: ['leave'] }), [1003, 1009, 1015]);
      assert.deepEqual(ids({ limit: 3, sourceIds: ['a', 'b'], isDescending: true, afterId: 1048 }), [1046, 1045, 1043]);
      assert.deepEqual(ids({ limit: 10, fromMs: 5000, toMs: 8000 }), [1005, 1006, 1007]);
      assert.deepEqual(ids({ limit: 10, sourceIds: [] }), []);
      assert.deepEqual(tables.sources(), ['a', 'b']);
      assert.equal(tables.lastId(), 1049);
      database.close();
    });
  });
}
