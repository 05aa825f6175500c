import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watch, type StateChange, type WatchOptions, type Watching } from '../../src/client/index.js';
import { FakeWorld, SERVER, refusal, silence } from './fakes.js';

/** A viewer, and what it told. */
async function start(
  world: FakeWorld,
  options: Partial<WatchOptions> = {},
): Promise<{ watching: Watching; changes: StateChange[]; states: () => string[] }> {
  const changes: StateChange[] = [];
  const watching = watch({ server: SERVER, source: 'demo', onState: (change) => changes.push(change), ...options }, world.env);
  await world.clock.advance(0);
  return { watching, changes, states: () => changes.map(({ state }) => state) };
}

describe('connecting again', () => {
  it('is tried after 1, 2, 4, 8 and 10 s, and every 10 s from then on', async () => {
    const world = new FakeWorld();
    world.isReachable = false;
    const { watching, changes } = await start(world);
    await world.clock.advance(56_000);
    assert.deepEqual(world.times('POST'), [0, 1, 3, 7, 15, 25, 35, 45, 55]);
    const waits = changes.filter(({ state }) => state === 'waiting');
    assert.deepEqual(
      waits.slice(0, 6).map(({ attempt, retryInS, reason }) => [attempt, retryInS, reason?.code]),
      [
        [1, 1, 'UNREACHABLE'],
        [2, 2, 'UNREACHABLE'],
        [3, 4, 'UNREACHABLE'],
        [4, 8, 'UNREACHABLE'],
        [5, 10, 'UNREACHABLE'],
        [6, 10, 'UNREACHABLE'],
      ],
    );
    watching.close();
  });

  it('counts from the beginning once a picture has come', async () => {
    const world = new FakeWorld();
    world.isReachable = false;
    const { watching, changes, states } = await start(world);
    await world.clock.advance(2_000);
    world.isReachable = true;
    await world.play(5_000);
    assert.equal(watching.state, 'playing');
    assert.deepEqual(states(), ['connecting', 'waiting', 'recovering', 'waiting', 'recovering', 'connected', 'playing']);
    world.handler = ({ method }) => (method === 'POST' ? refusal(503, 'SERVER_CLOSING') : undefined);
    const lostAt = world.clock.now();
    await world.change('closed');
    await world.clock.advance(3_500);
    assert.deepEqual(
      world
        .of('POST')
        .slice(-2)
        .map(({ atMs }) => atMs - lostAt),
      [1000, 3000],
    );
    assert.equal(changes.at(-1)?.attempt, 3);
    watching.close();
  });

  it('does not count from the beginning for a connection that brings no picture', async () => {
    const world = new FakeWorld();
    const { watching } = await start(world);
    await world.clock.advance(1_000);
    assert.equal(watching.state, 'connected');
    for (const [attempt, waitMs] of [
      [1, 1000],
      [2, 2000],
      [3, 4000],
    ] as const) {
      await world.change('closed');
      await world.clock.advance(waitMs - 50);
      assert.equal(world.of('POST').length, attempt, `attempt ${attempt} is not early`);
      await world.clock.advance(100);
      assert.equal(world.of('POST').length, attempt + 1);
    }
    watching.close();
  });

  for (const [status, code] of [
    [400, 'SDP_INVALID'],
    [401, 'UNAUTHORIZED'],
    [403, 'ROLE_REFUSED'],
    [404, 'SOURCE_NOT_FOUND'],
    [422, 'NOTHING_TO_SERVE'],
  ] as const) {
    it(`is not tried after ${status}: it failed, and says why`, async () => {
      const world = new FakeWorld();
      world.handler = () => refusal(status, code);
      const { watching, changes } = await start(world);
      await world.clock.advance(60_000);
      assert.deepEqual(
        changes.map(({ state, reason }) => [state, reason?.code, reason?.message]),
        [
          ['connecting', undefined, undefined],
          ['failed', code, `${code} in words`],
        ],
      );
      assert.deepEqual([world.of('POST').length, world.listeners, world.clock.pendingTimers], [1, 0, 0]);
      watching.close();
      assert.equal(watching.state, 'failed');
    });
  }

  for (const [status, code] of [
    [409, 'SOURCE_NOT_LIVE'],
    [429, 'TOO_MANY_REQUESTS'],
    [503, 'CAPACITY_REACHED'],
    [500, 'FFMPEG_FAILED'],
    [502, 'HTTP_502'],
  ] as const) {
    it(`is tried after ${status}`, async () => {
      const world = new FakeWorld();
      world.handler = ({ method }) => (method === 'POST' ? refusal(status, code) : undefined);
      const { watching, changes } = await start(world);
      await world.clock.advance(3_500);
      assert.deepEqual(world.times('POST'), [0, 1, 3]);
      assert.equal(changes.at(-1)?.reason?.code, code);
      watching.close();
    });
  }

  it('waits as long as the server asks', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'POST' ? refusal(503, 'CAPACITY_REACHED', { 'retry-after': '7' }) : undefined);
    const { watching, changes } = await start(world);
    await world.clock.advance(15_000);
    assert.deepEqual(world.times('POST'), [0, 7, 14]);
    assert.equal(changes.at(-1)?.retryInS, 7);
    watching.close();
  });

  it('comes at most 1.5 s after a server that was out of reach is back', async () => {
    const world = new FakeWorld();
    world.isReachable = false;
    const { watching } = await start(world);
    // The next attempt would be at 15 s.
    await world.clock.advance(7_300);
    world.isReachable = true;
    await world.play(1_600);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('leaves no requests hanging while nobody answers: a browser has few connections to a server', async () => {
    const world = new FakeWorld();
    const watching = watch({ server: SERVER, source: 'demo' }, world.env);
    await world.clock.advance(0);
    await world.play(1_000);
    world.handler = silence;
    await world.change('failed');
    let most = 0;
    for (let passedMs = 0; passedMs < 120_000; passedMs += 500) {
      await world.clock.advance(500);
      most = Math.max(most, world.requests.slice(1).filter(({ signal }) => signal?.aborted !== true).length);
    }
    assert.ok(most <= 3, `${most} requests at once`);
    assert.ok(world.requests.filter(({ path }) => path === '/ready').length > 5);
    world.handler = () => undefined;
    await world.play(12_000);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('is tried five times while nobody sees the page, and then when it is seen again', async () => {
    const world = new FakeWorld();
    world.isReachable = false;
    world.visible = false;
    const { watching, changes } = await start(world);
    await world.clock.advance(120_000);
    assert.deepEqual(world.times('POST'), [0, 1, 3, 7, 15, 25]);
    assert.deepEqual([changes.at(-1)?.state, changes.at(-1)?.retryInS], ['waiting', undefined]);
    world.visible = true;
    world.isReachable = true;
    world.tell('visible');
    await world.play(500);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('waits for a network where the device has none', async () => {
    const world = new FakeWorld();
    world.isReachable = world.online = false;
    const { watching, changes } = await start(world);
    await world.clock.advance(30_000);
    assert.equal(world.of('POST').length, 1);
    assert.deepEqual([changes.at(-1)?.state, changes.at(-1)?.reason?.code], ['waiting', 'OFFLINE']);
    world.isReachable = world.online = true;
    world.tell('online');
    await world.play(500);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('gives up on a request that is not answered, and tries again', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'POST' ? new Promise<Response>(() => undefined) : undefined);
    const { watching, changes } = await start(world);
    await world.clock.advance(7_100);
    assert.deepEqual(world.times('POST'), [0, 7]);
    assert.equal(changes.at(-2)?.reason?.code, 'SERVER_SILENT');
    assert.equal(world.connections[0]?.closed, true);
    watching.close();
  });

  it('follows when the server answers but no connection comes about', async () => {
    const world = new FakeWorld();
    world.connects = false;
    const { watching, changes } = await start(world);
    await world.clock.advance(15_500);
    assert.deepEqual([changes.at(-1)?.state, changes.at(-1)?.reason?.code], ['waiting', 'CONNECTION_FAILED']);
    assert.equal(world.connections[0]?.closed, true);
    assert.deepEqual(
      world.of('DELETE').map(({ path }) => path),
      ['/sessions/s1'],
    );
    watching.close();
  });

  it('follows when a server that was just started does not know the source yet, for those who have watched it', async () => {
    const world = new FakeWorld();
    const { watching } = await start(world);
    await world.play(2_000);
    let uptimeS = 3;
    world.handler = ({ method, path }) =>
      method === 'POST' ? refusal(404, 'SOURCE_NOT_FOUND') : path === '/health' ? Response.json({ uptime_s: uptimeS }) : undefined;
    await world.change('closed');
    await world.clock.advance(3_500);
    assert.equal(watching.state, 'waiting');
    uptimeS = 31;
    await world.clock.advance(10_000);
    assert.equal(watching.state, 'failed');
  });

  it('ends with close, and leaves nothing behind', async () => {
    for (const moment of [0, 500, 3_000]) {
      const world = new FakeWorld();
      world.isReachable = moment !== 500; // out of reach: closed while it waits
      const { watching, states } = await start(world);
      await world.play(moment);
      watching.close();
      watching.close();
      await world.clock.advance(10_000);
      assert.equal(states().at(-1), 'closed', `closed after ${moment} ms`);
      assert.ok(world.connections.every(({ closed }) => closed));
      assert.deepEqual([world.listeners, world.clock.pendingTimers], [0, 0], `closed after ${moment} ms`);
      assert.equal(world.of('DELETE').length, moment === 500 ? 0 : 1);
    }
  });

  it('ends with the signal of the caller, and when the page goes', async () => {
    const world = new FakeWorld();
    const stop = new AbortController();
    const first = await start(world, { signal: stop.signal });
    const second = await start(world);
    await world.play(1_000);
    stop.abort();
    assert.equal(first.watching.state, 'closed');
    world.tell('leaving');
    assert.equal(second.watching.state, 'closed');
    await world.clock.advance(2_000);
    assert.deepEqual(
      world.of('DELETE').map(({ keepalive }) => keepalive),
      [true, true],
    );
    const never = watch({ server: SERVER, signal: stop.signal }, world.env);
    await world.clock.advance(1_000);
    assert.deepEqual([never.state, world.of('POST').length], ['closed', 2]);
  });

  it('follows when a page that was put aside is shown again', async () => {
    const world = new FakeWorld();
    const { watching } = await start(world);
    await world.play(1_000);
    world.tell('frozen');
    assert.equal(world.pc.closed || watching.state !== 'closed', true);
    world.tell('visible');
    await world.play(1_500);
    assert.equal(watching.state, 'playing');
    assert.equal(world.of('POST').length, 2);
    watching.close();
  });
});
