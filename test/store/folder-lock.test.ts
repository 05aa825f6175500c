import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FolderBusyError, lockFolder } from '../../src/store/folder-lock.js';
import { projectRoot } from '../helpers/assets.js';
import { noSmallDisk, smallDisk } from '../helpers/small-disk.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-lock-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Another process that holds the folder until it is killed. */
async function otherHolder(): Promise<() => Promise<void>> {
  const module = pathToFileURL(path.join(projectRoot, 'dist/src/store/folder-lock.js')).href;
  const code = `import { lockFolder } from ${JSON.stringify(module)};
    globalThis.lock = lockFolder(process.argv[1]); process.stdout.write('held'); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
}

describe('the lock of a folder', () => {
  it('refuses a second holder in the same process, until the first gives it back', () => {
    const lock = lockFolder(folder);
    assert.throws(() => lockFolder(folder), FolderBusyError);
    lock.release();
    lock.release();
    lockFolder(folder).release();
  });

  it('refuses a folder that another process holds, and takes it once that was killed', async () => {
    const kill = await otherHolder();
    assert.throws(() => lockFolder(folder), FolderBusyError);
    await kill();
    lockFolder(folder).release();
  });

  it('makes the folder, and says of one that cannot be made that it is not just in use', () => {
    lockFolder(path.join(folder, 'a/b')).release();
    writeFileSync(path.join(folder, 'file'), '');
    assert.throws(
      () => lockFolder(path.join(folder, 'file')),
      (error) => !(error instanceof FolderBusyError),
    );
  });

  it('holds a folder of a disk that takes no byte more', (t) => {
    const disk = smallDisk(1 << 20);
    if (!disk) return t.skip(noSmallDisk);
    t.after(() => disk.close());
    disk.fill();
    assert.throws(() => writeFileSync(path.join(disk.folder, 'more'), 'x'), { code: 'ENOSPC' });
    const lock = lockFolder(path.join(disk.folder, 'recordings'));
    assert.throws(() => lockFolder(path.join(disk.folder, 'recordings')), FolderBusyError);
    assert.equal(statSync(path.join(disk.folder, 'recordings/in-use.db')).size, 0);
    lock.release();
    lockFolder(path.join(disk.folder, 'recordings')).release();
  });
});
