import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findFfmpeg } from '../../src/ffmpeg/index.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-tools-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** An ffmpeg that only says what it is. */
function pretender(version: string, encoders: readonly string[]): string {
  const file = path.join(folder, `ffmpeg-${version}`);
  const listing = encoders.map((name) => ` V....D ${name}  x`).join('\\n');
  writeFileSync(
    file,
    `#!/bin/sh\ncase "$*" in *-version*) echo "ffmpeg version ${version} Copyright";; *) printf '${listing}\\n';; esac\n`,
    { mode: 0o755 },
  );
  return file;
}

const ENCODERS = ['libx264', 'libvpx', 'libopus'];

test('ffmpeg on PATH is found with its encoders', async () => {
  const tools = await findFfmpeg();
  assert.equal(tools.ffmpegPath, 'ffmpeg');
  assert.ok(ENCODERS.every((name) => tools.encoders.has(name)));
});

test('without ffmpeg on PATH the packaged one is used', async () => {
  const before = process.env.PATH;
  process.env.PATH = folder;
  try {
    const tools = await findFfmpeg();
    assert.match(tools.ffmpegPath, /ffmpeg/);
    assert.deepEqual(tools.passTimestamps, ['-vsync', 'passthrough']);
    assert.deepEqual(tools.readInRealTime, ['-re']);
  } finally {
    process.env.PATH = before;
  }
});

test('a configured path that is not ffmpeg is refused, saying which', async () => {
  await assert.rejects(findFfmpeg({ ffmpegPath: '/nowhere/ffmpeg' }), { code: 'FFMPEG_NOT_FOUND', message: /\/nowhere\/ffmpeg/ });
  await assert.rejects(findFfmpeg({ ffmpegPath: process.execPath }), {
    code: 'FFMPEG_NOT_FOUND',
    message: /is not ffmpeg.*apt install ffmpeg/,
  });
});

test('an ffmpeg without the needed encoders is refused, naming them', async () => {
  await assert.rejects(findFfmpeg({ ffmpegPath: pretender('6.0', ['libx264']) }), {
    code: 'FFMPEG_NOT_FOUND',
    message: /lacks the encoders libvpx, libopus/,
  });
});

for (const [version, mode, burst] of [
  ['4.4.2', '-vsync', false],
  ['5.0.1', '-vsync', false],
  ['5.1.9-0+deb12u1', '-fps_mode', false],
  ['n6.1.1', '-fps_mode', true],
  ['7.1', '-fps_mode', true],
  ['N-119000-gabcdef', '-fps_mode', true],
] as const) {
  test(`version ${version} gets the options it knows`, async () => {
    const tools = await findFfmpeg({ ffmpegPath: pretender(version, ENCODERS) });
    assert.equal(tools.passTimestamps[0], mode);
    assert.equal(tools.readInRealTime.includes('-readrate_initial_burst'), burst);
  });
}
