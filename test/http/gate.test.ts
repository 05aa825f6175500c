import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import type { AppDeps } from '../../src/app.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { declareActions, HttpSessions, IceServers } from '../../src/http/index.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { FakeSessions } from './fake-sessions.js';

const TOKENS = { adminToken: 'admin', viewerToken: 'view', publishTokens: new Map([['demo', 'send']]) };
/** What each token may do with the source `demo`, and with all of them. */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  admin: ['watch', 'data', 'publish', 'ice', 'playback', 'metrics', 'admin'],
  view: ['watch', 'data', 'ice', 'playback'],
  send: ['publish', 'ice'],
};

interface Operation {
  readonly method: string;
  readonly url: string;
  readonly action: string;
}

/** Everything that the server routes and documents. */
async function operationsOf(app: FastifyInstance): Promise<Operation[]> {
  const { paths } = (await app.inject('/openapi.json')).json<{
    paths: Readonly<Record<string, Readonly<Record<string, { readonly 'x-action': string }>>>>;
  }>();
  return Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, { 'x-action': action }]) => ({
      method: method.toUpperCase(),
      url: url.replace('{file}', 'demo.jpg').replace(/\{(source|room|id|name)\}/g, 'demo'),
      action,
    })),
  );
}

async function guarded(): Promise<FastifyInstance> {
  return testApp({
    access: accessOf({ tokens: TOKENS }),
    // What would go on without end, or need a real source, ends here.
    detections: { openSource: () => Promise.reject(new MediaPeerError('SOURCE_NOT_LIVE', 'nothing flows')) },
    events: {
      onAdded: () => {
        throw new MediaPeerError('STORE_FAILED', 'nothing is kept');
      },
    },
  });
}

const ask = (app: FastifyInstance, { method, url }: Pick<Operation, 'method' | 'url'>, token?: string): Promise<LightMyRequestResponse> =>
  app.inject({ method, url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } } as InjectOptions);

const codeOf = (response: LightMyRequestResponse): unknown =>
  response.body.startsWith('{') ? response.json<{ code?: unknown }>().code : undefined;

/** The cookie of a login. */
async function logIn(app: FastifyInstance, token: string): Promise<string> {
  const response = await app.inject({ method: 'POST', url: '/login', payload: { token } });
  assert.equal(response.statusCode, 200, response.body);
  return String(response.headers['set-cookie']).replace(/;.*/, '');
}

