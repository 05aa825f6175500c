import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { StateFile } from '../../src/store/state-file.js';
import { projectRoot } from '../helpers/assets.js';

describe('the state file', () => {
  let folder: string;
  let lines: string[];
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-state-'));
    lines = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const keep = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => logger };
  const open = (more: object = {}): Promise<StateFile> => StateFile.open({ stateDir: folder, isChosen: true, logger, ...more });
  const file = (): string => path.join(folder, 'state.json');
  const refusal = async (promise: Promise<unknown>): Promise<MediaPeerError> => {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof MediaPeerError, String(error));
    return error;
  };

  it('gives back what was kept, after a restart, and is readable for nobody else', async () => {
    const state = await open();
    assert.equal(state.section('sources'), undefined);
    await state.update({ sources: [{ name: '__proto__' }], models: { a: 'nano' } });
    await state.update({ models: undefined, walls: [1] });
    const again = await open();
    assert.deepEqual(again.section('sources'), [{ name: '__proto__' }]);
    assert.deepEqual([again.section('models'), again.section('walls')], [undefined, [1]]);
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['state.json']);
  });

  it('makes a folder that nobody else can look into, only when there is something to keep', async () => {
    const stateDir = path.join(folder, 'a', 'b');
    const state = await open({ stateDir });
    assert.equal(existsSync(stateDir), false);
    await state.update({ walls: 1 });
    assert.equal(statSync(stateDir).mode & 0o777, 0o700);
  });

  it('takes changes one after the other', async () => {
    const state = await open();
    await Promise.all(Array.from({ length: 20 }, (_, i) => state.update({ [`s${i}`]: i })));
    const again = await open();
    for (let i = 0; i < 20; i++) assert.equal(again.section(`s${i}`), i);
  });

  for (const [what, text] of [
    ['half of a file', '{"version":1,"sources":['],
    ['an empty file', ''],
    ['no object', '[]'],
    ['a file without a version', '{"sources":[]}'],
    ['a version that is none', '{"version":"1"}'],
  ] as const) {
    it(`sets ${what} aside, says so, and begins anew`, async () => {
      writeFileSync(file(), text);
      const state = await open();
      assert.equal(state.section('sources'), undefined);
      const [aside = ''] = readdirSync(folder);
      assert.match(aside, /^state\.json\.corrupt-/);
      assert.equal(readFileSync(path.join(folder, aside), 'utf8'), text);
      assert.match(lines.join('\n'), /damaged, it is kept aside/);
      await state.update({ sources: [] });
      assert.deepEqual((await open()).section('sources'), []);
    });
  }

  it('refuses that of a later version in words, and leaves it as it is', async () => {
    const text = '{"version":2,"sources":[]}';
    writeFileSync(file(), text);
    const { code, message } = await refusal(open());
    assert.equal(code, 'CONFIG_INVALID');
    assert.match(message, /is of version 2, and this Sightline knows 1: run the one that wrote it, or move the file away/);
    assert.equal(readFileSync(file(), 'utf8'), text);
  });

  it('changes nothing where the file cannot be written', async () => {
    const state = await open();
    await state.update({ walls: 1 });
    mkdirSync(`${file()}.tmp/in-the-way`, { recursive: true });
    const { code, message } = await refusal(state.update({ walls: 2 }));
    assert.equal(code, 'STATE_NOT_KEPT');
    assert.match(message, /nothing was changed: STATE_DIR '.*' cannot be written/);
    assert.equal(state.section('walls'), 1);
    assert.equal((await open()).section('walls'), 1);
  });

  it('keeps no more than it reads at the next start', async () => {
    const state = await open();
    await state.update({ walls: 1 });
    for (const large of ['x'.repeat(17_000_000), '€'.repeat(6_000_000)]) {
      const { code, message } = await refusal(state.update({ walls: large }));
      assert.equal(code, 'STATE_NOT_KEPT');
      assert.match(message, /nothing was changed: .* would be larger than 16 MiB; remove what is not needed/);
      assert.deepEqual([state.section('walls'), (await open()).section('walls')], [1, 1]);
    }
    await state.update({ walls: 'x'.repeat(16_000_000) });
    assert.equal(String((await open()).section('walls')).length, 16_000_000);
    assert.deepEqual(readdirSync(folder), ['state.json']);
  });

  it('does not write over what somebody else has written', async () => {
    const [first, second] = [await open(), await open()];
    await first.update({ walls: 1 });
    const { code, message } = await refusal(second.update({ walls: 2 }));
    assert.equal(code, 'STATE_NOT_KEPT');
    assert.match(message, /changed by somebody else; restart the server/);
    assert.equal((await open()).section('walls'), 1);
    await first.update({ walls: 3 });
  });

  it('keeps changes in memory where the folder was not chosen and cannot be written, and warns', async () => {
    const blocked = path.join(folder, 'a-file');
    writeFileSync(blocked, '');
    const stateDir = path.join(blocked, 'state');
    const memory = await open({ stateDir, isChosen: false });
    await memory.update({ walls: 1 });
    assert.equal(memory.section('walls'), 1);
    assert.match(lines.join('\n'), /cannot be written: what is changed ends with the server/);
    assert.equal((await refusal((await open({ stateDir })).update({ walls: 1 }))).code, 'STATE_NOT_KEPT');
  });

  it('says that the disk is full, and changes nothing', (t) => {
    const script = `
      import { writeFileSync } from 'node:fs';
      import { StateFile } from ${JSON.stringify(path.join(projectRoot, 'dist/src/store/state-file.js'))};
      const logger = { error: console.error, warn: console.error };
      const state = await StateFile.open({ stateDir: process.argv[1], isChosen: true, logger });
      await state.update({ walls: 1 });
      const error = await state.update({ walls: 'x'.repeat(200000) }).catch((reason) => reason);
      const again = await StateFile.open({ stateDir: process.argv[1], isChosen: true, logger });
      console.log(JSON.stringify([error.code, error.message, state.section('walls'), again.section('walls')]));
    `;
    const command = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$1" --input-type=module -e "$2" "$0"';
    const run = spawnSync('unshare', ['-rm', 'sh', '-c', command, folder, process.execPath, script], { encoding: 'utf8' });
    if (/Operation not permitted|unshare failed|ENOENT/.test(`${run.stderr} ${String(run.error)}`))
      return t.skip('this machine lets nobody mount a small disk');
    const [code, message, now, kept] = JSON.parse(run.stdout || '[]') as unknown[];
    assert.equal(code, 'STATE_NOT_KEPT', run.stderr);
    assert.match(String(message), /there is no space left; make room/);
    assert.deepEqual([now, kept], [1, 1]);
  });
});
