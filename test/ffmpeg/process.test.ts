import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { openOutputSocket, openProcess, type ProcessSpec } from '../../src/ffmpeg/index.js';
import { eventually, within } from '../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../helpers/ffmpeg-deps.js';

const ENDLESS = { options: ['-re', '-f', 'lavfi'], address: 'testsrc2=size=160x90:rate=30' };
const RAW = { options: ['-f', 'rawvideo', '-flush_packets', '1'], address: 'pipe:1' };

function spec(more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { owner: 'test', inputs: [ENDLESS], outputs: [RAW], onOutput: () => undefined, expectOutput: 'always', ...more };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a process delivers until it is closed, and then is gone', async () => {
  const deps = realDeps();
  let bytes = 0;
  const running = openProcess(deps, spec({ onOutput: (chunk) => (bytes += chunk.length) }));
  await eventually(() => bytes > 100_000, 5000, 'output');
  const pid = running.pid as number;
  const end = await within(running.close(), 2000, 'the end');
  assert.deepEqual([end.requested, end.error], [true, undefined]);
  assert.equal(isAlive(pid), false);
  assert.equal(await running.close(), end);
  assertNothingHeld(deps);
});

test('a process that is closed before it started never runs on', async () => {
  const deps = realDeps();
  const running = openProcess(deps, spec());
  assert.equal((await within(running.close(), 3000, 'the end')).requested, true);
  assertNothingHeld(deps);
});

test('the error of a process that fails holds the last lines of its output', async () => {
  const deps = realDeps();
  const running = openProcess(deps, spec({ inputs: [{ options: [], address: '/nowhere/at all.mp4' }] }));
  const { error, requested } = await within(running.closed, 5000, 'the end');
  assert.equal(requested, false);
  assert.ok(error);
  assert.equal(error.code, 'FFMPEG_FAILED');
  assert.match(error.message, /ffmpeg \(test\) exited with code 1.*No such file/);
  assertNothingHeld(deps);
});

test('an executable that does not exist is an error, not a crash', async () => {
  const deps = realDeps();
  const broken = { ...deps, tools: { ...deps.tools, ffmpegPath: '/nowhere/ffmpeg' } };
  const { error } = await within(openProcess(broken, spec()).closed, 5000, 'the end');
  assert.match(error?.message ?? '', /could not be started/);
  assertNothingHeld(deps);
});

test('a process that gives nothing is ended at its deadline', async () => {
  const deps = realDeps();
  const silent = { options: ['-f', 'rawvideo', '-s', '16x16', '-pix_fmt', 'yuv420p'], address: 'pipe:0' };
  const running = openProcess(deps, spec({ inputs: [silent], outputTimeoutMs: 300 }));
  const { error } = await within(running.closed, 5000, 'the end');
  assert.match(error?.message ?? '', /gave no output for 300 ms/);
  assertNothingHeld(deps);
});

test('a reader that throws ends the process with its error', async () => {
  const deps = realDeps();
  const running = openProcess(
    deps,
    spec({
      onOutput: () => {
        throw new Error('cannot read that');
      },
    }),
  );
  const { error } = await within(running.closed, 5000, 'the end');
  assert.match(error?.message ?? '', /cannot read that/);
  assertNothingHeld(deps);
});

test('a process that is killed from outside is reported with its signal', async () => {
  const deps = realDeps();
  let bytes = 0;
  const running = openProcess(deps, spec({ onOutput: (chunk) => (bytes += chunk.length) }));
  await eventually(() => bytes > 0, 5000, 'output');
  process.kill(running.pid as number, 'SIGKILL');
  const end = await within(running.closed, 2000, 'the end');
  assert.equal(end.signal, 'SIGKILL');
  assert.match(end.error?.message ?? '', /was ended by SIGKILL/);
  assertNothingHeld(deps);
});

test('a second output arrives through its socket, which is gone afterwards', async () => {
  const deps = realDeps();
  let bytes = 0;
  const socket = await openOutputSocket((chunk) => (bytes += chunk.length));
  const running = openProcess(deps, spec({ outputs: [RAW, { options: ['-f', 'rawvideo'], address: socket.address }] }));
  await eventually(() => bytes > 100_000, 5000, 'output of the socket');
  await running.close();
  await socket.close();
  await socket.close();
  assert.equal(existsSync(socket.folder), false);
  assertNothingHeld(deps);
});

for (const [how, script] of [
  ['exits', 'process.exit(0)'],
  ['is killed', "process.kill(process.pid, 'SIGKILL')"],
] as const) {
  test(`no ffmpeg survives a server that ${how}`, async () => {
    const source = `
      const { realDeps } = await import(${JSON.stringify(new URL('../helpers/ffmpeg-deps.js', import.meta.url).href)});
      const { openProcess } = await import(${JSON.stringify(new URL('../../src/ffmpeg/index.js', import.meta.url).href)});
      const running = openProcess(realDeps(), { owner: 'test', expectOutput: 'always',
        inputs: [${JSON.stringify(ENDLESS)}], outputs: [${JSON.stringify(RAW)}],
        onOutput: () => { process.stdout.write(String(running.pid) + '\\n', () => { ${script} }); } });`;
    const server = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => server.once('close', resolve));
    let said = '';
    server.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await within(exited, 10_000, 'the server to end');
    const pid = Number.parseInt(said, 10);
    assert.ok(pid > 0);
    await eventually(() => !isAlive(pid), 3000, 'ffmpeg to end');
  });
}
