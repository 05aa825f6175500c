/** Thumbnails of a segment in one file. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { pictureAt, readStrip, stripFile, writeStrip } from '../../src/recording/picture-strip.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-strip-'));
after(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, '22-05-00.123Z.thumbs');
const STRIP = [
  { atMs: 1000, jpeg: Buffer.from('first') },
  { atMs: 3000, jpeg: Buffer.from('\n{"second"}\n') },
];

describe('a strip of pictures', () => {
  it('is read as it was written, and nothing else is left in the folder', async () => {
    await writeStrip(file, STRIP);
    assert.deepEqual(await readStrip(file), STRIP);
    assert.deepEqual(readdirSync(folder), [path.basename(file)]);
  });

  it('goes with its segment', () => {
    assert.equal(stripFile('/r/gate/2026-11-30/22-05-00.123Z.mp4'), '/r/gate/2026-11-30/22-05-00.123Z.thumbs');
  });

  it('shows the picture that was to be seen at a time', () => {
    assert.deepEqual(
      [0, 1000, 2999, 3000, 9000].map((atMs) => pictureAt(STRIP, atMs).atMs),
      [1000, 1000, 1000, 3000, 3000],
    );
  });

  it('is none where its file is damaged, at whatever byte', async () => {
    await writeStrip(file, STRIP);
    const whole = (await readStrip(file))?.length;
    assert.equal(whole, 2);
    for (let bytes = 60; bytes >= 0; bytes--) {
      truncateSync(file, bytes);
      assert.equal(await readStrip(file), undefined, `${bytes} bytes`);
    }
    for (const text of [
      '',
      '\n',
      '{}\n',
      'null\n',
      '{"version":1,"pictures":[]}\n',
      '{"version":1,"pictures":[[1,-5]]}\n',
      '{"version":2,"pictures":[[1,1]]}\nx',
    ]) {
      writeFileSync(file, text);
      assert.equal(await readStrip(file), undefined, text);
    }
    assert.equal(await readStrip(path.join(folder, 'none')), undefined);
  });
});
