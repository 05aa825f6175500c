import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watch, type StateChange, type WatchedTrack, type WatchOptions, type Watching } from '../../src/client/index.js';
import { FakeWorld, SERVER, refusal, restarted, silence } from './fakes.js';

/** A viewer that plays. */
async function play(
  world: FakeWorld,
  options: Partial<WatchOptions> = {},
): Promise<{ watching: Watching; changes: StateChange[]; states: () => string[] }> {
  const changes: StateChange[] = [];
  const watching = watch({ server: SERVER, source: 'demo', onState: (change) => changes.push(change), ...options }, world.env);
  await world.clock.advance(0);
  await world.play(1_000);
  assert.equal(watching.state, 'playing');
  changes.length = 0;
  return { watching, changes, states: () => changes.map(({ state }) => state) };
}

describe('a path that breaks', () => {
  it('is left alone while it may heal by itself', async () => {
    const world = new FakeWorld();
    const { watching, states } = await play(world);
    await world.change('disconnected');
    await world.clock.advance(2_900);
    await world.change('connected');
    await world.play(5_000);
    assert.deepEqual([states(), world.of('PATCH').length, world.of('POST').length], [[], 0, 1]);
    watching.close();
  });

  it('is healed also where it broke in the very moment it stood', async () => {
    const world = new FakeWorld();
    world.connects = false;
    world.handler = ({ method }) => (method === 'PATCH' ? restarted('theirs2') : undefined);
    const states: string[] = [];
    const watching = watch({ server: SERVER, source: 'demo', onState: ({ state }) => states.push(state) }, world.env);
    await world.clock.advance(0);
    world.pc.become('connected');
    await world.change('failed');
    assert.deepEqual([states, world.of('PATCH').length], [['connecting', 'connected', 'recovering'], 1]);
    watching.close();
  });

  it('is restarted when nothing arrives for 2.5 s, although the browser has not noticed', async () => {
    const world = new FakeWorld();
    const { watching, changes, states } = await play(world);
    world.handler = ({ method }) => (method === 'PATCH' ? restarted('theirs2') : undefined);
    world.pc.bytesReceived = 1000;
    await world.play(2_000);
    assert.equal(world.of('PATCH').length, 0);
    const since = world.clock.now();
    while (world.of('PATCH').length === 0 && world.clock.now() < since + 10_000) await world.clock.advance(100);
    const tookMs = world.clock.now() - since;
    assert.ok(tookMs >= 2_500 && tookMs <= 3_700, `${tookMs} ms`);
    assert.equal(world.pc.connectionState, 'connected');
    await world.play(2_000);
    assert.deepEqual([states(), changes[0]?.reason?.code], [['recovering', 'connected', 'playing'], 'CONNECTION_WEAK']);
    assert.deepEqual([world.of('PATCH').length, world.of('POST').length], [1, 1]);
    watching.close();
  });

  it('leads to another connection within seconds where the server has started again and knows the session no more', async () => {
    const world = new FakeWorld();
    const { watching, states } = await play(world);
    world.handler = ({ method }) => (method === 'PATCH' ? refusal(404, 'SESSION_NOT_FOUND') : undefined);
    world.pc.bytesReceived = 1000;
    await world.play(1_000);
    const since = world.clock.now();
    while (world.of('POST').length < 2 && world.clock.now() < since + 10_000) await world.clock.advance(100);
    assert.ok(world.clock.now() - since <= 5_500, `${world.clock.now() - since} ms`);
    await world.play(1_000);
    assert.equal(states().at(-1), 'playing');
    watching.close();
  });

  it('is not suspected before media has flowed: a camera may be slow to start', async () => {
    const world = new FakeWorld();
    const watching = watch({ server: SERVER, source: 'demo' }, world.env);
    await world.clock.advance(0);
    world.pc.bytesReceived = 1000;
    await world.clock.advance(6_000);
    assert.deepEqual([watching.state, world.of('PATCH').length], ['connected', 0]);
    watching.close();
  });

  it('is trusted again when the viewer pauses while nothing comes', async () => {
    const world = new FakeWorld();
    const { watching } = await play(world);
    // The server does not answer: nothing is decided yet.
    world.handler = ({ method }) => (method === 'PATCH' ? silence() : undefined);
    world.pc.bytesReceived = 1000;
    await world.play(1_000);
    while (watching.state === 'playing') await world.clock.advance(100);
    assert.equal(watching.state, 'recovering');
    void watching.pause().catch(() => undefined);
    await world.clock.advance(2_000);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('is not suspected while the viewer has paused, and nothing comes', async () => {
    const world = new FakeWorld();
    const { watching } = await play(world);
    world.pc.bytesReceived = 1000;
    await world.play(1_000);
    void watching.pause().catch(() => undefined);
    await world.clock.advance(20_000);
    assert.deepEqual([watching.state, world.of('PATCH').length], ['playing', 0]);
    watching.close();
  });

  it('is restarted after 3 s, over the same session', async () => {
    const world = new FakeWorld();
    const { watching, changes, states } = await play(world);
    world.handler = ({ method }) => (method === 'PATCH' ? restarted('theirs2') : undefined);
    const [before, { pc }] = [world.pc.localDescription?.sdp, world];
    await world.change('disconnected');
    await world.clock.advance(2_999);
    assert.equal(world.of('PATCH').length, 0);
    await world.play(500);
    assert.deepEqual(states(), ['recovering', 'connected', 'playing']);
    assert.deepEqual([changes[0]?.reason?.code, changes[2]?.reason], ['CONNECTION_WEAK', undefined]);
    assert.deepEqual([world.of('PATCH').length, world.of('POST').length, world.connections.length], [1, 1, 1]);
    const [patch] = world.of('PATCH');
    assert.deepEqual(
      [patch?.path, patch?.headers['if-match'], patch?.headers['content-type']],
      ['/sessions/s1', '"*"', 'application/trickle-ice-sdpfrag'],
    );
    const ufrag = (sdp: string | undefined): string | undefined => /a=ice-ufrag:(\S+)/.exec(sdp ?? '')?.[1];
    assert.notEqual(ufrag(patch?.body), ufrag(before));
    assert.equal(ufrag(patch?.body), ufrag(pc.localDescription?.sdp));
    const remote = pc.remoteDescription?.sdp ?? '';
    assert.deepEqual(remote.match(/a=ice-ufrag:\S+/g), ['a=ice-ufrag:theirs2', 'a=ice-ufrag:theirs2']);
    assert.equal(remote.match(/a=candidate:/g)?.length, 1);
    watching.close();
  });

  it('is restarted at once when it failed, and when the device has another network', async () => {
    for (const [event, code] of [
      ['failed', 'CONNECTION_LOST'],
      ['online', 'NETWORK_CHANGED'],
      ['network', 'NETWORK_CHANGED'],
    ] as const) {
      const world = new FakeWorld();
      world.handler = ({ method }) => (method === 'PATCH' ? restarted() : undefined);
      const { watching, changes } = await play(world);
      if (event === 'failed') await world.change('failed');
      else world.tell(event);
      await world.clock.advance(10);
      assert.deepEqual([world.of('PATCH').length, changes[0]?.reason?.code], [1, code], event);
      watching.close();
    }
  });

  it('is restarted at once when the page is seen again and it is not connected', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'PATCH' ? restarted() : undefined);
    const { watching } = await play(world);
    world.tell('visible');
    await world.clock.advance(10);
    assert.equal(world.of('PATCH').length, 0, 'all is well');
    await world.change('disconnected');
    world.tell('visible');
    await world.clock.advance(10);
    assert.equal(world.of('PATCH').length, 1);
    watching.close();
  });

  for (const [status, code] of [
    [404, 'SESSION_NOT_FOUND'],
    [412, 'PRECONDITION_FAILED'],
    [422, 'ICE_RESTART_REFUSED'],
    [503, 'SERVER_CLOSING'],
  ] as const) {
    it(`gives way to another connection when the server answers ${status}`, async () => {
      const world = new FakeWorld();
      const { watching, states } = await play(world);
      world.handler = ({ method }) => (method === 'PATCH' ? refusal(status, code) : undefined);
      await world.change('failed');
      await world.play(2_000);
      assert.deepEqual(states(), ['recovering', 'waiting', 'recovering', 'connected', 'playing']);
      assert.deepEqual([world.of('PATCH').length, world.of('POST').length], [1, 2]);
      assert.equal(world.connections[0]?.closed, true);
      watching.close();
    });
  }

  it('gives way to another connection 4 s after a restart that nobody answers', async () => {
    const world = new FakeWorld();
    const { watching, states } = await play(world);
    world.handler = ({ method }) => (method === 'PATCH' ? silence() : undefined);
    const brokeAt = world.clock.now();
    await world.change('disconnected');
    await world.play(9_000);
    assert.deepEqual(states(), ['recovering', 'waiting', 'recovering', 'connected', 'playing']);
    assert.equal((world.of('POST')[1]?.atMs ?? 0) - brokeAt, 3_000 + 4_000 + 1_000);
    watching.close();
  });

  it('is restarted as soon as a request can leave again', async () => {
    const world = new FakeWorld();
    const { watching, states } = await play(world);
    world.isReachable = false;
    await world.change('failed');
    await world.clock.advance(1_800);
    world.isReachable = true;
    world.handler = ({ method }) => (method === 'PATCH' ? restarted() : undefined);
    await world.play(1_000);
    assert.deepEqual(states(), ['recovering', 'connected', 'playing']);
    assert.equal(world.of('POST').length, 1);
    watching.close();
  });

  it('that comes back by itself needs no other connection, however late', async () => {
    const world = new FakeWorld();
    const { watching, states } = await play(world);
    world.handler = ({ method }) => (method === 'GET' ? undefined : silence());
    await world.change('disconnected');
    await world.clock.advance(9_000);
    assert.equal(world.of('POST').length, 2, 'another connection is being opened');
    world.connections[0]?.become('connected');
    await world.play(1_000);
    assert.deepEqual(states(), ['recovering', 'waiting', 'recovering', 'connected', 'playing']);
    assert.deepEqual([world.connections[0]?.closed, world.connections[1]?.closed], [false, true]);
    await world.play(20_000);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('that comes back while another one has its answer and no media keeps its picture', async () => {
    const world = new FakeWorld();
    const tracks: WatchedTrack[] = [];
    const { watching } = await play(world, { onTrack: (track) => tracks.push(track) });
    const [shown] = tracks;
    world.connects = false;
    world.handler = ({ method }) => (method === 'PATCH' ? silence() : undefined);
    await world.change('disconnected');
    await world.clock.advance(9_000);
    assert.equal(world.connections.length, 2, 'another connection has its answer');
    // Browsers may do so with the answer, before anything comes.
    for (const { track } of world.connections[1]?.receivers ?? []) {
      track.muted = false;
      track.dispatchEvent(new Event('unmute'));
    }
    world.connections[0]?.become('connected');
    await world.play(1_000);
    assert.equal(watching.state, 'playing');
    assert.deepEqual([world.connections[0]?.closed, world.connections[1]?.closed], [false, true]);
    assert.deepEqual(shown?.stream.getTracks().includes(shown.track), true);
    watching.close();
  });

  it('keeps what stands when it cannot be restarted', async () => {
    const world = new FakeWorld();
    const { watching } = await play(world);
    world.handler = ({ method }) => (method === 'PATCH' ? refusal(422, 'ICE_RESTART_REFUSED') : undefined);
    world.tell('network');
    await world.play(10_000);
    assert.deepEqual([watching.state, world.of('POST').length, world.of('PATCH').length], ['playing', 1, 1]);
    watching.close();
  });

  it('is not restarted when the server said goodbye: another connection is opened after 1 s', async () => {
    const world = new FakeWorld();
    const { watching, changes } = await play(world);
    world.pc.dtls.state = 'closed';
    world.pc.dtls.onstatechange?.();
    await world.play(1_500);
    assert.deepEqual([changes[0]?.state, changes[0]?.reason?.code], ['waiting', 'SERVER_CLOSED']);
    assert.deepEqual([world.of('PATCH').length, world.of('POST').length, world.of('DELETE').length], [0, 2, 0]);
    assert.equal(watching.state, 'playing');
    watching.close();
  });
});

describe('a connection without pictures', () => {
  it('is asked for a keyframe after 5 s, restarted after 8 s, and replaced after 12 s', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'PATCH' ? restarted() : undefined);
    const { watching, changes } = await play(world);
    const commands = (): unknown[] => world.connections[0]?.channels[0]?.sent ?? [];
    const due = [];
    // Frames are counted once a second; the last one was seen in the first of them.
    await world.clock.advance(1_000);
    for (let second = 1; second <= 13; second++) {
      await world.clock.advance(1_000);
      due.push([commands().length, world.of('PATCH').length, world.of('POST').length].join());
    }
    assert.deepEqual(due, [
      '0,0,1',
      '0,0,1',
      '0,0,1',
      '0,0,1',
      '1,0,1',
      '1,0,1',
      '1,0,1',
      '1,1,1',
      '1,1,1',
      '1,1,1',
      '1,1,1',
      '1,1,2',
      '1,1,2',
    ]);
    assert.deepEqual(commands(), [{ cmd: 'keyframe', id: 1 }]);
    assert.ok(changes.some(({ state, reason }) => state === 'recovering' && reason?.code === 'NO_FRAMES'));
    await world.play(1_000);
    assert.equal(watching.state, 'playing');
    watching.close();
  });

  it('is left alone while it pauses, while no track is selected, and while its network carries sound alone', async () => {
    for (const idle of ['pause', 'select', 'sound'] as const) {
      const world = new FakeWorld();
      const { watching, changes } = await play(world);
      if (idle === 'sound') world.pc.channels[0]?.receive('{"type":"quality","quality":"sound","reason":"congestion","estimate_kbps":60}');
      else void (idle === 'pause' ? watching.pause() : watching.select([]));
      await world.clock.advance(60_000);
      assert.deepEqual([changes, world.of('POST').length], [[], 1]);
      watching.close();
    }
  });

  it('is given time again after a pause, and after the device slept', async () => {
    const world = new FakeWorld();
    const { watching } = await play(world);
    void watching.pause();
    await world.clock.advance(30_000);
    void watching.resume();
    await world.clock.advance(4_500);
    assert.equal(world.of('PATCH').length + world.of('POST').length, 1);
    watching.close();
  });

  it('is restarted at once when its page is seen again and the picture stands', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'PATCH' ? restarted() : undefined);
    const { watching } = await play(world);
    await world.clock.advance(3_000);
    world.tell('visible');
    await world.clock.advance(10);
    assert.equal(world.of('PATCH').length, 1);
    watching.close();
  });
});
