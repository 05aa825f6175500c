/** How far readers of all events have come, and what went before they had. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openStoreFile } from '../../src/store/store-file.js';
import { StoreKeeper } from '../../src/store/store-keeper.js';
import type { StoreReply } from '../../src/store/store-messages.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { eventAt } from './events-rig.js';

let folder: string;
let clock: FakeClock;
let told: StoreReply[];
let keeper: StoreKeeper;

function open(maxAgeMs = Infinity): void {
  told = [];
  keeper = new StoreKeeper({
    open: (damage) => openStoreFile(folder, damage),
    retention: { maxAgeMs, maxBytes: Infinity },
    clock,
    tell: (reply) => told.push(reply),
  });
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-positions-'));
  clock = new FakeClock();
});

afterEach(() => {
  keeper.close();
  rmSync(folder, { recursive: true });
});

describe('the positions of readers', () => {
  it('are found again, by source, for what is about none, and for all others', () => {
    open();
    assert.deepEqual(keeper.ask({ kind: 'positions', reader: 'mqtt' }), { others: undefined, bySource: new Map() });
    keeper.write({ kind: 'position', reader: 'mqtt', of: 'others', lastId: 3 });
    keeper.write({ kind: 'position', reader: 'mqtt', of: { sourceId: 'demo' }, lastId: 5 });
    keeper.write({ kind: 'position', reader: 'mqtt', of: { sourceId: 'demo' }, lastId: 6 });
    keeper.write({ kind: 'position', reader: 'mqtt', of: { sourceId: undefined }, lastId: 4 });
    keeper.write({ kind: 'position', reader: 'another', of: { sourceId: 'demo' }, lastId: 9 });
    keeper.write({ kind: 'note', name: 'topics', text: '["a"]' });
    keeper.close();
    open();
    const bySource = new Map<string | undefined, number>([
      ['demo', 6],
      [undefined, 4],
    ]);
    assert.deepEqual(keeper.ask({ kind: 'positions', reader: 'mqtt' }), { others: 3, bySource });
    assert.equal(keeper.ask({ kind: 'note', name: 'topics' }), '["a"]');
    keeper.write({ kind: 'reader-gone', reader: 'mqtt' });
    assert.deepEqual(keeper.ask({ kind: 'positions', reader: 'mqtt' }), { others: undefined, bySource: new Map() });
  });

  it('say how many events are left, and which are about no source', () => {
    open();
    for (const id of [1, 2, 3]) keeper.write({ kind: 'event', event: eventAt(id) });
    keeper.write({ kind: 'event', event: eventAt(4, { sourceId: undefined }) });
    assert.equal(keeper.ask({ kind: 'count-after', sourceId: 'demo', afterId: 1 }), 2);
    assert.equal(keeper.ask({ kind: 'count-after', sourceId: undefined, afterId: 1 }), 1);
    const ofNone = keeper.ask({ kind: 'events', query: { isOfNoSource: true, limit: 10 } }) as { readonly id: number }[];
    assert.deepEqual(
      ofNone.map(({ id }) => id),
      [4],
    );
  });

  it('tell of events that were too old before a reader had come to them', async () => {
    open(10_000);
    for (const id of [1, 2, 3, 4])
      keeper.write({ kind: 'event', event: eventAt(id, { atMs: clock.wallClock(), sourceId: id === 4 ? 'gate' : 'demo' }) });
    keeper.write({ kind: 'position', reader: 'mqtt', of: 'others', lastId: 0 });
    keeper.write({ kind: 'position', reader: 'mqtt', of: { sourceId: 'demo' }, lastId: 2 });
    await clock.advance(130_000);
    assert.deepEqual(
      told.filter(({ kind }) => kind === 'removed-unread'),
      [{ kind: 'removed-unread', events: 2 }],
      'the third, and that of the other source',
    );
  });

  it('miss nothing where there is no reader', async () => {
    open(10_000);
    keeper.write({ kind: 'event', event: eventAt(1, { atMs: clock.wallClock() }) });
    await clock.advance(130_000);
    assert.ok(told.every(({ kind }) => kind !== 'removed-unread'));
  });
});
