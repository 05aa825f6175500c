import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { IceServers, KEPT_MS, type IceServersInit } from '../../src/http/index.js';
import { testApp } from '../helpers/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { accessOf } from '../helpers/access.js';

const NOW_S = 1_700_000_000;
const TURN = ['turn:turn.example.org', 'turn:turn.example.org?transport=tcp'];

function make(more: Partial<IceServersInit> = {}, clock = new FakeClock(NOW_S * 1000 + 999)): IceServers {
  return new IceServers({
    stunUrls: ['stun:stun.example.org'],
    turnUrls: TURN,
    turnUsername: '',
    turnCredential: '',
    turnSecret: 'secret',
    ttlS: 3600,
    allowedHosts: ['turn.example.org', '192.0.2.9'],
    clock,
    ...more,
  });
}

const handedIn = { urls: ['turn:turn.example.org:3478?transport=udp'], username: 'me', credential: 'mine' };

describe('GET /ice-servers', () => {
  it('gives credentials of the TURN REST API that expire', async () => {
    const app = await testApp({ iceServers: { iceServers: make(), rateLimit: 0 } });
    const response = await app.inject('/ice-servers?client_id=drone-1');
    const username = `${NOW_S + 3600}:drone-1`;
    const credential = createHmac('sha1', 'secret').update(username).digest('base64');
    assert.deepEqual(response.json(), {
      ice_servers: [{ urls: ['stun:stun.example.org'] }, { urls: TURN, username, credential, credential_type: 'password' }],
      ttl_s: 3600,
    });
    assert.equal(response.headers['cache-control'], 'no-store');
    await app.close();
  });

  it('names a client that gives no id, and refuses an id that is none', async () => {
    const app = await testApp({ iceServers: { iceServers: make(), rateLimit: 0 } });
    const names = await Promise.all(
      [1, 2].map(async () => (await app.inject('/ice-servers')).json<{ ice_servers: { username?: string }[] }>().ice_servers[1]?.username),
    );
    for (const name of names) assert.match(name ?? '', /^1700003600:guest-[0-9a-f]{12}$/);
    assert.notEqual(names[0], names[1]);
    assert.equal((await app.inject('/ice-servers?client_id=a:b')).json<{ code: string }>().code, 'QUERY_INVALID');
    await app.close();
  });

  it('gives static credentials where there is no secret, and no TURN server that nobody could use', () => {
    assert.deepEqual(make({ turnSecret: '', turnUsername: 'u', turnCredential: 'p' }).iceServers(), [
      { urls: ['stun:stun.example.org'] },
      { urls: TURN, username: 'u', credential: 'p' },
    ]);
    assert.deepEqual(make({ turnSecret: '', turnUsername: 'u', turnCredential: '' }).iceServers(), [{ urls: ['stun:stun.example.org'] }]);
    assert.deepEqual(make({ stunUrls: [], turnUrls: [] }).iceServers(), []);
  });

  it('is limited', async () => {
    const app = await testApp({ iceServers: { iceServers: make(), rateLimit: 2 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await app.inject('/ice-servers')).statusCode);
    assert.deepEqual(statuses, [200, 200, 429]);
    await app.close();
  });

  for (const method of ['GET', 'POST'] as const) {
    it(`limits the trying of tokens by ${method}, too`, async () => {
      const access = accessOf({ tokens: { viewerToken: 's3cret' } });
      const app = await testApp({ access, iceServers: { iceServers: make(), rateLimit: 2 } });
      const statuses = [];
      for (let i = 0; i < 3; i++)
        statuses.push((await app.inject({ method, url: '/ice-servers', headers: { authorization: `Bearer ${i}` } })).statusCode);
      assert.deepEqual(statuses, [401, 401, 429]);
      await app.close();
    });
  }
});

describe('POST /ice-servers', () => {
  it('keeps what a client handed in for its next connection alone, and repeats no credential', async () => {
    const iceServers = make();
    const app = await testApp({ iceServers: { iceServers, rateLimit: 0 } });
    const response = await app.inject({
      method: 'POST',
      url: '/ice-servers',
      payload: { client_id: 'drone-1', ice_servers: [{ ...handedIn, urls: handedIn.urls[0] }] },
    });
    assert.deepEqual(response.json(), { client_id: 'drone-1', ice_servers: [{ urls: handedIn.urls, username: 'me' }], ttl_s: 60 });
    assert.deepEqual(iceServers.take('drone-2'), []);
    assert.deepEqual(iceServers.take('drone-1'), [handedIn]);
    assert.deepEqual(iceServers.take('drone-1'), []);
    const named = await app.inject({ method: 'POST', url: '/ice-servers', payload: { ice_servers: [handedIn] } });
    assert.deepEqual(iceServers.take(named.json<{ client_id: string }>().client_id), [handedIn]);
    await app.close();
  });

  it('keeps it for 60 s, and of 1000 clients', async () => {
    const clock = new FakeClock();
    const iceServers = make({}, clock);
    iceServers.keep('a', [handedIn]);
    await clock.advance(KEPT_MS - 1);
    assert.deepEqual(iceServers.take('a'), [handedIn]);
    iceServers.keep('a', [handedIn]);
    await clock.advance(KEPT_MS);
    assert.deepEqual(iceServers.take('a'), []);
    for (let i = 0; i < 1001; i++) iceServers.keep(`c${i}`, [handedIn]);
    assert.deepEqual(iceServers.take('c0'), []);
    assert.deepEqual(iceServers.take('c1'), [handedIn]);
  });

  it('refuses hosts that the operator did not name: by default, any', async () => {
    for (const [allowedHosts, uri] of [
      [[], 'turn:turn.example.org'],
      [['turn.example.org'], 'turn:turn.example.org.evil.net'],
      [['turn.example.org'], 'turn:127.0.0.1:8001'],
      [['turn.example.org'], 'stun:169.254.169.254:80'],
      [['turn.example.org'], 'turn:[::1]'],
    ] as const) {
      const app = await testApp({ iceServers: { iceServers: make({ allowedHosts }), rateLimit: 0 } });
      const response = await app.inject({
        method: 'POST',
        url: '/ice-servers',
        payload: { client_id: 'a', ice_servers: [{ ...handedIn, urls: uri }] },
      });
      assert.equal(response.statusCode, 403, uri);
      assert.equal(response.json<{ code: string }>().code, 'ICE_SERVERS_REFUSED');
      assert.ok(response.json<{ message: string }>().message.includes(uri));
      await app.close();
    }
  });

  it('refuses what is no ICE server, naming it', () => {
    const iceServers = make();
    for (const uri of [
      '',
      'http://turn.example.org',
      'turn:',
      'turn:turn.example.org:0',
      'turn:turn.example.org:99999',
      'turn:turn.example.org?transport=quic',
      'stun:turn.example.org?transport=udp',
      'turn:user@turn.example.org',
      'turn:turn.example.org/../x',
      'turn:turn.example.org\r\nX: y',
      'turn://turn.example.org',
    ]) {
      assert.throws(
        () => iceServers.keep('a', [{ ...handedIn, urls: [uri] }]),
        (error) => error instanceof MediaPeerError && error.code === 'ICE_SERVERS_INVALID' && error.message.includes(`'${uri}'`),
        uri,
      );
    }
    assert.throws(() => iceServers.keep('a', [{ urls: ['turn:turn.example.org'] }]), /needs a username and a credential/);
    assert.deepEqual(iceServers.take('a'), []);
  });
});
