import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { SourceLibrary, FileSnapshots, type FileDescription } from '../../../src/source/index.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { describeFile, makeFile } from '../../helpers/file-feed.js';
import { copyVideo } from '../../helpers/make-video.js';

test('stills wait for what is more urgent, and those that nobody waits for any more are not made', async (t) => {
  const deps = realDeps();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-still-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['a.mp4', 'b.mp4']) copyVideo('copyable.mp4', folder, name);
  const library = await SourceLibrary.open({ ...deps, uploadDir: folder });
  await library.ready;
  let free = (): void => undefined;
  const urgent = new Promise<void>((resolve) => (free = resolve));
  const stills = new FileSnapshots({ ...deps, whenFree: () => urgent });
  const [a, b] = library.list() as [FileDescription, FileDescription];
  const gone = new AbortController();
  const first = stills.get(a, 160);
  const second = stills.get(b, 160, gone.signal);
  assert.equal(deps.ledger.snapshot().child_processes, 0);
  gone.abort(new Error('the client has gone'));
  await assert.rejects(second);
  free();
  assert.equal((await first).readUInt16BE(0), 0xffd8);
  assert.equal((await stills.get(b, 160)).readUInt16BE(0), 0xffd8, 'asked for again, it is made');
  await library.close();
  assertNothingHeld(deps);
});

test('a crowd that asks for stills starts one process at a time, and each picture is made once until its file changes', async (t) => {
  const deps = realDeps();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-still-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['a.mp4', 'b.mp4', 'c.mp4', 'd.mp4']) copyVideo('copyable.mp4', folder, name);
  const library = await SourceLibrary.open({ ...deps, uploadDir: folder });
  await library.ready;
  let most = 0;
  let started = 0;
  const { ledger } = deps;
  const acquire = ledger.acquire.bind(ledger);
  ledger.acquire = (kind, count) => {
    const release = acquire(kind, count);
    if (kind === 'child_processes') started++;
    most = Math.max(most, ledger.snapshot().child_processes);
    return release;
  };
  const stills = new FileSnapshots(deps);
  const all = await Promise.all(Array.from({ length: 20 }, (_unused, i) => stills.get(library.list()[i % 4] as FileDescription, 160)));
  assert.deepEqual([most, started], [1, 4]);
  // Sizes do not drive each other out.
  const first = library.get('a') as FileDescription;
  await stills.get(first, 80);
  await stills.get(first, 160);
  assert.equal(started, 5);
  assert.ok(all.every((jpeg) => jpeg.readUInt16BE(0) === 0xffd8));
  const [before] = all;
  renameSync(copyVideo('portrait.mp4', folder, '.incoming'), path.join(folder, 'a.mp4'));
  await library.refresh();
  assert.notDeepEqual(await stills.get(library.get('a') as FileDescription, 160), before);
  await library.close();
  assertNothingHeld(deps);
});

test('a short file without an index, whose only keyframe is its first, has a still', async (t) => {
  const deps = realDeps();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-still-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = makeFile(
    path.join(folder, 'short.ts'),
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=160x90:rate=25:duration=1',
    '-c:v',
    'libx264',
    '-g',
    '250',
    '-bf',
    '0',
    '-pix_fmt',
    'yuv420p',
  );
  assert.equal((await new FileSnapshots(deps).get(await describeFile(deps, file), 160)).readUInt16BE(0), 0xffd8);
  assertNothingHeld(deps);
});
