import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { RecordingFolder } from '../../src/recording/recording-folder.js';
import { lockFolder, type RecordingIndex } from '../../src/store/index.js';
import { ArchiveRig } from './rig.js';

let rig: ArchiveRig;
let folder: RecordingFolder;
let errors: string[];
let taken: number;
let tellTaken: () => void;
let isTaken: Promise<void>;
/** The folder of recordings of these tests. */
const place = (): string => path.join(rig.folder, 'recordings');

beforeEach(async () => {
  rig = await ArchiveRig.open();
  errors = [];
  taken = 0;
  isTaken = new Promise((resolve) => (tellTaken = resolve));
});

afterEach(async () => {
  await folder.close();
  await rig.close();
  assert.equal(rig.clock.pendingTimers, 0);
});

function open(more: { freeBytes?: () => Promise<number | undefined>; index?: Pick<RecordingIndex, 'ask'> } = {}): void {
  folder = new RecordingFolder({
    folder: place(),
    archive: rig.archive,
    index: rig.index,
    keeps: rig.keeps,
    retention: { maxAgeMs: Infinity, maxBytes: Infinity },
    minFreeBytes: 0,
    clock: rig.clock,
    logger: { ...silentLogger, error: (_fields: object, message: string) => void errors.push(message) },
    onTaken: () => {
      taken++;
      tellTaken();
    },
    onSpace: () => undefined,
    onLooked: () => Promise.resolve(),
    ...more,
  });
}

describe('the folder of recordings', { timeout: 20_000 }, () => {
  it('is not made where nobody wants it, and is where somebody does', async () => {
    open();
    await folder.take(false);
    assert.deepEqual([folder.isWritable, folder.trouble, taken], [false, undefined, 0]);
    await folder.take(true);
    assert.deepEqual([folder.isWritable, folder.trouble, taken], [true, undefined, 1]);
    await folder.take(true);
    assert.equal(taken, 1);
  });

  it('is another server’s while that has it, and is taken when it is given back', async () => {
    const other = lockFolder(place());
    open();
    await folder.take();
    assert.match(folder.busy ?? '', /in use by another server/);
    other.release();
    await rig.clock.advance(10_000);
    await folder.take();
    assert.deepEqual([folder.isWritable, folder.busy, folder.trouble, taken], [true, undefined, undefined, 1]);
  });

  it('is tried again where it cannot be used, which is said once and keeps no server from starting', async () => {
    writeFileSync(place(), 'a file');
    open();
    await folder.take();
    await rig.clock.advance(10_000);
    await folder.take();
    assert.equal(folder.busy, undefined);
    assert.match(folder.trouble ?? '', /RECORD_DIR: '.*' cannot be used/);
    assert.equal(errors.length, 1);
    rmSync(place());
    mkdirSync(place());
    await rig.clock.advance(10_000);
    await folder.take();
    assert.deepEqual([folder.isWritable, folder.trouble, taken], [true, undefined, 1]);
  });

  it('is taken again, whole, after what was being written could not be looked up', async () => {
    let asked = 0;
    const index: Pick<RecordingIndex, 'ask'> = {
      ask: (question) =>
        question.kind === 'segments' && ++asked === 1
          ? Promise.reject(new MediaPeerError('STORE_FAILED', 'the store does not answer'))
          : rig.index.ask(question),
    };
    open({ index });
    await folder.take();
    assert.deepEqual([folder.isWritable, taken], [false, 0]);
    assert.match(folder.trouble ?? '', /the store does not answer/);
    lockFolder(place()).release();
    await folder.take();
    assert.ok(asked >= 2);
    assert.deepEqual([folder.isWritable, folder.trouble, taken], [true, undefined, 1]);
    assert.throws(() => lockFolder(place()), /in use/);
  });

  it('holds nobody up for more than seconds while its disk does not answer, and is taken once that does', async () => {
    let answer!: () => void;
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const answered = new Promise<number>((resolve) => (answer = () => resolve(1e12)));
    open({
      freeBytes: () => {
        asked();
        return answered;
      },
    });
    const taking = folder.take();
    await isAsked;
    await rig.clock.advance(5_000);
    await taking;
    assert.match(folder.trouble ?? '', /does not answer/);
    assert.equal(folder.isWritable, false);
    await folder.take();
    assert.equal(errors.length, 1);
    answer();
    await isTaken;
    assert.deepEqual([folder.isWritable, folder.trouble, taken], [true, undefined, 1]);
  });
});
