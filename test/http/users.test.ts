import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { HeldRights, type Access } from '../../src/access/index.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { eventually } from '../helpers/deadline.js';

interface Setting {
  readonly app: FastifyInstance;
  readonly access: Access;
  readonly folder: string;
  readonly ask: (
    method: 'GET' | 'PUT' | 'DELETE',
    url: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>;
}

interface Wanted {
  readonly folder?: string;
  /** Empty: there is none, and the users of this machine may do everything. */
  readonly adminToken?: string;
  readonly authFile?: string;
}

async function open(test: TestContext, { adminToken = 'admin-token', authFile, ...wanted }: Wanted = {}): Promise<Setting> {
  const folder = wanted.folder ?? mkdtempSync(path.join(os.tmpdir(), 'sightline-managed-'));
  const file = path.join(folder, 'users.yaml');
  if (authFile !== undefined) writeFileSync(file, authFile);
  const access = accessOf({
    tokens: { adminToken },
    logins: { stateDir: path.join(folder, 'state') },
    ...(authFile !== undefined && { authFile: file }),
  });
  const app = await testApp({ access });
  test.after(async () => {
    await app.close();
    await access.close();
    if (wanted.folder === undefined) rmSync(folder, { recursive: true });
  });
  const ask: Setting['ask'] = (method, url, payload, headers = adminToken === '' ? {} : { authorization: `Bearer ${adminToken}` }) =>
    app.inject({ method, url, headers: { host: 'localhost', ...headers }, ...(payload && { payload }) });
  return { app, access, folder, ask };
}

const codeOf = (response: LightMyRequestResponse): unknown => response.json<{ code: unknown }>().code;
const WATCH = { actions: ['watch', 'data'], sources: ['gate-*'] };
const usersFile = ({ folder }: Pick<Setting, 'folder'>): string => path.join(folder, 'state/users.json');

describe('/users', () => {
  it('makes a user with a token that is shown once, and keeps its hash alone, for its owner', async (t) => {
    const setting = await open(t);
    const made = await setting.ask('PUT', '/users/alice', { ...WATCH, token: 'new' });
    const { token, ...user } = made.json<{ token: string }>();
    assert.deepEqual(
      [made.statusCode, user],
      [201, { name: 'alice', origin: 'api', ...WATCH, addresses: [], has_password: false, has_token: true }],
    );
    assert.match(token, /^[\w-]{43}$/);
    const statusOf = async (url: string): Promise<number> =>
      (await setting.app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode;
    assert.deepEqual(
      [await statusOf('/snapshot/gate-1.jpg'), await statusOf('/snapshot/yard.jpg'), await statusOf('/users')],
      [200, 404, 403],
    );
    const kept = readFileSync(usersFile(setting), 'utf8');
    assert.ok(!kept.includes(token) && kept.includes(createHash('sha256').update(token).digest('hex')));
    assert.equal(statSync(usersFile(setting)).mode & 0o777, 0o600);
    for (const url of ['/users', '/users/alice']) {
      const response = await setting.ask('GET', url);
      assert.doesNotMatch(response.body, new RegExp(`${token}|sha256|scrypt`));
      assert.match(response.body, /"name":"alice","origin":"api","actions":\["watch","data"\],"sources":\["gate-\*"\]/);
    }
  });

  it('keeps what a change leaves out, and ends the token and the password that it replaces', async (t) => {
    const { ask, app } = await open(t);
    const bearer = async (token: string): Promise<number> =>
      (await app.inject({ url: '/snapshot/gate-1.jpg', headers: { authorization: `Bearer ${token}` } })).statusCode;
    const login = async (password: string): Promise<number> =>
      (await app.inject({ method: 'POST', url: '/login', payload: { user: 'alice', password } })).statusCode;
    const { token: first } = (await ask('PUT', '/users/alice', { ...WATCH, token: 'new', password: 'correct horse battery' })).json<{
      token: string;
    }>();
    const changed = await ask('PUT', '/users/alice', { actions: ['all'] });
    assert.deepEqual(
      [changed.statusCode, changed.json()],
      [200, { name: 'alice', origin: 'api', actions: ['all'], sources: ['*'], addresses: [], has_password: true, has_token: true }],
    );
    assert.deepEqual([await bearer(first), await login('correct horse battery')], [200, 200]);
    const { token: second } = (await ask('PUT', '/users/alice', { ...WATCH, token: 'new', password: 'another horse battery' })).json<{
      token: string;
    }>();
    assert.deepEqual([await bearer(first), await bearer(second)], [401, 200]);
    assert.deepEqual([await login('correct horse battery'), await login('another horse battery')], [401, 200]);
    await ask('PUT', '/users/alice', { ...WATCH, token: null });
    assert.equal(await bearer(second), 401);
    assert.equal(codeOf(await ask('PUT', '/users/alice', { ...WATCH, password: null })), 'USER_INVALID');
    assert.equal(await login('another horse battery'), 200, 'nothing has changed');
  });

  it('ends what goes on by a right that is taken, and by a user who is removed', async (t) => {
    const { ask, access } = await open(t);
    const { token } = (await ask('PUT', '/users/alice', { ...WATCH, token: 'new' })).json<{ token: string }>();
    const lost: string[] = [];
    const hold = async (source: string): Promise<void> => {
      const approach = approachFrom('192.0.2.1', token);
      const held = new HeldRights(access, approach, await access.identify(approach));
      held.guard({ action: 'watch', sources: () => [source], onLost: () => lost.push(source) });
    };
    await hold('gate-1');
    await hold('gate-2');
    await ask('PUT', '/users/alice', { ...WATCH, sources: ['gate-2'] });
    await eventually(() => lost.length === 1, 2000, 'the end of gate-1');
    const removed = await ask('DELETE', '/users/alice');
    assert.deepEqual([removed.statusCode, removed.body], [204, '']);
    await eventually(() => lost.length === 2, 2000, 'the end of gate-2');
    assert.deepEqual(lost, ['gate-1', 'gate-2']);
    for (const method of ['GET', 'DELETE'] as const) assert.equal(codeOf(await ask(method, '/users/alice')), 'USER_NOT_FOUND');
  });

  it('outlives a restart', async (t) => {
    const before = await open(t);
    const { token } = (await before.ask('PUT', '/users/alice', { ...WATCH, token: 'new', addresses: ['10.0.0.0/8'] })).json<{
      token: string;
    }>();
    await before.access.close();
    const { access } = await open(t, { folder: before.folder });
    assert.equal((await access.identify(approachFrom('10.1.2.3', token))).name, 'alice');
    await assert.rejects(access.identify(approachFrom('192.0.2.1', token)), { code: 'UNAUTHORIZED' });
  });

  it('changes nobody of AUTH_FILE, and shows both kinds together', async (t) => {
    const setting = await open(t, {
      authFile: `users:\n  - { name: bob, token: 'sha256:${'a'.repeat(64)}', actions: [watch], addresses: [10.0.0.0/8] }\n`,
    });
    await setting.ask('PUT', '/users/alice', { ...WATCH, token: 'new' });
    const { users } = (await setting.ask('GET', '/users')).json<{ users: { name: string; origin: string; addresses: string[] }[] }>();
    assert.deepEqual(
      users.map(({ name, origin, addresses }) => [name, origin, addresses]),
      [
        ['alice', 'api', []],
        ['bob', 'file', ['10.0.0.0/8']],
      ],
    );
    for (const refused of [await setting.ask('PUT', '/users/bob', { ...WATCH, token: 'new' }), await setting.ask('DELETE', '/users/bob')]) {
      assert.deepEqual([refused.statusCode, codeOf(refused)], [409, 'USER_READ_ONLY']);
      assert.match(refused.body, /AUTH_FILE/);
    }
  });

  it('leaves somebody who may administer, where nobody else is configured', async (t) => {
    const { ask } = await open(t, { adminToken: '' });
    const refused = await ask('PUT', '/users/alice', { ...WATCH, token: 'new' });
    assert.deepEqual([refused.statusCode, codeOf(refused)], [409, 'LAST_ADMIN'], 'this machine has no rights beside users');
    const { token } = (await ask('PUT', '/users/alice', { actions: ['all'], token: 'new' })).json<{ token: string }>();
    assert.equal((await ask('GET', '/users')).statusCode, 401);
    const alice = { authorization: `Bearer ${token}` };
    for (const change of [WATCH, { actions: ['admin'], sources: ['gate-*'] }])
      assert.equal(codeOf(await ask('PUT', '/users/alice', change, alice)), 'LAST_ADMIN');
    assert.equal(codeOf(await ask('DELETE', '/users/alice', undefined, alice)), 'LAST_ADMIN');
    assert.equal((await ask('PUT', '/users/carol', { actions: ['admin'], password: 'correct horse battery' }, alice)).statusCode, 201);
    assert.equal((await ask('DELETE', '/users/alice', undefined, alice)).statusCode, 204);
    const other = await open(t);
    await other.ask('PUT', '/users/alice', { actions: ['all'], token: 'new' });
    assert.equal((await other.ask('DELETE', '/users/alice')).statusCode, 204, 'there is ADMIN_TOKEN');
  });

  it('heeds If-Match and If-None-Match, so that nobody overwrites what they have not seen', async (t) => {
    const { ask } = await open(t);
    const admin = { authorization: 'Bearer admin-token' };
    const first = await ask('PUT', '/users/alice', { ...WATCH, token: 'new' }, { ...admin, 'if-none-match': '*' });
    const tag = String(first.headers['etag']);
    assert.equal((await ask('GET', '/users/alice')).headers['etag'], tag);
    assert.equal(codeOf(await ask('PUT', '/users/alice', WATCH, { ...admin, 'if-none-match': '*' })), 'PRECONDITION_FAILED');
    const second = await ask('PUT', '/users/alice', { ...WATCH, sources: ['yard'] }, { ...admin, 'if-match': tag });
    assert.equal(second.statusCode, 200);
    assert.notEqual(second.headers['etag'], tag);
    for (const method of ['PUT', 'DELETE'] as const)
      assert.equal(codeOf(await ask(method, '/users/alice', WATCH, { ...admin, 'if-match': tag })), 'PRECONDITION_FAILED');
    assert.equal(codeOf(await ask('PUT', '/users/bob', { ...WATCH, token: 'new' }, { ...admin, 'if-match': '*' })), 'PRECONDITION_FAILED');
    assert.equal(
      (await ask('DELETE', '/users/alice', undefined, { ...admin, 'if-match': String(second.headers['etag']) })).statusCode,
      204,
    );
  });

  it('says every fault of a user, leaves out nothing that it does not know, and repeats no secret', async (t) => {
    const { ask } = await open(t);
    const faultsOf = async (body: object): Promise<unknown> => {
      const refused = await ask('PUT', '/users/eve', body);
      assert.deepEqual([refused.statusCode, codeOf(refused)], [422, 'USER_INVALID'], refused.body);
      assert.doesNotMatch(refused.body, /s3cret/);
      return refused.json<{ details: { faults: { path: string }[] } }>().details.faults.map(({ path: at }) => at);
    };
    assert.deepEqual(await faultsOf({ ...WATCH, token: 'new', addresses: ['10.0.0.0/8', '10.0.0.0/40', 's3cret'] }), [
      '/addresses/1',
      '/addresses/2',
    ]);
    for (const body of [
      {},
      [],
      { ...WATCH },
      { ...WATCH, token: 's3cret' },
      { ...WATCH, password: 's3cret' },
      { ...WATCH, token: 'new', cameras: ['yard'] },
      { actions: [], token: 'new' },
      { actions: ['fly'], token: 'new' },
      { ...WATCH, sources: [], token: 'new' },
      { ...WATCH, sources: 'yard', token: 'new' },
    ])
      await faultsOf(body);
    for (const name of ['a b', '%2e%2e%2fx', 'x'.repeat(65), '%00'])
      assert.equal((await ask('PUT', `/users/${name}`, { ...WATCH, token: 'new' })).statusCode, 400, name);
    assert.deepEqual((await ask('GET', '/users')).json(), { users: [] });
    for (const name of ['__proto__', 'constructor']) {
      assert.equal(codeOf(await ask('GET', `/users/${name}`)), 'USER_NOT_FOUND');
      assert.equal((await ask('PUT', `/users/${name}`, { ...WATCH, token: 'new' })).statusCode, 201);
      assert.equal((await ask('DELETE', `/users/${name}`)).statusCode, 204);
    }
  });

  it('makes one of two that are made at the same moment, and loses none of many', async (t) => {
    const { ask } = await open(t);
    const once = { authorization: 'Bearer admin-token', 'if-none-match': '*' };
    const both = await Promise.all([1, 2].map(() => ask('PUT', '/users/alice', { ...WATCH, token: 'new' }, once)));
    assert.deepEqual(both.map(({ statusCode }) => statusCode).sort(), [201, 412]);
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask('PUT', `/users/user-${i}`, { ...WATCH, token: 'new' })));
    assert.equal((await ask('GET', '/users')).json<{ users: unknown[] }>().users.length, 21);
  });

  it('that cannot be written has not changed, and one that cannot be read keeps the server from starting', async (t) => {
    const setting = await open(t);
    const state = path.join(setting.folder, 'state');
    writeFileSync(state, 'a file where the folder should be');
    const refused = await setting.ask('PUT', '/users/alice', { ...WATCH, token: 'new' });
    assert.deepEqual([refused.statusCode, codeOf(refused)], [507, 'STATE_NOT_KEPT']);
    assert.deepEqual((await setting.ask('GET', '/users')).json(), { users: [] });
    rmSync(state);
    await setting.ask('PUT', '/users/alice', { ...WATCH, token: 'new' });
    for (const [text, said] of [
      ['{"version":1,"users":[{"name":"alice"', /users\.json, which holds users, cannot be used: it is damaged/],
      ['{"version":2,"users":[]}', /it has version 2, and this server reads users up to version 1/],
      ['{"version":1,"users":[{"name":"alice","actions":["fly"]}]}', /users\[0\]\.actions is not a list of/],
      ['[]', /damaged/],
    ] as const) {
      writeFileSync(usersFile(setting), text);
      assert.throws(
        () => accessOf({ logins: { stateDir: state } }),
        (error: Error & { code?: string }) => error.code === 'CONFIG_INVALID' && said.test(error.message),
      );
    }
  });
});
