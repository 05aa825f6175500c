import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpSessions, IceServers, Tokens, withoutToken } from '../../src/signalling/index.js';
import { testApp } from '../helpers/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { FakeSessions } from './fake-sessions.js';

const TOKENS = new Tokens({ viewerToken: 'see', publishTokens: new Map([['gate', 'send']]) });

function guardedApp(): ReturnType<typeof testApp> {
  const sessions = new FakeSessions();
  const shared = { httpSessions: new HttpSessions({ sessions, isStrict: false }), tokens: TOKENS, rateLimit: 0 };
  const iceServers = new IceServers({ stunUrls: ['stun:127.0.0.1'], turnUrls: [], turnUsername: '', turnCredential: '', turnSecret: '', ttlS: 60, allowedHosts: [], clock: new FakeClock() });
  return testApp({ wish: { ...shared, sessions, iceServers: () => [], mayTakeOver: false }, iceServers: { iceServers, tokens: TOKENS, rateLimit: 0 } });
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
    for (const token of ['see', 'send']) assert.equal((await app.inject({ url: '/ice-servers', headers: { authorization: `Bearer ${token}` } })).statusCode, 200, token);
    await app.close();
  });

  it('never stands in a log', () => {
    assert.equal(withoutToken('/snapshot/demo.jpg?width=480&token=see'), '/snapshot/demo.jpg?width=480&token=...');
    assert.equal(withoutToken('/detections/demo?token=see&classes=car'), '/detections/demo?token=...&classes=car');
    assert.equal(withoutToken('/offer'), '/offer');
  });
});
