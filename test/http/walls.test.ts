import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { LightMyRequestResponse } from 'fastify';
import type { Access } from '../../src/access/index.js';
import { KeptWalls } from '../../src/wiring/kept-walls.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { accessOf } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';

type Ask = (method: 'GET' | 'PUT' | 'DELETE', url: string, more?: Asked) => Promise<LightMyRequestResponse>;

interface Asked {
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

/** A file of sections, as JSON keeps them. */
class Sections {
  isFull = false;
  readonly kept = new Map<string, string>();

  section(name: string): unknown {
    return JSON.parse(this.kept.get(name) ?? 'null');
  }

  update(changes: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.isFull) return Promise.reject(new MediaPeerError('STATE_NOT_KEPT', 'full'));
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) this.kept.delete(name);
      else this.kept.set(name, JSON.stringify(value));
    }
    return Promise.resolve();
  }
}

async function open(test: TestContext, sections = new Sections(), access?: Access): Promise<Ask> {
  const app = await testApp({ walls: new KeptWalls(sections), ...(access && { access }) });
  test.after(async () => {
    await app.close();
    await access?.close();
  });
  return (method, url, { body, headers } = {}) =>
    app.inject({ method, url, headers: { host: 'localhost', ...headers }, ...(body && { payload: body }) });
}

const codeOf = (response: LightMyRequestResponse): unknown => [response.statusCode, response.json<{ code: unknown }>().code];
const tagOf = (response: LightMyRequestResponse): string => String(response.headers['etag']);
const WALL = { tiles: [{ source: 'gate' }, { source: 'yard', rendition: 'raw' }], columns: 2 };

