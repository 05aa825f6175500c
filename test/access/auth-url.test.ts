import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { HeldRights, type Access, type AccessConfig, type Approach } from '../../src/access/index.js';
import type { Question, Verdict } from '../../src/access/auth-url-request.js';
import { AuthUrl } from '../../src/access/auth-url.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { openRightsServer, type Answer, type RightsServer } from '../helpers/rights-server.js';

const SECRET = 'a secret that has thirty-two characters';

interface Rig {
  readonly access: Access;
  readonly clock: FakeClock;
  readonly server: RightsServer;
  readonly lines: Record<string, unknown>[];
  /** The code of the error, or `ok`. */
  readonly ask: (token: string | undefined, action?: 'watch' | 'admin' | 'ice', source?: string, address?: string) => Promise<string>;
}

async function rig(t: TestContext, answer: (question: Question) => Answer, more: Partial<AccessConfig> = {}): Promise<Rig> {
  const clock = new FakeClock();
  const server = await openRightsServer(answer);
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const access = accessOf({ clock, logger, authUrl: server.url, ...more });
  t.after(async () => {
    await access.close();
    assert.equal(clock.pendingTimers, 0);
    await server.close();
  });
  const ask: Rig['ask'] = (token, action = 'watch', source = 'gate', address = '192.0.2.1') =>
    access.admit(approachFrom(address, token), action, { source }).then(
      () => 'ok',
      (error: unknown) => String((error as { code?: string }).code),
    );
  return { access, clock, server, lines, ask };
}

const byToken =
  (token: string) =>
  (question: Question): Answer =>
    question.token === token ? 204 : 403;

