/** A disk that takes no byte more under a whole server that records: it says so, everything else goes on, and so does it once there is room. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { TestServer } from './helpers/server.js';
import { noSmallDisk, smallDisk, type SmallDisk } from './helpers/small-disk.js';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** More than is to be free again before recording goes on, and little enough to be filled at once. */
const DISK_BYTES = 24 << 20;
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-full-disk-'));
const sourcesFile = path.join(folder, 'sources.yml');
writeFileSync(sourcesFile, 'sources:\n  - { name: bars, device: "testsrc2=size=320x180:rate=25", format: lavfi }\n');

describe('a disk of recordings that is full', { timeout: 240_000 }, () => {
  let disk: SmallDisk | undefined;
  let server: TestServer | undefined;

  const start = (recordDir: string): Promise<TestServer> =>
    TestServer.start([], {
      SOURCES_FILE: sourcesFile,
      RECORD_DIR: recordDir,
      RECORD: 'bars',
      RECORD_MIN_FREE: '0',
      STATE_DIR: path.join(folder, 'state'),
    });
  const rangesOf = async (running: TestServer): Promise<readonly Range[]> =>
    (await running.get<{ ranges?: Range[] }>('/recordings/bars')).ranges ?? [];
  const stateOf = async (running: TestServer): Promise<{ state: string; reason?: string }> => running.get('/sources/bars/recording');
  const eventsOf = async (running: TestServer, type: string): Promise<readonly { reason?: string }[]> =>
    (await running.get<{ events: { reason?: string }[] }>(`/events?type=${type}`)).events;
  const untilIs = (running: TestServer, state: string): Promise<unknown> =>
    eventually(async () => (await stateOf(running)).state === state, 60_000, `a recording that is ${state}`);

  before(() => {
    disk = smallDisk(DISK_BYTES);
  });

  after(async () => {
    await server?.close();
    disk?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('stops recordings with an event, holds up no viewer and no setting, and lets them go on when there is room', async (t) => {
    if (!disk) return t.skip(noSmallDisk);
    const recordDir = path.join(disk.folder, 'recordings');
    const running = (server = await start(recordDir));
    await eventually(async () => (await rangesOf(running)).length > 0, 60_000, 'a recording');
    const viewer = await running.join({ source: 'bars' });
    const makeRoom = disk.fill(64 << 10);
    await eventually(async () => (await eventsOf(running, 'recording_stopped')).length > 0, 60_000, 'the event');
    assert.equal((await eventsOf(running, 'recording_stopped'))[0]?.reason, 'disk-full');
    const { state, reason } = await stateOf(running);
    assert.equal(state, 'stopped');
    assert.match(reason ?? '', /there is too little space/);
    const [before] = await rangesOf(running);
    assert.ok(before && before.to > before.from, 'what was recorded is there');

    const seen = viewer.packets.length;
    await eventually(() => viewer.packets.length > seen + 25, 30_000, 'packets for the viewer');
    const put = await fetch(`${running.url}/sources/bars/recording`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'continuous', detections: 'off' }),
    });
    assert.deepEqual([put.status, ((await put.json()) as { state: string }).state], [200, 'stopped']);
    assert.equal((await stateOf(running)).state, 'stopped');

    makeRoom();
    await untilIs(running, 'recording');
    assert.equal((await eventsOf(running, 'recording_resumed')).length, 1);
    const after = await eventually(
      async () => (await rangesOf(running)).find(({ from, to }) => from >= before.to && to - from > 1),
      60_000,
      'more',
    );
    assert.ok(after.from > before.to, 'in between there is a gap');
    assert.ok(viewer.packets.length > seen + 25);
    await running.leave(viewer);
  });

  it('is taken by a server that starts on it, which records once there is room', async (t) => {
    if (!disk) return t.skip(noSmallDisk);
    await server?.close();
    const makeRoom = disk.fill();
    const recordDir = path.join(disk.folder, 'others');
    const running = (server = await start(recordDir));
    await eventually(async () => (await eventsOf(running, 'recording_stopped')).length > 1, 60_000, 'the event');
    assert.match((await stateOf(running)).reason ?? '', /there is too little space/);
    makeRoom();
    await untilIs(running, 'recording');
    await eventually(async () => (await rangesOf(running)).some(({ from, to }) => to - from > 1), 60_000, 'a recording');
  });

  it('has only files that ffmpeg plays without a word', async (t) => {
    if (!disk) return t.skip(noSmallDisk);
    await server?.close();
    server = undefined;
    const files = readdirSync(disk.folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mp4'));
    assert.ok(files.length >= 3, files.join());
    for (const file of files) {
      const args: string[] = ['-nostdin', '-v', 'error', '-i', path.join(disk.folder, file), '-f', 'null', '-'];
      assert.equal(spawnSync('ffmpeg', args, { encoding: 'utf8' }).stderr, '', file);
    }
  });
});