describe('/walls', () => {
  it('keeps a wall by a name of any script, lists it, and has it after a restart', async (t) => {
    const sections = new Sections();
    const ask = await open(t, sections);
    const url = `/walls/${encodeURIComponent('夜番 / Nacht 🌙')}`;
    const made = await ask('PUT', url, { body: WALL });
    assert.deepEqual([made.statusCode, made.json()], [201, { name: '夜番 / Nacht 🌙', ...WALL }]);
    assert.equal((await ask('PUT', url, { body: { tiles: [{ source: 'gate' }] } })).statusCode, 200);
    await ask('PUT', '/walls/Abend', { body: WALL });
    const again = await open(t, sections);
    const listed = (await again('GET', '/walls')).json<{ walls: { name: string }[] }>().walls;
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['Abend', '夜番 / Nacht 🌙'],
    );
    const read = await again('GET', url);
    assert.deepEqual(read.json(), { name: '夜番 / Nacht 🌙', tiles: [{ source: 'gate' }] });
    assert.deepEqual((await again('DELETE', url)).json(), { removed: true });
    assert.deepEqual((await again('DELETE', url)).json(), { removed: false });
    assert.deepEqual(codeOf(await again('GET', url)), [404, 'WALL_NOT_FOUND']);
  });

  it('tells the second of two who change one wall, and leaves it as the first has put it', async (t) => {
    const ask = await open(t);
    const tag = tagOf(await ask('PUT', '/walls/night', { body: WALL }));
    const first = await ask('PUT', '/walls/night', { body: { tiles: [{ source: 'roof' }] }, headers: { 'if-match': tag } });
    assert.equal(first.statusCode, 200);
    for (const [method, body] of [['PUT', WALL] as const, ['DELETE', undefined] as const]) {
      const second = await ask(method, '/walls/night', { ...(body && { body }), headers: { 'if-match': tag } });
      assert.deepEqual(codeOf(second), [412, 'PRECONDITION_FAILED']);
    }
    assert.deepEqual(codeOf(await ask('PUT', '/walls/night', { body: WALL, headers: { 'if-none-match': '*' } })), [
      412,
      'PRECONDITION_FAILED',
    ]);
    assert.deepEqual(codeOf(await ask('PUT', '/walls/gone', { body: WALL, headers: { 'if-match': tag } })), [412, 'PRECONDITION_FAILED']);
    const kept = await ask('GET', '/walls/night');
    assert.deepEqual(kept.json(), { name: 'night', tiles: [{ source: 'roof' }] });
    assert.equal(tagOf(kept), tagOf(first));
  });

  it('refuses what is no wall, and a name with control characters', async (t) => {
    const ask = await open(t);
    for (const body of [
      {},
      { tiles: [] },
      { tiles: Array(17).fill({ source: 'a' }) },
      { tiles: [{}] },
      { ...WALL, columns: 7 },
      { tiles: WALL.tiles, colums: 2 },
    ])
      assert.deepEqual(codeOf(await ask('PUT', '/walls/night', { body })), [400, 'BODY_INVALID'], JSON.stringify(body));
    for (const name of ['%00', 'a'.repeat(65)])
      assert.deepEqual(codeOf(await ask('PUT', `/walls/${name}`, { body: WALL })), [400, 'QUERY_INVALID']);
    assert.deepEqual((await ask('GET', '/walls')).json(), { walls: [] });
  });

  it('changes nothing where it cannot be kept, nor beyond 200', async (t) => {
    const sections = new Sections();
    const ask = await open(t, sections);
    for (let i = 0; i < 200; i++) assert.equal((await ask('PUT', `/walls/w${i}`, { body: WALL })).statusCode, 201);
    assert.deepEqual(codeOf(await ask('PUT', '/walls/one-more', { body: WALL })), [409, 'TOO_MANY_WALLS']);
    assert.equal((await ask('PUT', '/walls/w7', { body: { tiles: [{ source: 'roof' }] } })).statusCode, 200);
    sections.isFull = true;
    assert.deepEqual(codeOf(await ask('PUT', '/walls/w7', { body: WALL })), [507, 'STATE_NOT_KEPT']);
    assert.deepEqual(codeOf(await ask('DELETE', '/walls/w7')), [507, 'STATE_NOT_KEPT']);
    assert.deepEqual((await ask('GET', '/walls/w7')).json(), { name: 'w7', tiles: [{ source: 'roof' }] });
  });

  it('passes over what a person has written wrong', async (t) => {
    const sections = new Sections();
    await sections.update({ walls: [{ name: 'good', ...WALL }, { name: 'bad', tiles: [{ source: 7 }] }, null, { tiles: WALL.tiles }] });
    const ask = await open(t, sections);
    assert.deepEqual((await ask('GET', '/walls')).json(), { walls: [{ name: 'good', ...WALL }] });
  });

  it('lets viewers open walls, without the tiles of sources that are not theirs, and change none', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-walls-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const access = accessOf({
      tokens: { adminToken: 'admin', viewerToken: 'see' },
      logins: { stateDir: folder },
    });
    const ask = await open(t, new Sections(), access);
    const as = (token: string): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${token}` } });
    await ask('PUT', '/walls/night', { body: WALL, ...as('admin') });
    assert.deepEqual((await ask('GET', '/walls/night', as('see'))).json(), { name: 'night', ...WALL });
    assert.deepEqual(codeOf(await ask('PUT', '/walls/night', { body: WALL, ...as('see') })), [403, 'FORBIDDEN']);
    assert.deepEqual(codeOf(await ask('DELETE', '/walls/night', as('see'))), [403, 'FORBIDDEN']);
    assert.deepEqual(codeOf(await ask('GET', '/walls')), [401, 'UNAUTHORIZED']);
    const made = await ask('PUT', '/users/gate', { body: { actions: ['watch'], sources: ['gate'], token: 'new' }, ...as('admin') });
    const { token } = made.json<{ token: string }>();
    assert.deepEqual((await ask('GET', '/walls', as(token))).json(), {
      walls: [{ name: 'night', tiles: [{ source: 'gate' }], columns: 2 }],
    });
  });
});
