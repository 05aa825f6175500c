import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { Rebuild, sizeOf } from '../../src/recording/rebuild.js';
import { Recordings } from '../../src/recording/index.js';
import type { ExaminedSegment } from '../../src/recording/torn-tail.js';
import { ArchiveRig, damaged, NOON } from './rig.js';

const MINUTE = 60_000;
const ALL = { fromMs: 0, toMs: Infinity };
const LATER = Date.now() + MINUTE;
let rig: ArchiveRig;

beforeEach(async () => {
  rig = await ArchiveRig.open();
});

afterEach(() => rig.close());

function rebuild(): Rebuild {
  const { archive, index, keeps, folder, clock } = rig;
  return new Rebuild({
    archive,
    index,
    keeps,
    folder,
    sourceOf: (each) => Promise.resolve(path.basename(each).startsWith('.') ? undefined : path.basename(each)),
    mend: (file) => {
      const text = readFileSync(file, 'utf8');
      if (text === '') {
        rmSync(file);
        return Promise.resolve(undefined);
      }
      return text.startsWith('{') ? Promise.resolve(JSON.parse(text) as ExaminedSegment) : Promise.reject(damaged(file));
    },
    clock,
    logger: silentLogger,
  });
}

describe('the index as the files have it', () => {
  it('is made anew where it is lost, with ranges and keyframes as before', async () => {
    for (let n = 0; n < 5; n++) rig.record('gate', NOON + n * MINUTE, NOON + (n + 1) * MINUTE);
    rig.record('yard', NOON, NOON + MINUTE);
    const before = await rig.archive.ranges('gate', ALL);
    await rig.restart(path.join(rig.folder, '.other'));
    assert.deepEqual(await rig.archive.ranges('gate', ALL), []);
    assert.deepEqual(await rebuild().lookAround(LATER), { found: 6, missing: 0, damaged: 0 });
    assert.deepEqual(await rig.archive.ranges('gate', ALL), before);
    assert.deepEqual(await rig.archive.sources(), ['gate', 'yard']);
    assert.equal((await rig.archive.groupBefore('gate', NOON + 3_000))?.atMs, NOON + 2_000);
    assert.deepEqual(await rebuild().lookAround(LATER), { found: 0, missing: 0, damaged: 0 });
  });

  it('still has what is to be kept where the index is lost, and keeps everything where nobody can say what', async () => {
    for (let n = 0; n < 3; n++) rig.record('gate', NOON + n * MINUTE, NOON + (n + 1) * MINUTE);
    rig.record('yard', NOON, NOON + MINUTE);
    const recordings = new Recordings({
      archive: rig.archive,
      keeps: rig.keeps,
      cut: () => Promise.resolve(),
      removeFiles: () => Promise.resolve(),
      examine: () => Promise.reject(new Error('no test reads here')),
    });
    const kept = { fromMs: NOON + MINUTE, toMs: NOON + MINUTE + 1_000 };
    await Promise.all([recordings.keep('gate', kept), recordings.keep('gate', { fromMs: NOON + 1, toMs: NOON + 2 })]);
    await recordings.release('gate', { fromMs: NOON, toMs: NOON + 10 });
    writeFileSync(path.join(rig.folder, 'yard/keep.json'), '{"keep":[{"from":');
    await rig.restart(path.join(rig.folder, '.other'));
    await rebuild().lookAround(LATER);
    assert.deepEqual(await rig.index.ask({ kind: 'keeps', sourceId: 'gate' }), [kept]);
    const oldest = await rig.index.ask({ kind: 'oldest-segments', beforeMs: undefined, limit: 10 });
    assert.deepEqual(
      oldest.map(({ sourceId, fromMs }) => [sourceId, fromMs - NOON]),
      [
        ['gate', 0],
        ['gate', 2 * MINUTE],
      ],
    );
  });

  it('is checked a day at a time, and no file is passed over where runs overlap', async () => {
    rig.record('gate', NOON - 1, NOON + 2000 * MINUTE, 2);
    for (let n = 0; n < 1501; n++) rig.record('gate', NOON + n * MINUTE, NOON + n * MINUTE + 1000);
    const examined: string[] = [];
    const recordings = new Recordings({
      archive: rig.archive,
      keeps: rig.keeps,
      cut: () => Promise.resolve(),
      removeFiles: () => Promise.resolve(),
      examine: (file) => {
        examined.push(file);
        return Promise.resolve(JSON.parse(readFileSync(file, 'utf8')) as ExaminedSegment);
      },
    });
    const { signal } = new AbortController();
    const first = await recordings.check('gate', {}, signal);
    assert.deepEqual([first.checked, first.checkedToMs], [1500, NOON + 1499 * MINUTE]);
    const rest = await recordings.check('gate', { fromMs: first.checkedToMs }, signal);
    assert.deepEqual([rest.checked, rest.checkedToMs, rest.damaged], [2, NOON + 2000 * MINUTE, []]);
    assert.equal(new Set(examined).size, 1502);
  });

  it('takes a file that somebody put back into the run that it belongs to', async () => {
    const segments = [0, 1, 2].map((n) => rig.record('gate', NOON + n * MINUTE, NOON + (n + 1) * MINUTE));
    rig.archive.forget([segments[1]!]);
    assert.equal((await rig.archive.ranges('gate', ALL)).length, 2);
    await rebuild().lookAround(LATER);
    assert.deepEqual(await rig.archive.ranges('gate', ALL), [{ fromMs: NOON, toMs: NOON + 3 * MINUTE }]);
  });

  it('forgets rows whose files are gone, also a whole folder of them', async () => {
    const segments = [0, 1, 2].map((n) => rig.record('gate', NOON + n * MINUTE, NOON + (n + 1) * MINUTE));
    const yard = rig.record('yard', NOON, NOON + MINUTE);
    rmSync(segments[1]!.file);
    rmSync(path.join(rig.folder, 'yard'), { recursive: true });
    assert.deepEqual(await rebuild().lookAround(LATER), { found: 0, missing: 2, damaged: 0 });
    assert.deepEqual((await rig.archive.segments('gate', ALL)).length, 2);
    assert.deepEqual(await rig.archive.sources(), ['gate']);
    assert.equal(existsSync(yard.file), false);
  });

  it('keeps rows whose files are there, also where their folder is not known as a source’s any more', async () => {
    for (let n = 0; n < 3; n++) rig.record('gate', NOON + n * MINUTE, NOON + (n + 1) * MINUTE);
    const before = await rig.archive.ranges('gate', ALL);
    const blind = new Rebuild({
      ...{ archive: rig.archive, index: rig.index, keeps: rig.keeps, folder: rig.folder, clock: rig.clock, logger: silentLogger },
      sourceOf: () => Promise.resolve(undefined),
      mend: () => Promise.reject(new Error('nothing is mended here')),
    });
    assert.deepEqual(await blind.lookAround(LATER), { found: 0, missing: 0, damaged: 0 });
    assert.deepEqual(await rig.archive.ranges('gate', ALL), before);
  });

  it('is as long as a segment may be where a damaged file tells of any time', () => {
    const examined: ExaminedSegment = {
      ...{ fromMs: NOON, toMs: Infinity, bytes: 1, format: { video: undefined, hasSound: true } },
      ...{ groups: [], sourceId: 'gate', run: 1, isTranscoded: false },
    };
    assert.equal(sizeOf(examined).toMs, NOON + 60 * MINUTE);
  });

  it('leaves files that it cannot read, and those that are being written by now', async () => {
    const foreign = path.join(rig.folder, 'gate/2026-11-30/00-00-00.000Z.mp4');
    mkdirSync(path.dirname(foreign), { recursive: true });
    writeFileSync(foreign, 'no recording');
    const young = rig.file('gate', NOON, NOON + MINUTE);
    utimesSync(young, new Date(LATER + 1000), new Date(LATER + 1000));
    assert.deepEqual(await rebuild().lookAround(LATER), { found: 0, missing: 0, damaged: 1 });
    assert.equal(readFileSync(foreign, 'utf8'), 'no recording');
    assert.deepEqual(await rig.archive.sources(), []);
  });

  it('leaves files that somebody writes to, also where their rows are lost', async () => {
    const segment = rig.begin('gate', NOON, NOON + MINUTE);
    rig.index.remove([segment.id]);
    assert.deepEqual(await rebuild().lookAround(LATER), { found: 0, missing: 0, damaged: 0 });
    rig.archive.finish({ ...segment, isOpen: false });
    assert.equal((await rig.archive.segments('gate', ALL)).length, 1);
  });

  it('has what was being written when the server ended, as far as it is whole', async () => {
    const whole = rig.begin('gate', NOON, NOON + 20_000);
    const empty = rig.begin('yard', NOON, NOON + 1_000);
    writeFileSync(empty.file, '');
    await rig.restart();
    assert.equal(await rebuild().mendOpen(), 2);
    assert.deepEqual(
      (await rig.archive.segments('gate', ALL)).map(({ id, toMs, isOpen }) => ({ id, toMs, isOpen })),
      [{ id: whole.id, toMs: NOON + 20_000, isOpen: false }],
    );
    assert.equal((await rig.archive.groupBefore('gate', NOON + 19_000))?.atMs, NOON + 18_000);
    assert.deepEqual(await rig.archive.sources(), ['gate']);
    assert.equal(await rebuild().mendOpen(), 0);
  });
});
