/** The rules of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep), one test each, by the numbers of docs/whip-whep.md. */
import assert from 'node:assert/strict';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { MediaPeerError } from '../../src/base/errors.js';
import type { IceServer } from '../../src/webrtc/index.js';
import { HttpSessions } from '../../src/http/index.js';
import { accessOf, openAccess } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { eventually, within } from '../helpers/deadline.js';
import { seededRandom } from '../helpers/random.js';
import { FakeSessions } from './fake-sessions.js';

interface Setting {
  readonly isStrict?: boolean;
  readonly viewerToken?: string;
  readonly publishTokens?: readonly (readonly [string, string])[];
  readonly mayTakeOver?: boolean;
  readonly rateLimit?: number;
  readonly iceServers?: (clientId?: string) => readonly IceServer[];
  readonly corsOrigins?: readonly string[];
}

interface Doors {
  readonly app: FastifyInstance;
  readonly sessions: FakeSessions;
  readonly logged: Record<string, unknown>[];
  readonly request: (
    method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS',
    url: string,
    headers?: Record<string, string>,
    payload?: string,
  ) => Promise<LightMyRequestResponse>;
  /** POST of an offer. */
  readonly post: (url: string, payload?: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>;
  /** POST of an offer, and the session that it opened. */
  readonly open: (url?: string) => Promise<{ readonly location: string; readonly etag: string }>;
  readonly patch: (url: string, fragment: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>;
}

let opened: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(opened.map((app) => app.close()));
  opened = [];
});

async function doors(setting: Setting = {}): Promise<Doors> {
  const sessions = new FakeSessions();
  const { viewerToken = '', publishTokens = [] } = setting;
  const isOpen = viewerToken === '' && publishTokens.length === 0;
  const httpSessions = new HttpSessions({ sessions, isStrict: setting.isStrict ?? false });
  const logged: Record<string, unknown>[] = [];
  const rateLimit = setting.rateLimit ?? 0;
  const app = await testApp({
    access: isOpen ? openAccess() : accessOf({ tokens: { viewerToken, publishTokens: new Map(publishTokens) } }),
    corsOrigins: setting.corsOrigins ?? ['*'],
    logger: pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
    offer: { sessions, httpSessions, rateLimit },
    wish: {
      sessions,
      httpSessions,
      rateLimit,
      iceServers: setting.iceServers ?? (() => []),
      mayTakeOver: setting.mayTakeOver ?? false,
    },
  });
  opened.push(app);
  const request: Doors['request'] = (method, url, headers = {}, payload) =>
    app.inject({ method, url, headers, ...(payload !== undefined && { payload }) } as InjectOptions);
  const post: Doors['post'] = (url, payload = url.startsWith('/whip') ? offer('sendonly') : offer('recvonly'), headers = {}) =>
    request('POST', url, { 'content-type': 'application/sdp', ...headers }, payload);
  return {
    app,
    sessions,
    logged,
    request,
    post,
    open: async (url = '/whep/street') => {
      const response = await post(url);
      assert.equal(response.statusCode, 201, response.body);
      return { location: String(response.headers.location), etag: String(response.headers.etag) };
    },
    patch: (url, fragment, headers = {}) =>
      request('PATCH', url, { 'content-type': 'application/trickle-ice-sdpfrag', ...headers }, fragment),
  };
}

/** m-lines of an offer with these directions: audio, video, audio, ... */
function offer(...directions: readonly string[]): string {
  const kinds = directions.length === 1 ? ['video'] : ['audio', 'video'];
  return offerOf(directions.map((direction, i) => ({ kind: kinds[i % 2] ?? 'video', direction })));
}

interface MLine {
  readonly kind: string;
  readonly direction: string;
  readonly without?: string;
}

