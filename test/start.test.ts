import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { projectRoot } from './helpers/assets.js';
import { within } from './helpers/deadline.js';

it('npm start hands the signals that npm gets to the server', async () => {
  const { scripts } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-start-'));
  try {
    // The project's command, with a stand-in for the server that says what it is told.
    mkdirSync(path.join(folder, 'scripts'));
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ scripts: { start: scripts.start } }));
    writeFileSync(
      path.join(folder, 'scripts/start.mjs'),
      "process.on('SIGTERM', () => { console.log('told'); process.exit(0); }); setTimeout(() => process.exit(1), 20_000); console.log('up');",
    );
    const npm = spawn('npm', ['start', '--silent'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    npm.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('up') && !npm.killed) npm.kill('SIGTERM');
    });
    const [code] = (await within(once(npm, 'close'), 15_000, 'npm to end')) as [number | null];
    assert.deepEqual([output.trim().split('\n'), code], [['up', 'told'], 0]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
