/** Thumbnails of recordings, made by the real ffmpeg where that matters. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import sharp from 'sharp';
import { MediaPeerError } from '../../src/base/errors.js';
import { readKeyframePictures } from '../../src/ffmpeg/index.js';
import { Thumbnails, type RecordedSegment } from '../../src/recording/index.js';
import { silentLogger } from '../../src/base/logger.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { assertNothingHeld, realDeps } from '../helpers/ffmpeg-deps.js';
import { makeVideo, noH265 } from '../helpers/make-video.js';
import { makeNumberedClip, readLumaNumber } from '../helpers/numbered-clip.js';
import { contentOf, MemoryArchive, segmentOf, writeSegment, type Content } from './archive-rig.js';

const T = 1_796_061_600_000;
const ffmpeg = realDeps();
let folder: string;
let content: Content;
let clock: FakeClock;
let archive: MemoryArchive;
let thumbnails: Thumbnails;
/** Files that pictures were made of, in order. */
let made: string[];
/** Set: runs wait until it is called. */
let release: (() => void) | undefined;
let gate: Promise<void>;
let hasSpace: boolean;

const clipFolder = mkdtempSync(path.join(os.tmpdir(), 'sightline-thumbs-'));
before(async () => {
  const file = path.join(clipFolder, 'numbered.mp4');
  await makeNumberedClip(file, { seconds: 8, keyframeS: 1 });
  content = contentOf(file, 'h264', false);
});
after(() => rmSync(clipFolder, { recursive: true }));

function segment(id: number, fromMs: number, more: Partial<RecordedSegment> = {}): ReturnType<typeof segmentOf> {
  const memory = segmentOf(content, id, fromMs, { file: path.join(folder, `${id}.mp4`), ...more });
  writeSegment(memory);
  return memory;
}

function open(...segments: readonly ReturnType<typeof segmentOf>[]): void {
  archive = new MemoryArchive(segments);
  thumbnails = new Thumbnails({
    archive,
    readPictures: async (file, signal) => {
      made.push(path.basename(file));
      await gate;
      return readKeyframePictures(ffmpeg, { file, widthPx: 320, everyMs: 2000, signal });
    },
    mayKeep: () => hasSpace,
    clock,
    logger: silentLogger,
  });
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-thumbs-'));
  clock = new FakeClock(T + 3_600_000);
  made = [];
  hasSpace = true;
  gate = Promise.resolve();
  release = undefined;
});
afterEach(async () => {
  release?.();
  await thumbnails.close();
  assertNothingHeld(ffmpeg);
  rmSync(folder, { recursive: true });
});

const get = (ms: number): ReturnType<Thumbnails['get']> => thumbnails.get('gate', T + ms);
function hold(): void {
  gate = new Promise((resolve) => (release = resolve));
}
async function numberOf(jpeg: Buffer): Promise<number | undefined> {
  const { data, info } = await sharp(jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.width, 320);
  return readLumaNumber(data, info.width);
}

