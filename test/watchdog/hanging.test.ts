import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { projectRoot } from '../helpers/assets.js';
import { eventually, within } from '../helpers/deadline.js';
import { processTree, startServerProcess, type ServerProcess } from '../helpers/server-process.js';

/** Loaded into the real server beside its own code: makes its main thread hang when it is told to. */
const HOOK = `
import { pbkdf2Sync } from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
const until = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
const hangs = {
  loop: function hangsInALoop() { for (;;); },
  regex: function hangsInARegex() { /^(a+)+$/.test('a'.repeat(60) + 'b'); },
  microtasks: function hangsInMicrotasks() { const again = () => Promise.resolve().then(again); again(); },
  native: function hangsInNativeCode() { pbkdf2Sync('a', 'b', 2 ** 31 - 1, 64, 'sha512'); },
  pipe: function hangsOnAPipe() { for (;;) process.stderr.write(Buffer.alloc(65536, 'x')); },
  pause: function pauses() { until(2500); },
  busy: function isBusy() { let turns = 6; const turn = () => { until(600); if (--turns > 0) setTimeout(turn); else console.log('was busy'); }; turn(); },
  breakpoint: function stopsAtABreakpoint() { debugger; },
};
if (isMainThread) process.on('SIGUSR2', () => setImmediate(() => hangs[process.env.TEST_HANG]()));
`;

