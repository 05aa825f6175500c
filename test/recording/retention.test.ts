import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { Keeps } from '../../src/recording/keeps.js';
import { removeSegmentFiles } from '../../src/recording/remove-files.js';
import { Retention } from '../../src/recording/retention.js';
import { ArchiveRig, NOON } from './rig.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let rig: ArchiveRig;
let retention: Retention;

beforeEach(async () => {
  rig = await ArchiveRig.open();
});

afterEach(async () => {
  await retention.close();
  await rig.close();
  assert.equal(rig.clock.pendingTimers, 0);
});

function open(more: {
  maxAgeMs?: number;
  maxBytes?: number;
  removeFiles?: (file: string) => Promise<void>;
  clock?: typeof rig.clock;
  keeps?: Keeps;
  archive?: Pick<typeof rig.archive, 'totals' | 'recorded' | 'forget'>;
}): void {
  retention = new Retention({
    archive: rig.archive,
    index: rig.index,
    keeps: rig.keeps,
    maxAgeMs: Infinity,
    maxBytes: Infinity,
    removeFiles: removeSegmentFiles,
    clock: rig.clock,
    logger: silentLogger,
    ...more,
  });
}

const left = async (sourceId = 'gate'): Promise<number[]> =>
  (await rig.archive.segments(sourceId, { fromMs: 0, toMs: Infinity })).map(({ fromMs }) => (fromMs - NOON) / MINUTE);

describe('retention', () => {
  it('removes what is too old, with all that lies beside it, and the folders that are empty then', async () => {
    const old = rig.record('gate', NOON - 3 * HOUR, NOON - 3 * HOUR + MINUTE);
    const older = rig.record('gate', NOON - 30 * HOUR, NOON - 30 * HOUR + MINUTE);
    rig.record('gate', NOON - HOUR, NOON - HOUR + MINUTE);
    writeFileSync(old.file.replace('.mp4', '.detections.jsonl.br'), '');
    writeFileSync(`${old.file}.thumbs`, '');
    open({ maxAgeMs: 2 * HOUR });
    await retention.look();
    assert.deepEqual(await left(), [-60]);
    for (const file of [old.file, `${old.file}.thumbs`, old.file.replace('.mp4', '.detections.jsonl.br'), path.dirname(older.file)])
      assert.equal(existsSync(file), false, file);
  });

  it('removes the oldest of all sources where there is too much, and no more than that', async () => {
    for (let n = 0; n < 130; n++) rig.record(n % 2 === 0 ? 'gate' : 'yard', NOON + n * MINUTE, NOON + (n + 1) * MINUTE);
    open({ maxBytes: 5_000 });
    await retention.look();
    assert.deepEqual(await left('gate'), [126, 128]);
    assert.deepEqual(await left('yard'), [125, 127, 129]);
  });

  it('looks every minute by itself', async () => {
    rig.record('gate', NOON, NOON + MINUTE);
    open({ maxAgeMs: HOUR });
    retention.begin();
    await rig.clock.advance(59 * MINUTE);
    await retention.look();
    assert.deepEqual(await left(), [0]);
    await rig.clock.advance(3 * MINUTE);
    await retention.look();
    assert.deepEqual(await left(), []);
  });

  it('leaves what is to be kept, whatever its age and size', async () => {
    for (let n = 0; n < 5; n++) rig.record('gate', NOON - (100 - n) * HOUR, NOON - (100 - n) * HOUR + MINUTE);
    rig.index.putKeeps('gate', [{ fromMs: NOON - 98 * HOUR, toMs: NOON - 98 * HOUR + 1 }]);
    open({ maxAgeMs: HOUR, maxBytes: 1 });
    await retention.look();
    assert.deepEqual(await left(), [-98 * 60]);
  });

  it('leaves what was just said to be kept, also while the index does not hear of it', async () => {
    for (let n = 0; n < 130; n++) rig.record('gate', NOON - 4 * HOUR + n * MINUTE, NOON - 4 * HOUR + (n + 1) * MINUTE);
    const keeps = new Keeps({
      index: { ask: () => Promise.resolve([]) as never, putKeeps: () => undefined },
      folderOf: (sourceId) => path.join(rig.folder, sourceId),
      logger: silentLogger,
    });
    const first = { fromMs: NOON - 4 * HOUR, toMs: NOON - 4 * HOUR + 60 * MINUTE };
    const last = { fromMs: NOON - 2 * HOUR, toMs: NOON - 2 * HOUR + 1 };
    await keeps.change('gate', () => [first]);
    open({ maxAgeMs: HOUR, keeps });
    const look = retention.look();
    const kept = await keeps.change('gate', (before) => [...before, last]);
    await look;
    assert.deepEqual(kept, [first, last]);
    const minutes = Array.from({ length: 60 }, (_, n) => -240 + n);
    assert.deepEqual(await left(), [...minutes, -120]);
  });

  it('goes on behind a file that cannot be removed, and tries that one again', async () => {
    const stuck = rig.record('gate', NOON - 4 * HOUR, NOON - 3 * HOUR);
    rig.record('gate', NOON - 3 * HOUR, NOON - 2 * HOUR);
    let isStuck = true;
    const removeFiles = (file: string): Promise<void> =>
      isStuck && file === stuck.file ? Promise.reject(new Error('EACCES')) : removeSegmentFiles(file);
    open({ maxAgeMs: HOUR, removeFiles });
    await retention.look();
    assert.deepEqual(await left(), [-240]);
    isStuck = false;
    await retention.look();
    assert.deepEqual(await left(), []);
  });

  it('ends where the store does not take what is gone, and names it again', { timeout: 10_000 }, async () => {
    for (let n = 0; n < 120; n++) rig.record('gate', NOON - 4 * HOUR + n * MINUTE, NOON - 4 * HOUR + (n + 1) * MINUTE);
    const forgotten: number[] = [];
    const archive = {
      totals: (sourceId?: string) => rig.archive.totals(sourceId),
      recorded: (rows: Parameters<typeof rig.archive.recorded>[0]) => rig.archive.recorded(rows),
      forget: (segments: readonly { readonly id: number }[]) => void forgotten.push(...segments.map(({ id }) => id)),
    };
    open({ maxAgeMs: HOUR, maxBytes: 1, archive });
    await retention.look();
    assert.ok(forgotten.length > 0);
    assert.equal(new Set(forgotten).size, forgotten.length, 'nothing is forgotten twice in a look');
  });

  it('removes nothing for its age within an hour after the clock was set forward', async () => {
    rig.record('gate', NOON, NOON + MINUTE);
    let setByMs = 0;
    const clock = Object.assign(Object.create(rig.clock) as typeof rig.clock, {
      now: () => rig.clock.now(),
      wallClock: () => rig.clock.wallClock() + setByMs,
    });
    open({ maxAgeMs: 10 * HOUR, clock });
    await retention.look();
    setByMs = 12 * 365 * 24 * HOUR;
    await retention.look();
    assert.deepEqual(await left(), [0]);
    setByMs = 0;
    await rig.clock.advance(2 * HOUR);
    await retention.look();
    assert.deepEqual(await left(), [0], 'it was set right again');
  });
});
