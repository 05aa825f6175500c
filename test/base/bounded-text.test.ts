import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { readBoundedText, readBoundedTextSync } from '../../src/base/bounded-text.js';
import { within } from '../helpers/deadline.js';

it('of a file of the operator no more is read than is taken, whatever it is', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-bounded-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [file, pipe] = [path.join(folder, 'file'), path.join(folder, 'pipe')];
  execFileSync('mkfifo', [pipe]);
  // Longer than one piece, and a character that two pieces share.
  const text = `${'x'.repeat(65_535)}ü${'y'.repeat(100_000)}`;
  const bytes = Buffer.byteLength(text);
  writeFileSync(file, text);
  for (const read of [
    readBoundedText,
    (...args: Parameters<typeof readBoundedTextSync>) => Promise.resolve(readBoundedTextSync(...args)),
  ]) {
    assert.equal(await read(file, bytes), text);
    for (const [name, max] of [
      [file, bytes - 1],
      ['/dev/zero', 200_000],
    ] as const)
      await assert.rejects(async () => read(name, max), new RegExp(`larger than ${max} bytes`));
    assert.equal(await within(read(pipe, 10), 3000, 'a pipe that nobody writes to'), '');
    await assert.rejects(async () => read(path.join(folder, 'nothing'), 10), { code: 'ENOENT' });
    await assert.rejects(async () => read(folder, 10), { code: 'EISDIR' });
  }
});
