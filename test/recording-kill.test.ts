/** A server that records and is killed, again and again: at most a second is lost, every file plays, and sound and picture stay together. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { beepsOf, FLASHING, flashesOf, NOTICED_S } from './helpers/flashes.js';
import { startServerProcess, type ServerProcess } from './helpers/server-process.js';

interface Recorded {
  readonly from: number;
  readonly to: number;
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
}

const KILLS = 10;
/** Before a kill, ms: with a fragment under way. */
const MAX_LOST_MS = 1_000;
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-killed-'));
const recordDir = path.join(folder, 'recordings');
const sourcesFile = path.join(folder, 'sources.yml');
/** 0.1 s of light and sound in each second. */
const IS_ON = 'between(mod(t\\,1)\\,0.5\\,0.6)';
const PICTURE = `color=black:size=${FLASHING.widthPx}x${FLASHING.heightPx}:rate=25,drawbox=color=white:t=fill:enable=${IS_ON}[out0]`;
const SOUND = `aevalsrc=${IS_ON}*sin(2*PI*1000*t):s=48000[out1]`;
writeFileSync(sourcesFile, JSON.stringify({ sources: [{ name: 'bars', device: `${PICTURE};${SOUND}`, format: 'lavfi' }] }));
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
    let killedAtMs = Infinity;
    for (let n = 0; n < KILLS; n++) {
      const running = (server = await start());
      const before = await recorded(running);
      if (lastTo > 0)
        assert.ok(
          (before?.ranges ?? []).some(({ to }) => to >= lastTo - 0.001),
          `${lastTo} is in none of ${JSON.stringify(before)}`,
        );
      const lostMs =
        lastTo > 0
          ? killedAtMs - 1000 * Math.max(...(before?.ranges ?? []).map(({ to }) => to).filter((to) => 1000 * to <= killedAtMs))
          : 0;
      assert.ok(lostMs <= MAX_LOST_MS, `${lostMs} ms before kill ${n} are lost`);
      const told = await eventually(
        async () => {
          const now = await recorded(running);
          return now && now.ranges.length > n && now.to - (now.ranges.at(-1)?.from ?? 0) > 1.5 ? now : undefined;
        },
        60_000,
        'a recording',
      );
      killedAtMs = Date.now();
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
      // In the file's own time: in that of the rate, frames that came late and soon after another would fall on one.
      const play = ['-nostdin', '-v', 'error', '-i', path.join(recordDir, file), '-enc_time_base', '-1', '-f', 'null', '-'];
      const { stderr: said } = spawnSync('ffmpeg', play, { encoding: 'utf8' });
      assert.equal(said, '', file);
      assertTogether(path.join(recordDir, file));
    }
  });
});

/** Sound may begin later than the picture, and what was under way is cut. */
function assertTogether(file: string): void {
  const [flashes, beeps] = [flashesOf(file), beepsOf(file)];
  const both = flashes.filter((flash) => flash > (beeps[0] ?? Infinity) - NOTICED_S && flash < (beeps.at(-1) ?? 0) + NOTICED_S);
  assert.ok(both.length > 0, `${file} flashes at ${flashes.join()} and beeps at ${beeps.join()}`);
  for (const flash of both)
    assert.ok(
      beeps.some((beep) => Math.abs(beep - flash) < NOTICED_S),
      `${file} flashes at ${flash} and beeps at ${beeps.join()}`,
    );
}
