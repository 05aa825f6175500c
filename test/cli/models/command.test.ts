import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { projectRoot } from '../../helpers/assets.js';
import { eventually, within } from '../../helpers/deadline.js';
import { FileServer, hangAfter } from './file-server.js';
import { demoOnnx, Workshop } from './workshop.js';

const entry = path.join(projectRoot, 'dist/src/main.js');

describe('sightline models', () => {
  let server: FileServer;
  let workshop: Workshop;
  before(async () => (server = await FileServer.open(readFileSync(demoOnnx))));
  after(() => server.close());
  beforeEach(() => {
    workshop = new Workshop();
    workshop.writeRegistry(server.url);
    server.behaviour = () => false;
  });
  afterEach(() => workshop.remove());

  const start = (...argv: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; stdout: string; stderr: string }> } => {
    const child = spawn(process.execPath, [entry, 'models', ...argv, '--models', workshop.models, '--registry', workshop.registry], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += String(text)));
    child.stderr.on('data', (text) => (stderr += String(text)));
    const ended = within(once(child, 'close'), 30_000, 'the command to end').then(([code]) => ({
      code: code as number | null,
      stdout,
      stderr,
    }));
    return { child, ended };
  };

  it('keeps what has come when it is stopped, and goes on with it', async () => {
    server.behaviour = hangAfter(server, 400_000);
    const { child, ended } = start('pull', 'demo');
    const part = path.join(workshop.models, '.demo.onnx.part');
    await eventually(() => (statSync(part, { throwIfNoEntry: false })?.size ?? 0) === 400_000, 20_000, 'the first bytes');
    child.kill('SIGINT');
    const stopped = await ended;
    assert.equal(stopped.code, 130);
    assert.match(stopped.stderr, /what has come is kept/);
    assert.deepEqual(workshop.files, ['.demo.onnx.part', '.demo.onnx.part.json']);
    server.behaviour = () => false;
    const second = await start('pull', 'demo').ended;
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /going on after 400000 bytes[^]*It works/);
    assert.deepEqual(workshop.files, ['demo.json', 'demo.onnx']);
  });

  it('ends with 1 after trouble, and shows no stack', async () => {
    const { code, stderr } = await start('pull', 'nothing').ended;
    assert.equal(code, 1);
    assert.match(stderr, /^there is no model 'nothing'/);
    assert.doesNotMatch(stderr, /\n +at /);
  });

  it('ends with 2 and the usage after a fault in the command line', async () => {
    const { code, stderr } = await start('remove').ended;
    assert.equal(code, 2);
    assert.match(stderr, /unknown command 'remove'[^]*Usage:/);
  });
});
