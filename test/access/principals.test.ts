import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GRANTABLE, NOBODY, isForwardingHeader, may, type Approach, type Principal } from '../../src/access/index.js';
import { matchesGlob } from '../../src/base/glob.js';
import { grantsOf } from '../../src/access/principal.js';
import { accessOf, approachFrom } from '../helpers/access.js';

const OWN = approachFrom('127.0.0.1');
const ALL: readonly string[] = GRANTABLE;
const OF_PAGES = ALL.filter((right) => right !== 'admin' && right !== 'metrics');
const OF_VIEWERS = ['watch', 'data', 'ice', 'playback'];

/** Rights for every source. */
const rightsOf = (principal: Principal): string[] => GRANTABLE.filter((right) => may(principal, right, 'every'));

describe('a right', () => {
  const principal: Principal = {
    ...NOBODY,
    grants: [...grantsOf(['watch'], ['gate-*', 'yard']), ...grantsOf(['publish'], ['*'], new Set(['yard']))],
  };

  it('is for the sources that a glob fits, and nothing else', () => {
    for (const [source, isGranted] of [
      ['gate-1', true],
      ['gate-', true],
      ['gate', false],
      ['a-gate-1', false],
      ['yard', true],
      ['yards', false],
      ['', false],
    ] as const)
      assert.equal(may(principal, 'watch', { source }), isGranted, source);
    assert.ok(!may(principal, 'data', { source: 'yard' }));
    assert.ok(may(principal, 'watch', 'some'));
    assert.ok(!may(principal, 'watch', 'every'));
    assert.ok(!may(principal, 'watch'), 'what names no source is about all of them');
  });

  it('leaves out what it excepts', () => {
    assert.ok(may(principal, 'publish', { source: 'gate' }));
    assert.ok(!may(principal, 'publish', { source: 'yard' }));
    assert.ok(!may(principal, 'publish', 'every'));
  });

  it('is needed by nobody for what is public, and for a session by its URL alone', () => {
    assert.ok(may(NOBODY, 'public') && may(NOBODY, 'session'));
    for (const right of GRANTABLE) assert.ok(!may(NOBODY, right, 'some'), right);
  });

  it('is looked up in time that a hostile name cannot stretch', () => {
    const startMs = performance.now();
    assert.ok(!matchesGlob('*a'.repeat(50) + 'b', 'a'.repeat(100_000)));
    assert.ok(performance.now() - startMs < 5000);
    for (const [glob, name, fits] of [
      ['*', '', true],
      ['', '', true],
      ['', 'a', false],
      ['a?c', 'abc', true],
      ['a?c', 'ac', false],
      ['*b*', 'abc', true],
      ['a*b*c', 'a-b-b-c', true],
      ['a.c', 'abc', false],
      ['[ab]', 'a', false],
    ] as const)
      assert.equal(matchesGlob(glob, name), fits, `${glob} ${name}`);
  });
});

describe('this machine', () => {
  const cases: readonly (readonly [what: string, approach: Partial<Approach>, rights: readonly string[]])[] = [
    ['a program', {}, ALL],
    ['IPv6', { connected: '::1', host: '[::1]:8001' }, ALL],
    ['an IPv4 address in IPv6', { connected: '::ffff:127.0.0.1', host: '127.0.0.1:8001' }, ALL],
    ['an own page', { host: 'localhost:8001', origin: 'http://localhost:8001', fetchSite: 'same-origin' }, ALL],
    ['an own page that opens a WebSocket', { host: 'localhost:8001', origin: 'http://localhost:8001' }, ALL],
    ['an address that was typed', { host: 'localhost:8001', fetchSite: 'none' }, ALL],
    ['a page of another server here', { host: 'localhost:8001', origin: 'http://localhost:3000', fetchSite: 'same-site' }, OF_PAGES],
    ['its picture', { host: 'localhost:8001', fetchSite: 'same-site' }, OF_PAGES],
    ['its WebSocket', { host: '127.0.0.1:8001', origin: 'http://[::1]:3000' }, OF_PAGES],
    ['a foreign page', { host: 'localhost:8001', origin: 'https://evil.example', fetchSite: 'cross-site' }, []],
    ['its picture', { host: 'localhost:8001', fetchSite: 'cross-site' }, []],
    ['its WebSocket', { host: 'localhost:8001', origin: 'https://evil.example' }, []],
    ['a page without an origin', { host: 'localhost:8001', origin: 'null' }, []],
    ['a name that looks like it', { host: 'localhost:8001', origin: 'http://localhost.evil.example' }, []],
    ['a foreign name that leads here', { host: 'evil.example', origin: 'http://evil.example', fetchSite: 'same-origin' }, []],
    ['no name', { host: undefined }, []],
    ['a proxy', { isForwarded: true }, []],
    ['another machine', { connected: '192.0.2.1' }, []],
    ['another machine with a name of ours', { connected: '192.0.2.1', host: 'localhost' }, []],
    ['a connection that is gone', { connected: undefined }, []],
  ];
  for (const [what, approach, rights] of cases)
    it(`has ${rights.length === ALL.length ? 'all rights' : rights.length === 0 ? 'no rights' : 'some rights'}: ${what}`, async () => {
      assert.deepEqual(rightsOf(await accessOf().identify({ ...OWN, ...approach })), rights);
    });

  it('may be called by the names that it was given', async () => {
    const access = accessOf({ serverNames: ['Box.example'] });
    assert.deepEqual(rightsOf(await access.identify({ ...OWN, host: 'box.example:8001' })), ALL);
    assert.deepEqual(rightsOf(await access.identify({ ...OWN, host: 'a.box.example:8001' })), []);
  });

  it('has no rights of its own where anybody is named', async () => {
    for (const tokens of [{ adminToken: 'a' }, { viewerToken: 'v' }, { publishTokens: new Map([['gate', 'p']]) }])
      assert.deepEqual(rightsOf(await accessOf({ tokens }).identify(OWN)), []);
  });

  it('takes any token where nobody is named', async () => {
    assert.deepEqual(rightsOf(await accessOf().identify({ ...OWN, token: 'of another day' })), ALL);
  });
});

