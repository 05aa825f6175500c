import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { SourceLibrary, StillPictures, type FileDescription } from '../../src/source/index.js';
import { assertNothingHeld, realDeps } from '../helpers/ffmpeg-deps.js';
import { copyVideo } from '../helpers/make-video.js';

test('a crowd that asks for stills starts two processes at a time, and each picture is made once until its file changes', async (t) => {
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
  const stills = new StillPictures(deps);
  const all = await Promise.all(Array.from({ length: 20 }, (_unused, i) => stills.get(library.list()[i % 4] as FileDescription, 160)));
  assert.deepEqual([most, started], [2, 4]);
  assert.ok(all.every((jpeg) => jpeg.readUInt16BE(0) === 0xffd8));
  const [before] = all;
  renameSync(copyVideo('portrait.mp4', folder, '.incoming'), path.join(folder, 'a.mp4'));
  await library.refresh();
  assert.notDeepEqual(await stills.get(library.get('a') as FileDescription, 160), before);
  await library.close();
  assertNothingHeld(deps);
});
