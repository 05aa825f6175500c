/** Where a WHIP server on the network may send what is asked of it. Nothing leaves the process: requests and the resolver are the test's. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { exchange } from '../../src/forward/exchange.js';
import { isNearServer } from '../../src/forward/hops.js';
import { FakeClock } from '../helpers/fake-clock.js';

const HOME = new URL('http://media.example/whip/gate');
/** What names lead to, each time that somebody asks; the last one from then on. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'rebound.example': ['127.0.0.1'],
  'edge.example': ['192.0.2.7'],
  'clock.example': ['::ffff:127.0.0.1'],
  'both.example': ['192.0.2.7,127.0.0.1'],
  'changing.example': ['192.0.2.8', '127.0.0.1'],
};

interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
  /** What was connected to. */
  readonly address: string;
}

/** Connects as Node does: to the addresses that the look-up of the request finds. */
class FakeRequest extends EventEmitter {
  constructor(
    readonly url: URL,
    readonly lookup: LookupFunction,
    readonly answer: (address: string) => Readable,
  ) {
    super();
  }

  end(): void {
    const host = this.url.hostname.replace(/^\[(.*)\]$/, '$1');
    const connect = (address: string): void => void this.emit('response', this.answer(address));
    if (isIP(host) !== 0) return connect(host);
    this.lookup(host, { all: true }, (error, found) => {
      if (error) this.emit('error', error);
      else connect((found as { readonly address: string }[])[0]?.address ?? '');
    });
  }
}

/** The addresses that were asked, each with what gets in. @param locations of the redirects, in order; then 201 */
async function ask(
  t: TestContext,
  locations: readonly string[],
  { home = HOME, method = 'POST' }: { readonly home?: URL; readonly method?: 'POST' | 'OPTIONS' } = {},
) {
  const asked: Asked[] = [];
  const left = [...locations];
  const lookups = new Map<string, number>();
  type Options = { readonly headers: Readonly<Record<string, string>>; readonly lookup: LookupFunction };
  t.mock.method(http, 'request', (url: URL, { headers, lookup }: Options) => {
    return new FakeRequest(url, lookup, (address) => {
      asked.push({ url: url.href, authorization: headers['authorization'], address });
      const location = left.shift();
      const rawHeaders = location === undefined ? [] : ['Location', location];
      return Object.assign(Readable.from([]), { statusCode: location === undefined ? 201 : 307, rawHeaders });
    });
  });
  t.mock.method(dns, 'lookup', (host: string, _options: object, found: Parameters<LookupFunction>[2]) => {
    const times = lookups.get(host) ?? 0;
    lookups.set(host, times + 1);
    const answers = NAMES[host] ?? ['192.0.2.1'];
    const addresses = (answers[times] ?? answers.at(-1) ?? '').split(',');
    found(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  });
  const clock = new FakeClock();
  const request = { method, url: home, home, headers: {}, ownHeaders: { authorization: 'Bearer x' }, timeoutMs: 1000, clock };
  const outcome = await exchange({ ...request, signal: new AbortController().signal }).then(
    ({ status }) => String(status),
    (error: unknown) => (error as Error).message,
  );
  assert.equal(clock.pendingTimers, 0);
  t.mock.restoreAll();
  return { asked, outcome, lookups };
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
    'http://both.example/',
  ])
    it(`of another machine leads not to this one: ${location}`, async (t) => {
      for (const locations of [[location], ['http://edge.example/', location]])
        for (const method of ['POST', 'OPTIONS'] as const) {
          const { asked, outcome } = await ask(t, locations, { method });
          assert.match(outcome, /media\.example redirects to .*, which is this machine or its own link/);
          assert.deepEqual(
            asked.map(({ url }) => url),
            [HOME.href, ...locations.slice(0, -1)],
          );
        }
    });

  it('leads to another machine without what gets in', async (t) => {
    const { asked, outcome } = await ask(t, ['/other', 'http://edge.example/', HOME.href]);
    assert.equal(outcome, '201');
    assert.deepEqual(
      asked.map(({ url, authorization }) => [url, authorization]),
      [
        [HOME.href, 'Bearer x'],
        ['http://media.example/other', 'Bearer x'],
        ['http://edge.example/', undefined],
        [HOME.href, undefined],
      ],
    );
  });

  it('to a name that leads to this machine the next time is connected to what was looked at', async (t) => {
    const { asked, outcome, lookups } = await ask(t, ['http://changing.example/']);
    assert.equal(outcome, '201');
    assert.deepEqual(
      asked.map(({ address }) => address),
      ['192.0.2.1', '192.0.2.8'],
    );
    assert.equal(lookups.get('changing.example'), 1);
    const again = await ask(t, ['http://changing.example/', 'http://changing.example/']);
    assert.match(again.outcome, /redirects to changing\.example, which is this machine/);
    assert.equal(again.asked.length, 2);
  });

  it('of this machine may lead to this machine', async (t) => {
    const { asked, outcome } = await ask(t, ['http://127.0.0.1:9/'], { home: new URL('http://localhost:8/') });
    assert.deepEqual([outcome, asked.length], ['201', 2]);
  });
});

describe('a STUN or TURN server that a WHIP server names', () => {
  it('is none of this machine or its link, unless the WHIP server is one itself', () => {
    for (const uri of [
      'stun:127.0.0.1:53',
      'stun:127.1',
      'turn:2130706433:3478?transport=tcp',
      'turns:[::1]:443',
      'stun:[::ffff:127.0.0.1]',
      'stun:localhost',
      'turn:any.localhost:1',
      'stun:169.254.169.254:80',
      'stun:[fe80::1]',
      'stun:0.0.0.0',
      'stun:',
      'stun:a b',
    ]) {
      assert.ok(isNearServer(uri, HOME), uri);
      assert.ok(!isNearServer(uri, new URL('http://127.0.0.1:8001/whip/gate')), uri);
    }
    for (const uri of ['stun:stun.example:3478', 'turn:192.0.2.7:3478?transport=udp', 'turns:[2001:db8::7]:443'])
      assert.ok(!isNearServer(uri, HOME), uri);
  });
});
