/** What a forward makes of the answers of a WHIP server, and when it tries again. Time stands still until a test moves it. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { sourceNotLive } from '../../src/base/refusals.js';
import { Forwards } from '../../src/forward/index.js';
import type { ForwardRequest, ForwardState, ForwardStatus } from '../../src/forward/index.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { recordingLogger, type LogLine } from '../webrtc/rig.js';
import { FakeSessions } from './fake-sessions.js';
import { WhipServer, type Handler, type Said } from './whip-server.js';

const TOKEN = 'EvTbEeyPfVxEdAyh';
const TAKEN: Said = { status: 201, headers: { 'content-type': 'application/sdp', location: '/sessions/abc' }, body: 'v=0 answer' };

describe('a forward', { timeout: 30_000 }, () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function rig(handler: Handler, request: Partial<ForwardRequest> = {}) {
    const server = await WhipServer.open(handler);
    const clock = new FakeClock();
    const fake = new FakeSessions();
    const lines: LogLine[] = [];
    const forwards = new Forwards({ sessions: () => fake.sessions, max: 3, clock, logger: recordingLogger(lines) });
    closers.push(
      () => forwards.close(),
      () => server.close(),
    );
    forwards.add({ sourceId: 'gate', url: server.url, origin: 'api', ...request });
    const status = (): ForwardStatus => forwards.list()[0] ?? assert.fail('there is a forward');
    const until = (state: ForwardState, attempts = 1): Promise<ForwardStatus> =>
      eventually(
        () => (status().state === state && status().attempts === attempts ? status() : undefined),
        5000,
        `${state} after ${attempts}`,
      );
    const connect = async (): Promise<void> => {
      await eventually(() => fake.answers.length > 0, 5000, 'an answer');
      fake.onState?.('connected');
    };
    return { server, clock, fake, lines, forwards, status, until, connect };
  }

  it('is tried again after 1, 2, 4, 8, then 10 s, up to half of that less', async () => {
    const { clock, until } = await rig(() => ({ status: 502 }));
    for (const [index, fullMs] of [1000, 2000, 4000, 8000, 10_000, 10_000].entries()) {
      const { retryInMs = 0, lastError } = await until('waiting', index + 1);
      assert.ok(retryInMs >= fullMs / 2 && retryInMs <= fullMs, `${retryInMs} of ${fullMs}`);
      assert.match(lastError ?? '', /answered 502/);
      await clock.advance(retryInMs);
    }
  });

  for (const [status, state, words] of [
    [400, 'failed', /the offer was refused/],
    [401, 'failed', /wants a token/],
    [403, 'failed', /gives no right/],
    [404, 'failed', /no WHIP endpoint/],
    [405, 'failed', /takes no offers/],
    [409, 'waiting', /publishes there already/],
    [415, 'failed', /application\/sdp/],
    [422, 'failed', /cannot take what is offered/],
    [429, 'waiting', /too many requests/],
    [302, 'failed', /redirect/],
    [500, 'waiting', /answered 500/],
    [503, 'waiting', /no place left/],
  ] as const)
    it(`says in words what ${status} means, and whether a person has to mend it`, async () => {
      const { until, server } = await rig(() => ({ status, body: JSON.stringify({ message: 'as the server says' }) }));
      const { lastError = '', retryInMs = 0 } = await until(state);
      assert.match(lastError, words);
      assert.ok(lastError.startsWith(`${server.host} answered ${status}`) && lastError.includes("('as the server says')"), lastError);
      assert.equal(retryInMs >= 30_000, state === 'failed');
    });

  it('is as patient as the server asks for, within bounds', async () => {
    for (const [seconds, waitMs] of [
      ['20', 20_000],
      ['86400', 60_000],
    ] as const) {
      const { until } = await rig(() => ({ status: 503, headers: { 'retry-after': seconds } }));
      assert.equal((await until('waiting')).retryInMs, waitMs);
    }
  });

  it('says no token, not even where the server repeats it', async () => {
    const { until, lines, forwards } = await rig(({ authorization }) => ({ status: 401, body: `no such token: ${authorization ?? ''}` }), {
      token: TOKEN,
    });
    const { lastError } = await until('failed');
    assert.match(lastError ?? '', /no such token: Bearer \*\*\*/);
    assert.ok(!JSON.stringify([lines, forwards.list()]).includes(TOKEN));
  });

  it('gives up a server that does not answer, and one that cannot be reached', async () => {
    const { clock, until, server, status } = await rig(() => undefined);
    await eventually(() => server.of('POST').length > 0, 5000, 'the offer');
    await clock.advance(15_000);
    assert.match((await until('waiting')).lastError ?? '', /did not answer within 15 s/);
    await server.close();
    closers.splice(1);
    await clock.advance(status().retryInMs ?? 0);
    assert.match((await until('waiting', 2)).lastError ?? '', /cannot be reached: connect ECONNREFUSED/);
  });

  it('follows a redirect that keeps the request, with its token to the same server alone, and ends its session where that was opened', async () => {
    const other = await WhipServer.open(() => TAKEN);
    closers.push(() => other.close());
    const { connect, until, forwards, server } = await rig(
      ({ path }) => ({ status: 307, headers: { location: path === '/here' ? `http://${other.host}/there` : '/here' } }),
      { token: TOKEN },
    );
    await connect();
    await until('live');
    await forwards.remove('gate');
    assert.deepEqual(
      server.asked.filter(({ method }) => method !== 'OPTIONS').map(({ path, authorization }) => [path, authorization]),
      [
        ['/whip/gate', `Bearer ${TOKEN}`],
        ['/here', `Bearer ${TOKEN}`],
      ],
    );
    assert.deepEqual(
      other.asked.map(({ method, path, authorization }) => [method, path, authorization]),
      [
        ['POST', '/there', undefined],
        ['DELETE', '/sessions/abc', undefined],
      ],
    );
  });

  it('gets its token not back from a redirect that went elsewhere, and is told why it is not let in there', async () => {
    const other: WhipServer = await WhipServer.open(({ path }) =>
      path === '/deaf' ? { status: 401 } : { status: 307, headers: { location: `${made.server.url}/back` } },
    );
    closers.push(() => other.close());
    const made = await rig(
      ({ path }) => (path === '/whip/gate' ? { status: 307, headers: { location: `http://${other.host}/there` } } : TAKEN),
      { token: TOKEN },
    );
    await made.connect();
    await made.until('live');
    assert.deepEqual(
      made.server.of('POST').map(({ path, authorization }) => [path, authorization]),
      [
        ['/whip/gate', `Bearer ${TOKEN}`],
        ['/whip/gate/back', undefined],
      ],
    );
    const deaf = await rig(() => ({ status: 307, headers: { location: `http://${other.host}/deaf` } }), { token: TOKEN });
    assert.match((await deaf.until('failed')).lastError ?? '', new RegExp(`the token is for ${deaf.server.host} alone`));
  });

  it('ends no session at another server than the one that has it', async () => {
    const other = await WhipServer.open(() => ({ status: 200 }));
    closers.push(() => other.close());
    for (const [location, elsewhere] of [
      [`http://${other.host}/sources/gate`, undefined],
      ['/sessions/abc', `http://${other.host}/sources/gate`],
    ] as const) {
      const { connect, until, forwards, server } = await rig(
        ({ method }) =>
          method === 'DELETE'
            ? { status: 307, headers: { location: elsewhere ?? '/' } }
            : { ...TAKEN, headers: { ...TAKEN.headers, location } },
        { token: TOKEN },
      );
      await connect();
      await until('live');
      await forwards.remove('gate');
      assert.equal(server.of('DELETE').length, elsewhere === undefined ? 0 : 1);
    }
    assert.deepEqual(other.asked, []);
  });

  it('follows no redirect to another scheme, and none in a circle', async () => {
    const { until } = await rig(() => ({ status: 307, headers: { location: 'file:///etc/passwd' } }));
    assert.match((await until('failed')).lastError ?? '', /another scheme \(file:\)/);
    const circle = await rig(({ path }) => ({ status: 308, headers: { location: path } }));
    assert.match((await circle.until('failed')).lastError ?? '', /redirects more than 3 times/);
    assert.equal(circle.server.of('POST').length, 4);
    const nowhere = await rig(() => ({ status: 307 }));
    assert.match((await nowhere.until('failed')).lastError ?? '', /redirects to nowhere/);
  });

  it('reads no answer without end', async () => {
    const { until, fake } = await rig(() => ({ ...TAKEN, body: 'v=0\r\n'.padEnd(300 * 1024, 'a') }));
    assert.match((await until('failed')).lastError ?? '', /more than 256 KiB/);
    assert.deepEqual(fake.closed, ['session1']);
  });

  for (const [what, location] of [
    ['no session URL', undefined],
    ['one of another scheme', 'https://127.0.0.1/sessions/abc'],
    ['none that is an address', 'http://'],
  ] as const)
    it(`is live where the server names ${what}, and says so once`, async () => {
      const { connect, until, forwards, server, lines } = await rig(() => ({
        status: 201,
        body: 'v=0 answer',
        ...(location !== undefined && { headers: { location } }),
      }));
      await connect();
      await until('live');
      await forwards.remove('gate');
      assert.equal(server.of('DELETE').length, 0);
      assert.equal(lines.filter(({ message }) => message.includes('names no session URL')).length, 1);
    });

  it('that is removed ends its session there, then its connection, and is tried no more', async () => {
    const closed: string[][] = [];
    const made = await rig(({ method }) => {
      if (method === 'DELETE') closed.push([...made.fake.closed]);
      return TAKEN;
    });
    const { connect, until, forwards, fake, clock } = made;
    await connect();
    await until('live');
    assert.equal(await forwards.remove('gate'), 1);
    assert.deepEqual(closed, [[]]);
    assert.deepEqual(fake.closed, ['session1']);
    assert.deepEqual(forwards.list(), []);
    assert.equal(clock.pendingTimers, 0);
  });

  it('whose connection ends says why, ends the session there, and is tried again', async () => {
    const { connect, until, fake, clock, server, status } = await rig(() => TAKEN);
    await connect();
    await until('live');
    fake.end('consent-expired');
    await until('waiting');
    assert.equal(status().lastError, 'nothing is heard from the WHIP server any more');
    assert.equal(server.of('DELETE').length, 1);
    await clock.advance(1000);
    await eventually(() => fake.answers.length === 2, 5000, 'the second answer');
    fake.onState?.('connected');
    assert.equal((await until('live', 2)).failures, 0);
  });

  it('begins with short waits again once it was live for a while, and not for attempts that took long', async () => {
    const { connect, until, fake, clock, status } = await rig(() => TAKEN);
    fake.steps = [];
    for (const attempt of [1, 2, 3]) {
      await eventually(() => fake.answers.length === attempt, 5000, 'an answer');
      await clock.advance(30_000);
      fake.end('ice-timeout');
      const { failures, lastError = '', retryInMs = 0 } = await until('waiting', attempt);
      assert.equal(failures, attempt);
      assert.match(lastError, /ICE found no path .* \(it names none\)/);
      await clock.advance(retryInMs);
    }
    await eventually(() => fake.answers.length === 4, 5000, 'an answer');
    await connect();
    await until('live', 4);
    await clock.advance(10_000);
    fake.end('viewer-left');
    assert.ok((await until('waiting', 4)).retryInMs! <= 1000);
    assert.equal(status().failures, 1);
  });

  it('that waits for its source goes on at once when it has come', async () => {
    const { until, fake, forwards, clock, status } = await rig(() => TAKEN);
    await eventually(() => fake.answers.length > 0, 5000, 'an answer');
    fake.refusal = sourceNotLive('gate');
    fake.end('source-ended');
    await until('waiting');
    await clock.advance(status().retryInMs ?? 0);
    assert.match((await until('waiting', 2)).lastError ?? '', /source 'gate' is not live/);
    forwards.sourceCame('other');
    assert.ok(status().retryInMs);
    fake.refusal = undefined;
    forwards.sourceCame('gate');
    await eventually(() => fake.answers.length === 2, 5000, 'an answer, without any time having passed');
  });

  it('asks the ICE servers that the other side names: before the offer, or else with the last answer', async () => {
    const link = (name: string): string =>
      `<turn:${name}.example:3478>; rel="ice-server"; username="u"; credential="c"; credential-type="password"`;
    const { connect, until, fake, clock, forwards, status, server } = await rig(() => ({
      ...TAKEN,
      headers: { ...TAKEN.headers, link: link('answer') },
    }));
    const named = (): string[] => forwards.iceServersOf(`forward-${status().id}`).flatMap(({ urls }) => urls);
    await connect();
    await until('live');
    assert.deepEqual(named(), []);
    fake.end('consent-expired');
    await until('waiting');
    server.link = undefined;
    await clock.advance(status().retryInMs ?? 0);
    await eventually(() => fake.answers.length === 2, 5000, 'the second answer');
    assert.deepEqual(named(), ['turn:answer.example:3478']);
    fake.end('consent-expired');
    await until('waiting', 2);
    server.link = link('options');
    await clock.advance(status().retryInMs ?? 0);
    await eventually(() => fake.answers.length === 3, 5000, 'the third answer');
    assert.deepEqual(named(), ['turn:options.example:3478']);
    assert.deepEqual(forwards.iceServersOf('somebody'), []);
  });

  it('says which session it takes the place of', async () => {
    const { connect, until, fake, clock, server, status } = await rig(() => TAKEN);
    await connect();
    await until('live');
    fake.end('consent-expired');
    await until('waiting');
    await clock.advance(status().retryInMs ?? 0);
    await eventually(() => fake.answers.length === 2, 5000, 'the second answer');
    assert.deepEqual(
      server.of('POST').map(({ replaces }) => replaces),
      [undefined, '/sessions/abc'],
    );
  });

  it('gives an offer up when its source ends before it is answered', async () => {
    const { until, fake, server } = await rig(() => undefined);
    await eventually(() => server.of('POST').length > 0, 5000, 'the offer');
    fake.end('source-ended');
    assert.match((await until('waiting')).lastError ?? '', /source 'gate' has ended/);
  });

  it('measures what it sends, and adds it up over its connections', async () => {
    const { connect, until, fake, clock, status, forwards } = await rig(() => TAKEN);
    await connect();
    await until('live');
    fake.bytesSent = 125_000;
    await clock.advance(1000);
    assert.equal(status().sending?.bitrateBps, 1_000_000);
    fake.end('viewer-left');
    await until('waiting');
    fake.bytesSent = 0;
    assert.deepEqual([status().bytesSent, status().sending], [125_000, undefined]);
    await forwards.remove('gate');
    assert.deepEqual([...forwards.totals], [['gate', { attempts: 1, bytesSent: 125_000 }]]);
  });
});