describe('the watchdog', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  let folder: string;
  let camera: Server;
  const connections = new Set<Socket>();
  let variables: Record<string, string>;
  let server: ServerProcess | undefined;

  const start = async (hang: string, more: Record<string, string> = {}): Promise<ServerProcess> =>
    (server = await startServerProcess({ ...variables, TEST_HANG: hang, ...more }));

  const answers = async (running: ServerProcess): Promise<boolean> => (await fetch(new URL('/ready', running.url))).status === 200;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-watchdog-'));
    writeFileSync(path.join(folder, 'hook.mjs'), HOOK);
    // Accepts, and never says a word: whoever reads from it waits, and notices nothing of what becomes of its parent.
    camera = createServer((socket) => void connections.add(socket.on('error', () => undefined)));
    await once(camera.listen(0, '127.0.0.1'), 'listening');
    const { port } = camera.address() as AddressInfo;
    writeFileSync(
      path.join(folder, 'sources.json'),
      JSON.stringify({ sources: [{ name: 'mute', url: `rtsp://127.0.0.1:${port}/`, always_on: true }] }),
    );
    // A script in between, as packages put one there: its child is a grandchild of the server.
    for (const program of ['ffmpeg', 'ffprobe']) {
      writeFileSync(path.join(folder, program), `#!/bin/sh\n${program} "$@"\nexit $?\n`);
      chmodSync(path.join(folder, program), 0o755);
    }
    variables = {
      UPLOAD_DIR: folder,
      STATE_DIR: path.join(folder, 'state'),
      MODEL: 'none',
      SOURCES_FILE: path.join(folder, 'sources.json'),
      FFMPEG_PATH: path.join(folder, 'ffmpeg'),
      FFPROBE_PATH: path.join(folder, 'ffprobe'),
      WATCHDOG_S: '1',
      NODE_OPTIONS: `--import=${pathToFileURL(path.join(folder, 'hook.mjs')).href}`,
    };
  });

  after(async () => {
    await server?.close();
    for (const connection of connections) connection.destroy();
    camera.close();
    rmSync(folder, { recursive: true });
  });

  for (const [hang, stack] of [
    ['loop', /^at .*hangsInALoop .*hook\.mjs/m],
    ['regex', /^at .*RegExp\.test.*\nat .*hangsInARegex/m],
    ['microtasks', /^at .*(again|Promise\.then)/],
    ['native', /^none: it is inside a native call/],
  ] as const) {
    it(`ends a server that hangs (${hang}), with all of its children, and says where it was`, async () => {
      const hung = await start(hang);
      const children = await eventually(
        () => {
          const below = processTree(hung.pid).filter(({ pid }) => pid !== hung.pid);
          return below.some(({ command }) => /^ff\w+ .*rtsp:/.test(command)) ? below : undefined;
        },
        20_000,
        'a process that calls the camera',
      );
      process.kill(hung.pid, 'SIGUSR2');
      assert.deepEqual(await within(hung.exited, 20_000, 'the server to be ended'), [null, 'SIGKILL']);
      await eventually(
        () => children.every(({ pid }) => processTree(pid).every(({ command }) => !command.includes('rtsp:'))),
        5000,
        'the children to be gone',
      );
      const line = await eventually(() => hung.log.find((text) => text.startsWith('{"level":60')), 5000, 'its last words');
      const said = JSON.parse(line) as { msg: string; stack: string; silentMs: number; time: number; children: number[] };
      assert.match(said.msg, /event loop hangs \(WATCHDOG_S\)/);
      assert.match(said.stack, stack);
      assert.ok(said.silentMs >= 1000 && Math.abs(said.time - Date.now()) < 60_000);
      assert.ok(said.children.length >= 2, `${said.children.length} children`);
    });
  }

  it('ends a server that hangs on standard error, which nobody reads', async () => {
    const fifo = path.join(folder, 'stderr');
    execFileSync('mkfifo', [fifo]);
    // Holds both ends, and reads nothing.
    const unread = openSync(fifo, 'r+');
    const child = spawn(process.execPath, [path.join(projectRoot, 'dist/src/main.js')], {
      cwd: projectRoot,
      env: { ...process.env, ...variables, SOURCES_FILE: '', HOST: '127.0.0.1', PORT: '0', TEST_HANG: 'pipe' },
      stdio: ['ignore', 'pipe', unread],
    });
    const exited = once(child, 'exit');
    let output = '';
    child.stdout!.on('data', (data: Buffer) => (output += data.toString()));
    await eventually(() => output.includes('is ready'), 30_000, 'the server to get ready');
    child.kill('SIGUSR2');
    assert.deepEqual(await within(exited, 20_000, 'the server to be ended'), [null, 'SIGKILL']);
    closeSync(unread);
  });

  it('lets a process go on that was stopped for longer than the limit', async () => {
    const stopped = await start('loop');
    process.kill(stopped.pid, 'SIGSTOP');
    // Nothing tells that time has passed for a process that stands still.
    await wait(2500);
    process.kill(stopped.pid, 'SIGCONT');
    await goesOn(stopped);
  });

  it('lets a main thread go on that is busy all the time, but never silent for the whole limit', async () => {
    const busy = await start('busy', { WATCHDOG_S: '2' });
    process.kill(busy.pid, 'SIGUSR2');
    await eventually(() => busy.log.includes('was busy'), 20_000, 'the end of the work');
    await goesOn(busy);
  });

  it('is off with 0', async () => {
    const patient = await start('pause', { WATCHDOG_S: '0' });
    process.kill(patient.pid, 'SIGUSR2');
    await goesOn(patient);
  });

  it('takes a breakpoint for no hang', async () => {
    const debugged = await start('breakpoint', { NODE_OPTIONS: `${variables['NODE_OPTIONS']} --inspect=127.0.0.1:0` });
    const url = /ws:\S+/.exec(debugged.log.find((line) => line.includes('Debugger listening')) ?? '')?.[0];
    assert.ok(url);
    const socket = new WebSocket(url);
    await within(once(socket, 'open'), 5000, 'the debugger to be connected');
    const isPaused = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const { id, method } = JSON.parse(data.toString()) as { id?: number; method?: string };
        if (id === 1) process.kill(debugged.pid, 'SIGUSR2');
        if (method === 'Debugger.paused') resolve();
      });
    });
    socket.send(JSON.stringify({ id: 1, method: 'Debugger.enable' }));
    await within(isPaused, 10_000, 'the breakpoint');
    await wait(2500); // longer than the limit; there is nothing else to wait for
    socket.send(JSON.stringify({ id: 2, method: 'Debugger.resume' }));
    await eventually(() => answers(debugged), 10_000, 'the server to answer again');
    // A process waits at its end for the debugger to leave.
    socket.terminate();
    await goesOn(debugged);
  });

  /** It answers for longer than the limit, and ends in good order. */
  async function goesOn(running: ServerProcess): Promise<void> {
    const uptimeS = async (): Promise<number> =>
      ((await (await fetch(new URL('/health', running.url))).json()) as { uptime_s: number }).uptime_s;
    const begunS = await uptimeS();
    await eventually(async () => (await uptimeS()) > begunS + 1.5, 20_000, 'the server to answer for a while');
    assert.ok(await answers(running));
    assert.equal(await running.close(), 0, running.log.join('\n'));
    assert.deepEqual(
      running.log.filter((line) => line.includes('WATCHDOG_S')),
      [],
    );
  }
});
