import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { HeldRights, may, type Access, type Principal } from '../../src/access/index.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

const NOW_S = 1_800_000_000;
const SECRET = 'a secret that has thirty-two characters';
const GRANTS = [{ action: 'watch', source: 'gate-*' }, { action: 'ice' }];

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (more: object = {}): object => ({ sub: 'alice', exp: NOW_S + 60, grants: GRANTS, ...more });

/** Signed by hand (RFC 7515 §A.1). */
function hs256(
  payload: object,
  { secret = SECRET, header = { alg: 'HS256' } }: { readonly secret?: string; readonly header?: object } = {},
): string {
  const signed = `${encoded(header)}.${encoded(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function publicKey(payload: object, key: KeyObject, header: { readonly alg: string; readonly kid: string }): string {
  const signed = `${encoded(header)}.${encoded(payload)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const opened = (jwt: Parameters<typeof accessOf>[0] & object = {}): { readonly access: Access; readonly clock: FakeClock } => {
  const clock = new FakeClock(NOW_S * 1000);
  return { clock, access: accessOf({ clock, jwt: { secret: SECRET }, ...jwt }) };
};
/** From an address of its own each: what is tried here is no guessing. */
let tried = 0;
const shown = (access: Access, token: string): Promise<Principal> => access.identify(approachFrom(`192.0.2.${tried++ % 250}`, token));

describe('a JSON Web Token', () => {
  it('gives the rights of its grants until it expires', async () => {
    const { access, clock } = opened();
    const token = hs256(claims());
    const principal = await shown(access, token);
    assert.deepEqual([principal.name, principal.kind], ['alice', 'jwt']);
    assert.ok(
      may(principal, 'watch', { source: 'gate-1' }) && !may(principal, 'watch', { source: 'yard' }) && may(principal, 'ice', 'every'),
    );
    assert.ok(!may(principal, 'admin', 'some'));
    assert.equal(await shown(access, token), principal, 'it is verified once');
    await clock.advance(59_999);
    await shown(access, token);
    await clock.advance(1);
    await assert.rejects(shown(access, token), /it has expired/);
    await assert.rejects(shown(access, token), /it has expired/, 'again');
  });

  const wrong: readonly (readonly [what: string, token: string, reason: RegExp])[] = [
    ['unsigned', `${encoded({ alg: 'none' })}.${encoded(claims())}.`, /does not hold/],
    ['unsigned, in other letters', `${encoded({ alg: 'NoNe' })}.${encoded(claims())}.`, /does not hold/],
    ['of another secret', hs256(claims(), { secret: `${SECRET}!` }), /its signature/],
    ['changed', hs256(claims()).replace(/\.[^.]+\./, `.${encoded(claims({ sub: 'eve' }))}.`), /its signature/],
    ['of another algorithm', hs256(claims(), { header: { alg: 'HS512' } }), /its algorithm/],
    ['of a public key', hs256(claims(), { header: { alg: 'RS256' } }), /its algorithm/],
    ['without an end', hs256(claims({ exp: undefined })), /its claim exp/],
    ['whose end is no number', hs256(claims({ exp: 'never' })), /its claim exp/],
    ['expired', hs256(claims({ exp: NOW_S })), /it has expired/],
    ['of tomorrow', hs256(claims({ nbf: NOW_S + 86_400 })), /its claim nbf/],
    ['without grants', hs256(claims({ grants: undefined })), /its claim grants/],
    ['with a right that there is not', hs256(claims({ grants: [{ action: 'fly' }] })), /its claim grants/],
    ['for sources by another name', hs256(claims({ grants: [{ action: 'watch', sources: ['gate-1'] }] })), /its claim grants/],
    [
      'with more than is known',
      hs256(claims({ grants: [{ action: 'watch', source: 'gate-1', address: '10.0.0.0/8' }] })),
      /its claim grants/,
    ],
    ['for no source', hs256(claims({ grants: [{ action: 'watch' }] })), /its claim grants/],
    ['an administrator of nothing', hs256(claims({ grants: [{ action: 'admin' }] })), /its claim grants/],
    ['of a number', hs256(claims({ sub: 7 })), /its claim sub/],
    ['of a list', hs256(claims({ sub: ['alice'] })), /its claim sub/],
    ['whose grants are no list', hs256(claims({ grants: { action: 'watch' } })), /its claim grants/],
    ['malformed', 'a.b.c', /malformed/],
    ['with a critical extension', hs256(claims(), { header: { alg: 'HS256', crit: ['x'], x: 1 } }), /does not hold/],
  ];
  for (const [what, token, reason] of wrong)
    it(`is refused where it is ${what}`, async () => {
      const { access } = opened();
      await assert.rejects(shown(access, token), { code: 'UNAUTHORIZED', message: reason });
    });

  it('is looked at only while it is short', async () => {
    const { access } = opened();
    const startMs = performance.now();
    await assert.rejects(shown(access, hs256(claims({ pad: 'x'.repeat(1_000_000) }))), /not one of this server/);
    assert.ok(performance.now() - startMs < 1000);
  });

  it('is for the audience and of the issuer that are configured', async () => {
    const { access } = opened({ jwt: { secret: SECRET, audience: 'cameras', issuer: 'https://id.example' } });
    await shown(access, hs256(claims({ aud: ['cameras', 'doors'], iss: 'https://id.example' })));
    await assert.rejects(shown(access, hs256(claims({ iss: 'https://id.example' }))), /its claim aud/);
    await assert.rejects(shown(access, hs256(claims({ aud: 'doors', iss: 'https://id.example' }))), /its claim aud/);
    await assert.rejects(shown(access, hs256(claims({ aud: 'cameras', iss: 'https://evil.example' }))), /its claim iss/);
  });

  it('counts as a guess where it is forged, not where it has expired', async () => {
    const { access } = opened();
    const from = (token: string): Promise<unknown> => access.identify(approachFrom('198.51.100.1', token));
    for (let i = 0; i < 12; i++) await assert.rejects(from(hs256(claims({ exp: NOW_S - i }))), { code: 'UNAUTHORIZED' });
    for (let i = 0; i < 10; i++) await assert.rejects(from(hs256(claims({ i }), { secret: 'guess' })), { code: 'UNAUTHORIZED' });
    await assert.rejects(from(hs256(claims(), { secret: 'guess' })), { code: 'TOO_MANY_REQUESTS' });
    await from(hs256(claims()));
  });

  it('ends a session at its end, unless another one is shown before', async () => {
    const { access, clock } = opened();
    const lost: string[] = [];
    const join = async (name: string): Promise<HeldRights> => {
      const approach = approachFrom('192.0.2.1', hs256(claims({ sub: name })));
      const held = new HeldRights(access, approach, await access.identify(approach));
      held.guard({ action: 'watch', sources: () => ['gate-1'], onLost: () => lost.push(name) });
      return held;
    };
    await join('alice');
    const bob = await join('bob');
    await clock.advance(30_000);
    await assert.rejects(bob.renew(hs256(claims({ exp: NOW_S + 600, grants: [{ action: 'watch', source: 'yard' }] }))), {
      code: 'SOURCE_NOT_FOUND',
    });
    await assert.rejects(bob.renew(hs256(claims({ exp: NOW_S + 600, grants: [{ action: 'ice' }] }))), { code: 'FORBIDDEN' });
    await bob.renew(hs256(claims({ sub: 'bob', exp: NOW_S + 600 })));
    await clock.advance(29_999);
    assert.deepEqual(lost, []);
    await clock.advance(1);
    await eventually(() => lost.length > 0, 5000, 'the end');
    await clock.advance(10_000);
    assert.deepEqual(lost, ['alice']);
    await clock.advance(600_000);
    await eventually(() => lost.length > 1, 5000, 'the other end');
    assert.deepEqual(lost, ['alice', 'bob']);
  });
});

describe('keys of JWT_JWKS_URL', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec' },
  ];

  async function served(
    t: TestContext,
    answer: (response: http.ServerResponse) => void,
  ): Promise<{ access: Access; clock: FakeClock; requests: () => number }> {
    let requests = 0;
    const server = http.createServer((_request, response) => {
      requests++;
      answer(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    return { ...opened({ jwt: { jwksUrl } }), requests: () => requests };
  }

  it('are fetched once, and each takes its own algorithm alone', async (t) => {
    const { access, requests } = await served(t, (response) => response.end(JSON.stringify({ keys })));
    for (let i = 0; i < 3; i++) {
      await shown(access, publicKey(claims({ i }), rsa.privateKey, { alg: 'RS256', kid: 'rsa' }));
      await shown(access, publicKey(claims({ i }), ec.privateKey, { alg: 'ES256', kid: 'ec' }));
    }
    assert.equal(requests(), 1);
    const publicText = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    await assert.rejects(shown(access, hs256(claims(), { secret: publicText, header: { alg: 'HS256', kid: 'rsa' } })), {
      code: 'UNAUTHORIZED',
    });
    await assert.rejects(shown(access, publicKey(claims(), ec.privateKey, { alg: 'RS256', kid: 'ec' })), { code: 'UNAUTHORIZED' });
    for (let i = 0; i < 5; i++)
      await assert.rejects(
        shown(access, publicKey(claims({ i }), rsa.privateKey, { alg: 'RS256', kid: 'unknown' })),
        /a key that JWT_JWKS_URL does not have/,
      );
    assert.equal(requests(), 1, 'unknown keys do not make it ask again at once');
  });

  for (const [what, answer] of [
    ['500', (response) => response.writeHead(500).end()],
    ['a redirect', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['no key set', (response) => response.end('{"keys":7}')],
    ['no JSON', (response) => response.end('<html>')],
    ['nothing', (response) => response.destroy()],
  ] as readonly (readonly [string, (response: http.ServerResponse) => void])[])
    it(`that cannot be had (${what}) let nobody in, and are asked for once in 5 s, whoever shows what`, async (t) => {
      const { access, clock, requests } = await served(t, answer);
      const token = (i: number): string => publicKey(claims({ i }), rsa.privateKey, { alg: 'RS256', kid: 'rsa' });
      const tokens = Array.from({ length: 10 }, (_, i) => token(i));
      const from = (each: string): Promise<unknown> => access.identify(approachFrom('198.51.100.2', each));
      await Promise.all(tokens.map((each) => assert.rejects(from(each), { code: 'UNAUTHORIZED', message: /cannot be had at the moment/ })));
      await assert.rejects(from(token(10)), { code: 'TOO_MANY_REQUESTS' }, 'what does not verify is a guess');
      assert.equal(requests(), 1);
      await clock.advance(5000);
      await assert.rejects(shown(access, token(11)), { code: 'UNAUTHORIZED' });
      assert.equal(requests(), 2);
    });

  it('go on while their host is down, which forged tokens do not make it feel', async (t) => {
    let isDown = false;
    const { access, clock, requests } = await served(t, (response) =>
      isDown ? response.writeHead(500).end() : response.end(JSON.stringify({ keys })),
    );
    const good = (i: number): string => publicKey(claims({ i, exp: NOW_S + 3600 }), rsa.privateKey, { alg: 'RS256', kid: 'rsa' });
    await shown(access, good(0));
    isDown = true;
    await clock.advance(600_000);
    for (let i = 0; i < 20; i++) {
      await assert.rejects(shown(access, publicKey(claims({ i }), rsa.privateKey, { alg: 'RS256', kid: 'forged' })), /does not have/);
      await shown(access, good(i));
    }
    assert.equal(requests(), 2);
    isDown = false;
    await clock.advance(30_000);
    await shown(access, good(30));
    assert.equal(requests(), 3);
  });

  it('that are withdrawn count no more after 10 minutes, for tokens that were seen before, too', async (t) => {
    let published = keys;
    const { access, clock, requests } = await served(t, (response) => response.end(JSON.stringify({ keys: published })));
    const token = publicKey(claims({ exp: NOW_S + 86_400 }), rsa.privateKey, { alg: 'RS256', kid: 'rsa' });
    await shown(access, token);
    published = keys.slice(1);
    await clock.advance(599_999);
    await shown(access, token);
    assert.equal(requests(), 1);
    await clock.advance(1);
    await assert.rejects(shown(access, token), /a key that JWT_JWKS_URL does not have/);
  });
});