describe('AUTH_URL', () => {
  it('is asked what somebody wants, and by whom, once in 5 s for each distinct question', async (t) => {
    const { server, ask, access, clock } = await rig(t, byToken('good'));
    assert.deepEqual(await Promise.all(Array.from({ length: 50 }, () => ask('good'))), Array(50).fill('ok'));
    const asked = { action: 'watch', source: 'gate', user: null, token: 'good', ip: '192.0.2.1', protocol: 'http', session: null };
    assert.deepEqual(server.questions, [asked]);
    await clock.advance(4900);
    await ask('good');
    assert.equal(server.questions.length, 1);
    await clock.advance(101);
    await ask('good');
    assert.equal(server.questions.length, 2);
    await access.admit({ ...approachFrom('192.0.2.1', 'good'), protocol: 'whep' }, 'watch', { source: 'gate' });
    assert.deepEqual(server.questions[2], { ...asked, protocol: 'whep' });
    await ask('good', 'ice', 'yard');
    assert.deepEqual(server.questions[3], { ...asked, action: 'ice', source: 'yard' });
  });

  it('is asked about no token that is known here, and not about those who show none', async (t) => {
    const { server, ask } = await rig(t, () => 204, {
      tokens: { adminToken: 'admin', viewerToken: 'view', publishTokens: new Map() },
    });
    assert.deepEqual(
      [await ask('admin', 'admin'), await ask('view'), await ask('view', 'admin'), await ask(undefined), await ask('')],
      ['ok', 'ok', 'FORBIDDEN', 'UNAUTHORIZED', 'UNAUTHORIZED'],
    );
    assert.deepEqual(server.questions, []);
    assert.deepEqual([await ask('x'.repeat(8193)), server.questions.length], ['UNAUTHORIZED', 0]);
  });

  it('that redirects, fails, hangs, floods, breaks off or is gone says no, is said once, and no token is in any line', async (t) => {
    const elsewhere = await openRightsServer(() => 204);
    t.after(() => elsewhere.close());
    const { server, ask, clock, lines, access } = await rig(t, () => 204);
    const faults: readonly (readonly [Answer, RegExp])[] = [
      [(response) => void response.writeHead(307, { location: elsewhere.url }).end(), /redirects \(HTTP 307\)/],
      [500, /HTTP 500/],
      [429, /HTTP 429/],
      [(response) => void response.end('x'.repeat(100_000)), /more than 65536 bytes/],
      [(response) => void response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy()), /./],
      [(_response, request) => void request.socket.destroy(), /./],
    ];
    for (const [answer, why] of faults) {
      server.answer = () => answer;
      assert.equal(await ask('a secret token'), 'FORBIDDEN');
      assert.match(access.authUrlStats?.fault ?? '', why);
      await clock.advance(1001);
      assert.equal(await ask('a secret token'), 'FORBIDDEN');
      await clock.advance(1001);
    }
    server.answer = () => () => undefined;
    const hanging = ask('a secret token');
    await eventually(() => server.questions.length > faults.length * 2, 5000, 'the question');
    await clock.advance(2500);
    assert.equal(await hanging, 'FORBIDDEN');
    assert.match(access.authUrlStats?.fault ?? '', /no answer within 2.5 s/);
    await server.close();
    await clock.advance(1001);
    assert.equal(await ask('a secret token'), 'FORBIDDEN');
    const said = lines.filter(({ msg }) => /^AUTH_URL/.test(String(msg)));
    assert.ok(said.length >= faults.length && said.length <= faults.length + 2, `${said.length} lines`);
    assert.equal(elsewhere.questions.length, 0, 'a redirect would carry the token to somebody else');
    assert.doesNotMatch(JSON.stringify(lines), /secret token/);
  });

  it('says no by a status; that it answers again is said', async (t) => {
    const { server, ask, clock, lines } = await rig(t, () => 500);
    await ask('good');
    for (const [status, code] of [
      [200, 'ok'],
      [204, 'ok'],
      [401, 'UNAUTHORIZED'],
      [403, 'UNAUTHORIZED'],
      [404, 'UNAUTHORIZED'],
    ] as const) {
      await clock.advance(5001);
      server.answer = () => status;
      assert.equal(await ask(`token ${status}`), code, String(status));
    }
    assert.equal(lines.filter(({ msg }) => msg === 'AUTH_URL answers again').length, 1);
  });

  it('is flooded by no guesses; a token that was good before passes from the same address, and others are unharmed', async (t) => {
    const { server, ask, clock } = await rig(t, byToken('good'));
    assert.equal(await ask('good'), 'ok');
    await clock.advance(5001);
    const answers = new Map<string, number>();
    for (let i = 0; i < 2000; i++) {
      const code = await ask(`guess ${i}`);
      answers.set(code, (answers.get(code) ?? 0) + 1);
    }
    assert.deepEqual(
      [...answers],
      [
        ['UNAUTHORIZED', 10],
        ['TOO_MANY_REQUESTS', 1990],
      ],
    );
    assert.ok(server.questions.length <= 1 + 10 + 10, `${server.questions.length} questions`);
    assert.deepEqual([await ask('good'), await ask('good', 'watch', 'gate', '192.0.2.2')], ['ok', 'ok']);
    server.answer = () => 204;
    await clock.advance(1001);
    assert.equal(await ask('one that is new'), 'ok', 'a right one passes where there is time to ask about it');
  });

  it('is asked about so many new tokens of an address at a time as may be wrong, and meanwhile about those of others', async (t) => {
    const held: ServerResponse[] = [];
    const { server, ask } = await rig(t, ({ token }) => (token === 'good' ? 204 : (response) => void held.push(response)));
    let ended = 0;
    const guesses = Array.from({ length: 100 }, (_, i) => ask(`guess ${i}`).finally(() => ended++));
    await eventually(() => held.length >= 4, 5000, 'the first questions');
    assert.equal(await ask('good', 'watch', 'gate', '192.0.2.2'), 'ok');
    assert.deepEqual([held.length, ended], [4, 0]);
    await eventually(
      () => {
        for (const response of held.splice(0)) response.writeHead(403).end();
        return ended === guesses.length;
      },
      5000,
      'the answers',
    );
    const codes = await Promise.all(guesses);
    assert.deepEqual(
      [codes.filter((code) => code === 'UNAUTHORIZED').length, codes.filter((code) => code === 'TOO_MANY_REQUESTS').length],
      [10, 90],
    );
    assert.ok(new Set(server.questions.map(({ token }) => token)).size <= 1 + 10 + 10, `${server.questions.length} questions`);
  });

  it('lets all in at once who come from one address with tokens that are good', async (t) => {
    const { ask } = await rig(t, ({ token }) => (token.startsWith('good') ? 204 : 403));
    const codes = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(`good ${i % 30}`)));
    assert.deepEqual(codes, Array(60).fill('ok'));
  });

  it('has no fault where too many wait to be asked about', async (t) => {
    const lines: unknown[] = [];
    let answer = (): void => undefined;
    const answered = new Promise<Verdict>((resolve) => (answer = () => resolve({ kind: 'denied' })));
    const server = new AuthUrl({
      url: 'http://127.0.0.1/',
      clock: new FakeClock(),
      logger: pino({ base: null }, { write: (line: string) => void lines.push(line) }),
      onLost: () => undefined,
      askServer: () => answered,
    });
    t.after(() => server.close());
    const all = Array.from({ length: 1100 }, (_, i) =>
      server.ask(
        { action: 'watch', source: 'gate', user: null, token: `guess ${i}`, ip: '192.0.2.1', protocol: 'http', session: null },
        { isOngoing: false, owner: `192.0.2.${i % 2}` },
      ),
    );
    answer();
    const verdicts = await Promise.all(all);
    assert.equal(verdicts.filter(({ kind }) => kind === 'unknown').length, 1100 - 1000 - 8);
    assert.deepEqual([server.stats.fault, lines], [undefined, []]);
  });

  it('is asked few questions by a list, however long it is', async (t) => {
    const all = Array.from({ length: 500 }, (_, i) => `cam-${i}`);
    const { server, access, clock } = await rig(t, () => 204, { sources: () => all });
    const list = async (sources = all): Promise<readonly string[]> => {
      server.questions.length = 0;
      await clock.advance(5001);
      return access.permitted(await access.identify(approachFrom('192.0.2.1', 'good')), 'watch', sources);
    };
    assert.deepEqual(await list(), all);
    assert.deepEqual(
      server.questions.map(({ source }) => source),
      [null, '*'],
    );
    server.answer = () => (response) => void response.end('{"sources":["cam-1?","cam-499"]}');
    assert.deepEqual(await list(), [...all.slice(10, 20), 'cam-499']);
    assert.deepEqual(
      server.questions.map(({ source }) => source),
      [null],
    );
    server.answer = ({ source }) => (source === 'cam-3' ? 200 : 403);
    assert.deepEqual(await list(), ['cam-3']);
    assert.ok(server.questions.length <= 202, `${server.questions.length} questions`);
    assert.deepEqual(await list(['cam-2', 'cam-3']), ['cam-3']);
    for (const body of ['null', '[]', '{"sources":"all"}', '{"sources":[1]}', 'yes']) {
      server.answer = () => (response) => void response.end(body);
      assert.deepEqual(await list(['cam-2', 'cam-3']), ['cam-2', 'cam-3'], body);
    }
  });

  it('that knows single sources only lets in where any will do', async (t) => {
    const { server, access, ask } = await rig(t, ({ source, action }) => (source === 'gate-2' && action === 'watch' ? 200 : 403), {
      sources: () => ['gate-1', 'gate-2'],
    });
    const viewer = await access.admit(approachFrom('192.0.2.1', 'good'), 'watch', 'some');
    assert.deepEqual([await access.may(viewer, 'watch', { source: 'gate-2' }), await access.may(viewer, 'watch')], [true, false]);
    assert.equal(await ask('good', 'watch', 'gate-1'), 'SOURCE_NOT_FOUND', 'who knows some source learns of no other');
    assert.equal(await ask('good', 'admin', 'gate-2'), 'FORBIDDEN');
    server.answer = () => 403;
    assert.equal(await ask('bad', 'watch', 'gate-2'), 'UNAUTHORIZED');
  });

  it('gives admin to no page of another origin that is not named', async (t) => {
    const { access } = await rig(t, () => 204, { corsOrigins: ['https://app.example'] });
    const isAdmin = async (origin: string): Promise<boolean> =>
      access.may(await access.identify({ ...approachFrom('192.0.2.1', 'good'), host: 'box.example', origin }), 'admin');
    assert.deepEqual([await isAdmin('https://app.example'), await isAdmin('https://other.example')], [true, false]);
  });

  it('is asked about a JSON Web Token that holds and says nothing of rights, by its name', async (t) => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = (claims: object): string => {
      const text = `${part({ alg: 'HS256' })}.${part({ exp: 1_800_000_000, ...claims })}`;
      return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
    };
    const jwt = { secret: SECRET, jwksUrl: '', audience: '', issuer: '' };
    const { server, ask } = await rig(t, ({ user }) => (user === 'alice' ? 200 : 403), { jwt });
    assert.deepEqual([await ask(signed({ sub: 'alice' })), await ask(signed({ sub: 'bob' }))], ['ok', 'FORBIDDEN']);
    server.questions.length = 0;
    assert.equal(await ask(signed({ sub: 'eve', grants: [{ action: 'watch', source: '*' }] })), 'ok');
    assert.equal(await ask(signed({ sub: 'alice', exp: 1 })), 'UNAUTHORIZED');
    assert.equal(await ask(`${signed({ sub: 'alice' })}x`), 'UNAUTHORIZED');
    assert.deepEqual(server.questions, []);
  });

  it('lets browsers log in by what it says yes to, and ends that', async (t) => {
    const { access, server, clock, lines } = await rig(t, ({ token, action }) => (token === 'good' && action === 'watch' ? 204 : 403));
    const page = { ...approachFrom('192.0.2.1'), host: 'box.example', origin: 'http://box.example' };
    await assert.rejects(access.logIn(page, { token: 'guess' }), { code: 'UNAUTHORIZED' });
    const { sealed, principal } = await access.logIn(page, { token: 'good' });
    assert.deepEqual(await access.rightsOf(principal), ['watch']);
    const shown = { ...page, login: sealed };
    await access.admit(shown, 'watch', { source: 'gate' });
    await assert.rejects(access.admit(shown, 'admin'), { code: 'FORBIDDEN' });
    server.answer = () => 403;
    await clock.advance(5001);
    await assert.rejects(access.admit(shown, 'watch', { source: 'gate' }));
    server.answer = () => 500;
    await clock.advance(5001);
    await assert.rejects(access.logIn(page, { token: 'good' }), { code: 'FORBIDDEN' });
    assert.doesNotMatch(JSON.stringify(lines), /good/);
  });

  it('costs less than 0.3 ms of CPU a request where the answer is known', async (t) => {
    const { ask } = await rig(t, () => 204);
    for (let i = 0; i < 2000; i++) await ask('good');
    const before = process.cpuUsage();
    for (let i = 0; i < 2000; i++) await ask('good');
    const { user, system } = process.cpuUsage(before);
    const eachMs = (user + system) / 1000 / 2000;
    assert.ok(eachMs < 0.3, `${eachMs} ms`);
  });
});

