import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { probe } from '../../../src/ffmpeg/index.js';
import { openFileFeed, SourceLibrary, FileSnapshots, type FileDescription } from '../../../src/source/index.js';
import { eventually, within } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { copyVideo } from '../../helpers/make-video.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-names-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const OUT = 'it is a link that leads out of the folder; copy the file here, or link to one in the same folder';

/** Names that programs stumble over. */
const NAMES = [
  '-i.mp4',
  '-.mp4',
  'it\'s 50% of $HOME; `ls` \\ "quoted".mp4',
  'Straße mit Übergang, 日本語 🚗.mp4',
  'two\nlines.mp4',
  "x'\nfile passes\n.mp4",
  'concat:a|b.mp4',
  'http:x.mp4',
  '%03d.mp4',
  `${'long'.repeat(62)}-a.mp4`,
  `${'ü'.repeat(125)}.mp4`,
  'readme first.mp4',
  'no extension',
];

test('files with names of every kind are listed, played and pictured', async () => {
  const deps = realDeps();
  const uploadDir = path.join(folder, "it's\nan upload");
  mkdirSync(uploadDir);
  NAMES.forEach((name, i) => copyVideo(i % 3 === 2 ? 'b-frames.mp4' : 'copyable.mp4', uploadDir, name));
  const library = await SourceLibrary.open({ ...deps, uploadDir });
  await within(library.ready, 60_000, 'the first look');
  assert.deepEqual(new Set(library.list().map(({ name }) => name)), new Set(NAMES));
  assert.equal(new Set(library.list().map(({ id }) => id)).size, NAMES.length, 'every id is another one');
  for (const description of library.list()) {
    assert.match(description.id, /^[A-Za-z0-9._-]{1,64}$/);
    assert.ok(description.playable, `${JSON.stringify(description.name)}: ${description.reason}`);
    let frames = 0;
    const feed = openFileFeed(description, { encodedVideo: () => frames++, picture: () => frames++, audio: () => undefined }, deps);
    await eventually(() => frames > 3, 5000, `frames of ${JSON.stringify(description.name)}; ${feed.lastError}`);
    await feed.close();
  }
  const dash = library.get('-i') as FileDescription;
  assert.equal((await new FileSnapshots(deps).get(dash, 160)).readUInt16BE(0), 0xffd8);
  await library.close();
  assertNothingHeld(deps);
});

test('pipes, devices, and links to them or to nowhere are listed with the reason, and nobody waits for them', async () => {
  const deps = realDeps();
  const uploadDir = path.join(folder, 'special');
  mkdirSync(uploadDir);
  execFileSync('mkfifo', [path.join(uploadDir, 'pipe.mp4')]);
  symlinkSync(path.join(uploadDir, 'pipe.mp4'), path.join(uploadDir, 'link-to-pipe.mp4'));
  symlinkSync('/dev/zero', path.join(uploadDir, 'zero.mp4'));
  symlinkSync('/dev/video0', path.join(uploadDir, 'camera.mp4'));
  symlinkSync('loop.mp4', path.join(uploadDir, 'loop.mp4'));
  copyVideo('copyable.mp4', uploadDir);
  writeFileSync(
    Buffer.concat([Buffer.from(`${uploadDir}/caf`), Buffer.from([0xe9]), Buffer.from('.mp4')]),
    readFileSync(path.join(uploadDir, 'copyable.mp4')),
  );
  const library = await SourceLibrary.open({ ...deps, uploadDir });
  await within(library.ready, 10_000, 'the first look');
  // A name in Latin-1, which is not UTF-8.
  assert.deepEqual(
    library.list().map(({ name, playable, reason }) => [name, playable, reason]),
    [
      ['caf\\xe9.mp4', false, 'its name is not UTF-8; rename it'],
      ['camera.mp4', false, existsSync('/dev/video0') ? OUT : 'it is a link to a file that is not there'],
      ['copyable.mp4', true, undefined],
      ['link-to-pipe.mp4', false, 'it is no plain file, but a pipe, a socket or a device'],
      ['loop.mp4', false, 'it is a link that leads back to itself'],
      ['pipe.mp4', false, 'it is no plain file, but a pipe, a socket or a device'],
      ['zero.mp4', false, OUT],
    ],
  );
  await library.close();
  assertNothingHeld(deps);
});

test('a file that cannot be read has a reason that tells no path', async () => {
  const deps = realDeps();
  const found = await probe(deps.tools, path.join(folder, 'gone.mp4'), 1000, { ledger: deps.ledger });
  assert.match(found.problem ?? '', /cannot be read/);
  assert.ok(!found.problem?.includes(folder), found.problem);
  assertNothingHeld(deps);
});

test('five hundred files are all listed', async () => {
  const deps = realDeps();
  const uploadDir = path.join(folder, 'many');
  mkdirSync(uploadDir);
  const longAgo = Date.now() / 1000 - 60;
  for (let i = 0; i < 500; i++) {
    const file = path.join(uploadDir, `${i}.mp4`);
    writeFileSync(file, '');
    // Not still being written.
    utimesSync(file, longAgo, longAgo);
  }
  copyVideo('copyable.mp4', uploadDir);
  const library = await SourceLibrary.open({ ...deps, uploadDir });
  await within(library.ready, 20_000, 'the first look');
  assert.equal(library.list().length, 501);
  await library.close();
  assertNothingHeld(deps);
});
