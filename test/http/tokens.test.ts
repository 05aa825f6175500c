import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { WebSocket } from 'ws';
import { HttpSessions, IceServers, withoutSecrets } from '../../src/http/index.js';
import type { Access } from '../../src/access/index.js';
import type { Clock } from '../../src/base/clock.js';
import { accessOf } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { FakeSessions } from './fake-sessions.js';

const guarded = (clock: Clock = new FakeClock()): Access =>
  accessOf({ clock, tokens: { viewerToken: 'see', publishTokens: new Map([['gate', 'send']]) } });

function guardedApp(): ReturnType<typeof testApp> {
  const sessions = new FakeSessions();
  const shared = { httpSessions: new HttpSessions({ sessions, isStrict: false }), rateLimit: 0 };
  const iceServers = new IceServers({
    stunUrls: ['stun:127.0.0.1'],
    turnUrls: [],
    turnUsername: '',
    turnCredential: '',
    turnSecret: '',
    ttlS: 60,
    allowedHosts: [],
    clock: new FakeClock(),
  });
  return testApp({
    access: guarded(),
    wish: { ...shared, sessions, iceServers: () => [], mayTakeOver: false },
    iceServers: { iceServers, rateLimit: 0 },
  });
}

describe('VIEWER_TOKEN', () => {
  it('guards pictures and detections as it guards watching', async () => {
    const app = await guardedApp();
    for (const url of ['/snapshot/demo.jpg', '/detections/demo', '/detections/demo/latest', '/ice-servers']) {
      const refused = await app.inject(url);
      assert.equal(refused.statusCode, 401, url);
      assert.equal(refused.json<{ code: string }>().code, 'UNAUTHORIZED');
      assert.equal((await app.inject({ url, headers: { authorization: 'Bearer wrong' } })).statusCode, 401, url);
    }
    assert.equal((await app.inject({ url: '/snapshot/demo.jpg', headers: { authorization: 'Bearer see' } })).statusCode, 200);
    assert.equal((await app.inject('/snapshot/demo.jpg?token=see')).statusCode, 200, 'an image is asked for without headers');
    assert.equal((await app.inject('/snapshot/demo.jpg?token=wrong')).statusCode, 401);
    await app.close();
  });

  it('lets publishers have the ICE servers, too', async () => {
    const app = await guardedApp();
    for (const token of ['see', 'send'])
      assert.equal((await app.inject({ url: '/ice-servers', headers: { authorization: `Bearer ${token}` } })).statusCode, 200, token);
    await app.close();
  });

  it('never stands in a log', () => {
    assert.equal(withoutSecrets('/snapshot/demo.jpg?width=480&token=see'), '/snapshot/demo.jpg?width=480&token=...');
    assert.equal(withoutSecrets('/detections/demo?token=see&classes=car'), '/detections/demo?token=...&classes=car');
    assert.equal(withoutSecrets('/offer'), '/offer');
    const session = withoutSecrets('/sessions/q0Zb3n1xq0Zb3n1x/report?a=1');
    assert.match(session, /^\/sessions\/[\w-]{12}\/report\?\.\.\.$/);
    assert.ok(!session.includes('q0Zb3n1x'));
    assert.equal(withoutSecrets('/detections/demo?session=q0Zb3n1x'), '/detections/demo?session=...');
    assert.equal(withoutSecrets('/snapshot/demo.jpg?%74oken=see&s3cret&api_key=s3cret'), '/snapshot/demo.jpg?token=...&...&...');
    assert.equal(withoutSecrets('/%73essions/q0Zb3n1xq0Zb3n1x/report?a=1'), session);
    assert.equal(withoutSecrets('/sessions/%ff?a'), '...?...');
  });
});

