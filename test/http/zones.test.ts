import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { silentLogger } from '../../src/base/logger.js';
import { SceneObservers, ZonesSchema, ZoneStore } from '../../src/scene/index.js';
import { installErrorHandling, zoneRoutes } from '../../src/http/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { objectAt } from '../scene/scene-rig.js';

const ZONES = {
  zones: [
    {
      id: 'gate',
      polygon: [
        [100, 100],
        [500, 100],
        [500, 500],
        [100, 500],
      ],
    },
  ],
  lines: [{ id: 'road', from: [300, 500], to: [300, 100] }],
};

interface Rig {
  readonly app: FastifyInstance;
  readonly observers: SceneObservers;
  readonly clock: FakeClock;
  readonly store: ZoneStore;
  readonly folder: string;
}

async function rig(t: TestContext): Promise<Rig> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-zone-routes-'));
  const clock = new FakeClock(1_700_000_000_000);
  const store = await ZoneStore.open({
    uploadDir: folder,
    clock,
    logger: silentLogger,
    factsOf: () => ({ widthPx: 640, heightPx: 640, labels: ['person'] }),
  });
  const observers = new SceneObservers({ store, clock, logger: silentLogger });
  const app = Fastify();
  installErrorHandling(app);
  await app.register(zoneRoutes, {
    hasSource: (sourceId) => sourceId === 'street',
    bodySchema: ZonesSchema,
    get: (sourceId) => store.get(sourceId),
    put: (sourceId, body, check) => store.put(sourceId, body, check),
    remove: (sourceId, check) => store.delete(sourceId, check),
    counts: (sourceId) => observers.counts(sourceId),
    resetCounts: (sourceId) => observers.resetLines(sourceId),
  });
  t.after(async () => {
    await app.close();
    observers.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return { app, observers, clock, store, folder };
}

describe('/sources/:id/zones', () => {
  it('gives back what was put, until it is removed', async (t) => {
    const { app } = await rig(t);
    const get = async () => (await app.inject('/sources/street/zones')).json<unknown>();
    assert.deepEqual(await get(), { zones: [], lines: [] });
    const put = await app.inject({ method: 'PUT', url: '/sources/street/zones', payload: { ...ZONES, always: true } });
    assert.deepEqual([put.statusCode, put.json<unknown>()], [200, { ...ZONES, always: true }]);
    assert.deepEqual(await get(), { ...ZONES, always: true });
    const remove = async () => (await app.inject({ method: 'DELETE', url: '/sources/street/zones' })).json<unknown>();
    assert.deepEqual([await remove(), await remove(), await get()], [{ removed: true }, { removed: false }, { zones: [], lines: [] }]);
  });

  it('answers 422 ZONES_INVALID with every fault', async (t) => {
    const { app } = await rig(t);
    const payload = {
      zones: [
        {
          id: 'tie',
          polygon: [
            [0, 0],
            [100, 100],
            [100, 0],
            [0, 100],
          ],
          classes: ['persons'],
        },
      ],
      lines: [{ id: 'far', from: [0, 0], to: [0, 700] }],
    };
    const response = await app.inject({ method: 'PUT', url: '/sources/street/zones', payload });
    const body = response.json<{ code: string; message: string }>();
    assert.deepEqual([response.statusCode, body.code], [422, 'ZONES_INVALID']);
    for (const part of ['crosses itself', 'did you mean person?', '(0, 700) lies outside the picture of 640x640'])
      assert.ok(body.message.includes(part), body.message);
    for (const other of [{ ...ZONES, extra: 1 }, [], { zones: { id: 1 } }]) {
      assert.equal(
        (await app.inject({ method: 'PUT', url: '/sources/street/zones', payload: other })).json<{ code: string }>().code,
        'ZONES_INVALID',
      );
    }
  });

  it('answers 400 for what is no JSON, and 404 for a source that is not there', async (t) => {
    const { app } = await rig(t);
    const malformed = await app.inject({
      method: 'PUT',
      url: '/sources/street/zones',
      headers: { 'content-type': 'application/json' },
      payload: '{"zones',
    });
    assert.equal(malformed.statusCode, 400);
    for (const [method, url] of [
      ['GET', 'zones'],
      ['PUT', 'zones'],
      ['DELETE', 'zones'],
      ['GET', 'counts'],
      ['DELETE', 'counts'],
    ] as const) {
      for (const id of ['other', '..%2Fx', 'a'.repeat(99)]) {
        const response = await app.inject({ method, url: `/sources/${id}/${url}`, ...(method === 'PUT' && { payload: ZONES }) });
        assert.deepEqual([response.statusCode, response.json<{ code: string }>().code], [404, 'SOURCE_NOT_FOUND'], `${method} ${id}`);
      }
    }
  });
});

describe('zones with If-Match', () => {
  const OTHER = { zones: [], lines: [{ id: 'other', from: [0, 0], to: [10, 10] }] };
  type Ask = (
    method: 'GET' | 'PUT' | 'DELETE',
    ifMatch?: string,
    payload?: object,
  ) => Promise<{ status: number; etag: string; body: unknown }>;
  const asking =
    (app: FastifyInstance): Ask =>
    async (method, ifMatch, payload) => {
      const response = await app.inject({
        method,
        url: '/sources/street/zones',
        ...(payload && { payload }),
        ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }),
      });
      return { status: response.statusCode, etag: String(response.headers['etag']), body: response.json<unknown>() };
    };

  it('are changed only where nobody else has meanwhile', async (t) => {
    const { app } = await rig(t);
    const ask = asking(app);
    const none = await ask('GET');
    assert.match(none.etag, /^"[\w-]+"$/);
    const put = await ask('PUT', none.etag, ZONES);
    assert.deepEqual([put.status, (await ask('GET')).etag], [200, put.etag]);
    assert.notEqual(put.etag, none.etag);
    for (const method of ['PUT', 'DELETE'] as const)
      for (const stale of [none.etag, '"another"', `W/${put.etag}`]) {
        const refused = await ask(method, stale, method === 'PUT' ? OTHER : undefined);
        assert.equal(refused.status, 412, `${method} ${stale}`);
        assert.match(JSON.stringify(refused.body), /"code":"PRECONDITION_FAILED".*somebody else has changed the zones/);
      }
    assert.deepEqual((await ask('GET')).body, ZONES, 'nothing has changed');
    assert.deepEqual((await ask('PUT', '*', OTHER)).body, OTHER);
    assert.equal((await ask('PUT', `"another", ${(await ask('GET')).etag}`, ZONES)).status, 200);
    assert.equal((await ask('PUT', undefined, OTHER)).status, 200);
    assert.equal((await ask('DELETE', (await ask('GET')).etag)).status, 200);
    assert.equal((await ask('GET')).etag, none.etag);
  });

  it('of two that were made of the same zones, one alone is taken', async (t) => {
    const { app } = await rig(t);
    const ask = asking(app);
    const { etag } = await ask('GET');
    const answers = await Promise.all([ask('PUT', etag, ZONES), ask('PUT', etag, OTHER)]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 412],
    );
    assert.deepEqual((await ask('GET')).body, ZONES);
  });

  it('know of what was written into the file just now, and of zones that were there before a restart', async (t) => {
    const { app, store, folder } = await rig(t);
    const ask = asking(app);
    const put = await ask('PUT', undefined, ZONES);
    const again = await ZoneStore.open({ uploadDir: folder, clock: new FakeClock(), logger: silentLogger, factsOf: () => undefined });
    assert.deepEqual(again.get('street'), store.get('street'));
    assert.equal(JSON.stringify(again.get('street')), JSON.stringify(store.get('street')), 'its tag is the same');
    await again.close();
    writeFileSync(path.join(folder, 'street.zones.json'), JSON.stringify(OTHER));
    assert.equal((await ask('PUT', put.etag, ZONES)).status, 412);
    assert.deepEqual((await ask('GET')).body, OTHER);
  });
});

