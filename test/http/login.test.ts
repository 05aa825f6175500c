import assert from 'node:assert/strict';
import { once } from 'node:events';
import { scryptSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { WebSocket } from 'ws';
import { GRANTABLE, HeldRights, type Access } from '../../src/access/index.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

const OURS = { host: 'sightline.example', origin: 'http://sightline.example' };
const PASSWORD = 'correct horse battery';

function hashOf(password: string): string {
  const salt = Buffer.from('sixteen bytes of');
  return `scrypt$16384$1$1$${salt.toString('base64')}$${scryptSync(password, salt, 32, { N: 16_384, r: 1, p: 1 }).toString('base64')}`;
}

const usersOf = (fields: string, password = PASSWORD): string =>
  `users:\n  - { name: alice, password: '${hashOf(password)}', ${fields} }\n  - { name: tom, token: 'sha256:${'a'.repeat(64)}', actions: [watch] }\n`;

interface Setting {
  readonly app: FastifyInstance;
  readonly access: Access;
  readonly clock: FakeClock;
  readonly folder: string;
  readonly usersFile: string;
  readonly logIn: (body: object, headers?: Record<string, string>, remoteAddress?: string) => Promise<LightMyRequestResponse>;
}

interface Wanted {
  readonly users?: string;
  readonly folder?: string;
  readonly secret?: string;
  readonly trustedProxies?: readonly string[];
}

/** A server with ADMIN_TOKEN, VIEWER_TOKEN, and alice, who has a password. */
async function open(test: TestContext, { users = usersOf('actions: [watch, data]'), ...wanted }: Wanted = {}): Promise<Setting> {
  const folder = wanted.folder ?? mkdtempSync(path.join(os.tmpdir(), 'sightline-login-'));
  const usersFile = path.join(folder, 'users.yaml');
  writeFileSync(usersFile, users);
  const clock = new FakeClock();
  const access = accessOf({
    clock,
    authFile: usersFile,
    tokens: { adminToken: 'admin-token', viewerToken: 'viewer-token' },
    logins: { stateDir: path.join(folder, 'state'), ...(wanted.secret !== undefined && { secret: wanted.secret }) },
  });
  const app = await testApp({ access, trustedProxies: wanted.trustedProxies ?? [] });
  test.after(async () => {
    await app.close();
    await access.close();
    if (wanted.folder === undefined) rmSync(folder, { recursive: true });
  });
  const logIn: Setting['logIn'] = (payload, headers = OURS, remoteAddress = '192.0.2.1') =>
    app.inject({ method: 'POST', url: '/login', payload, headers, remoteAddress });
  return { app, access, clock, folder, usersFile, logIn };
}

const cookieOf = (response: LightMyRequestResponse): string => String(response.headers['set-cookie']).replace(/;.*/, '');
const codeOf = (response: LightMyRequestResponse): unknown => response.json<{ code: unknown }>().code;
const read = async ({ app }: Pick<Setting, 'app'>, cookie: string, url = '/snapshot/demo.jpg'): Promise<number> =>
  (await app.inject({ url, headers: { ...OURS, cookie } })).statusCode;

describe('POST /login', () => {
  it('sets a cookie that no script reads and no other site sends, by a password as by a token', async (t) => {
    const setting = await open(t);
    for (const [body, user, actions] of [
      [{ user: 'alice', password: PASSWORD }, 'alice', ['watch', 'data']],
      [{ token: 'viewer-token' }, 'VIEWER_TOKEN', ['watch', 'data', 'ice', 'playback']],
    ] as const) {
      const response = await setting.logIn(body);
      assert.equal(response.statusCode, 200, response.body);
      assert.deepEqual(response.json(), { user, actions, expires_at: Math.floor(setting.clock.wallClock() / 1000) + 3600 });
      assert.match(String(response.headers['set-cookie']), /^sightline_[\w-]{8}=[\w-]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict$/);
      assert.equal(response.headers['cache-control'], 'no-store');
      assert.ok(
        !Buffer.from(cookieOf(response).split('=')[1] ?? '', 'base64url')
          .toString('latin1')
          .includes('alice'),
      );
      assert.equal(await read(setting, cookieOf(response)), 200);
      assert.equal(await read(setting, cookieOf(response), '/models'), 403);
    }
    assert.equal(await read(setting, ''), 401);
  });

  it('is for https where a trusted proxy says so, under a name that nobody sets over http', async (t) => {
    const setting = await open(t, { trustedProxies: ['10.0.0.1'] });
    const body = { token: 'viewer-token' };
    const told = { ...OURS, origin: 'https://sightline.example' };
    for (const forwarded of [
      { 'x-forwarded-proto': 'https' },
      { forwarded: 'for=192.0.2.7;proto=https' },
      { 'x-forwarded-proto': 'http, https' },
    ]) {
      const headers = { ...told, ...(forwarded as Record<string, string>), 'x-forwarded-for': '192.0.2.7' };
      if ('forwarded' in forwarded) delete (headers as Partial<typeof headers>)['x-forwarded-for'];
      const response = await setting.logIn(body, headers, '10.0.0.1');
      assert.match(String(response.headers['set-cookie']), /^__Host-sightline_.*; SameSite=Strict; Secure$/);
      const asked = (origin: string): Promise<LightMyRequestResponse> =>
        setting.app.inject({
          url: '/snapshot/demo.jpg',
          remoteAddress: '10.0.0.1',
          headers: { ...headers, origin, cookie: cookieOf(response) },
        });
      assert.equal((await asked(told.origin)).statusCode, 200);
      assert.equal((await asked(OURS.origin)).statusCode, 403, 'a page that came by http may be anybody’s');
    }
    for (const [headers, from] of [
      [{ ...OURS, 'x-forwarded-proto': 'https' }, '192.0.2.1'],
      [{ ...OURS, 'x-forwarded-proto': 'https, http' }, '10.0.0.1'],
    ] as const)
      assert.doesNotMatch(String((await setting.logIn(body, headers, from)).headers['set-cookie']), /Secure|__Host/);
  });

  it('says no in one way to a wrong password, to a user without one, and to nobody', async (t) => {
    const { logIn } = await open(t, { users: usersOf('actions: [watch], addresses: [10.0.0.0/8]') });
    const refusals = [
      await logIn({ user: 'alice', password: 'another horse' }, OURS, '10.0.0.1'),
      await logIn({ user: 'alice', password: PASSWORD }),
      await logIn({ user: 'tom', password: PASSWORD }),
      await logIn({ user: 'nobody', password: PASSWORD }),
      await logIn({ user: '__proto__', password: PASSWORD }),
    ];
    for (const response of refusals) {
      assert.deepEqual([response.statusCode, response.body], [401, refusals[0]?.body]);
      assert.equal(response.headers['set-cookie'], undefined);
    }
    assert.equal((await logIn({ user: 'alice', password: PASSWORD }, OURS, '10.0.0.1')).statusCode, 200);
    for (const body of [{}, { user: 'alice' }, { token: '' }, { user: 'alice', password: 'x'.repeat(2000) }, []])
      assert.equal(codeOf(await logIn(body)), 'BODY_INVALID', JSON.stringify(body).slice(0, 40));
  });

  it('looks at ten wrong ones a minute and address, tokens among them; then at no password, and at right tokens still', async (t) => {
    const { logIn, clock, app } = await open(t);
    const wrong = { user: 'alice', password: 'another horse' };
    for (let i = 0; i < 4; i++)
      assert.equal(
        (await app.inject({ url: '/models', remoteAddress: '192.0.2.1', headers: { authorization: 'Bearer guess' } })).statusCode,
        401,
      );
    const answers = await Promise.all(Array.from({ length: 12 }, () => logIn(wrong)));
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [...Array<number>(6).fill(401), ...Array<number>(6).fill(429)]);
    const refused = await logIn({ user: 'alice', password: PASSWORD });
    assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [429, '60'], 'it could be guessed else');
    assert.equal((await logIn({ token: 'guess-a-token' })).statusCode, 429);
    assert.equal((await logIn({ token: 'viewer-token' })).statusCode, 200);
    assert.equal((await logIn({ user: 'alice', password: PASSWORD }, OURS, '192.0.2.2')).statusCode, 200, 'from elsewhere');
    await clock.advance(60_000);
    for (let i = 0; i < 15; i++)
      assert.equal((await logIn({ user: 'alice', password: PASSWORD })).statusCode, 200, 'right ones do not count');
  });

  it('looks at thirty wrong passwords of a user in ten minutes, wherever they come from, and at those of where it has logged in before', async (t) => {
    const { logIn, clock } = await open(t);
    const right = { user: 'alice', password: PASSWORD };
    assert.equal((await logIn(right, OURS, '192.0.2.1')).statusCode, 200);
    for (const user of ['alice', 'nobody']) {
      const answers: number[] = [];
      for (let i = 0; i < 33; i++) answers.push((await logIn({ user, password: 'another horse' }, OURS, `198.51.100.${i}`)).statusCode);
      assert.deepEqual(answers, [...Array<number>(30).fill(401), ...Array<number>(3).fill(429)], user);
    }
    const refused = await logIn(right, OURS, '203.0.113.1');
    assert.deepEqual([refused.statusCode, refused.headers['retry-after'], codeOf(refused)], [429, '600', 'TOO_MANY_REQUESTS']);
    assert.match(refused.body, /more than 30 logins as this user failed within 10 minutes/);
    assert.equal((await logIn(right, OURS, '192.0.2.1')).statusCode, 200, 'where it has logged in before');
    assert.equal((await logIn({ token: 'viewer-token' }, OURS, '203.0.113.1')).statusCode, 200);
    await clock.advance(600_000);
    for (let i = 0; i < 40; i++) assert.equal((await logIn(right, OURS, `203.0.113.${i}`)).statusCode, 200, 'right ones do not count');
  });

  it('is for programs and own pages, not for pages of other origins', async (t) => {
    const { logIn } = await open(t);
    for (const headers of [
      { ...OURS, origin: 'https://evil.example' },
      { ...OURS, origin: 'null' },
      { host: OURS.host, 'sec-fetch-site': 'cross-site' },
    ])
      assert.equal(codeOf(await logIn({ token: 'viewer-token' }, headers)), 'ORIGIN_REFUSED');
    assert.equal((await logIn({ token: 'viewer-token' }, { host: OURS.host })).statusCode, 200);
  });

  it('has nobody to let in where nobody is named', async (t) => {
    const app = await testApp({ access: accessOf() });
    t.after(() => app.close());
    const refused = await app.inject({ method: 'POST', url: '/login', payload: { token: 'viewer-token' } });
    assert.equal(codeOf(refused), 'UNAUTHORIZED');
    assert.match(refused.body, /ADMIN_TOKEN/);
  });
});

