import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { projectRoot } from './helpers/assets.js';
import { eventually, within } from './helpers/deadline.js';
import { processTree } from './helpers/server-process.js';

/** The real `main.js` in a folder of its own, in a process group of its own, as a terminal has it. */
describe('starting the server', () => {
  let folder: string;
  const asked = (): string => path.join(folder, 'asked');
  const goOn = (): string => path.join(folder, 'go-on');

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-starting-'));
    mkdirSync(path.join(folder, 'upload'));
    // A slow machine: ffmpeg answers when it is let.
    writeFileSync(
      path.join(folder, 'ffmpeg'),
      `#!/bin/sh\necho > ${asked()}\nwhile [ ! -e ${goOn()} ]; do sleep 0.05; done\nexec ffmpeg "$@"\n`,
    );
    chmodSync(path.join(folder, 'ffmpeg'), 0o755);
  });

  after(() => rmSync(folder, { recursive: true }));

  function start(args: readonly string[] = [], variables: Record<string, string> = {}) {
    rmSync(asked(), { force: true });
    const child = spawn(process.execPath, [path.join(projectRoot, 'dist/src/main.js'), ...args], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        HOST: '127.0.0.1',
        PORT: '0',
        MODEL: 'none',
        UPLOAD_DIR: 'upload',
        FFMPEG_PATH: path.join(folder, 'ffmpeg'),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const seen = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => (seen.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (seen.err += data.toString()));
    const closed = once(child, 'close') as Promise<[number | null, string | null]>;
    return { child, seen, ended: () => within(closed, 20_000, 'the server to end') };
  }

  async function takenPort(): Promise<{ port: number; free: () => Promise<void> }> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port, free: () => new Promise((resolve) => void server.close(() => resolve())) };
  }

  it('says that its port is taken before it asks ffmpeg anything', async () => {
    const { port, free } = await takenPort();
    for (const variables of [{ PORT: String(port) }, { ICE_TCP_PORT: String(port), ICE_ADDRESSES: '127.0.0.1' }]) {
      const { seen, ended } = start([], variables);
      assert.deepEqual(await ended(), [1, null]);
      assert.match(seen.err, /Sightline cannot start \(CONFIG_INVALID\):\n(ICE_TCP_)?PORT \d+ /);
      assert.ok(!existsSync(asked()));
    }
    await free();
  });

  it('answers that it is starting until it serves, on the port it will have', async () => {
    const { port, free } = await takenPort();
    await free();
    const { child, seen, ended } = start([], { PORT: String(port) });
    await eventually(() => existsSync(asked()), 20_000, 'ffmpeg to be asked');
    const early = await fetch(`http://127.0.0.1:${port}/ready`);
    const body = (await early.json()) as { code: string; ready: boolean };
    assert.deepEqual([early.status, early.headers.get('retry-after'), body.code, body.ready], [503, '2', 'SERVER_STARTING', false]);
    writeFileSync(goOn(), '');
    await eventually(() => seen.out.includes('is ready'), 20_000, 'the server to get ready');
    assert.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await ended(), [0, null]);
    rmSync(goOn());
  });

  it('ends quietly when it is interrupted, with the exit code of the signal, whoever gets the signal as well', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const { child, seen, ended } = start();
      await eventually(() => existsSync(asked()), 20_000, 'ffmpeg to be asked');
      const children = processTree(child.pid!);
      // A terminal tells the whole group, ffmpeg included.
      process.kill(-child.pid!, signal);
      assert.deepEqual(await ended(), [code, null]);
      assert.deepEqual([seen.out, seen.err], ['', '']);
      await eventually(() => children.every(({ pid }) => processTree(pid).length === 0), 5000, 'its children to be gone');
    }
  });

  it('refuses arguments in words that say how to set what was meant', async () => {
    const { seen, ended } = start(['--port', '8511', '--max-conections=5', '--viewer-token', 's3cret', '--frobnicate']);
    assert.deepEqual(await ended(), [1, null]);
    assert.match(seen.err, /unknown argument '--port'; set it so: PORT=8511 npm start\n/);
    assert.match(seen.err, /unknown argument '--max-conections'; set it so: MAX_CONNECTIONS=5 npm start\n/);
    assert.match(seen.err, /unknown argument '--frobnicate'\n/);
    assert.match(seen.err, /VIEWER_TOKEN=\.\.\./);
    assert.doesNotMatch(seen.err, /s3cret/);
    assert.ok(!existsSync(asked()));
  });

  it('tells its variables and its version', async () => {
    const help = start(['--help']);
    assert.deepEqual(await help.ended(), [0, null]);
    assert.match(help.seen.out, /PORT=8511.*npm start[^]*\n {2}MAX_CONNECTIONS +10\n/);
    const version = start(['--version']);
    assert.deepEqual(await version.ended(), [0, null]);
    const { version: expected } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    assert.equal(version.seen.out, `${expected}\n`);
  });

  it('warns of a near miss in the environment, and refuses one in .env', async () => {
    const warned = start([], { MAX_CONECTIONS: '5' });
    await eventually(() => warned.seen.out.includes('MAX_CONECTIONS'), 20_000, 'the warning');
    warned.child.kill('SIGTERM');
    await warned.ended();
    const line = JSON.parse(warned.seen.out.split('\n')[0]!) as { level: number; msg: string; name: string };
    assert.deepEqual([line.level, line.name], [40, 'MAX_CONECTIONS']);
    assert.match(line.msg, /did you mean MAX_CONNECTIONS\?/);
    writeFileSync(path.join(folder, '.env'), 'MAX_CONECTIONS=5\nCAMERA_PASSWORD=s3cret\n');
    const refused = start();
    assert.deepEqual(await refused.ended(), [1, null]);
    assert.match(refused.seen.err, /CONFIG_INVALID\):\nunknown MAX_CONECTIONS in \.env: did you mean MAX_CONNECTIONS\?\n$/);
    rmSync(path.join(folder, '.env'));
  });
});