describe('every route', () => {
  let app: FastifyInstance;
  let operations: Operation[];
  before(async () => {
    app = await guarded();
    operations = await operationsOf(app);
  });
  after(() => app.close());

  it('declares what it asks for, or does not exist', () => {
    const bare = Fastify();
    declareActions(bare);
    assert.throws(() => bare.get('/open', () => 'to everybody'), /GET \/open declares no action/);
    assert.throws(() => bare.get('/open', { config: {} }, () => 'to everybody'), /declares no action/);
    assert.ok(operations.length > 40);
    for (const { action, url } of operations) assert.match(action, /^(watch|data|publish|ice|playback|metrics|admin|session|public)$/, url);
  });

  it('is closed to whoever shows nothing, save what is public or a session of their own', async () => {
    for (const operation of operations) {
      const response = await ask(app, operation);
      const isOpen = operation.action === 'public' || operation.action === 'session';
      const name = `${operation.method} ${operation.url}`;
      if (isOpen) assert.ok(![401, 403].includes(response.statusCode), name);
      else assert.deepEqual([response.statusCode, codeOf(response) ?? 'UNAUTHORIZED'], [401, 'UNAUTHORIZED'], name);
    }
  });

  it('is open to each token for what that gives, and to no other', async () => {
    for (const [token, rights] of Object.entries(RIGHTS))
      for (const operation of operations) {
        const response = await ask(app, operation, token);
        const name = `${token}: ${operation.method} ${operation.url}`;
        const isOpen = ['public', 'session', ...rights].includes(operation.action);
        if (isOpen) assert.ok(![401, 403].includes(response.statusCode), `${name}: ${response.body}`);
        else assert.deepEqual([response.statusCode, codeOf(response) ?? 'FORBIDDEN'], [403, 'FORBIDDEN'], name);
      }
  });

  it('is open to a login by cookie as to its token, where an own page asks, and closed where any other does', async () => {
    const ours = { host: 'sightline.example', origin: 'https://sightline.example' };
    const withSite = (site: string): Record<string, string> => ({ host: ours.host, 'sec-fetch-site': site });
    /** What a browser says of the page, whether that reads by the cookie, and whether it may change something. */
    const pages: readonly (readonly [headers: Record<string, string>, reads: boolean, changes: boolean])[] = [
      [ours, true, true],
      [{ ...ours, 'sec-fetch-site': 'same-origin' }, true, true],
      [withSite('same-origin'), true, false],
      [withSite('none'), true, false],
      [{ host: ours.host }, true, false],
      [{ host: ours.host, origin: 'null' }, false, false],
      [{ host: ours.host, origin: 'https://evil.example' }, false, false],
      [{ host: ours.host, origin: 'https://sightline.example:3000', 'sec-fetch-site': 'same-site' }, false, false],
      [withSite('cross-site'), false, false],
      [withSite('same-site'), false, false],
    ];
    for (const [token, rights] of Object.entries(RIGHTS)) {
      const cookie = await logIn(app, token);
      for (const [headers, reads, changes] of pages)
        for (const { method, url, action } of operations) {
          if (url === '/logout') continue;
          const response = await app.inject({ method, url, headers: { ...headers, cookie } } as InjectOptions);
          const name = `${token}: ${method} ${url} ${JSON.stringify(headers)}`;
          const counts = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? reads : changes;
          if (action === 'public' || action === 'session') assert.notEqual(response.statusCode, 401, name);
          else if (!counts) assert.deepEqual([response.statusCode, codeOf(response) ?? 'ORIGIN_REFUSED'], [403, 'ORIGIN_REFUSED'], name);
          else if (rights.includes(action)) assert.ok(![401, 403].includes(response.statusCode), `${name}: ${response.body}`);
          else assert.deepEqual([response.statusCode, codeOf(response) ?? 'FORBIDDEN'], [403, 'FORBIDDEN'], name);
        }
    }
  });

  it('takes no token that is nobody’s, whatever could be had without', async () => {
    const open = await guarded();
    for (const url of ['/available-videos', '/sessions/demo', '/health'])
      assert.equal((await ask(open, { method: 'GET', url }, 'guess')).statusCode, 401, url);
    assert.equal((await ask(open, { method: 'GET', url: '/ready' }, 'guess')).statusCode, 200);
    await open.close();
  });
});