describe('GET /login', () => {
  const ask = async ({ app }: Pick<Setting, 'app'>, headers: Record<string, string> = OURS, query = '') =>
    app.inject({ url: `/login${query}`, headers, remoteAddress: '192.0.2.1' });

  it('says who has logged in, until when, and what they may do, of one source or of any', async (t) => {
    const setting = await open(t, { users: usersOf('actions: [watch, data, ice], sources: [gate]') });
    const from = Math.floor(setting.clock.wallClock() / 1000);
    const cookie = cookieOf(await setting.logIn({ user: 'alice', password: PASSWORD }));
    const ofAny = await ask(setting, { ...OURS, cookie });
    const actions = ['watch', 'data', 'ice'];
    assert.deepEqual(ofAny.json(), { user: 'alice', actions, everywhere: [], expires_at: from + 3600 });
    assert.equal(ofAny.headers['cache-control'], 'no-store');
    const actionsFor = async (source: string): Promise<unknown> =>
      (await ask(setting, { ...OURS, cookie }, `?source=${source}`)).json<{ actions: unknown }>().actions;
    assert.deepEqual([await actionsFor('gate'), await actionsFor('yard')], [actions, []]);
    const admin = { ...OURS, authorization: 'Bearer admin-token', cookie };
    const { expires_at: until, ...holder } = (await ask(setting, admin)).json<Record<string, unknown>>();
    assert.deepEqual(holder, { user: 'ADMIN_TOKEN', actions: [...GRANTABLE], everywhere: [...GRANTABLE] });
    assert.equal(until, undefined, 'a token is no login');
  });

  it('is about nobody without a login, with one that has ended, and for a page that may not use it; a token of nobody is refused', async (t) => {
    const setting = await open(t);
    const cookie = cookieOf(await setting.logIn({ token: 'viewer-token' }));
    const nobody = { user: null, actions: [], everywhere: [] };
    assert.deepEqual((await ask(setting)).json(), nobody);
    assert.deepEqual((await ask(setting, { ...OURS, origin: 'https://evil.example', cookie })).json(), nobody);
    assert.equal(codeOf(await ask(setting, { ...OURS, authorization: 'Bearer guess' })), 'UNAUTHORIZED');
    await setting.clock.advance(3_600_000);
    assert.deepEqual((await ask(setting, { ...OURS, cookie })).json(), nobody);
  });

  it('has what everybody may do, and what this machine may', async (t) => {
    for (const [access, user, rights] of [
      [accessOf({ anonymous: 'watch' }), null, ['watch', 'data', 'ice', 'playback']],
      [accessOf(), null, [...GRANTABLE]],
    ] as const) {
      const app = await testApp({ access });
      t.after(() => app.close());
      const answer = await app.inject({ url: '/login', headers: { host: 'localhost' }, remoteAddress: '127.0.0.1' });
      assert.deepEqual(answer.json(), { user, actions: rights, everywhere: rights });
    }
  });
});

