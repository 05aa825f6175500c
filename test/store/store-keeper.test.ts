/** What the thread of the store does, in this thread: its time is the test's. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DatabaseError, type Database } from '../../src/store/database.js';
import { openLibsql } from '../../src/store/libsql.js';
import { openStoreFile, type OpenedFile } from '../../src/store/store-file.js';
import { StoreKeeper } from '../../src/store/store-keeper.js';
import type { Question, StoreReply } from '../../src/store/store-messages.js';
import type { EventRetention, StoredEvent } from '../../src/store/event.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { eventAt } from './events-rig.js';

let folder: string;
let clock: FakeClock;
let told: StoreReply[];
let keeper: StoreKeeper;

function open(
  retention: Partial<EventRetention> = {},
  openFile: (damage?: string) => OpenedFile = (damage) => openStoreFile(folder, damage),
): void {
  told = [];
  keeper = new StoreKeeper({
    open: openFile,
    retention: { maxAgeMs: Infinity, maxBytes: Infinity, ...retention },
    clock,
    tell: (reply) => told.push(reply),
  });
}

const write = (...events: readonly StoredEvent[]): void => events.forEach((event) => keeper.write({ kind: 'event', event }));
const ids = (): number[] => (keeper.ask({ kind: 'events', query: { limit: 10_000 } }) as StoredEvent[]).map(({ id }) => id);
const kinds = (): string[] => told.map(({ kind }) => kind);

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-keeper-'));
  clock = new FakeClock();
});

afterEach(() => {
  keeper.close();
  assert.equal(clock.pendingTimers, 0, 'nothing is left to do');
  rmSync(folder, { recursive: true });
});

describe('the keeper of the store', () => {
  it('commits what came within 200 ms at once', async () => {
    open();
    write(eventAt(1), eventAt(2));
    assert.deepEqual(kinds(), ['ready']);
    await clock.advance(200);
    assert.deepEqual(told[1], { kind: 'written', entries: 2 });
  });

  it('finds again what an earlier one kept, and what was counted', () => {
    open();
    write(eventAt(7));
    keeper.write({ kind: 'counts', sourceId: 'demo', state: '{"a":1}' });
    keeper.write({ kind: 'counts', sourceId: 'gone', state: '{}' });
    keeper.write({ kind: 'counts', sourceId: 'gone', state: undefined });
    keeper.close();
    open();
    assert.deepEqual(told, [{ kind: 'ready', lastId: 7, counts: [['demo', '{"a":1}']] }]);
    assert.deepEqual(ids(), [7]);
  });

  it('makes files that nobody else reads', async () => {
    rmSync(folder, { recursive: true });
    open();
    write(eventAt(1));
    await clock.advance(200);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const name of readdirSync(folder)) assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
  });

  for (const [what, damage] of [
    ['of no database', () => writeFileSync(path.join(folder, 'events.db'), 'x'.repeat(8192))],
    [
      'whose pages are damaged',
      () => {
        open();
        write(...Array.from({ length: 2000 }, (_, i) => eventAt(i + 1)));
        keeper.close();
        const bytes = readFileSync(path.join(folder, 'events.db'));
        bytes.fill(0xa5, 4096);
        writeFileSync(path.join(folder, 'events.db'), bytes);
      },
    ],
  ] as const) {
    it(`sets a file aside ${what}, says so and begins anew`, () => {
      damage();
      open();
      write(eventAt(5_000_000));
      assert.deepEqual(ids(), [5_000_000]);
      const aside = told.find((reply) => reply.kind === 'set-aside');
      assert.ok(aside?.kind === 'set-aside' && existsSync(aside.setAside.file), JSON.stringify(told));
      assert.match(aside.setAside.file, /events\.db\.corrupt-2\d{3}-/);
      assert.equal(readdirSync(folder).filter((name) => name.includes('corrupt') && !name.endsWith('-wal')).length, 1);
    });
  }

  it('sets a file of a later version aside, whole', () => {
    open();
    write(eventAt(1));
    keeper.close();
    const later = openLibsql(path.join(folder, 'events.db'));
    later.exec('PRAGMA user_version = 99');
    later.close();
    open();
    const aside = told.find((reply) => reply.kind === 'set-aside');
    assert.ok(aside?.kind === 'set-aside' && /newer-/.test(aside.setAside.file) && /later version/.test(aside.setAside.reason));
    const database = openLibsql(aside.setAside.file);
    assert.equal(database.prepare('SELECT id FROM events').all().length, 1);
    database.close();
  });

  it('keeps what a full disk does not take, and writes it when there is room', async () => {
    let limit: (pages: number) => void = () => undefined;
    open({}, () => {
      const file = openStoreFile(folder);
      limit = (pages) => file.database.exec(`PRAGMA max_page_count = ${pages}`);
      return file;
    });
    write(eventAt(1));
    await clock.advance(200);
    limit(1);
    write(...Array.from({ length: 500 }, (_, i) => eventAt(i + 2)));
    await clock.advance(200);
    assert.deepEqual(told.at(-1)?.kind, 'trouble');
    assert.ok(told.at(-1)?.kind === 'trouble' && (told.at(-1) as { isFull: boolean }).isFull);
    limit(100_000);
    await clock.advance(1000);
    assert.deepEqual(told.at(-1), { kind: 'written', entries: 500 });
    assert.equal(ids().length, 501);
  });

  it('answers with what a full disk does not take yet, as it will with the file', async () => {
    let limit: (pages: number) => void = () => undefined;
    open({}, () => {
      const file = openStoreFile(folder);
      limit = (pages) => file.database.exec(`PRAGMA max_page_count = ${pages}`);
      return file;
    });
    write(eventAt(1), eventAt(2, { sourceId: 'yard' }));
    await clock.advance(200);
    limit(1);
    for (let id = 3; id <= 300; id++)
      write(eventAt(id, { sourceId: [undefined, 'gate', 'demo'][id % 3], type: id % 2 ? 'enter' : 'leave', atMs: 1000 + id / 2 }));
    write(eventAt(301, { sourceId: 'gate', stillId: 301 }));
    keeper.write({ kind: 'still', id: 301, jpeg: new Uint8Array([1, 2]) });
    await clock.advance(200);
    assert.equal(told.at(-1)?.kind, 'trouble');
    const questions: Question[] = [
      {},
      { isDescending: true },
      { afterId: 290 },
      { afterId: 20, isDescending: true },
      { sourceIds: ['gate', 'yard'] },
      { isOfNoSource: true },
      { types: ['leave'] as const },
      { fromMs: 1010, toMs: 1100 },
    ].map((query) => ({ kind: 'events', query: { ...query, limit: 10 } }));
    questions.push(
      { kind: 'events', query: { limit: 1000 } },
      { kind: 'sources' },
      { kind: 'still', eventId: 301 },
      { kind: 'still', eventId: 300 },
      { kind: 'count-after', sourceId: 'gate', afterId: 100 },
      { kind: 'count-after', sourceId: undefined, afterId: 0 },
    );
    const answers = questions.map((question) => keeper.ask(question));
    assert.equal((answers[8] as StoredEvent[]).length, 301);
    const tries = told.length;
    assert.deepEqual(kinds().filter((kind) => kind === 'trouble').length, 1, 'a question does not try the disk');
    limit(100_000);
    await clock.advance(1000);
    assert.deepEqual(told.slice(tries), [{ kind: 'written', entries: 300 }]);
    assert.deepEqual(
      questions.map((question) => keeper.ask(question)),
      answers,
    );
  });

  it('leaves out what can never be written, and says so', async () => {
    open();
    write(eventAt(1), eventAt(2, { data: { count: 2n } }), eventAt(3));
    await clock.advance(200);
    assert.deepEqual(kinds(), ['ready', 'left-out', 'written']);
    assert.deepEqual(told[2], { kind: 'written', entries: 3 });
    assert.deepEqual(ids(), [1, 3]);
  });

  it('goes on where a file could not be begun anew for a moment', async () => {
    let opens = 0;
    let database: Database | undefined;
    open({}, (damage) => {
      if (++opens === 2) throw new DatabaseError('full', 'no room for a new file');
      const file = openStoreFile(folder, damage);
      database ??= file.database;
      return file;
    });
    const first = database;
    assert.ok(first);
    first.transaction = () => {
      throw new DatabaseError('corrupt', 'a page is damaged');
    };
    write(eventAt(1));
    await clock.advance(200);
    assert.deepEqual(kinds(), ['ready', 'trouble']);
    await clock.advance(1000);
    assert.deepEqual(told.at(-1), { kind: 'written', entries: 1 });
    assert.deepEqual(ids(), [1]);
  });

  it('removes what is older than it keeps, with its still, a slice at a time', async () => {
    open({ maxAgeMs: 86_400_000 });
    await clock.advance(0);
    const old = clock.wallClock() - 86_400_001;
    write(...Array.from({ length: 1200 }, (_, i) => eventAt(i + 1, { atMs: old, stillId: i + 1 })));
    for (let id = 1; id <= 1200; id++) keeper.write({ kind: 'still', id, jpeg: new Uint8Array(10) });
    write(eventAt(2000, { atMs: clock.wallClock(), stillId: 2000 }));
    keeper.write({ kind: 'still', id: 2000, jpeg: new Uint8Array([1]) });
    await clock.advance(60_000);
    assert.equal(ids().length, 701);
    await clock.advance(20);
    assert.equal(ids().length, 201);
    await clock.advance(20);
    assert.deepEqual(ids(), [2000]);
    assert.equal(keeper.ask({ kind: 'still', eventId: 3 }), undefined);
    assert.deepEqual(keeper.ask({ kind: 'still', eventId: 2000 }), { sourceId: 'demo', jpeg: new Uint8Array([1]) });
  });

  it('removes the oldest where there is more than it keeps, and gives the room back', async () => {
    open({ maxBytes: 2_000_000 });
    for (let id = 1; id <= 2000; id++) {
      write(eventAt(id, { stillId: id }));
      keeper.write({ kind: 'still', id, jpeg: new Uint8Array(10_000).fill(id) });
    }
    await clock.advance(200);
    const before = statSync(path.join(folder, 'events.db')).size + statSync(path.join(folder, 'events.db-wal')).size;
    await clock.advance(70_000);
    const left = ids();
    assert.ok(left.length > 0 && left.length < 500 && left.at(-1) === 2000, `${left.length} are left`);
    keeper.close();
    open({ maxBytes: 2_000_000 });
    assert.ok(statSync(path.join(folder, 'events.db')).size < before / 2);
  });
});
