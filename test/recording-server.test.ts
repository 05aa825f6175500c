/** Recordings in the whole server: a room, a camera and a file, their ranges, what is kept and removed, a disk without space, and who may. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { publishClip } from './helpers/publish-clip.js';
import { TestServer } from './helpers/server.js';

interface Recorded {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly segments: number;
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
  readonly kept: readonly { readonly from: number; readonly to: number }[];
}
interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-recordings-'));
const recordDir = path.join(folder, 'recordings');
const sourcesFile = path.join(folder, 'sources.yml');
writeFileSync(sourcesFile, 'sources:\n  - { name: bars, device: "testsrc2=size=320x180:rate=25", format: lavfi }\n');

/** All segments of a source on disk. */
const filesOf = (sourceId: string): string[] =>
  existsSync(path.join(recordDir, sourceId))
    ? readdirSync(path.join(recordDir, sourceId), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.mp4'))
        .sort()
        .map((name) => path.join(recordDir, sourceId, name))
    : [];

async function ask(server: TestServer, method: string, pathName: string, body?: object): Promise<Answered> {
  const response = await fetch(server.url + pathName, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
}

async function recorded(server: TestServer, sourceId: string): Promise<Recorded | undefined> {
  const { status, body } = await ask(server, 'GET', `/recordings/${sourceId}`);
  return status === 200 ? (body as unknown as Recorded) : undefined;
}

/** Seconds of a source that are recorded by now. */
async function secondsOf(server: TestServer, sourceId: string): Promise<number> {
  const { ranges = [] } = (await recorded(server, sourceId)) ?? {};
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

const recordsFor = (server: TestServer, sourceId: string, seconds: number): Promise<unknown> =>
  eventually(async () => ((await secondsOf(server, sourceId)) >= seconds ? true : undefined), 60_000, `${seconds} s of ${sourceId}`);

/** What ffprobe says of a file: packets, and no word of complaint. */
function probe(file: string): { readonly videoPackets: number } {
  const args = ['-v', 'error', '-select_streams', 'v', '-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file];
  return { videoPackets: Number(execFileSync('ffprobe', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()) };
}

describe('recordings in the whole server', { timeout: 240_000 }, () => {
  let server: TestServer;
  const closers: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const start = (more: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
    TestServer.start(['copyable.mp4'], {
      SOURCES_FILE: sourcesFile,
      RECORD_DIR: recordDir,
      RECORD: 'gate,bars,copy*',
      RECORD_MIN_FREE: '0',
      STATE_DIR: path.join(folder, 'state'),
      ...more,
    });

  before(async () => {
    server = await start();
    closers.push(() => server.close());
  });

  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  it('records a room and a camera while they are live, and no file that is not named', async () => {
    const stop = await publishClip(server.url, 'gate');
    await Promise.all([recordsFor(server, 'gate', 2), recordsFor(server, 'bars', 2)]);
    const { body } = await ask(server, 'GET', '/sources/gate/recording');
    assert.deepEqual([body['mode'], body['origin'], body['state']], ['continuous', 'config', 'recording']);
    assert.equal((await ask(server, 'GET', '/sources/copyable/recording')).body['state'], 'off');
    assert.equal((await ask(server, 'GET', '/recordings/copyable')).status, 404);
    const { sources } = (await ask(server, 'GET', '/active-streams')).body as unknown as {
      sources: { source: string; recording: string }[];
    };
    assert.equal(sources.find(({ source }) => source === 'bars')?.recording, 'recording');
    await stop();
    assert.ok(Math.abs((await recorded(server, 'gate'))!.from - Date.now() / 1000) < 60, 'it is of now');
  });

  it('begins and ends by PUT, over a restart, and as RECORD says again', async () => {
    const put = await ask(server, 'PUT', '/sources/copyable/recording', { mode: 'continuous', detections: 'off' });
    assert.deepEqual([put.status, put.body['origin'], put.body['detections']], [200, 'api', 'off']);
    await recordsFor(server, 'copyable', 2.5);
    assert.equal((await recorded(server, 'copyable'))?.segments, 1, 'sound, which begins later than the picture, does not split it');
    await server.close();
    server = await start();
    assert.equal((await ask(server, 'GET', '/sources/copyable/recording')).body['mode'], 'continuous');
    await eventually(async () => ((await recorded(server, 'copyable'))!.ranges.length > 1 ? true : undefined), 30_000, 'another range');
    assert.equal((await ask(server, 'DELETE', '/sources/copyable/recording')).body['state'], 'off');
    for (const bad of [{ mode: 'sometimes' }, { mode: 'events', pre_s: 61 }, {}]) {
      assert.equal((await ask(server, 'PUT', '/sources/copyable/recording', bad)).status, 400, JSON.stringify(bad));
    }
    assert.equal((await ask(server, 'PUT', '/sources/nobody/recording', { mode: 'off' })).status, 404);
  });

  it('leaves files that ffprobe has nothing to say about', async () => {
    // The last one may still be on its way to the disk.
    const checked = await eventually(
      async () => {
        const { body } = await ask(server, 'GET', '/recordings/copyable/check');
        return body['checked'] === filesOf('copyable').length ? body : undefined;
      },
      10_000,
      'all files to be whole',
    );
    assert.deepEqual(checked['damaged'], []);
    const files = filesOf('copyable');
    assert.ok(files.length >= 2);
    for (const file of files) assert.ok(probe(file).videoPackets > 0, file);
  });

  it('says what there is where there is nothing', async () => {
    assert.equal((await ask(server, 'GET', '/recordings/nobody')).body['code'], 'RECORDING_NOT_FOUND');
    const { from, to } = (await recorded(server, 'copyable'))!;
    for (const query of [`from=${to + 60}`, `to=${from - 60}`, `from=${to + 60}&to=${to + 120}`]) {
      const { status, body } = await ask(server, 'GET', `/recordings/copyable?${query}`);
      assert.deepEqual([status, body['code']], [416, 'RECORDING_OUT_OF_RANGE'], query);
      assert.match(String(body['message']), new RegExp(`from ${from.toFixed(3).slice(0, -1)}`));
    }
    assert.equal((await ask(server, 'GET', `/recordings/copyable?from=${to}&to=${from}`)).body['code'], 'QUERY_INVALID');
    for (const query of [`?from=${from}&to=1e308`, '?from=-1', '/timeline?to=1e308', '/timeline?from=1&to=1e308&step=60'])
      assert.equal((await ask(server, 'GET', `/recordings/copyable${query}`)).status, 400, query);
    const listed = (await ask(server, 'GET', '/recordings')).body['recordings'] as { source: string }[];
    assert.deepEqual(
      listed.map(({ source }) => source),
      ['bars', 'copyable', 'gate'],
    );
  });

  it('keeps a range, removes nothing of it, and removes it once it is released', async () => {
    const { from, to } = (await recorded(server, 'copyable'))!;
    const range = `from=${from}&to=${to}`;
    assert.deepEqual((await ask(server, 'PUT', `/recordings/copyable/keep?${range}`)).body['kept'], [{ from, to }]);
    const refused = await ask(server, 'DELETE', `/recordings/copyable?${range}`);
    assert.deepEqual([refused.status, refused.body['code']], [409, 'RECORDING_KEPT']);
    assert.deepEqual((await ask(server, 'DELETE', `/recordings/copyable/keep?${range}`)).body['kept'], []);
    const removed = await ask(server, 'DELETE', `/recordings/copyable?${range}`);
    assert.equal(removed.status, 200);
    assert.ok((removed.body['removed'] as unknown[]).length >= 2);
    assert.deepEqual(filesOf('copyable'), []);
    assert.equal((await ask(server, 'GET', '/recordings/copyable')).status, 404);
    const { events } = (await ask(server, 'GET', '/events?type=changed&limit=1000')).body as unknown as {
      events: { route: string; source: string }[];
    };
    for (const route of ['PUT /recordings/:source/keep', 'DELETE /recordings/:source/keep', 'DELETE /recordings/:source'])
      assert.ok(
        events.some((event) => event.route === route),
        route,
      );
  });

  it('removes what is being written, too, and goes on', async () => {
    await recordsFor(server, 'bars', 1);
    const { from, to } = (await recorded(server, 'bars'))!;
    const before = filesOf('bars');
    const { status } = await ask(server, 'DELETE', `/recordings/bars?from=${from}&to=${to + 1}`);
    assert.equal(status, 200);
    assert.ok(before.every((file) => !existsSync(file)));
    await recordsFor(server, 'bars', 1);
    assert.ok((await recorded(server, 'bars'))!.from >= to - 1);
  });

  it('forgets files that are gone when it looks', async () => {
    await ask(server, 'PUT', '/sources/bars/recording', { mode: 'off' });
    await eventually(
      async () => ((await ask(server, 'GET', '/sources/bars/recording')).body['state'] === 'off' ? true : undefined),
      10_000,
      'the end',
    );
    await eventually(
      async () => {
        const { body } = await ask(server, 'GET', '/recordings/bars/check');
        return (body['checked'] as number) > 0 ? true : undefined;
      },
      10_000,
      'a whole file',
    );
    for (const file of filesOf('bars')) rmSync(file);
    const { body } = await ask(server, 'GET', '/recordings/bars/check');
    assert.ok((body['damaged'] as unknown[]).length > 0);
    assert.equal((await ask(server, 'GET', '/recordings/bars')).status, 404);
  });

  it('refuses a second server on the folder, in words', async () => {
    await assert.rejects(start({ STATE_DIR: path.join(folder, 'other-state') }), (error: Error) =>
      /RECORD_DIR: '.*' is in use by another server/.test(error.message),
    );
  });

  it('stops for want of space with an event, and streams go on', async () => {
    await server.close();
    server = await start({ RECORD_MIN_FREE: '999999GB' });
    await ask(server, 'PUT', '/sources/copyable/recording', { mode: 'continuous' });
    const { body } = await ask(server, 'GET', '/sources/copyable/recording');
    assert.equal(body['state'], 'stopped');
    assert.match(String(body['reason']), /RECORD_MIN_FREE/);
    const { events } = (await ask(server, 'GET', '/events?type=recording_stopped')).body as unknown as { events: { reason: string }[] };
    assert.equal(events.at(-1)?.reason, 'disk-full');
    const { findings } = (await ask(server, 'GET', '/health?verbose')).body as unknown as { findings: { what: string; state: string }[] };
    assert.ok(findings.some(({ what, state }) => what === 'recording' && state === 'failed'));
    const viewer = await server.join({ source: 'copyable' });
    await server.leave(viewer);
    assert.deepEqual(filesOf('copyable'), []);
  });

  it('has the index again where it is lost, and says so', async () => {
    await server.close();
    server = await start();
    await recordsFor(server, 'copyable', 1);
    await server.close();
    const files = filesOf('copyable').length;
    for (const name of readdirSync(path.join(folder, 'state'))) if (name.startsWith('events.db')) rmSync(path.join(folder, 'state', name));
    server = await start({ RECORD: '' });
    await ask(server, 'PUT', '/sources/copyable/recording', { mode: 'off' });
    await eventually(async () => ((await recorded(server, 'copyable'))?.segments === files ? true : undefined), 30_000, 'all files');
    const event = await eventually(
      async () => {
        const { events } = (await ask(server, 'GET', '/events?type=recording_rebuilt')).body as unknown as {
          events: { segments: number }[];
        };
        return events[0];
      },
      10_000,
      'the event',
    );
    assert.ok(event.segments >= files);
  });

  it('asks for the right playback to read, and admin to change', async () => {
    await server.close();
    server = await start({ VIEWER_TOKEN: 'viewer-token-0123456789', ADMIN_TOKEN: 'admin-token-0123456789' });
    const as = (token: string, method: string, name: string): Promise<number> =>
      fetch(server.url + name, { method, headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status);
    const [viewer, admin] = ['viewer-token-0123456789', 'admin-token-0123456789'];
    assert.equal((await fetch(`${server.url}/recordings/copyable`)).status, 401);
    assert.equal(await as(viewer, 'GET', '/recordings/copyable'), 200);
    assert.equal(await as(viewer, 'DELETE', '/recordings/copyable?from=1&to=2'), 403);
    assert.equal(await as(viewer, 'PUT', '/recordings/copyable/keep?from=1&to=2'), 403);
    assert.equal(await as(viewer, 'GET', '/sources/copyable/recording'), 403);
    assert.equal(await as(admin, 'DELETE', '/recordings/copyable?from=1&to=2'), 416);
  });
});