describe('/sources/:id/counts', () => {
  it('tells what is inside and what has crossed since when, and counts from zero when told to', async (t) => {
    const { app, observers, clock } = await rig(t);
    const counts = async (method: 'GET' | 'DELETE' = 'GET') =>
      (await app.inject({ method, url: '/sources/street/counts' })).json<unknown>();
    assert.deepEqual(await counts(), { source: 'street', updated_at: null, zones: [], lines: [] });
    await app.inject({ method: 'PUT', url: '/sources/street/zones', payload: ZONES });
    const idle = { line: 'road', in: 0, out: 0, in_by_label: {}, out_by_label: {}, since: null };
    assert.deepEqual(await counts(), {
      source: 'street',
      updated_at: null,
      zones: [{ zone: 'gate', count: 0, object_ids: [], by_label: {} }],
      lines: [idle],
    });
    const observer = observers.of('street', { widthPx: 640, heightPx: 640 });
    observer.observe([objectAt(200, 200)], 0);
    await clock.advance(1500);
    observer.observe([objectAt(400, 200)], 100);
    const zones = [{ zone: 'gate', count: 1, object_ids: [1], by_label: { person: 1 } }];
    assert.deepEqual(await counts(), {
      source: 'street',
      updated_at: 1_700_000_001.5,
      zones,
      lines: [{ line: 'road', in: 1, out: 0, in_by_label: { person: 1 }, out_by_label: {}, since: 1_700_000_000 }],
    });
    assert.deepEqual(await counts('DELETE'), {
      source: 'street',
      updated_at: 1_700_000_001.5,
      zones,
      lines: [{ ...idle, since: 1_700_000_001.5 }],
    });
  });
});
