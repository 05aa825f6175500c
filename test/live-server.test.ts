/** What files have, rooms and cameras have in the whole server: zones, counts, models, stills. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from './e2e/page-rig.js';
import { ChromiumHarness, noChromium } from './helpers/chromium.js';
import { eventually } from './helpers/deadline.js';
import { publishClip } from './helpers/publish-clip.js';
import { TestServer } from './helpers/server.js';

const ZONES = { units: 'fraction', always: true, zones: [], lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }] };
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-live-'));

describe('rooms and cameras in the whole server', { timeout: 120_000 }, () => {
  let server: TestServer;
  /** Ends what is published to `gate`. */
  let stop: () => Promise<void> = () => Promise.resolve();
  const closers: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true })];

  before(async () => {
    const file = path.join(folder, 'sources.yml');
    writeFileSync(file, 'sources:\n  - { name: bars, device: "testsrc2=size=320x180:rate=25", format: lavfi }\n');
    server = await TestServer.start([], {
      MODEL: 'models/sightline-demo.json',
      SOURCES_FILE: file,
      ALLOW_ANONYMOUS: 'all',
      PUBLISH_TOKENS: 'gate=EvTbEeyPfVxEdAyh',
      PUBLISH_GRACE: '30000',
    });
    closers.push(() => server.close());
  });

  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  async function ask(
    method: string,
    pathName: string,
    body?: object,
  ): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
    const response = await fetch(server.url + pathName, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  }
  const statuses = async (method: string, ...paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (name) => (await ask(method, `/sources/${name}`)).status));
  const lookedAt = async (source: string): Promise<unknown> => (await ask('GET', `/sources/${source}/counts`)).body['updated_at'];

  async function still(source: string): Promise<{ status: number; type: string | null; cache: string | null; retryAfter: string | null }> {
    const response = await fetch(`${server.url}/snapshot/${source}.jpg?width=160`);
    await response.arrayBuffer();
    const { status, headers } = response;
    return { status, type: headers.get('content-type'), cache: headers.get('cache-control'), retryAfter: headers.get('retry-after') };
  }

  /** Publishes to `gate` by WHIP; the returned function ends it without a goodbye. */
  async function publish(): Promise<() => Promise<void>> {
    const end = await publishClip(server.url, 'gate', 'EvTbEeyPfVxEdAyh');
    closers.push(end);
    return end;
  }

  it('have zones, counts and a model before they are live; what was never heard of has none', async () => {
    assert.deepEqual(
      await statuses('GET', 'gate/zones', 'bars/zones', 'gate/counts', 'bars/counts', 'gate/model', 'bars/model'),
      [200, 200, 200, 200, 200, 200],
    );
    for (const name of ['zones', 'counts', 'model']) {
      assert.deepEqual(await statuses('GET', `nobody/${name}`, `..%2Fgate/${name}`, `${'x'.repeat(65)}/${name}`), [404, 404, 404], name);
    }
    assert.equal((await ask('PUT', '/sources/nobody/zones', ZONES)).status, 404);
    assert.deepEqual(await ask('PUT', '/sources/gate/zones', ZONES), { status: 200, body: ZONES });
    assert.equal((await ask('PUT', '/sources/gate/model', { model: 'sightline-demo' })).status, 200);
  });

  it('are known by their zones file, too', async () => {
    writeFileSync(path.join(server.uploadDir, 'yard.zones.json'), JSON.stringify(ZONES));
    await eventually(
      async () => (await statuses('GET', 'yard/zones'))[0] === 200,
      10_000,
      'the zones of a room that was live before the server started',
    );
    assert.deepEqual((await ask('DELETE', '/sources/yard/zones')).body, { removed: true });
    assert.deepEqual(await statuses('GET', 'yard/zones'), [404]);
  });

  it('give the picture of the moment as a still, and 409 where nobody is there', async () => {
    const empty = await still('gate');
    assert.deepEqual([empty.status, Number(empty.retryAfter) >= 1], [409, true]);
    assert.equal((await still('nobody')).status, 404);
    const { status, type, cache } = await still('bars');
    assert.deepEqual([status, type, cache], [200, 'image/jpeg', 'private, no-cache']);
  });

  it('are read at all times where their zones say so: a camera is called, a room is waited for', async () => {
    await ask('PUT', '/sources/bars/zones', ZONES);
    await eventually(async () => (await lookedAt('bars')) !== null, 20_000, 'a look at the camera');
    assert.equal(await lookedAt('gate'), null);
    stop = await publish();
    await eventually(async () => (await lookedAt('gate')) !== null, 20_000, 'a look at the room');
    assert.equal((await still('gate')).status, 200);
  });

  it('stand on the page with their picture', { skip: noChromium }, async () => {
    const browser = await ChromiumHarness.shared();
    closers.push(() => browser.close());
    const page = await browser.open(server.url);
    await until(page, "[...document.querySelectorAll('.card')].filter((card) => card.querySelector('img')?.naturalWidth > 0).length === 2");
  });

  it('are no reason to call the server degraded when a publisher is gone', async () => {
    await stop();
    const isWaiting = async (): Promise<boolean> =>
      (await server.get<{ sources: { source: string; slate: boolean }[] }>('/active-streams')).sources.some(
        ({ source, slate }) => source === 'gate' && slate,
      );
    await eventually(isWaiting, 20_000, 'the slate');
    const health = await ask('GET', '/health');
    assert.deepEqual([health.status, health.body['status'], health.body['reasons']], [200, 'ok', []]);
  });

  it('are the default source when they are live', async () => {
    const viewer = await server.join();
    assert.equal(viewer.answer.source, 'bars');
    await server.leave(viewer);
  });
});
