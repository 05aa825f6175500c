/** Files that are not what the index has: deleted, cut off, swapped. Each is said, the index is put right, and the others are read as before. */
import assert from 'node:assert/strict';
import { copyFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { openCheckedReader } from '../../src/recording/checked-reader.js';
import { examineSegment, Recordings, removeSegmentFiles, type RecordedSegment } from '../../src/recording/index.js';
import { liveClip, openWriter, repeated, UTC_MS, writeAll } from '../helpers/recorded-clips.js';
import { Archive } from '../../src/recording/archive.js';
import { ArchiveRig } from './rig.js';

const ALL = { fromMs: 0, toMs: Infinity };
const clip = liveClip({ seconds: 4, hasSound: false });
let rig: ArchiveRig;
let archive: Archive;
let recordings: Recordings;
/** Each that was found to be wrong, once it is put right. */
let wrong: Promise<string | undefined>[];

/** Two segments of real frames, the second of the minute after. */
async function record(): Promise<RecordedSegment[]> {
  const open = new Map<string, RecordedSegment>();
  const { writer } = openWriter(rig.folder, {
    sourceId: 'gate',
    onBegun: (written) => open.set(written.file, archive.begin(written)),
    onGrown: (written, groups) => archive.grow({ ...written, id: open.get(written.file)!.id }, groups),
    onFinished: (written) => archive.finish({ ...written, id: open.get(written.file)!.id }),
  });
  writeAll(writer, repeated(clip, 2, 4_000));
  await writer.cut();
  writeAll(writer, repeated(clip, 17, 4_000).slice(-2 * clip.length));
  await writer.close();
  return archive.segments('gate', ALL);
}

async function framesOf(segment: RecordedSegment): Promise<number> {
  const reader = await archive.openSegment(segment);
  try {
    let count = 0;
    for await (const { kind } of reader.frames(segment.fromMs)) if (kind === 'video') count++;
    return count;
  } finally {
    await reader.close();
  }
}

describe('a segment that is not what it was', () => {
  let first: RecordedSegment;
  let second: RecordedSegment;

  beforeEach(async () => {
    rig = await ArchiveRig.open();
    wrong = [];
    archive = await Archive.open({
      index: rig.index,
      folder: rig.folder,
      clock: rig.clock,
      logger: silentLogger,
      openReader: (segment) => openCheckedReader(segment, () => wrong.push(recordings.problemOf(segment))),
      readDetections: async function* () {
        // Nothing was seen.
      },
    });
    recordings = new Recordings({
      archive,
      keeps: rig.keeps,
      cut: () => Promise.resolve(),
      removeFiles: removeSegmentFiles,
      examine: examineSegment,
    });
    [first, second] = (await record()) as [RecordedSegment, RecordedSegment];
  });

  afterEach(() => rig.close());

  it('is read without a word where it is', async () => {
    assert.deepEqual([await framesOf(first), await framesOf(second)], [240, 240]);
    assert.deepEqual(wrong, []);
    assert.deepEqual((await recordings.check('gate', {}, new AbortController().signal)).damaged, []);
  });

  it('is read from the keyframe that the index tells, without a search for it', async () => {
    const groups = await archive.groups('gate', ALL, 10);
    const reader = await archive.openSegment(first);
    try {
      for await (const { wallMs } of reader.frames(first.fromMs, undefined, groups[1])) {
        assert.equal(wallMs, groups[1]!.atMs);
        break;
      }
    } finally {
      await reader.close();
    }
  });

  it('is forgotten where it was deleted, when somebody reads it', async () => {
    rmSync(first.file);
    await assert.rejects(framesOf(first), { code: 'RECORDING_DAMAGED', message: /not there/ });
    assert.match((await wrong[0]) ?? '', /not there/);
    assert.deepEqual(
      (await archive.segments('gate', ALL)).map(({ id }) => id),
      [second.id],
    );
    assert.equal(await framesOf(second), 240);
  });

  it('is as long as it still is where it was cut off, and is read up to there', async () => {
    truncateSync(first.file, Math.floor(statSync(first.file).size / 2));
    const frames = await framesOf(first);
    assert.ok(frames > 30 && frames < 240, `${frames}`);
    assert.match((await wrong[0]) ?? '', /has lost \d+ of \d+ bytes/);
    const [row] = await archive.segments('gate', ALL);
    assert.ok(row!.toMs < first.toMs - 1_000 && row!.bytes < first.bytes);
    assert.equal(await framesOf(row!), frames);
    assert.equal(wrong.length, 1, 'once it is put right nothing is wrong any more');
    assert.ok((await archive.groupBefore('gate', first.toMs))!.atMs < row!.toMs);
  });

  it('is found where it really lies in time, where two were swapped', async () => {
    copyFileSync(first.file, `${first.file}.x`);
    renameSync(second.file, first.file);
    renameSync(`${first.file}.x`, second.file);
    await assert.rejects(framesOf(first), { code: 'RECORDING_DAMAGED', message: /replaced by another recording/ });
    assert.match((await wrong[0]) ?? '', /another recording/);
    const { damaged } = await recordings.check('gate', {}, new AbortController().signal);
    assert.equal(damaged.length, 1, 'the other one is put right by the check');
    const now = await archive.segments('gate', ALL);
    assert.deepEqual(
      now.map(({ fromMs }) => Math.round(fromMs)),
      [UTC_MS, second.fromMs].map(Math.round),
    );
    for (const segment of now) assert.equal(await framesOf(segment), 240);
  });
});