describe('thumbnails', () => {
  it('are in memory alone where there is too little space', async () => {
    open(segment(1, T));
    hasSpace = false;
    await get(0);
    await get(2000);
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.endsWith('.mp4')),
      [],
    );
    assert.deepEqual(made, ['1.mp4']);
  });

  it('show the keyframe of a moment, every two seconds, of one run for a whole segment', async () => {
    open(segment(1, T));
    const shown = [];
    for (const ms of [0, 1900, 2000, 5000, 7999]) {
      const { atMs, jpeg, state } = await get(ms);
      shown.push([atMs - T, await numberOf(jpeg), state]);
    }
    assert.deepEqual(shown, [
      [0, 0, 'final'],
      [0, 0, 'final'],
      [2000, 60, 'final'],
      [4000, 120, 'final'],
      [6000, 180, 'final'],
    ]);
    assert.deepEqual(made, ['1.mp4']);
  });

  for (const [codec, name, skip] of [
    ['h265', 'hevc-copyable.mp4', noH265],
    ['vp8', 'odd.webm', false],
  ] as const)
    it(`are made of ${codec}`, { skip }, async () => {
      const memory = segmentOf(contentOf(makeVideo(name), codec, true), 1, T, { file: path.join(folder, '1.mp4') });
      writeSegment(memory);
      open(memory);
      const { jpeg, atMs } = await get(500);
      assert.equal(atMs, T);
      assert.equal((await sharp(jpeg).metadata()).width, 320);
    });

  it('stay beside the segment, and are not made again by the next server', async () => {
    open(segment(1, T));
    const first = await get(2500);
    assert.deepEqual(readdirSync(folder).sort(), ['1.mp4', '1.thumbs']);
    assert.ok(statSync(path.join(folder, '1.thumbs')).size < 100_000);
    await thumbnails.close();
    open(...archive.all);
    assert.deepEqual(await get(2500), first);
    assert.deepEqual(made, ['1.mp4']);
    writeFileSync(path.join(folder, '1.thumbs'), 'damaged');
    await thumbnails.close();
    open(...archive.all);
    assert.deepEqual(await get(2500), first, 'what is damaged is made anew');
  });

  it('are at once the nearest that there are, while the wanted ones are made', async () => {
    open(segment(1, T), segment(2, T + 8000), segment(3, T + 16_000));
    await get(0);
    hold();
    const near = await get(17_000);
    assert.deepEqual([near.atMs - T, near.state], [6000, 'nearest']);
    release?.();
    await eventually(() => existsSync(path.join(folder, '3.thumbs')), 10_000, 'the wanted ones');
    const wanted = await get(17_000);
    assert.deepEqual([wanted.atMs - T, wanted.state], [16_000, 'final']);
  });

  it('are made by one run at a time, each segment once, whoever wishes how often', async () => {
    open(segment(1, T), segment(2, T + 8000), segment(3, T + 16_000));
    hold();
    const wishes = [get(0), get(9000), get(17_000), get(1000), get(9500)];
    await eventually(() => made.length > 0, 5000, 'the first run');
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    assert.equal(made.length, 1);
    release?.();
    await Promise.all(wishes);
    assert.deepEqual(made.sort(), ['1.mp4', '2.mp4', '3.mp4']);
  });

  it('follow a segment that is being written, and are not kept of it', async () => {
    open(segment(1, T, { isOpen: true }));
    assert.equal((await get(7000)).state, 'growing');
    assert.deepEqual(readdirSync(folder), ['1.mp4']);
    await get(7000);
    assert.equal(made.length, 1);
    archive.all[0] = segment(1, T, { isOpen: false });
    archive.tell({ kind: 'finished', segment: archive.all[0].segment });
    assert.equal((await get(7000)).state, 'final');
    assert.deepEqual(readdirSync(folder).sort(), ['1.mp4', '1.thumbs']);
  });

  it('leave nothing behind of a segment that goes meanwhile', async () => {
    open(segment(1, T));
    hold();
    const wanted = get(0);
    await eventually(() => made.length === 1, 5000, 'the run');
    archive.all.length = 0;
    release?.();
    await wanted;
    assert.deepEqual(readdirSync(folder), ['1.mp4']);
  });

  it('are refused at once where what is wanted is known to be damaged, whatever lies near', async () => {
    open(segment(1, T), segment(2, T + 8000), segment(3, T + 16_000, { format: { video: undefined, hasSound: true } }));
    await get(0);
    writeFileSync(path.join(folder, '2.mp4'), 'no video');
    assert.equal((await get(9000)).state, 'nearest', 'nobody knows yet');
    const refusal = await eventually(
      () =>
        get(9000).then(
          () => undefined,
          (error: unknown) => error,
        ),
      10_000,
      'the refusal',
    );
    assert.ok(refusal instanceof MediaPeerError && refusal.code === 'RECORDING_DAMAGED');
    await assert.rejects(get(17_000), /sound alone was recorded/);
    assert.deepEqual(made, ['1.mp4', '2.mp4']);
  });

  it('are refused with words where there is nothing, or nothing that can be read', async () => {
    open(segment(1, T), segment(2, T + 60_000));
    const refused = async (ms: number, code: string, words: RegExp, sourceId = 'gate'): Promise<void> => {
      const isRight = (error: unknown): boolean => error instanceof MediaPeerError && error.code === code && words.test(error.message);
      await assert.rejects(thumbnails.get(sourceId, T + ms), isRight);
    };
    await refused(-1000, 'RECORDING_OUT_OF_RANGE', /there is something from/);
    await refused(30_000, 'RECORDING_OUT_OF_RANGE', /a gap from 1796061608 to 1796061660/);
    await refused(7e9, 'RECORDING_OUT_OF_RANGE', /there is something from/);
    await refused(0, 'RECORDING_NOT_FOUND', /nothing is recorded/, 'yard');
    writeFileSync(path.join(folder, '1.mp4'), 'no video');
    await refused(0, 'RECORDING_DAMAGED', /no keyframe/);
    await refused(500, 'RECORDING_DAMAGED', /no keyframe/);
    assert.deepEqual(made, ['1.mp4'], 'it is not tried again for each who asks');
    await clock.advance(60_000);
    await refused(0, 'RECORDING_DAMAGED', /no keyframe/);
    assert.equal(made.length, 2);
  });
});
