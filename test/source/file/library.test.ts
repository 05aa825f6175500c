import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  readFileSync,
  utimesSync,
  existsSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FfmpegDeps } from '../../../src/ffmpeg/index.js';
import { openFileFeed, SourceLibrary, FileSnapshots, type FileDescription } from '../../../src/source/index.js';
import { eventually, within } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { copyVideo, makeVideo } from '../../helpers/make-video.js';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-library-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openLibrary(deps: FfmpegDeps, uploadDir: string): Promise<SourceLibrary> {
  const library = await SourceLibrary.open({ ...deps, uploadDir, pollMs: 500 });
  await within(library.ready, 15_000, 'the first look');
  return library;
}

/** Makes a file look as if nobody had touched it for a minute. */
function settle(file: string): void {
  const then = Date.now() / 1000 - 60;
  utimesSync(file, then, then);
}

const ids = (library: SourceLibrary): string[] => library.list().map((source) => source.id);

/** Plays a source and forgets what comes. */
function play(description: FileDescription, deps: FfmpegDeps) {
  let frames = 0;
  const feed = openFileFeed(description, { encodedVideo: () => frames++, picture: () => frames++, audio: () => undefined }, deps);
  return { feed, started: () => eventually(() => frames > 3, 5000, 'frames') };
}

test('every file is listed, playable or not, and nothing leads out of the folder', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  copyVideo('copyable.mp4', folder, 'street.mp4');
  copyVideo('b-frames.mp4', folder, 'Straße (1).mp4');
  for (const name of ['text.mp4', 'empty.mp4', 'sound-only.mp4'] as const) settle(copyVideo(name, folder));
  writeFileSync(path.join(folder, '.hidden.mp4'), readFileSync(makeVideo('copyable.mp4')));
  writeFileSync(path.join(folder, 'README.md'), 'notes');
  writeFileSync(path.join(folder, 'unfinished.mp4.part'), 'x');
  writeFileSync(path.join(folder, 'street.zones.json'), '{}');
  mkdirSync(path.join(folder, 'sub.mp4'));
  copyVideo('copyable.mp4', path.join(folder, 'sub.mp4'));
  symlinkSync(makeVideo('copyable.mp4'), path.join(folder, 'out.mp4'));
  symlinkSync(path.join(folder, 'nowhere.mp4'), path.join(folder, 'dangling.mp4'));
  symlinkSync(path.join(folder, 'street.mp4'), path.join(folder, 'alias.mp4'));
  const library = await openLibrary(deps, folder);
  assert.deepEqual(
    library.list().map(({ id, playable, delivery }) => [id, playable, delivery]),
    [
      ['Stra_e_1-ed81d200', true, 'transcode'],
      ['alias', true, 'passthrough'],
      ['dangling', false, 'transcode'],
      ['empty', false, 'transcode'],
      ['out', false, 'transcode'],
      ['sound-only', false, 'transcode'],
      ['street', true, 'passthrough'],
      ['text', false, 'transcode'],
    ],
  );
  assert.ok(library.list().every((source) => source.playable || (source.reason ?? '').length > 5));
  assert.match(library.get('out')?.reason ?? '', /leads out of the folder/);
  for (const id of ['../street', 'sub.mp4', '.hidden', '']) assert.equal(library.get(id), undefined);
  await library.close();
  assertNothingHeld(deps);
});

test('what a source shows is what is in the file', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  copyVideo('copyable.mp4', folder, 'street.mp4');
  const library = await openLibrary(deps, folder);
  const { watch, plan, file, sizeBytes, ...shown } = library.get('street') as FileDescription;
  assert.ok(watch && plan && file.startsWith('/') && sizeBytes > 1000);
  assert.deepEqual(shown, {
    id: 'street',
    name: 'street.mp4',
    durationS: 2,
    widthPx: 640,
    heightPx: 360,
    fps: 30,
    videoCodec: 'h264',
    audioCodec: 'aac',
    hasAudio: true,
    h264Profile: '4d001e',
    orientation: { isMirrored: false, quarterTurns: 0 },
    delivery: 'passthrough',
    playable: true,
  });
  await library.close();
});

test('files that are added, replaced and removed are noticed', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  const library = await openLibrary(deps, folder);
  const events: string[] = [];
  library.onChange(({ kind, file }) => events.push(kind === 'replaced' ? `replaced ${file.id} ${file.delivery}` : `${kind} ${file.id}`));
  assert.deepEqual(ids(library), []);
  const file = copyVideo('copyable.mp4', folder, 'a.mp4');
  await eventually(() => events.includes('added a'), 6000, 'the addition');
  const other = copyVideo('b-frames.mp4', folder, 'a.mp4.part');
  renameSync(other, file);
  await eventually(() => events.includes('replaced a transcode'), 6000, 'the replacement');
  unlinkSync(file);
  await eventually(() => events.includes('removed a'), 6000, 'the removal');
  assert.deepEqual(events, ['added a', 'replaced a transcode', 'removed a']);
  await library.close();
  assertNothingHeld(deps);
});

test('a file that is still being copied is listed when it is whole', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  const library = await openLibrary(deps, folder);
  const bytes = readFileSync(makeVideo('copyable.mp4'));
  const file = path.join(folder, 'slow.mp4');
  const listings: boolean[] = [];
  library.onChange(({ file: { playable } }) => listings.push(playable));
  for (let share = 1; share <= 4; share++) {
    writeFileSync(file, bytes.subarray(0, (bytes.length * share) / 4));
    await library.refresh();
  }
  await eventually(() => library.get('slow')?.playable, 8000, 'the whole file');
  assert.deepEqual(
    listings.filter((playable) => !playable),
    [],
  );
  await library.close();
  assertNothingHeld(deps);
});

