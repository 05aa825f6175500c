import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { projectRoot } from './helpers/assets.js';
import { eventually, within } from './helpers/deadline.js';
import { freePort } from './helpers/free-port.js';
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

  const started: ChildProcess[] = [];
  after(() => {
    // Where an assertion failed, nobody has ended it.
    for (const child of started) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

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
    started.push(child);
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

  it('says that its UDP port is taken, be it that of HTTP or one of its own, and what to do', async () => {
    const [udp, port] = [createSocket('udp4'), await freePort()];
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    const cases = [
      [
        { PORT: String(port) },
        `UDP port ${port}, the number of PORT, on 127.0.0.1 is taken by another program; end that program, set ICE_UDP_PORT to`,
      ],
      [
        { ICE_UDP_PORT: String(port) },
        `ICE_UDP_PORT ${port} on 127.0.0.1 is taken by another program; end that program, choose another port, or any`,
      ],
    ] as const;
    for (const [variables, words] of cases) {
      const { seen, ended } = start([], { ICE_ADDRESSES: '127.0.0.1', ...variables });
      assert.deepEqual(await ended(), [1, null]);
      assert.ok(seen.err.startsWith(`Sightline cannot start (CONFIG_INVALID):\n${words}`), seen.err);
      assert.ok(!existsSync(asked()));
    }
    udp.close();
  });

  it('answers that it is starting until it serves, on the port it will have', async () => {
    const port = await freePort();
    const { child, seen, ended } = start([], { PORT: String(port) });
    await eventually(() => existsSync(asked()), 20_000, 'ffmpeg to be asked');
    const early = await fetch(`http://127.0.0.1:${port}/ready`);
    const body = (await early.json()) as { code: string; ready: boolean };
    assert.deepEqual([early.status, early.headers.get('retry-after'), body.code, body.ready], [503, '2', 'SERVER_STARTING', false]);
    const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    assert.equal(page.status, 503);
    assert.match(await page.text(), /http-equiv="refresh"[^]*Sightline is starting/, 'who looks by a browser comes again by itself');
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
      assert.match(seen.out, /^\{[^\n]*"msg":"Sightline is starting"\}\n$/);
      assert.equal(seen.err, '');
      await eventually(() => children.every(({ pid }) => processTree(pid).length === 0), 5000, 'its children to be gone');
    }
  });

  it('takes options before the environment, and the environment before .env', async () => {
    const port = await freePort();
    writeFileSync(path.join(folder, '.env'), `PORT=1\nMAX_CONNECTIONS=1\nMAX_PUBLISHERS=3\n`);
    writeFileSync(goOn(), '');
    const { child, seen, ended } = start(['--port', String(port), '--no-motion-gate', '--upload=upload'], { MAX_CONNECTIONS: '2' });
    await eventually(() => seen.out.includes('is ready'), 20_000, 'the server to get ready');
    const stats = (await (await fetch(`http://127.0.0.1:${port}/connection-stats`)).json()) as {
      max_clients: number;
      max_publishers: number;
    };
    assert.deepEqual([stats.max_clients, stats.max_publishers], [2, 3]);
    child.kill('SIGTERM');
    assert.deepEqual(await ended(), [0, null]);
    rmSync(goOn());
    rmSync(path.join(folder, '.env'));
  });

  it('refuses options that it does not know, all at once, with the nearest ones', async () => {
    const { seen, ended } = start([
      '--prot',
      '8511',
      '--max-conections=5',
      '--viewer-token',
      's3cret',
      'TURN_SECRT=s3cret',
      '--frobnicate',
    ]);
    assert.deepEqual(await ended(), [2, null]);
    assert.match(seen.err, /unknown option '--prot': did you mean --port\?\n/);
    assert.match(seen.err, /unknown option '--max-conections': did you mean --max-connections\?\n/);
    assert.match(seen.err, /'TURN_SECRT=\.\.\.' is no option: did you mean --turn-secret\?\n/);
    assert.match(seen.err, /unknown option '--frobnicate'\n/);
    assert.doesNotMatch(seen.err, /s3cret|\n +at /);
    assert.equal(seen.out, '');
    assert.ok(!existsSync(asked()));
  });

  it('names a wrong value by the option that was typed', async () => {
    const { seen, ended } = start(['serve', '-p', '70000', '--detect-fps=many']);
    assert.deepEqual(await ended(), [1, null]);
    assert.match(seen.err, /CONFIG_INVALID\):\ninvalid -p: '70000' is not an integer in \[0, 65535\]\ninvalid --detect-fps: 'many' is not/);
  });

  it('tells its commands, its options and its version', async () => {
    const help = start(['--help']);
    assert.deepEqual(await help.ended(), [0, null]);
    assert.match(help.seen.out, /Usage: sightline \[COMMAND\][^]* serve [^]* annotate [^]* models /);
    for (const args of [
      ['serve', '--help'],
      ['help', 'serve'],
      ['--port', '1', '-h'],
    ]) {
      const serve = start(args);
      assert.deepEqual(await serve.ended(), [0, null]);
      assert.match(serve.seen.out, /\n {2}--max-connections\n {6}Viewers that may be connected at once.*\(10\)\n/);
    }
    const version = start(['--version']);
    assert.deepEqual(await version.ended(), [0, null]);
    const { version: expected } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    assert.equal(version.seen.out, `${expected}\n`);
  });

  it('refuses a command that it does not know, with the nearest one', async () => {
    for (const [args, said] of [
      [['anotate', 'in.mp4'], /^unknown command 'anotate': did you mean annotate\?\n\nUsage:/],
      [['chek'], /^unknown command 'chek': did you mean check\?\n/],
      [['frobnicate'], /^unknown command 'frobnicate'\n\nUsage:/],
      [['PORT=8511'], /^unknown command 'PORT=\.\.\.': write --port/],
    ] as const) {
      const { seen, ended } = start(args);
      assert.deepEqual(await ended(), [2, null]);
      assert.match(seen.err, said);
    }
  });

  it('warns of a near miss in the environment, and refuses one in .env', async () => {
    const warned = start([], { MAX_CONECTIONS: '5' });
    await eventually(() => warned.seen.out.includes('MAX_CONECTIONS'), 20_000, 'the warning');
    warned.child.kill('SIGTERM');
    await warned.ended();
    const line = JSON.parse(warned.seen.out.split('\n')[1]!) as { level: number; msg: string; name: string };
    assert.deepEqual([line.level, line.name], [40, 'MAX_CONECTIONS']);
    assert.match(line.msg, /did you mean MAX_CONNECTIONS\?/);
    writeFileSync(path.join(folder, '.env'), 'MAX_CONECTIONS=5\nCAMERA_PASSWORD=s3cret\n');
    const refused = start();
    assert.deepEqual(await refused.ended(), [1, null]);
    assert.match(refused.seen.err, /CONFIG_INVALID\):\nunknown MAX_CONECTIONS in \.env: did you mean MAX_CONNECTIONS\?\n$/);
    rmSync(path.join(folder, '.env'));
  });
});