describe('wrong tokens', () => {
  /** One wrong token at each door. */
  const guesses: readonly (readonly [name: string, request: InjectOptions])[] = [
    ['POST /offer', { method: 'POST', url: '/offer', payload: { sdp: 'v=0', type: 'offer' } }],
    ['POST /whep', { method: 'POST', url: '/whep/demo', headers: { 'content-type': 'application/sdp' }, payload: 'v=0' }],
    ['POST /whip', { method: 'POST', url: '/whip/gate', headers: { 'content-type': 'application/sdp' }, payload: 'v=0' }],
    ['OPTIONS /whep', { method: 'OPTIONS', url: '/whep/demo' }],
    ['OPTIONS /whip', { method: 'OPTIONS', url: '/whip/gate' }],
    ['GET /ice-servers', { url: '/ice-servers' }],
    ['GET /snapshot', { url: '/snapshot/demo.jpg?token=guess' }],
    ['GET /detections', { url: '/detections/demo' }],
    ['GET /detections/latest', { url: '/detections/demo/latest' }],
  ];

  async function open() {
    const clock = new FakeClock();
    const app = await testApp({ access: guarded(clock) });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const shows = async (request: InjectOptions, token: string, remoteAddress = '192.0.2.1'): Promise<LightMyRequestResponse> =>
      app.inject({
        ...request,
        remoteAddress,
        headers: { ...request.headers, ...(!JSON.stringify(request.url).includes('token=') && { authorization: `Bearer ${token}` }) },
      });
    const join = async (token: string): Promise<{ type: string; code?: string; retry_after_s?: number }> => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
      await once(socket, 'open');
      const answer = once(socket, 'message');
      socket.send(JSON.stringify({ type: 'join', room: 'demo', role: 'viewer', token }));
      const [data] = (await answer) as [Buffer];
      socket.terminate();
      return JSON.parse(data.toString()) as { type: string };
    };
    return { app, clock, shows, join };
  }

  it('are counted at all doors together: after 10 a minute another one is 429 at each of them', async () => {
    const { app, shows, join } = await open();
    for (const [name, request] of guesses)
      assert.equal((await shows(request, 'guess')).statusCode, name.startsWith('OPTIONS') ? 200 : 401, name);
    assert.equal((await shows(guesses[0]?.[1] ?? {}, 'guess')).statusCode, 401, 'the tenth');
    for (const [name, request] of guesses) {
      const refused = await shows(request, 'guess');
      assert.deepEqual(
        [refused.statusCode, refused.json<{ code: string }>().code, refused.headers['retry-after']],
        [429, 'TOO_MANY_REQUESTS', '60'],
        name,
      );
    }
    assert.deepEqual((({ type, code }) => [type, code])(await join('guess')), ['error', 'UNAUTHORIZED'], 'of another address');
    await app.close();
  });

  it('in joins of /ws count, too', async () => {
    const { app, shows, join } = await open();
    for (let i = 0; i < 10; i++) assert.equal((await join('guess')).code, 'UNAUTHORIZED');
    const refused = await join('guess');
    assert.deepEqual([refused.code, refused.retry_after_s], ['TOO_MANY_REQUESTS', 60]);
    assert.equal((await join('see')).type, 'joined');
    assert.equal((await shows({ url: '/ice-servers' }, 'guess', '127.0.0.1')).statusCode, 429);
    await app.close();
  });

  it('lock nobody out: a right token of the same address is taken, and so is a missing one asked for', async () => {
    const { app, clock, shows } = await open();
    const request = { url: '/ice-servers' };
    for (let i = 0; i < 12; i++) await shows(request, 'guess');
    assert.equal((await shows(request, 'guess')).statusCode, 429);
    assert.equal((await shows(request, 'see')).statusCode, 200);
    assert.equal((await app.inject({ ...request, remoteAddress: '192.0.2.1' })).statusCode, 401);
    assert.equal((await shows(request, 'guess', '192.0.2.2')).statusCode, 401);
    await clock.advance(60_000);
    assert.equal((await shows(request, 'guess')).statusCode, 401, 'a minute later');
    await app.close();
  });
});