test('names that would collide get ids of their own, which stay when files come and go', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  copyVideo('copyable.mp4', folder, 'x.mp4');
  const library = await openLibrary(deps, folder);
  assert.deepEqual(ids(library), ['x']);
  copyVideo('copyable.mkv', folder, 'x.mkv');
  await eventually(() => library.list().length === 2, 6000, 'the second file');
  assert.deepEqual(
    library.list().map(({ id, name }) => [id, name]),
    [
      ['x.mkv', 'x.mkv'],
      ['x', 'x.mp4'],
    ],
  );
  unlinkSync(path.join(folder, 'x.mp4'));
  await eventually(() => library.list().length === 1, 6000, 'the removal');
  assert.deepEqual(ids(library), ['x.mkv']);
  await library.close();
  assertNothingHeld(deps);
});

test('a feed ends as source-ended when its file is removed, and as replaced when it is replaced', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  for (const name of ['gone.mp4', 'changed.mp4']) copyVideo('copyable.mp4', folder, name);
  const library = await openLibrary(deps, folder);
  const gone = play(library.get('gone') as FileDescription, deps);
  const changed = play(library.get('changed') as FileDescription, deps);
  await Promise.all([gone.started(), changed.started()]);
  unlinkSync(path.join(folder, 'gone.mp4'));
  copyFileSync(makeVideo('b-frames.mp4'), path.join(folder, 'new.part'));
  renameSync(path.join(folder, 'new.part'), path.join(folder, 'changed.mp4'));
  assert.equal((await within(gone.feed.closed, 6000, 'the end after the removal')).reason, 'source-ended');
  assert.equal((await within(changed.feed.closed, 6000, 'the end after the replacement')).reason, 'replaced');
  const again = play(library.get('changed') as FileDescription, deps);
  await again.started();
  assert.equal(again.feed.info.delivery, 'transcode');
  await again.feed.close();
  await library.close();
  assertNothingHeld(deps);
});

test('a file that turned out not to be copyable is remembered as one to transcode', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  copyVideo('copyable.mp4', folder, 'a.mp4');
  const library = await openLibrary(deps, folder);
  const first = library.get('a') as FileDescription;
  const changes: string[] = [];
  first.watch?.onChange((change) => changes.push(change));
  first.watch?.mustTranscode('it has B-frames');
  first.watch?.mustTranscode('it has B-frames');
  assert.deepEqual(changes, ['replaced']);
  const second = library.get('a') as FileDescription;
  assert.deepEqual([second.delivery, second.reason, second.playable], ['transcode', 'it has B-frames', true]);
  await library.refresh();
  assert.equal(library.get('a')?.delivery, 'transcode');
  await library.close();
  assertNothingHeld(deps);
});

test('a missing folder is made; one that cannot be read is a clear error', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  const library = await openLibrary(deps, path.join(folder, 'new/upload'));
  assert.ok(existsSync(path.join(folder, 'new/upload')));
  await library.close();
  writeFileSync(path.join(folder, 'file'), '');
  await assert.rejects(SourceLibrary.open({ ...deps, uploadDir: path.join(folder, 'file') }), {
    code: 'CONFIG_INVALID',
    message: /UPLOAD_DIR.*cannot be read/,
  });
  assertNothingHeld(deps);
});

test('a still picture is a JPEG of the size asked for', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  copyVideo('rotated.mp4', folder);
  const library = await openLibrary(deps, folder);
  const jpeg = await new FileSnapshots(deps).get(library.get('rotated') as FileDescription, 180);
  assert.deepEqual([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  // SOF0: height and width follow marker, length and precision.
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  assert.deepEqual([jpeg.readUInt16BE(frame + 7), jpeg.readUInt16BE(frame + 5)], [180, 320]);
  await library.close();
  assertNothingHeld(deps);
});

test('an id stays with its name over restarts, whatever comes and goes meanwhile', async (t) => {
  const deps = realDeps();
  const folder = makeFolder(t);
  const idsNow = async (): Promise<Record<string, string>> => {
    const library = await openLibrary(deps, folder);
    await library.close();
    return Object.fromEntries(library.list().map(({ name, id }) => [name, id]));
  };
  copyVideo('copyable.mp4', folder, 'street.mkv');
  assert.deepEqual(await idsNow(), { 'street.mkv': 'street' });
  copyVideo('copyable.mp4', folder, 'street.mp4');
  copyVideo('copyable.mp4', folder, 'улица.mp4');
  const three = await idsNow();
  assert.deepEqual([three['street.mkv'], three['street.mp4']], ['street', 'street.mp4']);
  unlinkSync(path.join(folder, 'street.mkv'));
  assert.deepEqual((await idsNow())['street.mp4'], 'street.mp4');
  copyVideo('copyable.mp4', folder, 'street.mkv');
  assert.deepEqual(await idsNow(), three);
  writeFileSync(path.join(folder, '.sightline-ids.json'), '{"ids":{"a":"x","b":"x"}}');
  await assert.rejects(
    SourceLibrary.open({ ...deps, uploadDir: folder }),
    /\.sightline-ids\.json, which holds the ids of the videos, is damaged; delete it/,
  );
  assertNothingHeld(deps);
});