describe('a login', () => {
  it('that was changed, cut, made up, or made for something else is none', async (t) => {
    const setting = await open(t);
    const cookie = cookieOf(await setting.logIn({ token: 'admin-token' }));
    const [name = '', value = ''] = cookie.split('=');
    assert.equal(await read(setting, cookie, '/models'), 200);
    const flipped = [0, 20, value.length - 2].map((at) => value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1));
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const { urls } = (
      await setting.app.inject({ method: 'POST', url: '/signed-urls', payload: { paths: ['/models'] }, headers: { ...OURS, cookie } })
    ).json<{ urls: string[] }>();
    const ofUrl = new URLSearchParams(urls[0]?.split('?')[1]).get('signature') ?? '';
    const elsewhere = accessOf({ tokens: { adminToken: 'admin-token' }, logins: { secret: 'another secret of thirty-two letters' } });
    const foreign = elsewhere.logins.begin({ token: 'admin-token' }).sealed;
    for (const forged of [
      ...flipped,
      value.slice(0, -1),
      value.slice(4),
      '',
      'x',
      `${unsigned}.${unsigned}.`,
      ofUrl,
      foreign,
      `${value}${'A'.repeat(8000)}`,
    ])
      assert.equal(await read(setting, `${name}=${forged}`, '/models'), 401, forged.slice(0, 40));
    assert.equal(await read(setting, `${cookie}; ${cookie}`, '/models'), 401, 'one of two was set by somebody else');
    assert.equal(await read(setting, `theme=dark; ${cookie}; a=b`, '/models'), 200);
    for (let i = 0; i < 20; i++) await read(setting, `${name}=x`, '/models');
    assert.equal(
      (await setting.logIn({ user: 'alice', password: PASSWORD })).statusCode,
      200,
      'a browser with an old cookie guesses nothing',
    );
  });

  it('of a megabyte is refused, and the next request answered', async (t) => {
    const { app } = await open(t);
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const { status } = await fetch(`${url}/snapshot/demo.jpg`, { headers: { cookie: `sightline_x=${'A'.repeat(1_000_000)}` } }).catch(
      () => ({ status: 431 }),
    );
    assert.equal(status, 431);
    assert.equal((await fetch(`${url}/ready`)).status, 200);
  });

  it('is another one each time, and ends the one before of the same browser', async (t) => {
    const setting = await open(t);
    const first = cookieOf(await setting.logIn({ token: 'viewer-token' }));
    const second = cookieOf(await setting.logIn({ token: 'viewer-token' }, { ...OURS, cookie: first }));
    assert.notEqual(first, second);
    assert.deepEqual([await read(setting, first), await read(setting, second)], [401, 200]);
    const chosen = `${first.split('=')[0]}=chosen-by-somebody`;
    assert.notEqual(cookieOf(await setting.logIn({ token: 'viewer-token' }, { ...OURS, cookie: chosen })), chosen);
  });

  it('ends at its time, whichever way the clock is set', async (t) => {
    const setting = await open(t);
    const cookie = cookieOf(await setting.logIn({ token: 'viewer-token' }));
    await setting.clock.advance(3_599_000);
    assert.equal(await read(setting, cookie), 200);
    await setting.clock.advance(1000);
    assert.equal(await read(setting, cookie), 401);
    const late = accessOf({ clock: setting.clock, tokens: { viewerToken: 'viewer-token' }, logins: { ttlS: 600 } });
    const early = new FakeClock();
    const { sealed } = late.logins.begin({ token: 'viewer-token' });
    const approach = { ...approachFrom('192.0.2.1'), login: sealed };
    assert.equal((await late.identify(approach)).name, 'VIEWER_TOKEN');
    const back = accessOf({ clock: early, tokens: { viewerToken: 'viewer-token' } });
    assert.equal((await back.identify(approach)).kind, 'anonymous', 'a login of tomorrow');
    const shorter = accessOf({ clock: setting.clock, tokens: { viewerToken: 'viewer-token' }, logins: { ttlS: 60 } });
    await setting.clock.advance(61_000);
    assert.deepEqual([(await late.identify(approach)).kind, (await shorter.identify(approach)).kind], ['token', 'anonymous']);
  });

  it('is known to every server with the same secret, and to no other', async (t) => {
    const [a, b, c] = [await open(t), await open(t), await open(t, { secret: '' })];
    for (const body of [{ user: 'alice', password: PASSWORD }, { token: 'admin-token' }]) {
      const cookie = cookieOf(await a.logIn(body));
      assert.deepEqual([await read(b, cookie), await read(c, cookie)], [200, 401]);
    }
    assert.notEqual(a.access.logins.cookieName(false), c.access.logins.cookieName(false));
  });

  it('outlives a restart by a secret of its own, readable by its owner alone, and so does a logout', async (t) => {
    const before = await open(t, { secret: '' });
    const [stays, leaves] = [
      cookieOf(await before.logIn({ token: 'viewer-token' })),
      cookieOf(await before.logIn({ token: 'viewer-token' })),
    ];
    const left = await before.app.inject({ method: 'POST', url: '/logout', headers: { ...OURS, cookie: leaves } });
    assert.deepEqual([left.statusCode, left.body], [204, '']);
    assert.match(String(left.headers['set-cookie']), /^sightline_[\w-]{8}=; Path=\/; Max-Age=0; HttpOnly/);
    await before.access.close();
    const after = await open(t, { folder: before.folder, secret: '' });
    assert.deepEqual([await read(after, stays), await read(after, leaves)], [200, 401]);
    for (const name of ['login-secret', 'logouts.json'])
      assert.equal(statSync(path.join(before.folder, 'state', name)).mode & 0o777, 0o600, name);
    assert.doesNotMatch(readFileSync(path.join(before.folder, 'state/logouts.json'), 'utf8'), /viewer/);
    writeFileSync(path.join(before.folder, 'state/logouts.json'), 'half of a f');
    await after.clock.advance(1000);
    const damaged = accessOf({
      clock: after.clock,
      tokens: { viewerToken: 'viewer-token' },
      logins: { secret: '', stateDir: path.join(before.folder, 'state') },
    });
    const approach = { ...approachFrom('192.0.2.1'), login: stays.split('=')[1] };
    assert.equal((await damaged.identify(approach)).kind, 'anonymous', 'who had logged out is not let in again');
  });

  it('ends with what it was made by: another password, a user who is gone, or whose rights are', async (t) => {
    const setting = await open(t);
    const { access, clock, usersFile } = setting;
    const cookie = cookieOf(await setting.logIn({ user: 'alice', password: PASSWORD }));
    const approach = { ...approachFrom('192.0.2.1'), login: cookie.split('=')[1] };
    const changed = async (text: string): Promise<void> => {
      let isRead = false;
      const stop = access.watchRights({ stillHas: () => Promise.resolve((isRead = true)), onLost: () => undefined });
      const users = await read(setting, cookie);
      writeFileSync(usersFile, text);
      await eventually(
        async () => {
          await clock.advance(1000);
          return isRead && (await read(setting, cookie)) !== users;
        },
        10_000,
        'the file to be read',
      );
      stop();
    };
    const lost: string[] = [];
    const held = new HeldRights(access, approach, await access.identify(approach));
    held.guard({ action: 'watch', sources: () => ['gate'], onLost: () => lost.push('rights') });
    await changed(usersOf('actions: [watch], sources: [yard]'));
    await eventually(() => lost.length > 0, 2000, 'the end of what went on');
    await changed(usersOf('actions: [watch, data]'));
    await changed(usersOf('actions: [watch, data]', 'another horse battery'));
    const refused = await setting.app.inject({ url: '/snapshot/demo.jpg', headers: { ...OURS, cookie } });
    assert.deepEqual([refused.statusCode, codeOf(refused)], [401, 'UNAUTHORIZED']);
    assert.match(refused.body, /log in again/);
  });

  it('ends what goes on by it within a second of a logout, which only an own page can ask for', async (t) => {
    const setting = await open(t);
    const { access, app } = setting;
    const cookie = cookieOf(await setting.logIn({ token: 'viewer-token' }));
    const approach = { ...approachFrom('192.0.2.1'), login: cookie.split('=')[1] };
    const held = new HeldRights(access, approach, await access.identify(approach));
    const lost: string[] = [];
    held.guard({ action: 'watch', sources: () => ['gate'], onLost: () => lost.push('gate') });
    for (const headers of [{ host: OURS.host }, { ...OURS, origin: 'null' }, { ...OURS, origin: 'https://evil.example' }])
      assert.equal(codeOf(await app.inject({ method: 'POST', url: '/logout', headers: { ...headers, cookie } })), 'ORIGIN_REFUSED');
    assert.deepEqual([await read(setting, cookie), lost], [200, []]);
    await app.inject({ method: 'POST', url: '/logout', headers: { ...OURS, cookie } });
    await eventually(() => lost.length > 0, 2000, 'the end');
    assert.equal(await read(setting, cookie), 401);
    assert.equal((await app.inject({ method: 'POST', url: '/logout', headers: OURS })).statusCode, 204, 'once more changes nothing');
  });

  it('opens /ws for own pages alone', async (t) => {
    const setting = await open(t);
    const url = await setting.app.listen({ port: 0, host: '127.0.0.1' });
    const cookie = cookieOf(await setting.logIn({ token: 'viewer-token' }));
    const join = async (origin: string | undefined): Promise<string> => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { cookie, ...(origin !== undefined && { origin }) } });
      t.after(() => socket.terminate());
      await within(once(socket, 'open'), 5000, 'the socket');
      const answer = once(socket, 'message');
      socket.send(JSON.stringify({ type: 'join', room: 'demo', role: 'viewer' }));
      const [data] = (await within(answer, 5000, 'the answer')) as [Buffer];
      const { type, code = '' } = JSON.parse(data.toString()) as { type: string; code?: string };
      return `${type} ${code}`;
    };
    assert.equal(await join(url), 'joined ');
    for (const origin of [undefined, 'null', 'https://evil.example', url.replace(/\d+$/, '1')])
      assert.equal(await join(origin), 'error ORIGIN_REFUSED', origin);
  });
});