describe('what somebody goes on by', () => {
  const QUESTION: Question = {
    action: 'watch',
    source: 'gate',
    user: null,
    token: 'good',
    ip: '192.0.2.1',
    protocol: 'whep',
    session: 'a session',
  };

  interface Followed {
    readonly clock: FakeClock;
    verdict: Verdict;
    asked: number;
    /** When it was lost, in ms; undefined: it was not. */
    lostMs: number | undefined;
    /** As a session does, every second. */
    readonly goOn: (ms: number) => Promise<void>;
  }

  function follow(t: TestContext): Followed {
    const clock = new FakeClock();
    const look = (): Promise<void> =>
      server.ask(QUESTION, { isOngoing: true, owner: '192.0.2.1' }).then(({ kind }) => {
        if (kind !== 'allowed') rig.lostMs ??= clock.now();
      });
    const rig: Followed = {
      clock,
      verdict: { kind: 'allowed' },
      asked: 0,
      lostMs: undefined,
      async goOn(ms) {
        const end = clock.now() + ms;
        while (clock.now() < end) {
          await Promise.race([look(), new Promise(setImmediate)]);
          await clock.advance(Math.min(1000, end - clock.now()));
        }
      },
    };
    const server = new AuthUrl({
      url: 'http://127.0.0.1/',
      clock,
      logger: pino({ level: 'silent' }),
      onLost: () => void look(),
      askServer: (_url, _question, { timeoutMs }) => {
        rig.asked++;
        if (rig.verdict.kind !== 'unknown' || rig.verdict.why !== 'hangs') return Promise.resolve(rig.verdict);
        return new Promise((resolve) => void clock.after(timeoutMs, () => resolve({ kind: 'unknown', why: 'no answer' })));
      },
    });
    t.after(() => server.close());
    return rig;
  }

  it('is asked again before 5 s are over, and no more often than it takes', async (t) => {
    const followed = follow(t);
    await followed.goOn(60_000);
    assert.ok(followed.asked >= 13 && followed.asked <= 21, `${followed.asked} questions in a minute`);
    assert.equal(followed.lostMs, undefined);
  });

  for (const [what, verdict] of [
    ['a no', { kind: 'denied' }],
    ['a server that is gone', { kind: 'unknown', why: 'refused' }],
    ['a server that hangs', { kind: 'unknown', why: 'hangs' }],
  ] as const)
    it(`ends within 5 s after ${what}`, async (t) => {
      for (let i = 0; i < 20; i++) {
        const followed = follow(t);
        await followed.goOn(10_000 + 250 * i);
        const atMs = followed.clock.now();
        followed.verdict = verdict;
        await followed.goOn(7000);
        const tookMs = (followed.lostMs ?? Infinity) - atMs;
        assert.ok(tookMs > 0 && tookMs <= 5001, `${tookMs} ms`);
      }
    });

  it('outlives a failure of a moment', async (t) => {
    for (let i = 0; i < 20; i++) {
      const followed = follow(t);
      await followed.goOn(10_000 + 250 * i);
      followed.verdict = { kind: 'unknown', why: 'refused' };
      const { asked } = followed;
      for (let ms = 0; ms < 5000 && followed.asked === asked; ms += 50) await followed.goOn(50);
      assert.ok(followed.asked > asked);
      followed.verdict = { kind: 'allowed' };
      await followed.goOn(10_000);
      assert.equal(followed.lostMs, undefined);
    }
  });

  it('is asked about no more when it has ended', async (t) => {
    const followed = follow(t);
    await followed.goOn(10_000);
    await followed.clock.advance(10_000);
    const { asked } = followed;
    await followed.clock.advance(60_000);
    assert.deepEqual([followed.asked, followed.clock.pendingTimers], [asked, 0]);
  });

  it('names its session, and which of what is detected it may be told', async (t) => {
    const { access, server, clock } = await rig(t, ({ action, source }) => (action === 'watch' || source === 'gate' ? 204 : 403));
    const approach: Approach = { ...approachFrom('192.0.2.1', 'good'), protocol: 'offer' };
    const rights = new HeldRights(access, approach, await access.admit(approach, 'watch', { source: 'gate' }));
    await rights.lookAtData(['gate', 'yard']);
    assert.deepEqual([rights.mayHaveData('gate'), rights.mayHaveData('yard'), rights.mayHaveData(undefined)], [true, false, false]);
    let isLost = false;
    const release = rights.guard({
      action: 'watch',
      sources: () => ['gate'],
      session: () => 'an id that nobody may know',
      onLost: () => (isLost = true),
    });
    await clock.advance(1000);
    await eventually(() => server.questions.some(({ session, action }) => session !== null && action === 'watch'), 5000, 'the question');
    const [of] = server.questions.filter(({ session }) => session !== null);
    assert.match(of?.session ?? '', /^[\w-]{12}$/);
    assert.doesNotMatch(JSON.stringify(server.questions), /nobody may know/);
    server.answer = () => 403;
    await eventually(
      async () => {
        await clock.advance(500);
        return isLost;
      },
      10_000,
      'the end',
    );
    assert.ok(!rights.mayHaveData('gate'));
    release();
    await assert.rejects(rights.renew('another'), { code: 'UNAUTHORIZED' });
  });
});