function offerOf(mLines: readonly MLine[], bundle: readonly number[] = mLines.map((_, i) => i)): string {
  return [
    ...['v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0'],
    ...(bundle.length > 0 ? [`a=group:BUNDLE ${bundle.join(' ')}`] : []),
    ...mLines.flatMap(({ kind, direction, without }, i) =>
      [
        `m=${kind} 9 UDP/TLS/RTP/SAVPF ${kind === 'audio' ? 111 : 96}`,
        ...[
          'c=IN IP4 0.0.0.0',
          `a=mid:${i}`,
          'a=ice-ufrag:EsAw',
          'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
          'a=setup:actpass',
          'a=rtcp-mux',
          `a=${direction}`,
        ],
        `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
        kind === 'audio' ? 'a=rtpmap:111 opus/48000/2' : 'a=rtpmap:96 VP8/90000',
      ].filter((line) => line !== without),
    ),
    '',
  ].join('\r\n');
}

/** As in the example of RFC 9725 §4.3.2. */
function fragment(ufrag: string, pwd = 'P2uYro0UCOQ4zxjKXaWCBui1', ...more: readonly string[]): string {
  return [
    ...['a=group:BUNDLE 0 1', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`],
    'a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1',
    'a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1',
    ...more,
    '',
  ].join('\r\n');
}

const TRICKLE = fragment('EsAw');
const RESTART = fragment('ysXw', 'vw5LmwG4y/e6dPP/zAP9Gp5k');

const code = (response: LightMyRequestResponse): unknown => response.json<{ code: unknown }>().code;
const message = (response: LightMyRequestResponse): string => response.json<{ message: string }>().message;

/** Both protocols follow most rules. */
const ENDPOINTS = ['/whep/street', '/whip/gate'] as const;

describe('WHIP and WHEP', () => {
  for (const url of ENDPOINTS) {
    it(`rule 1: POST of an offer to ${url} opens a session: 201, the answer, a root-relative Location`, async () => {
      const { post } = await doors();
      const response = await post(url);
      assert.equal(response.statusCode, 201, response.body);
      assert.equal(response.headers['content-type'], 'application/sdp');
      assert.match(response.body, /^v=0\r\n/);
      assert.equal(response.headers.location, '/sessions/session1');
      assert.equal(response.headers['accept-patch'], 'application/trickle-ice-sdpfrag');
    });

    it(`rule 1: ${url} takes the content type in any case and with parameters, and a slash at the end of the URL`, async () => {
      const { post } = await doors();
      for (const type of ['application/sdp; charset=utf-8', 'Application/SDP', 'application/sdp;charset=UTF-8']) {
        assert.equal((await post(url, undefined, { 'content-type': type })).statusCode, 201, type);
      }
      assert.equal((await post(`${url}/`)).statusCode, 201);
    });

    it(`rule 1: ${url} answers 415 to another content type and 400 to what is no session description`, async () => {
      const { post, request, sessions } = await doors();
      for (const type of ['application/json', 'text/plain', 'application/trickle-ice-sdpfrag', 'application/sdpx', 'nonsense']) {
        const response = await post(url, '{"sdp":"v=0"}', { 'content-type': type });
        assert.deepEqual([type, response.statusCode, code(response)], [type, 415, 'CONTENT_TYPE_UNSUPPORTED']);
      }
      const untyped = await request('POST', url, {}, 'v=0');
      assert.equal(untyped.statusCode, 415);
      for (const body of ['', 'hello', 'v=0\r\n', '{"sdp":"v=0"}', '\u0000']) {
        const response = await post(url, body);
        assert.deepEqual([body, response.statusCode, code(response)], [body, 400, 'SDP_INVALID']);
      }
      assert.equal((await request('POST', url, { 'content-type': 'application/sdp' })).statusCode, 400);
      assert.equal((await post(url, `v=0\r\n${'a=x\r\n'.repeat(60_000)}`)).statusCode, 413);
      assert.deepEqual([sessions.accepted.length, sessions.published.length], [0, 0]);
    });

    it(`rule 2: GET of ${url} succeeds without content, and HEAD is 200 with the content type of an endpoint`, async () => {
      const { request } = await doors();
      const get = await request('GET', url);
      assert.deepEqual([get.statusCode, get.body], [204, '']);
      const head = await request('HEAD', url);
      assert.deepEqual([head.statusCode, head.headers['content-type'], head.body], [200, 'application/sdp', '']);
    });

    it(`rule 3: OPTIONS of ${url} tells what can be posted, with and without a preflight`, async () => {
      const { request } = await doors();
      const plain = await request('OPTIONS', url);
      assert.deepEqual([plain.statusCode, plain.headers['accept-post'], plain.body], [200, 'application/sdp', '']);
      assert.match(String(plain.headers.allow), /POST/);
      const preflight = await request('OPTIONS', url, {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      });
      assert.equal(preflight.statusCode, 204);
      assert.equal(preflight.headers['accept-post'], 'application/sdp');
      assert.equal(preflight.headers['access-control-allow-origin'], '*');
      assert.match(String(preflight.headers['access-control-allow-methods']), /POST/);
      assert.equal(preflight.headers['access-control-allow-headers'], 'authorization,content-type');
    });

    it(`rule 3: ${url} lets pages read the headers that they need`, async () => {
      const { post } = await doors();
      const { headers } = await post(url, undefined, { origin: 'https://app.example.com' });
      assert.equal(headers['access-control-allow-origin'], '*');
      const exposed = String(headers['access-control-expose-headers']).split(', ');
      for (const name of ['Location', 'Link', 'ETag', 'Accept-Post', 'Accept-Patch', 'Retry-After'])
        assert.ok(exposed.includes(name), name);
    });

    it(`rule 3: a preflight of ${url} never carries TURN credentials`, async () => {
      const { request } = await doors({ iceServers: () => [{ urls: ['turn:turn.example.com'], username: 'u', credential: 'secret' }] });
      const preflight = await request('OPTIONS', url, { origin: 'https://app.example.com', 'access-control-request-method': 'POST' });
      assert.equal(preflight.headers.link, undefined);
      assert.ok(!JSON.stringify(preflight.headers).includes('secret'));
    });

    it(`rule 8: ${url} wants the bearer token where one is configured, but not for OPTIONS, HEAD and GET`, async () => {
      const { post, request, sessions } = await doors({
        viewerToken: 's3cret',
        publishTokens: [['gate', 's3cret']],
        iceServers: () => [{ urls: ['turn:t'], username: 'u', credential: 'c' }],
      });
      for (const authorization of [undefined, 'Bearer wrong', 'Basic s3cret', 'Bearer s3cretx']) {
        const response = await post(url, undefined, authorization === undefined ? {} : { authorization });
        assert.deepEqual([response.statusCode, code(response)], [401, 'UNAUTHORIZED']);
        assert.match(String(response.headers['www-authenticate']), /^Bearer/);
        assert.ok(!response.body.includes('s3cret'));
      }
      assert.deepEqual([sessions.accepted.length, sessions.published.length], [0, 0]);
      assert.equal((await post(url, undefined, { authorization: 'Bearer s3cret' })).statusCode, 201);
      assert.equal((await post(url, undefined, { authorization: 'bearer s3cret' })).statusCode, 201);
      assert.equal((await request('OPTIONS', url)).statusCode, 200);
      assert.equal((await request('OPTIONS', url)).headers.link, undefined, 'ICE servers are for those who may come in');
      assert.equal((await request('OPTIONS', url, { authorization: 'Bearer s3cret' })).headers.link !== undefined, true);
      assert.equal((await request('HEAD', url)).statusCode, 200);
      assert.equal((await request('GET', url)).statusCode, 204);
    });

    it(`rule 9: ${url} names each ICE server in a Link header, with the credentials of this client`, async () => {
      const { post, request } = await doors({
        iceServers: (clientId) => [
          { urls: ['stun:stun.example.com'] },
          {
            urls: ['turn:turn.example.com?transport=udp', 'turns:turn.example.com'],
            username: `1:${clientId ?? 'any'}`,
            credential: 'a"b\\c',
          },
        ],
      });
      assert.deepEqual((await post(url)).headers.link, [
        '<stun:stun.example.com>; rel="ice-server"',
        '<turn:turn.example.com?transport=udp>; rel="ice-server"; username="1:generated"; credential="a\\"b\\\\c"; credential-type="password"',
        '<turns:turn.example.com>; rel="ice-server"; username="1:generated"; credential="a\\"b\\\\c"; credential-type="password"',
      ]);
      const options = await request('OPTIONS', url);
      assert.equal((options.headers.link as string[] | undefined)?.length, 3, 'some clients ask before they offer');
    });

    it(`rule 11: ${url} limits requests a minute and address with 429 and Retry-After`, async () => {
      const { post } = await doors({ rateLimit: 2 });
      assert.deepEqual([(await post(url)).statusCode, (await post(url)).statusCode], [201, 201]);
      const third = await post(url);
      assert.deepEqual([third.statusCode, code(third)], [429, 'TOO_MANY_REQUESTS']);
      assert.ok(Number(third.headers['retry-after']) > 0);
    });

    it(`rule 11: ${url} limits the trying of tokens, too`, async () => {
      const { post } = await doors({ rateLimit: 2, viewerToken: 's3cret', publishTokens: [['*', 's3cret']] });
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push((await post(url, undefined, { authorization: `Bearer ${i}` })).statusCode);
      assert.deepEqual(statuses, [401, 401, 429]);
    });

    it(`rule 11: OPTIONS of ${url}, which tells by its ICE servers whether a token is right, is limited; preflights are not`, async () => {
      const { request } = await doors({ rateLimit: 2, viewerToken: 's3cret', publishTokens: [['*', 's3cret']] });
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push((await request('OPTIONS', url, { authorization: `Bearer ${i}` })).statusCode);
      assert.deepEqual(statuses, [200, 200, 429]);
      const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' };
      for (let i = 0; i < 3; i++) assert.equal((await request('OPTIONS', url, preflight)).statusCode, 204);
    });

    it(`rule 7: a client of ${url} that is gone before its answer has not left on purpose`, async () => {
      const { app, sessions } = await doors();
      let open = (): void => undefined;
      sessions.opening = new Promise((resolve) => (open = resolve));
      await app.listen({ port: 0, host: '127.0.0.1' });
      const { port } = app.server.address() as AddressInfo;
      const client = http.request({ host: '127.0.0.1', port, path: url, method: 'POST', headers: { 'content-type': 'application/sdp' } });
      client.on('error', () => undefined);
      const noticed = new Promise<void>((resolve) => app.server.once('request', (_request, response) => response.once('close', resolve)));
      client.end(offer(url.startsWith('/whip') ? 'sendonly' : 'recvonly'));
      await eventually(() => sessions.accepted.length + sessions.published.length === 1, 2000, 'the offer');
      client.destroy();
      await within(noticed, 2000, 'the server to notice');
      open();
      await eventually(() => sessions.closed.length === 1, 2000, 'the session to be closed');
      assert.equal(sessions.closed[0]?.reason, url.startsWith('/whip') ? 'publisher-gone' : 'viewer-left');
    });
  }

  it('rule 3: a page of another origin than the configured ones is let in nowhere', async () => {
    const { request, post } = await doors({ corsOrigins: ['https://app.example.com'] });
    const preflight = await request('OPTIONS', '/whep/street', {
      origin: 'https://evil.example.com',
      'access-control-request-method': 'POST',
    });
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
    assert.equal(
      (await post('/whep/street', undefined, { origin: 'https://evil.example.com' })).headers['access-control-allow-origin'],
      undefined,
    );
    assert.equal(
      (await request('OPTIONS', '/sessions/x', { origin: 'https://app.example.com', 'access-control-request-method': 'PATCH' })).headers[
        'access-control-allow-origin'
      ],
      'https://app.example.com',
    );
  });

  it('rule 4: an offer is answered, never countered: 201, and no application/sdp is taken by the session', async () => {
    const { open, request } = await doors();
    const { location } = await open();
    assert.equal((await request('PATCH', location, { 'content-type': 'application/sdp' }, offer('recvonly'))).statusCode, 415);
  });

  it('rule 5: a source that nobody publishes to is 409 with Retry-After, an unknown one 404, a full server 503 with Retry-After', async () => {
    const { post, sessions } = await doors();
    for (const [errorCode, status, retryAfterS] of [
      ['SOURCE_NOT_LIVE', 409, 4.2],
      ['SOURCE_NOT_FOUND', 404, undefined],
      ['CAPACITY_REACHED', 503, 5],
    ] as const) {
      sessions.refusal = new MediaPeerError(errorCode, 'why', retryAfterS === undefined ? {} : { retryAfterS });
      const response = await post('/whep/gate');
      assert.deepEqual([response.statusCode, code(response)], [status, errorCode]);
      assert.equal(response.headers['retry-after'], retryAfterS === undefined ? undefined : '5');
      assert.match(String(response.headers['content-type']), /^application\/json/);
    }
  });

  it('rule 6: no request is redirected', async () => {
    const { request } = await doors();
    for (const url of ['/whep/street/', '/whep/street/raw/', '/whip/gate/']) {
      for (const method of ['GET', 'HEAD', 'OPTIONS'] as const)
        assert.ok((await request(method, url)).statusCode < 300, `${method} ${url}`);
    }
  });

  it('rule 7: DELETE ends the session at once with 200, whatever its entity tags and body say, and then it is gone', async () => {
    const { open, request, sessions } = await doors({ isStrict: true });
    const { location } = await open();
    const response = await request('DELETE', location, { 'if-match': '"old"', 'content-type': 'application/sdp' });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(sessions.closed, [{ sessionId: 'session1', reason: 'viewer-left' }]);
    for (const method of ['DELETE', 'GET', 'HEAD'] as const) assert.equal((await request(method, location)).statusCode, 404, method);
    const patch = await request('PATCH', location, { 'content-type': 'application/trickle-ice-sdpfrag' }, TRICKLE);
    assert.deepEqual([patch.statusCode, code(patch)], [404, 'SESSION_NOT_FOUND']);
  });

  it('rule 7: a publisher that deletes its session has left on purpose', async () => {
    const { open, request, sessions } = await doors();
    const { location } = await open('/whip/gate');
    assert.equal((await request('DELETE', location)).statusCode, 200);
    assert.deepEqual(sessions.closed, [{ sessionId: 'session1', reason: 'publisher-left' }]);
  });

  it('rule 7: a client that closes its connection right behind its offer leaves no session', async () => {
    const { app, sessions } = await doors();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const body = offer('recvonly');
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(
      `POST /whep/street HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await eventually(() => sessions.closed.length === 1, 2000, 'the session to be closed');
    assert.equal(sessions.accepted.length, 1);
  });

  it('rule 7: a client that gives up before it has its answer leaves no session', async () => {
    const { app, sessions } = await doors();
    let answer = (): void => undefined;
    sessions.opening = new Promise((resolve) => (answer = resolve));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const abort = new AbortController();
    const request = fetch(`${url}/whep/street`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: offer('recvonly'),
      signal: abort.signal,
    });
    await eventually(() => sessions.accepted.length > 0, 5000, 'the offer');
    abort.abort();
    await assert.rejects(request);
    await eventually(
      () => new Promise<boolean>((resolve) => app.server.getConnections((_error, count) => resolve(count === 0))),
      5000,
      'the connection to be gone',
    );
    answer();
    await eventually(() => sessions.closed.length > 0, 5000, 'the session to be closed');
  });

  it('rule 8: the session wants no other token than the one that opened it; strictly, it wants that one again', async () => {
    for (const isStrict of [false, true]) {
      const { post, patch, request } = await doors({ isStrict, publishTokens: [['gate', 's3cret']] });
      const opening = await post('/whip/gate', undefined, { authorization: 'Bearer s3cret' });
      const [location, etag] = [String(opening.headers.location), String(opening.headers.etag)];
      assert.equal((await patch(location, TRICKLE, { authorization: 'Bearer wrong', 'if-match': etag })).statusCode, 401);
      assert.equal((await request('DELETE', location, { authorization: 'Bearer wrong' })).statusCode, 401);
      assert.equal((await patch(location, TRICKLE, { authorization: 'Bearer s3cret', 'if-match': etag })).statusCode, 204);
      assert.equal((await patch(location, TRICKLE, { 'if-match': etag })).statusCode, isStrict ? 401 : 204);
      assert.equal((await request('OPTIONS', location)).statusCode, 200);
      assert.equal((await request('DELETE', location, isStrict ? { authorization: 'Bearer s3cret' } : {})).statusCode, 200);
    }
  });

  it('rule 8: a room takes its own token, or that of all others, and no room is open beside them', async () => {
    const { post, sessions } = await doors({
      publishTokens: [
        ['gate', 'a'],
        ['*', 'b'],
      ],
      mayTakeOver: true,
    });
    assert.equal((await post('/whip/gate', undefined, { authorization: 'Bearer b' })).statusCode, 403);
    assert.equal((await post('/whip/gate', undefined, { authorization: 'Bearer a' })).statusCode, 201);
    assert.equal((await post('/whip/yard', undefined, { authorization: 'Bearer b' })).statusCode, 201);
    assert.deepEqual(
      sessions.published.map(({ room, takeover }) => [room, takeover]),
      [
        ['gate', true],
        ['yard', true],
      ],
    );
    const closed = await doors({ publishTokens: [['gate', 'a']] });
    assert.equal((await closed.post('/whip/yard')).statusCode, 401);
    const open = await doors({ mayTakeOver: true });
    assert.equal((await open.post('/whip/yard')).statusCode, 201);
    assert.equal(open.sessions.published[0]?.takeover, false, 'nobody showed a token');
    const kept = await doors({ publishTokens: [['gate', 'a']] });
    assert.equal((await kept.post('/whip/gate', undefined, { authorization: 'Bearer a' })).statusCode, 201);
    assert.equal(kept.sessions.published[0]?.takeover, false, 'takeover is not configured');
  });

  it('a publisher that names the session it had takes its own room over, and nobody else does', async () => {
    const { post, sessions } = await doors();
    const first = await post('/whip/gate');
    const location = String(first.headers.location);
    await post('/whip/yard', undefined, { 'sightline-replaces': location });
    for (const replaces of [location, `https://proxy.example${location}`, '/sessions/guessed', '', '%'])
      await post('/whip/gate', undefined, { 'sightline-replaces': replaces });
    assert.deepEqual(
      sessions.published.map(({ takeover }) => takeover),
      [false, false, true, true, false, false, false],
    );
    const { headers } = await post('/whep/street');
    await post('/whip/street', undefined, { 'sightline-replaces': String(headers.location) });
    assert.equal(sessions.published.at(-1)?.takeover, false, 'who watches does not own the room');
  });

  it('rule 8: errors are JSON with a stable code and a message', async () => {
    const { post } = await doors();
    const response = await post('/whep/street', 'v=1');
    assert.deepEqual(
      { ...response.json<object>(), message: '' },
      { statusCode: 400, code: 'SDP_INVALID', error: 'Bad Request', message: '' },
    );
  });

  it('rule 10: no extension is announced, for none of the registered ones is served', async () => {
    const { post } = await doors();
    assert.equal((await post('/whep/street')).headers.link, undefined);
  });

  it('rule 11: PATCH and DELETE are limited, too, and an unknown session is 404 for each method', async () => {
    const { request, patch } = await doors({ rateLimit: 2 });
    const statuses = async (send: () => Promise<LightMyRequestResponse>): Promise<number[]> => [
      (await send()).statusCode,
      (await send()).statusCode,
      (await send()).statusCode,
    ];
    assert.deepEqual(await statuses(() => patch('/sessions/guess', TRICKLE)), [404, 404, 429]);
    assert.deepEqual(await statuses(() => request('DELETE', '/sessions/guess')), [404, 404, 429]);
  });

  it('rule 12: WHEP takes recvonly and sendrecv, WHIP sendonly and sendrecv; anything else is 422 and says so', async () => {
    const { post } = await doors();
    for (const [url, direction, status] of [
      ['/whep/street', 'recvonly', 201],
      ['/whep/street', 'sendrecv', 201],
      ['/whep/street', 'sendonly', 422],
      ['/whep/street', 'inactive', 422],
      ['/whip/gate', 'sendonly', 201],
      ['/whip/gate', 'sendrecv', 201],
      ['/whip/gate', 'recvonly', 422],
      ['/whip/gate', 'inactive', 422],
    ] as const) {
      const response = await post(url, offer(direction));
      assert.equal(response.statusCode, status, `${url} ${direction}`);
      if (status === 422)
        assert.match(
          message(response),
          new RegExp(`its video is ${direction}; ${url.startsWith('/whep') ? 'recvonly' : 'sendonly'} or sendrecv is needed`),
        );
    }
  });

  it('rule 13: two of a kind, m-lines outside of the BUNDLE group and RTCP on a port of its own are 422, each named', async () => {
    const { post } = await doors();
    for (const [url, direction] of [
      ['/whep/street', 'recvonly'],
      ['/whip/gate', 'sendonly'],
    ] as const) {
      const [audio, video] = [
        { kind: 'audio', direction },
        { kind: 'video', direction },
      ];
      for (const [payload, expected] of [
        [offerOf([video, video]), /2 video m-lines/],
        [offerOf([audio, audio, video]), /2 audio m-lines/],
        [offerOf([audio, video], []), /BUNDLE/],
        [offerOf([audio, video], [0]), /BUNDLE/],
        [offerOf([{ ...video, without: 'a=rtcp-mux' }]), /rtcp-mux/],
        [offerOf([audio, { kind: 'text', direction }]), /kind text/],
      ] as const) {
        const response = await post(url, payload);
        assert.deepEqual([response.statusCode, code(response)], [422, 'NOTHING_TO_SERVE'], payload);
        assert.match(message(response), expected);
      }
      assert.equal((await post(url, offerOf([audio, video]))).statusCode, 201);
      assert.equal((await post(url, offerOf([video], []))).statusCode, 201, 'one m-line has nothing to be bundled with');
    }
  });

  it('rule 13: each rendition has an endpoint of its own', async () => {
    const { post, sessions } = await doors();
    for (const url of ['/whep/street', '/whep/street/raw', '/whep/street/processed', '/whep/the%20yard/raw/'])
      assert.equal((await post(url)).statusCode, 201, url);
    assert.deepEqual(
      sessions.accepted.map(({ door, sourceId, renditions }) => [door, sourceId, renditions]),
      [
        ['whep', 'street', undefined],
        ['whep', 'street', ['raw']],
        ['whep', 'street', ['processed']],
        ['whep', 'the yard', ['raw']],
      ],
    );
    assert.equal((await post('/whep/street/cooked')).statusCode, 404);
  });

  it('rule 14: the session takes no second offer', async () => {
    const { open, request } = await doors();
    const { location } = await open();
    for (const method of ['POST', 'PATCH'] as const)
      assert.ok(
        [404, 415].includes((await request(method, location, { 'content-type': 'application/sdp' }, offer('recvonly'))).statusCode),
        method,
      );
  });

  it('rule 15: the answer waits for all candidates of the server', async () => {
    const { open, sessions } = await doors();
    await open();
    await open('/whip/gate');
    assert.equal(sessions.accepted[0]?.onCandidate, undefined);
    assert.equal(sessions.published[0]?.onCandidate, undefined);
  });

  it('rule 17: PATCH takes SDP fragments alone: 415 for another type, 400 for a malformed one', async () => {
    const { open, patch, request } = await doors();
    const { location, etag } = await open();
    for (const type of ['application/json', 'application/sdp', 'text/plain']) {
      const response = await patch(location, TRICKLE, { 'content-type': type, 'if-match': etag });
      assert.deepEqual([response.statusCode, code(response)], [415, 'CONTENT_TYPE_UNSUPPORTED']);
    }
    assert.equal(
      (await patch(location, TRICKLE, { 'content-type': 'application/trickle-ice-sdpfrag; charset=utf-8', 'if-match': etag })).statusCode,
      204,
    );
    for (const body of ['', 'nonsense', 'a=candidate:nonsense', 'a=ice-ufrag:x', '{"candidate":""}']) {
      const response = await patch(location, body, { 'if-match': etag });
      assert.deepEqual([body, response.statusCode, code(response)], [body, 400, 'CANDIDATE_INVALID']);
    }
    assert.equal((await request('PATCH', location, { 'content-type': 'application/trickle-ice-sdpfrag' })).statusCode, 400);
    assert.equal((await patch(location, TRICKLE.repeat(200), { 'if-match': etag })).statusCode, 413);
    assert.equal((await request('GET', location)).statusCode, 204, 'the session goes on');
  });

  it('rule 18: candidates with the ETag of the session are taken: 204 without body and ETag', async () => {
    const { open, patch, sessions } = await doors({ isStrict: true });
    const { location, etag } = await open();
    assert.match(etag, /^"[^"]+"$/, 'a strong entity tag');
    const response = await patch(location, fragment('EsAw', undefined, 'a=end-of-candidates'), { 'if-match': etag });
    assert.deepEqual([response.statusCode, response.body, response.headers.etag], [204, '', undefined]);
    assert.deepEqual(
      sessions.candidates.map(({ sessionId, candidates }) => [
        sessionId,
        candidates.map(({ candidate, mid, ufrag }) => [candidate.split(' ')[2], mid, ufrag]),
      ]),
      [
        [
          'session1',
          [
            ['udp', '0', 'EsAw'],
            ['tcp', '0', 'EsAw'],
            [undefined, '0', 'EsAw'],
          ],
        ],
      ],
    );
    assert.equal(sessions.candidates[0]?.candidates[2]?.candidate, '', 'no more will come');
  });

  it('rule 18: another ETag is 412, and strictly a missing one 428', async () => {
    const { open, patch, sessions } = await doors({ isStrict: true });
    const { location, etag } = await open();
    for (const tag of ['"another"', `W/${etag}`]) {
      const response = await patch(location, TRICKLE, { 'if-match': tag });
      assert.deepEqual([response.statusCode, code(response)], [412, 'PRECONDITION_FAILED'], tag);
    }
    for (const body of [TRICKLE, RESTART]) {
      const response = await patch(location, body);
      assert.deepEqual([response.statusCode, code(response)], [428, 'PRECONDITION_REQUIRED']);
    }
    assert.deepEqual([sessions.candidates.length, sessions.restarts.length], [0, 0]);
    assert.equal((await patch(location, TRICKLE, { 'if-match': `"another", ${etag}` })).statusCode, 204, 'one of a list');
  });

  it('rule 18: candidates of another ICE generation than the current one are not mistaken for a restart', async () => {
    const { open, patch, sessions } = await doors();
    const { location, etag } = await open();
    assert.equal((await patch(location, RESTART, { 'if-match': '*' })).statusCode, 200);
    assert.equal((await patch(location, TRICKLE, { 'if-match': etag })).statusCode, 412, 'overtaken by the restart');
    assert.equal((await patch(location, TRICKLE)).statusCode, 204);
    assert.equal(sessions.restarts.length, 1);
    assert.equal(sessions.candidates.at(-1)?.candidates[0]?.ufrag, 'EsAw', 'the session passes them over by their ufrag');
  });

  it('rule 19: new credentials with If-Match "*" or * restart ICE: 200, new credentials and candidates, a new ETag', async () => {
    for (const any of ['"*"', '*']) {
      const { open, patch, sessions } = await doors({ isStrict: true });
      const { location, etag } = await open();
      const response = await patch(location, RESTART, { 'if-match': any });
      assert.equal(response.statusCode, 200, response.body);
      assert.equal(response.headers['content-type'], 'application/trickle-ice-sdpfrag');
      assert.match(String(response.headers.etag), /^"[^"]+"$/);
      assert.notEqual(response.headers.etag, etag);
      assert.deepEqual(response.body.split('\r\n'), [
        'a=ice-options:trickle ice2',
        'a=group:BUNDLE 0 1',
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        'a=mid:0',
        'a=ice-ufrag:serv1',
        'a=ice-pwd:restartrestartrestartrest',
        'a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host',
        'a=end-of-candidates',
        '',
      ]);
      assert.deepEqual(
        sessions.restarts.map(({ remote }) => [remote.iceUfrag, remote.icePassword, remote.candidates.length]),
        [['ysXw', 'vw5LmwG4y/e6dPP/zAP9Gp5k', 2]],
      );
      assert.equal((await patch(location, RESTART, { 'if-match': etag })).statusCode, 412);
      assert.equal(
        (await patch(location, RESTART, { 'if-match': String(response.headers.etag) })).statusCode,
        204,
        'its credentials are the current ones: candidates',
      );
    }
  });

  it('rule 19: new credentials with the current ETag restart ICE as well', async () => {
    const { open, patch } = await doors({ isStrict: true });
    const { location, etag } = await open();
    assert.equal((await patch(location, RESTART, { 'if-match': etag })).statusCode, 200);
  });

  it('rule 19: a restart that is sent again, for its answer was lost, gets the same answer', async () => {
    const { open, patch, sessions } = await doors();
    const { location } = await open();
    const first = await patch(location, RESTART, { 'if-match': '"*"' });
    const second = await patch(location, RESTART, { 'if-match': '"*"' });
    assert.deepEqual([second.statusCode, second.body, second.headers.etag], [200, first.body, first.headers.etag]);
    assert.equal(sessions.restarts.length, 1);
  });

  it('rule 19: a restart that fails is an error, and the session goes on as it was', async () => {
    const { open, patch, sessions } = await doors();
    const { location, etag } = await open();
    sessions.refusal = new MediaPeerError('ICE_RESTART_REFUSED', 'no');
    const failed = await patch(location, RESTART, { 'if-match': '*' });
    assert.deepEqual([failed.statusCode, code(failed)], [422, 'ICE_RESTART_REFUSED']);
    assert.equal((await patch(location, TRICKLE, { 'if-match': etag })).statusCode, 204);
    assert.equal((await patch(location, RESTART, { 'if-match': '*' })).statusCode, 200, 'and can try again');
    const halfway = await patch(location, 'a=ice-ufrag:abcd\r\n', { 'if-match': '*' });
    assert.deepEqual([halfway.statusCode, code(halfway)], [400, 'CANDIDATE_INVALID'], 'a restart needs a password');
  });

  it('rule 19: of restarts that overlap each gets its own tag, and the last one holds', async () => {
    const { open, patch, sessions } = await doors();
    const { location } = await open();
    const [one, two] = await Promise.all([
      patch(location, RESTART, { 'if-match': '*' }),
      patch(location, fragment('third'), { 'if-match': '*' }),
    ]);
    assert.deepEqual([one.statusCode, two.statusCode], [200, 200]);
    assert.match(one.body, /a=ice-ufrag:serv1\r/);
    assert.match(two.body, /a=ice-ufrag:serv2\r/);
    assert.notEqual(one.headers.etag, two.headers.etag);
    assert.equal((await patch(location, fragment('third'), { 'if-match': String(one.headers.etag) })).statusCode, 412);
    assert.equal((await patch(location, fragment('third'), { 'if-match': String(two.headers.etag) })).statusCode, 204);
    assert.equal(sessions.restarts.length, 2);
  });

  it('rule 19: candidates that come while ICE restarts are added after it', async () => {
    const { open, patch, sessions } = await doors();
    const { location } = await open();
    let finish = (): void => undefined;
    sessions.restarting = new Promise((resolve) => (finish = resolve));
    const restart = patch(location, RESTART, { 'if-match': '*' });
    const trickle = patch(location, RESTART);
    await new Promise(setImmediate);
    assert.equal(sessions.candidates.length, 0);
    finish();
    assert.deepEqual([(await restart).statusCode, (await trickle).statusCode], [200, 204]);
    assert.equal(sessions.candidates[0]?.candidates[0]?.ufrag, 'ysXw');
  });

  it('rule 20: a client without If-Match is served by default, and it is logged once for each session', async () => {
    const { open, patch, logged } = await doors();
    const { location } = await open();
    assert.deepEqual(
      [
        (await patch(location, TRICKLE)).statusCode,
        (await patch(location, TRICKLE)).statusCode,
        (await patch(location, RESTART)).statusCode,
      ],
      [204, 204, 200],
    );
    const lines = logged.filter(({ msg }) => String(msg).includes('If-Match'));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['clientId'], 'generated');
    assert.ok(!JSON.stringify(logged).includes(location), 'who knows the session URL owns the session');
    const another = await open();
    await patch(another.location, TRICKLE);
    assert.equal(logged.filter(({ msg }) => String(msg).includes('If-Match')).length, 2);
  });
});

describe('the doors of WHIP and WHEP', () => {
  it('answer whatever comes with a status below 500, and keep the session', async () => {
    const { open, patch, post, request } = await doors();
    const { location } = await open();
    const random = seededRandom(9725);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const words = [
      '"',
      '*',
      'W/',
      ',',
      ' ',
      'EsAw',
      '"*"',
      '\\',
      'x'.repeat(200),
      '"session1-0"',
      'a=',
      'm=',
      'v=0',
      'a=candidate:',
      'a=ice-ufrag:',
      '\r\n',
      '\n',
      ':',
      '%00',
      '\u00e9',
      'a=group:BUNDLE',
      '__proto__',
      TRICKLE,
      RESTART,
      offer('recvonly'),
    ];
    const text = (count: number): string => Array.from({ length: Math.floor(random() * count) }, () => pick(words)).join('');
    const header = (): string => text(4).replace(/[^\x20-\x7e]/g, '');
    for (let round = 0; round < 3000; round++) {
      const send = pick([
        () => patch(location, text(8), { 'if-match': header(), authorization: `Bearer ${header()}` }),
        () => patch(`/sessions/${encodeURIComponent(text(2)).slice(0, 120)}`, text(8)),
        () =>
          post(pick(['/whep/street', '/whip/gate', `/whip/${encodeURIComponent(text(2)).slice(0, 120)}`]), text(8), {
            'content-type': pick(['application/sdp', 'application/sdp;', 'application/sdp; =', header()]),
          }),
        () =>
          request(pick(['OPTIONS', 'HEAD', 'GET'] as const), pick(['/whep/street', location]), {
            origin: header(),
            'access-control-request-method': header(),
          }),
      ]);
      const response = await send();
      assert.ok(response.statusCode < 500, `${response.statusCode} ${response.body}`);
    }
    assert.equal((await request('GET', location)).statusCode, 204);
  });
});

describe('POST /offer and its session URL', () => {
  const body = JSON.stringify({ type: 'offer', sdp: offer('recvonly') });
  const json = { 'content-type': 'application/json' };

  it('has the same session URL as WHEP: an ETag, candidates and restarts by PATCH, and DELETE', async () => {
    const { request, patch } = await doors();
    const response = await request('POST', '/offer', json, body);
    assert.equal(response.statusCode, 200, response.body);
    const { session_url: url } = response.json<{ session_url: string }>();
    assert.deepEqual([response.headers.location, response.headers['accept-patch']], [url, 'application/trickle-ice-sdpfrag']);
    assert.equal((await patch(url, TRICKLE, { 'if-match': String(response.headers.etag) })).statusCode, 204);
    assert.equal((await patch(url, TRICKLE)).statusCode, 204);
    assert.equal((await patch(url, RESTART)).statusCode, 200);
    assert.equal((await request('DELETE', url)).statusCode, 200);
  });

  it('takes JSON alone, and the token of viewers', async () => {
    const { request } = await doors({ viewerToken: 's3cret' });
    const authorized = { authorization: 'Bearer s3cret' };
    assert.equal((await request('POST', '/offer', json, body)).statusCode, 401);
    assert.equal((await request('POST', '/offer', { ...json, ...authorized }, body)).statusCode, 200);
    for (const type of ['application/sdp', 'application/trickle-ice-sdpfrag', 'text/plain']) {
      const response = await request('POST', '/offer', { 'content-type': type, ...authorized }, offer('recvonly'));
      assert.deepEqual([response.statusCode, code(response)], [415, 'CONTENT_TYPE_UNSUPPORTED']);
    }
  });
});

describe('the contract of WHIP and WHEP', () => {
  it('is in /openapi.json with its content types', async () => {
    const { app } = await doors();
    const { paths } = (await app.inject('/openapi.json')).json<{
      paths: Record<
        string,
        Record<
          string,
          { requestBody?: { content: Record<string, unknown> }; responses: Record<string, { content?: Record<string, unknown> }> }
        >
      >;
    }>();
    for (const path of ['/whep/{source}', '/whep/{source}/raw', '/whep/{source}/processed', '/whip/{room}']) {
      assert.deepEqual(Object.keys(paths[path]?.['post']?.requestBody?.content ?? {}), ['application/sdp'], path);
      assert.deepEqual(Object.keys(paths[path]?.['post']?.responses['201']?.content ?? {}), ['application/sdp'], path);
    }
    assert.deepEqual(Object.keys(paths['/sessions/{id}']?.['patch']?.requestBody?.content ?? {}), ['application/trickle-ice-sdpfrag']);
    assert.ok(paths['/sessions/{id}']?.['delete']);
    for (const path of ['/whep/{source}', '/whep/{source}/raw', '/whep/{source}/processed', '/whip/{room}']) {
      assert.deepEqual(Object.keys(paths[path] ?? {}).sort(), ['get', 'head', 'options', 'post'], path);
    }
    assert.deepEqual(Object.keys(paths['/sessions/{id}'] ?? {}).sort(), ['delete', 'get', 'head', 'options', 'patch']);
    assert.ok(!Object.keys(paths).some((path) => path.endsWith('/') && path !== '/'), 'a slash at the end is the same endpoint');
  });
});
