/** Where a WHIP server on the network may send what is asked of it. Nothing leaves the process: `fetch` and the resolver are the test's. */
import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { describe, it, type TestContext } from 'node:test';
import { exchange } from '../../src/forward/exchange.js';
import { FakeClock } from '../helpers/fake-clock.js';

const HOME = new URL('http://media.example/whip/gate');
const NAMES: Readonly<Record<string, string>> = {
  'rebound.example': '127.0.0.1',
  'edge.example': '192.0.2.7',
  'clock.example': '::ffff:127.0.0.1',
};

/** The addresses that were asked, each with what gets in. @param locations of the redirects, in order; then 201 */
async function ask(
  t: TestContext,
  locations: readonly string[],
  { home = HOME, method = 'POST' }: { readonly home?: URL; readonly method?: 'POST' | 'OPTIONS' } = {},
) {
  const asked: (readonly [string, string | undefined])[] = [];
  const left = [...locations];
  t.mock.method(globalThis, 'fetch', (url: URL, { headers }: { readonly headers: Readonly<Record<string, string>> }) => {
    asked.push([url.href, headers['authorization']]);
    const location = left.shift();
    return Promise.resolve(new Response(null, location === undefined ? { status: 201 } : { status: 307, headers: { location } }));
  });
  t.mock.method(dns, 'lookup', (host: string) => Promise.resolve([{ address: NAMES[host] ?? '192.0.2.1', family: 4 }]));
  const clock = new FakeClock();
  const request = { method, url: home, home, headers: {}, ownHeaders: { authorization: 'Bearer x' }, timeoutMs: 1000, clock };
  const outcome = await exchange({ ...request, signal: new AbortController().signal }).then(
    ({ status }) => String(status),
    (error: unknown) => (error as Error).message,
  );
  assert.equal(clock.pendingTimers, 0);
  t.mock.restoreAll();
  return { asked, outcome };
}

describe('a redirect', () => {
  for (const location of [
    'http://127.0.0.1:8001/sources/gate',
    'http://127.1/',
    'http://2130706433/',
    'http://0.0.0.0:8001/',
    'http://localhost:8001/',
    'http://localhost./',
    'http://any.localhost/',
    'http://[::1]:8001/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest',
    'http://[fe80::1]/',
    'http://rebound.example/',
    'http://clock.example/',
  ])
    it(`of another machine leads not to this one: ${location}`, async (t) => {
      for (const locations of [[location], ['http://edge.example/', location]])
        for (const method of ['POST', 'OPTIONS'] as const) {
          const { asked, outcome } = await ask(t, locations, { method });
          assert.match(outcome, /media\.example redirects to .*, which is this machine or its own link/);
          assert.deepEqual(
            asked.map(([url]) => url),
            [HOME.href, ...locations.slice(0, -1)],
          );
        }
    });

  it('leads to another machine without what gets in', async (t) => {
    const { asked, outcome } = await ask(t, ['/other', 'http://edge.example/', HOME.href]);
    assert.equal(outcome, '201');
    assert.deepEqual(asked, [
      [HOME.href, 'Bearer x'],
      ['http://media.example/other', 'Bearer x'],
      ['http://edge.example/', undefined],
      [HOME.href, undefined],
    ]);
  });

  it('of this machine may lead to this machine', async (t) => {
    const { asked, outcome } = await ask(t, ['http://127.0.0.1:9/'], { home: new URL('http://localhost:8/') });
    assert.deepEqual([outcome, asked.length], ['201', 2]);
  });
});
