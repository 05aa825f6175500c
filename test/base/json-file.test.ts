import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { JsonFile } from '../../src/base/json-file.js';

const VERSION = 1;

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-json-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'state', 'users.json');
}

function opened(file: string): JsonFile {
  const json = new JsonFile({ file, version: VERSION, what: 'users' });
  json.read();
  return json;
}

const STOPPED = { code: 'STATE_NOT_KEPT', message: /was changed by somebody else; restart the server .* a STATE_DIR of its own/ };

describe('a file of STATE_DIR', () => {
  it('that two servers share is written by the first of them alone, whether it was there or not', async (t) => {
    const file = fileIn(t);
    for (const round of ['new', 'there']) {
      const [one, two] = [opened(file), opened(file)];
      await one.write({ users: [`${round} alice`] });
      await assert.rejects(two.write({ users: ['mallory'] }), STOPPED);
      await one.write({ users: [`${round} alice`, 'bob'] });
      assert.deepEqual(opened(file).read(), { users: [`${round} alice`, 'bob'] });
    }
  });

  it('that a person has edited is taken over by a restart, and not written over before', async (t) => {
    const file = fileIn(t);
    const json = opened(file);
    await json.write({ users: [] });
    writeFileSync(file, `{"version":${VERSION},"users":["by hand"]}`);
    await assert.rejects(json.write({ users: ['bob'] }), STOPPED);
    assert.match(readFileSync(file, 'utf8'), /by hand/);
    const again = opened(file);
    await again.write({ users: ['by hand', 'bob'] });
    assert.match(readFileSync(file, 'utf8'), /bob/);
  });

  it('that was removed is written anew', async (t) => {
    const file = fileIn(t);
    const json = opened(file);
    await json.write({ users: [] });
    rmSync(file);
    await json.write({ users: ['bob'] });
    assert.deepEqual(opened(file).read(), { users: ['bob'] });
  });
});
