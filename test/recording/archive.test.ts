import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { goneWith, type SegmentChange } from '../../src/recording/index.js';
import { ArchiveRig, NOON } from './rig.js';

const MINUTE = 60_000;
const ALL = { fromMs: 0, toMs: Infinity };
let rig: ArchiveRig;

beforeEach(async () => {
  rig = await ArchiveRig.open();
});

afterEach(() => rig.close());

describe('the archive', () => {
  it('has the segment that is being written among the others, with its keyframes', async () => {
    rig.record('gate', NOON, NOON + MINUTE);
    const open = rig.begin('gate', NOON + MINUTE, NOON + MINUTE + 30_000);
    const { archive } = rig;
    assert.deepEqual(await archive.ranges('gate', ALL), [{ fromMs: NOON, toMs: NOON + MINUTE + 30_000 }]);
    assert.deepEqual(
      (await archive.segments('gate', ALL)).map(({ isOpen }) => isOpen),
      [false, true],
    );
    const group = await archive.groupBefore('gate', NOON + MINUTE + 29_000);
    assert.deepEqual([group?.segment.id, group?.atMs], [open.id, NOON + MINUTE + 28_000]);
    assert.equal((await archive.groupAfter('gate', NOON + MINUTE - 2_000))?.atMs, NOON + MINUTE);
    assert.equal((await archive.groups('gate', { fromMs: NOON + 58_000, toMs: NOON + 64_000 }, 10)).length, 3);
    assert.deepEqual(await archive.sources(), ['gate']);
    assert.equal((await archive.totals('gate')).toMs, NOON + MINUTE + 30_000);
  });

  it('has a time that two clocks recorded until the last of them goes', async () => {
    const first = rig.record('gate', NOON, NOON + MINUTE, 1);
    const second = rig.record('gate', NOON + 20_000, NOON + MINUTE + 20_000, 2);
    rig.archive.forget([first]);
    assert.deepEqual(await goneWith(rig.archive, first), [{ fromMs: NOON, toMs: NOON + 20_000 }]);
    rig.archive.forget([second]);
    assert.deepEqual(await goneWith(rig.archive, second), [{ fromMs: NOON + 20_000, toMs: NOON + MINUTE + 20_000 }]);
  });

  it('tells no segment twice while it is being finished', async () => {
    const open = rig.begin('gate', NOON, NOON + MINUTE);
    const asked = rig.archive.segments('gate', ALL);
    const askedGroups = rig.archive.groups('gate', ALL, 100);
    rig.archive.finish({ ...open, isOpen: false });
    assert.equal((await askedGroups).length, 30);
    assert.deepEqual(
      (await asked).map(({ id }) => id),
      [open.id],
    );
    assert.deepEqual(
      (await rig.archive.segments('gate', ALL)).map(({ isOpen }) => isOpen),
      [false],
    );
  });

  it('cuts ranges to what was asked for, and keeps those of other runs apart', async () => {
    rig.record('gate', NOON, NOON + MINUTE, 1);
    rig.record('gate', NOON + 30_000, NOON + 90_000, 2);
    assert.deepEqual(await rig.archive.ranges('gate', { fromMs: NOON + 10_000, toMs: NOON + 40_000 }), [
      { fromMs: NOON + 10_000, toMs: NOON + 40_000 },
      { fromMs: NOON + 30_000, toMs: NOON + 40_000 },
    ]);
  });

  it('tells what becomes of each segment, in order', async () => {
    const changes: SegmentChange[] = [];
    rig.archive.onChange((change) => changes.push(change));
    const whole = rig.record('gate', NOON, NOON + MINUTE);
    rig.archive.forget([whole]);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['begun', 'grown', 'finished', 'removed'],
    );
    assert.equal(new Set(changes.map(({ segment }) => segment.id)).size, 1);
    assert.deepEqual(await rig.archive.ranges('gate', ALL), []);
  });

  it('gives no number twice, over restarts and a clock that is behind', async () => {
    const before = rig.record('gate', NOON, NOON + MINUTE);
    await rig.restart();
    assert.ok(rig.record('gate', NOON + MINUTE, NOON + 2 * MINUTE).id > before.id);
    const [a, b] = [rig.archive.nextId(), rig.archive.nextId()];
    assert.ok(b > a);
  });

  it('counts a segment once that ends while it is asked', async () => {
    const segment = rig.begin('ending', NOON, NOON + 4000);
    const [asked, sources] = [rig.archive.totals('ending'), rig.archive.sources()];
    rig.archive.finish({ ...segment, isOpen: false });
    const expected = { segments: 1, bytes: 1000, fromMs: NOON, toMs: NOON + 4000 };
    assert.deepEqual([await asked, await rig.archive.totals('ending')], [expected, expected]);
    assert.deepEqual(await sources, ['ending']);
  });
});
