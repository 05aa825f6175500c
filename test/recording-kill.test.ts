/** A server that records and is killed, again and again: nothing that it had told of is lost, and every file plays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { startServerProcess, type ServerProcess } from './helpers/server-process.js';

interface Recorded {
  readonly from: number;
  readonly to: number;
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
}

const KILLS = 3;
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-killed-'));
const recordDir = path.join(folder, 'recordings');
const sourcesFile = path.join(folder, 'sources.yml');
writeFileSync(sourcesFile, 'sources:\n  - { name: bars, device: "testsrc2=size=320x180:rate=25", format: lavfi }\n');
mkdirSync(path.join(folder, 'upload'));

const start = (): Promise<ServerProcess> =>
  startServerProcess({
    UPLOAD_DIR: path.join(folder, 'upload'),
    STATE_DIR: path.join(folder, 'state'),
    SOURCES_FILE: sourcesFile,
    RECORD: 'bars',
    RECORD_DIR: recordDir,
    RECORD_MIN_FREE: '0',
    MODEL: 'none',
  });

async function recorded({ url }: ServerProcess): Promise<Recorded | undefined> {
  const response = await fetch(`${url}/recordings/bars`);
  return response.ok ? ((await response.json()) as Recorded) : undefined;
}

describe('a server that is killed while it records', { timeout: 240_000 }, () => {
  let server: ServerProcess | undefined;

  after(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has lost nothing that it had told of, and files that ffmpeg plays without a word', async () => {
    let lastTo = 0;
    for (let n = 0; n < KILLS; n++) {
      const running = (server = await start());
      const before = await recorded(running);
      if (lastTo > 0)
        assert.ok(
          (before?.ranges ?? []).some(({ to }) => to >= lastTo - 0.001),
          `${lastTo} is in none of ${JSON.stringify(before)}`,
        );
      const told = await eventually(
        async () => {
          const now = await recorded(running);
          return now && now.ranges.length > n && now.to - (now.ranges.at(-1)?.from ?? 0) > 1.5 ? now : undefined;
        },
        60_000,
        'a recording',
      );
      process.kill(running.pid, 'SIGKILL');
      await running.exited;
      lastTo = told.to;
    }
    server = await start();
    const { ranges } = (await recorded(server)) as Recorded;
    assert.ok(ranges.length >= KILLS);
    await server.close();
    server = undefined;
    const files = readdirSync(recordDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mp4'));
    assert.ok(files.length >= KILLS);
    for (const file of files) {
      const { stderr: said } = spawnSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', path.join(recordDir, file), '-f', 'null', '-'], {
        encoding: 'utf8',
      });
      assert.equal(said, '', file);
    }
  });
});