it('a proxy that speaks HTTP/1.0 is not taken for this machine', async () => {
  const app = await testApp({ access: accessOf() });
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const statusOf = async (version: string): Promise<string> => {
    const socket = net.connect(Number(port), '127.0.0.1');
    socket.end(`GET /ice-servers HTTP/${version}\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const answer = (await socket.toArray()) as Buffer[];
    return Buffer.concat(answer).toString().slice(9, 12);
  };
  assert.deepEqual([await statusOf('1.1'), await statusOf('1.0')], ['200', '401']);
  await app.close();
});

describe('with tokens and without one', () => {
  it('only readiness, a bare health and the pages are there', async () => {
    const app = await guarded();
    assert.deepEqual((await app.inject('/health')).json(), { status: 'ok' });
    assert.deepEqual(Object.keys((await ask(app, { method: 'GET', url: '/health' }, 'view')).json<object>()), [
      'status',
      'uptime_s',
      'version',
      'detector_loaded',
    ]);
    assert.ok('resources' in (await ask(app, { method: 'GET', url: '/health' }, 'admin')).json<object>());
    for (const url of ['/ready', '/', '/publish', '/sightline.js', '/openapi.json', '/docs/'])
      assert.equal((await app.inject(url)).statusCode, 200, url);
    await app.close();
  });
});

describe('a source that somebody may not watch', () => {
  const source = (id: string): ReturnType<AppDeps['state']['sources']>[number] => ({
    id,
    name: `${id}.mp4`,
    kind: 'file',
    state: 'live',
    durationS: 1,
    widthPx: 640,
    heightPx: 360,
    fps: 25,
    videoCodec: 'h264',
    audioCodec: null,
    hasAudio: false,
    sizeBytes: 1,
    delivery: 'passthrough',
    playable: true,
  });

  async function half(): Promise<FastifyInstance> {
    const access = accessOf({ tokens: TOKENS });
    const identify = access.identify.bind(access);
    // Somebody who may watch some sources only.
    access.identify = async (approach) => {
      const principal = await identify(approach);
      return { ...principal, grants: principal.grants.map((grant) => ({ ...grant, sources: ['gate*'] })) };
    };
    return testApp({
      access,
      offer: { playable: () => ['demo', 'gate-2', 'gate-1'] },
      state: { sources: () => [source('demo'), source('gate-1')] },
      events: {
        still: (eventId) =>
          Promise.resolve(eventId > 2 ? undefined : { sourceId: eventId === 1 ? 'demo' : 'gate-1', jpeg: Buffer.from('JPEG') }),
      },
      detections: {
        openSource: (sourceId) =>
          Promise.reject(
            new MediaPeerError('SOURCE_NOT_FOUND', `no source '${sourceId}'; available: demo, gate-1`, {
              details: { sourceId, available: ['demo', 'gate-1'] },
            }),
          ),
      },
    });
  }
  const viewer = { authorization: 'Bearer view' };

  it('has events whose stills are answered as if there were none', async () => {
    const app = await half();
    const still = (id: number): Promise<LightMyRequestResponse> => app.inject({ url: `/events/${id}/still.jpg`, headers: viewer });
    const [other, own, none] = await Promise.all([1, 2, 3].map(still));
    assert.deepEqual([own?.statusCode, own?.headers['content-type'], own?.body], [200, 'image/jpeg', 'JPEG']);
    for (const response of [other, none]) assert.deepEqual([response?.statusCode, response && codeOf(response)], [404, 'EVENT_NOT_FOUND']);
    assert.equal(other?.body.replace("'1'", "'3'"), none?.body);
    assert.equal(other?.headers['etag'], undefined);
    await app.close();
  });

  it('is in no list, and answered as one that there is not', async () => {
    const app = await half();
    const listed = (await app.inject({ url: '/available-videos', headers: viewer })).json<{ videos: { source: string }[] }>();
    assert.deepEqual(
      listed.videos.map((video) => video.source),
      ['gate-1'],
    );
    const answers = await Promise.all(
      ['demo', 'void'].flatMap((name) =>
        [`/detections/${name}/latest`, `/snapshot/${name}.jpg`, `/sources/${name}/zones`].map(async (url) => {
          const { statusCode, body } = await app.inject({ url, headers: viewer });
          return [statusCode, body.replaceAll(name, '?')];
        }),
      ),
    );
    assert.deepEqual(answers.slice(0, 3), answers.slice(3));
    for (const [status] of answers) assert.equal(status, 404);
    await app.close();
  });

  it('is named by no message about another one', async () => {
    const app = await half();
    const { statusCode, body } = await app.inject({ url: '/detections/gate-9/latest', headers: viewer });
    assert.equal(statusCode, 404);
    assert.match(body, /no source 'gate-9'; available: gate-1"/);
    await app.close();
  });

  it('is not what an offer without a source leads to', async () => {
    const app = await half();
    const offer = (body: object): Promise<LightMyRequestResponse> =>
      app.inject({ method: 'POST', url: '/offer', headers: viewer, payload: { sdp: 'v=0', type: 'offer', ...body } });
    assert.equal((await offer({})).json<{ source: string }>().source, 'gate-2');
    const refused = await offer({ source: 'demo' });
    assert.deepEqual(
      [refused.statusCode, refused.json<{ message: string }>().message],
      [404, "no source 'demo'; GET /available-videos lists them"],
    );
    await app.close();
  });
});

describe('a limit on requests', () => {
  it('is used up by nobody for those who show a token that holds, nor by them for each other', async () => {
    const access = accessOf({ tokens: { adminToken: 'admin', viewerToken: 'see' } });
    const accept = (): Promise<never> => Promise.reject(new MediaPeerError('CAPACITY_REACHED', 'full'));
    const app = await testApp({ access, offer: { rateLimit: 2, sessions: { accept } } });
    const offer = async (token?: string): Promise<number> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await app.inject({ method: 'POST', url: '/offer', headers, payload: { sdp: 'v=0', type: 'offer' } })).statusCode;
    };
    const inTurn = async (tokens: readonly (string | undefined)[]): Promise<number[]> => {
      const statuses: number[] = [];
      for (const token of tokens) statuses.push(await offer(token));
      return statuses;
    };
    assert.deepEqual(await inTurn([undefined, 'guess', undefined]), [401, 401, 429]);
    assert.deepEqual(await inTurn(['see', 'see', 'see', 'admin']), [503, 503, 429, 503]);
    await app.close();
  });
});

/** As little as a WHIP offer may hold. */
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'a=setup:actpass',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:96 VP8/90000',
  '',
].join('\r\n');

describe('a room that is taken', () => {
  it('is told alike to whoever must not know of the source, whatever has its name', async () => {
    const access = accessOf({ tokens: { publishTokens: new Map([['*', 'send']]), adminToken: 'admin' } });
    const taken: Readonly<Record<string, MediaPeerError>> = {
      file: new MediaPeerError('ROOM_TAKEN', "'file' is the name of a file, which nobody can publish to", {
        details: { sourceId: 'file' },
      }),
      yard: new MediaPeerError('ROOM_TAKEN', "room 'yard' already has a publisher", { retryAfterS: 7, details: { sourceId: 'yard' } }),
    };
    const app = await testApp({
      access,
      wish: {
        sessions: {
          publish: ({ room }) => Promise.reject(taken[room] ?? new Error(room)),
          accept: () => Promise.reject(new Error('not asked')),
        },
        httpSessions: new HttpSessions({ sessions: new FakeSessions(), isStrict: false }),
        iceServers: () => [],
        mayTakeOver: false,
        rateLimit: 0,
      },
    });
    const publish = async (room: string, token: string): Promise<readonly [number, unknown, string]> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' };
      const response = await app.inject({ method: 'POST', url: `/whip/${room}`, headers, payload: OFFER });
      const { message } = response.json<{ message: string }>();
      return [response.statusCode, response.headers['retry-after'], message.replaceAll(room, '?')];
    };
    assert.deepEqual(await publish('file', 'send'), await publish('yard', 'send'));
    assert.deepEqual((await publish('file', 'send'))[2], "room '?' is taken; choose another name, or wait until it is free");
    assert.match((await publish('file', 'admin'))[2], /is the name of a \?/);
    await app.close();
  });
});

describe('TURN credentials', () => {
  it('are a person’s where there is one, so that quotas bind to them, and a client’s otherwise', async () => {
    const access = accessOf({ tokens: { viewerToken: 'view' } });
    const identify = access.identify.bind(access);
    access.identify = async (approach) => {
      const principal = await identify(approach);
      if (approach.host === 'alice') return { ...principal, kind: 'user', name: 'alice' };
      return approach.host === 'odd' ? { ...principal, kind: 'jwt', name: 'a:b@c' } : principal;
    };
    const iceServers = new IceServers({
      stunUrls: [],
      turnUrls: ['turn:192.0.2.9'],
      turnUsername: '',
      turnCredential: '',
      turnSecret: 'secret',
      ttlS: 600,
      allowedHosts: [],
      clock: new FakeClock(),
    });
    const app = await testApp({ access, iceServers: { iceServers, rateLimit: 0 } });
    const userOf = async (host: string): Promise<string | undefined> => {
      const headers = { authorization: 'Bearer view', host };
      const answer = (await app.inject({ url: '/ice-servers?client_id=cam-1', headers })).json<{ ice_servers: { username?: string }[] }>();
      return answer.ice_servers.at(-1)?.username?.replace(/^\d+:/, '');
    };
    assert.deepEqual([await userOf('alice'), await userOf('box')], ['alice@user', 'cam-1']);
    assert.match((await userOf('odd')) ?? '', /^[\w-]{12}@jwt$/);
    await app.close();
  });
});

it('100 000 guesses from one address: ten are answered a minute, a right token passes, and others are unharmed', async () => {
  const clock = new FakeClock();
  const access = accessOf({ clock, tokens: { adminToken: 'admin' } });
  const codes = new Map<string, number>();
  const show = async (token: string, address = '192.0.2.1'): Promise<string> =>
    access.identify(approachFrom(address, token)).then(
      ({ name }) => name,
      (error: unknown) => (error as MediaPeerError).code,
    );
  const minutes = 10;
  for (let i = 0; i < 100_000; i++) {
    if (i > 0 && i % (100_000 / minutes) === 0) await clock.advance(60_000);
    const code = await show(`guess-${i}`);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (i % 10_000 === 5000) assert.deepEqual([await show('admin'), await show('admin', '192.0.2.2')], ['ADMIN_TOKEN', 'ADMIN_TOKEN']);
  }
  assert.deepEqual(Object.fromEntries(codes), { UNAUTHORIZED: 10 * minutes, TOO_MANY_REQUESTS: 100_000 - 10 * minutes });
  assert.equal(await show('a-wrong-one', '192.0.2.3'), 'UNAUTHORIZED', 'others have guesses of their own');
  assert.equal(await show('x'.repeat(1_000_000), '192.0.2.4'), 'UNAUTHORIZED');
});