describe('forwards', { timeout: 30_000 }, () => {
  it('go to each address once, and are bounded', async () => {
    const server = await WhipServer.open(() => TAKEN);
    const clock = new FakeClock();
    const forwards = new Forwards({ sessions: () => new FakeSessions().sessions, max: 2, clock, logger: recordingLogger([]) });
    const add = (url: string, sourceId = 'gate'): string => forwards.add({ sourceId, url, origin: 'api' }).id;
    const id = add(server.url);
    for (const again of [server.url, server.url.replace('http://', 'http://token@'), `${server.url}#x`])
      assert.throws(() => add(again), { code: 'FORWARD_EXISTS' });
    assert.notEqual(add(server.url, 'other'), id);
    assert.throws(() => add(`${server.url}?x=1`), { code: 'CAPACITY_REACHED', message: /MAX_FORWARDS/ });
    await assert.rejects(forwards.remove('other', id), { code: 'FORWARD_NOT_FOUND' });
    assert.equal(await forwards.remove('gate', id), 1);
    assert.equal(await forwards.remove('gate'), 0);
    assert.equal(add(server.url), id);
    await forwards.close();
    assert.throws(() => add(server.url, 'third'), { code: 'SERVER_CLOSING' });
    assert.equal(clock.pendingTimers, 0);
    await server.close();
  });
});
