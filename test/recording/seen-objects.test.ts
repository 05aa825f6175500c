/** What is seen in recorded sources, as rows. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { SeenObjects } from '../../src/recording/index.js';
import type { SeenEntry, SeenMinute, SeenObject } from '../../src/store/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { eventOf, lookOf, objectOf } from './seen-rig.js';

const START = 1_796_061_600_000;
let clock: FakeClock;
let kept: SeenEntry[];
let seen: SeenObjects;

/** As the store has them: the last of each id. */
function rows(): SeenObject[] {
  const byId = new Map(kept.flatMap((entry) => (entry.kind === 'seen-object' ? [[entry.object.id, entry.object] as const] : [])));
  return [...byId.values()];
}
const minutes = (): SeenMinute[] => kept.flatMap((entry) => (entry.kind === 'seen-minute' ? [entry.minute] : []));

beforeEach(() => {
  clock = new FakeClock(START);
  kept = [];
  seen = new SeenObjects({ keep: (entry) => kept.push(entry), lastId: 0, maxAgeMs: 72 * 3_600_000, clock });
});

describe('what is seen in recorded sources', () => {
  it('is one row an object, with its label, its times and its best moment', () => {
    const log = seen.open('gate');
    log.take(START, lookOf([objectOf(7, { label: 'truck', score: 0.6 })]));
    log.take(START + 500, lookOf([objectOf(7, { score: 0.9 }), objectOf(8, { label: 'person' })]));
    log.take(START + 1000, lookOf([objectOf(7, { score: 0.7 })]));
    log.close();
    assert.deepEqual(
      rows().map(({ id: _id, ...row }) => row),
      [
        {
          ...{ sourceId: 'gate', objectId: 7, label: 'car', score: 0.9, visits: [] },
          ...{ firstMs: START, lastMs: START + 1000, bestMs: START + 500 },
        },
        {
          ...{ sourceId: 'gate', objectId: 8, label: 'person', score: 0.5, visits: [] },
          ...{ firstMs: START + 500, lastMs: START + 500, bestMs: START + 500 },
        },
      ],
    );
  });

  it('holds stays with when they really began, and crossings with their direction', () => {
    const log = seen.open('gate');
    log.take(START, lookOf([objectOf(1)]));
    // The zone tells after a second that the object is in.
    log.take(START + 2000, lookOf([objectOf(1)], [eventOf('enter', 'dock', 1)]));
    log.take(START + 3000, lookOf([objectOf(1)], [eventOf('cross', 'A', 1, { direction: 'in' })]));
    log.take(START + 9000, lookOf([objectOf(1)], []));
    log.take(START + 11_500, lookOf([], [eventOf('leave', 'dock', 1, { dwellMs: 8000 })]));
    log.close();
    assert.deepEqual(rows()[0]?.visits, [
      { place: 'dock', direction: undefined, atMs: START + 1000, leftMs: START + 9000 },
      { place: 'A', direction: 'in', atMs: START + 3000, leftMs: undefined },
    ]);
  });

  it('can be found while it is still there, and loses seconds when the server is killed', () => {
    const log = seen.open('gate');
    for (let ms = 0; ms <= 60_000; ms += 500) log.take(START + ms, lookOf([objectOf(1)]));
    const [row] = rows();
    assert.ok(row && row.lastMs >= START + 30_000, `written up to ${(row?.lastMs ?? 0) - START} ms`);
    assert.ok(kept.length < 10, `${kept.length} rows were written for one object in a minute`);
    log.take(START + 61_000, lookOf([objectOf(2)], [eventOf('cross', 'A', 2, { direction: 'out' })]));
    assert.equal(rows()[1]?.visits.length, 1, 'what happens is there at once');
    log.close();
  });

  it('ends what is not seen any more, also where the source falls silent', async () => {
    const log = seen.open('gate');
    log.take(START, lookOf([objectOf(1)]));
    await clock.advance(60_000);
    assert.equal(rows()[0]?.lastMs, START);
    const before = kept.length;
    // The same number is another object by then.
    log.take(START + 60_000, lookOf([objectOf(1)]));
    log.close();
    assert.equal(rows().length, 2);
    assert.ok(kept.length > before);
  });

  it('gives no id twice, also after a restart and where the clock is set back', () => {
    const first = seen.open('gate');
    first.take(START, lookOf([objectOf(1)]));
    first.take(START - 3_600_000, lookOf([objectOf(1)]));
    first.close();
    const [a, b] = rows();
    assert.ok(a && b && b.id > a.id, 'a clock that was set back begins a new row');
    const late = new SeenObjects({ keep: (entry) => kept.push(entry), lastId: b.id + 1e9, maxAgeMs: Infinity, clock });
    const second = late.open('gate');
    second.take(START, lookOf([objectOf(1)]));
    second.close();
    assert.equal(rows()[2]?.id, b.id + 1e9 + 1);
  });

  it('counts each minute: what moved, how many there were, how many at once', () => {
    const log = seen.open('gate');
    log.take(START, lookOf([objectOf(1, { velocity: [100, 0] }), objectOf(2)]));
    log.take(START + 10_000, lookOf([objectOf(1), objectOf(3, { label: 'person' })]));
    // The gate has let nobody look: what was found before is told again.
    log.take(START + 20_000, lookOf([objectOf(1, { velocity: [100, 0] })], [], { inferenceMs: 0 }));
    log.take(START + 30_000, lookOf([objectOf(4, { isObserved: false })]));
    log.take(START + 60_000, lookOf([]));
    log.close();
    assert.deepEqual(minutes(), [
      { sourceId: 'gate', atMs: START, motion: 0.25, byLabel: { car: { seen: 2, most: 2 }, person: { seen: 1, most: 1 } } },
      { sourceId: 'gate', atMs: START + 60_000, motion: 0, byLabel: {} },
    ]);
  });

  it('is bounded in memory whatever a detector invents', () => {
    const log = seen.open('gate');
    for (let id = 1; id <= 2000; id++) {
      const events = Array.from({ length: 5 }, () => eventOf('enter', `zone-${id}`, id));
      log.take(START + id, lookOf([objectOf(id, { label: `label-${id}` })], events));
    }
    for (let i = 0; i < 500; i++) log.take(START + 3000, lookOf([objectOf(2000)], [eventOf('cross', 'A', 2000, { direction: 'in' })]));
    log.close();
    assert.equal(rows().length, 2000, 'who gives way is written');
    assert.equal(rows().at(-1)?.visits.length, 64);
    assert.equal(Object.keys(minutes()[0]?.byLabel ?? {}).length, 100);
  });

  it('leaves no timer', async () => {
    const log = seen.open('gate');
    await clock.advance(5000);
    assert.equal(kept.at(-1)?.kind, 'sweep-seen');
    log.close();
    assert.equal(clock.pendingTimers, 0);
    seen.open('gate');
    seen.close();
    assert.equal(clock.pendingTimers, 0);
  });
});