describe('everybody', () => {
  const far = approachFrom('192.0.2.1');

  it('may do what ALLOW_ANONYMOUS says', async () => {
    assert.deepEqual(
      rightsOf(await accessOf({ anonymous: 'watch' }).identify(far)),
      OF_VIEWERS.toSorted((a, b) => ALL.indexOf(a) - ALL.indexOf(b)),
    );
    assert.deepEqual(rightsOf(await accessOf({ anonymous: 'all' }).identify(far)), ALL);
    const watching = rightsOf(await accessOf({ anonymous: 'watch' }).identify(far));
    for (const own of [OWN, { ...OWN, origin: 'http://localhost:3000', fetchSite: 'same-site' }])
      assert.deepEqual(rightsOf(await accessOf({ anonymous: 'watch' }).identify(own)), watching, 'this machine: it may be a proxy');
  });

  it('administers nothing by a foreign name that leads here', async () => {
    const page = { host: 'evil.example', origin: 'http://evil.example', fetchSite: 'same-origin' };
    const access = accessOf({ anonymous: 'all', serverNames: ['box.example'] });
    for (const from of [far, OWN]) {
      const rights = ALL.filter((right) => right !== 'admin');
      assert.deepEqual(rightsOf(await access.identify({ ...from, ...page })), rights);
      assert.deepEqual(rightsOf(await access.identify({ ...from, host: undefined })), rights);
      assert.deepEqual(rightsOf(await access.identify({ ...from, host: 'box.example:8001' })), ALL);
    }
  });

  it('administers nothing from a page of another origin', async () => {
    const page = { ...far, host: 'box.example', origin: 'https://app.example' };
    assert.deepEqual(
      rightsOf(await accessOf({ anonymous: 'all', corsOrigins: ['https://app.example'] }).identify(page)),
      ALL.filter((right) => right !== 'admin'),
    );
  });
});

it('headers that proxies write are known, and no others', () => {
  for (const name of [
    'forwarded',
    'via',
    'x-forwarded-for',
    'x-original-forwarded-for',
    'x-cluster-client-ip',
    'fastly-client-ip',
    'fly-client-ip',
  ])
    assert.ok(isForwardingHeader(name), name);
  for (const name of [
    'x-azure-clientip',
    'x-envoy-external-address',
    'x-original-host',
    'cf-ray',
    'cdn-loop',
    'tailscale-user-login',
    'x-real-ip',
  ])
    assert.ok(isForwardingHeader(name), name);
  for (const name of ['host', 'origin', 'x-request-id', 'x-custom-via']) assert.ok(!isForwardingHeader(name), name);
});

describe('a token', () => {
  it('that is empty is nobody’s', async () => {
    await assert.rejects(accessOf({ tokens: { viewerToken: 'view' } }).identify(approachFrom('192.0.2.1', '')), { code: 'UNAUTHORIZED' });
  });

  const tokens = {
    adminToken: 'admin',
    viewerToken: 'view',
    publishTokens: new Map([
      ['gate', 'gate'],
      ['*', 'rest'],
      ['yard', 'view'],
    ]),
  };
  const shown = (token: string, more: Partial<Approach> = {}): Promise<Principal> =>
    accessOf({ tokens, ...(more.origin === 'https://named.example' && { corsOrigins: [more.origin] }) }).identify({
      ...approachFrom('192.0.2.1', token),
      ...more,
    });

  it('gives the rights of its variable, and those of all where it stands in several', async () => {
    assert.deepEqual(rightsOf(await shown('admin')), ALL);
    const viewer = await shown('view');
    assert.deepEqual(rightsOf(viewer).toSorted(), OF_VIEWERS.toSorted());
    assert.ok(may(viewer, 'publish', { source: 'yard' }) && !may(viewer, 'publish', { source: 'gate' }));
    const [gate, rest] = [await shown('gate'), await shown('rest')];
    assert.deepEqual(
      ['gate', 'yard', 'other'].map((source) => may(gate, 'publish', { source })),
      [true, false, false],
    );
    assert.deepEqual(
      ['gate', 'yard', 'other'].map((source) => may(rest, 'publish', { source })),
      [false, false, true],
    );
    for (const principal of [gate, rest]) assert.ok(may(principal, 'ice', 'some') && !may(principal, 'watch', 'some'));
  });

  it('administers from a page of another origin only where that is named', async () => {
    const isAdmin = async (more: Partial<Approach>): Promise<boolean> =>
      may(await shown('admin', { host: 'box.example', ...more }), 'admin');
    assert.ok(await isAdmin({}));
    assert.ok(await isAdmin({ origin: 'http://box.example' }));
    assert.ok(await isAdmin({ origin: 'https://named.example' }));
    assert.ok(!(await isAdmin({ origin: 'https://other.example' })));
    assert.ok(may(await shown('admin', { origin: 'https://other.example' }), 'watch'));
  });
});
