import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { projectRoot } from './helpers/assets.js';
import { within } from './helpers/deadline.js';

it('npm start ends the server when npm is told to end', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-start-'));
  const npm = spawn('npm', ['start', '--silent', '--', '--port', '0', '--upload', folder], {
    cwd: projectRoot,
    env: { ...process.env, MODEL: 'none', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let output = '';
    npm.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('is ready') && !npm.killed) npm.kill('SIGTERM');
    });
    // Its output is closed by the last process that writes to it, which is the server.
    await within(once(npm, 'close'), 60_000, 'npm and the server to end');
    assert.match(output, /is starting[^]*is ready[^]*"signal":"SIGTERM"[^]*shutting down/);
  } finally {
    npm.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

it('the scripts of package.json need no POSIX shell', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  for (const [name, command] of Object.entries(scripts)) assert.doesNotMatch(command, /^\w+=|\bexec\b|[$`\\]/, name);
});