describe('POST /signed-urls', () => {
  const sign = async ({ app }: Setting, paths: string[], headers: Record<string, string>): Promise<LightMyRequestResponse> =>
    app.inject({ method: 'POST', url: '/signed-urls', payload: { paths }, headers });
  const statusOf = async ({ app }: Setting, url = ''): Promise<number> =>
    (await app.inject({ url, headers: { 'sec-fetch-site': 'cross-site' } })).statusCode;

  it('makes addresses of pictures that any page may show, for a minute, each for its own path', async (t) => {
    const setting = await open(t);
    const cookie = cookieOf(await setting.logIn({ user: 'alice', password: PASSWORD }));
    for (const headers of [{ authorization: 'Bearer viewer-token' }, { ...OURS, cookie }]) {
      const response = await sign(setting, ['/snapshot/demo.jpg?width=480', '/events/1/still.jpg'], headers);
      const { urls, expires_at: until } = response.json<{ urls: string[]; expires_at: number }>();
      assert.equal(until, Math.floor(setting.clock.wallClock() / 1000) + 60);
      const [picture = '', latest = ''] = urls;
      assert.match(picture, /^\/snapshot\/demo\.jpg\?width=480&signature=[\w-]+$/);
      assert.equal(await statusOf(setting, picture), 200);
      assert.notEqual(await statusOf(setting, latest), 401);
      assert.equal(await statusOf(setting, picture.replace('width=480', 'width=320')), 200);
      assert.equal(await statusOf(setting, picture.replace('/demo.jpg', '/yard.jpg')), 401);
      assert.equal(await statusOf(setting, picture.replace(/signature=../, 'signature=AA')), 401);
      assert.equal(
        await statusOf(setting, picture.replace('/snapshot/demo.jpg', '/models')),
        401,
        'only what browsers ask for without headers',
      );
      await setting.clock.advance(60_000);
      assert.equal(await statusOf(setting, picture), 401);
    }
  });

  it('gives no more than whoever signed has, and ends with their login', async (t) => {
    const setting = await open(t, { users: usersOf('actions: [data], sources: [demo]') });
    const cookie = cookieOf(await setting.logIn({ user: 'alice', password: PASSWORD }));
    const { urls } = (await sign(setting, ['/snapshot/demo.jpg', '/snapshot/yard.jpg'], { ...OURS, cookie })).json<{ urls: string[] }>();
    assert.deepEqual([await statusOf(setting, urls[0]), await statusOf(setting, urls[1])], [200, 404]);
    await setting.app.inject({ method: 'POST', url: '/logout', headers: { ...OURS, cookie } });
    assert.equal(await statusOf(setting, urls[0]), 401);
  });

  it('lets a stream that was opened in time go on', async (t) => {
    const setting = await open(t);
    const { access, clock } = setting;
    const { urls } = access.logins.sign(approachFrom('192.0.2.1', 'viewer-token'), ['/events/stream']);
    const signature = new URLSearchParams(urls[0]?.split('?')[1]).get('signature') ?? undefined;
    const approach = { ...approachFrom('192.0.2.1'), path: '/events/stream', signature };
    const principal = await access.identify(approach);
    assert.equal(principal.name, 'VIEWER_TOKEN');
    await clock.advance(120_000);
    assert.equal((await access.recall(approach, principal)).name, 'VIEWER_TOKEN');
    assert.equal((await access.identify(approach)).kind, 'anonymous');
  });

  it('refuses what is no path of this server', async (t) => {
    const setting = await open(t);
    for (const paths of [
      ['//evil.example/x'],
      ['https://evil.example'],
      ['snapshot/demo.jpg'],
      [],
      ['/\\evil.example'],
      Array<string>(201).fill('/x'),
    ])
      assert.equal(codeOf(await sign(setting, paths, { authorization: 'Bearer viewer-token' })), 'BODY_INVALID', paths[0]);
    assert.equal((await sign(setting, ['/snapshot/demo.jpg'], {})).statusCode, 401);
  });
});
