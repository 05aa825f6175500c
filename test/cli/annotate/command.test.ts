import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { projectRoot } from '../../helpers/assets.js';
import { eventually, within } from '../../helpers/deadline.js';
import { makeVideo } from '../../helpers/make-video.js';

const entry = path.join(projectRoot, 'dist/src/main.js');

describe('sightline annotate', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-annotate-'));
  const out = path.join(folder, 'out.mp4');
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (...argv: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; stdout: string; stderr: string }> } => {
    const child = spawn(process.execPath, [entry, 'annotate', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += String(text)));
    child.stderr.on('data', (text) => (stderr += String(text)));
    const ended = within(once(child, 'close'), 60_000, 'the command to end').then(([code]) => ({
      code: code as number | null,
      stdout,
      stderr,
    }));
    return { child, ended };
  };

  it('leaves nothing when it is stopped', async () => {
    const { child, ended } = start(path.join(projectRoot, 'upload/demo.mp4'), out, '--detections', path.join(folder, 'out.jsonl'));
    await eventually(() => readdirSync(folder).some((name) => name.startsWith('.out.mp4')), 30_000, 'the encoder to begin');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 130);
    assert.match(stderr, /stopped; nothing was written/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('ends with 1 after trouble, and shows no stack', async () => {
    const { code, stderr } = await start(makeVideo('text.mp4'), out).ended;
    assert.equal(code, 1);
    assert.match(stderr, /cannot be annotated: it is not a video/);
    assert.doesNotMatch(stderr, /\n +at /);
    const model = await start(makeVideo('tiny.mp4'), out, '--model', '/nowhere/model.json').ended;
    assert.equal(model.code, 1);
    assert.match(model.stderr, /there is no \/nowhere\/model\.json/);
  });

  it('ends with 2 and the usage after a fault in the command line', async () => {
    const { code, stderr } = await start('in.mp4').ended;
    assert.equal(code, 2);
    assert.match(stderr, /name a video[^]*Usage:/);
  });
});
