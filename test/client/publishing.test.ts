import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { publish, type PublishOptions, type Publishing, type StateChange } from '../../src/client/index.js';
import { FakeStream, FakeWorld, SERVER, refusal, restarted, silence } from './fakes.js';

async function start(
  world: FakeWorld,
  options: Partial<PublishOptions> = {},
): Promise<{ publishing: Publishing; changes: StateChange[]; states: () => string[] }> {
  const changes: StateChange[] = [];
  const stream = new FakeStream('audio', 'video') as unknown as MediaStream;
  const publishing = publish(
    { server: SERVER, stream, room: 'gate cam', onState: (change) => changes.push(change), ...options },
    world.env,
  );
  await world.clock.advance(0);
  return { publishing, changes, states: () => changes.map(({ state }) => state) };
}

describe('publishing', () => {
  it('offers to the room by WHIP with the token, and plays once frames leave', async () => {
    const world = new FakeWorld();
    const { publishing, states } = await start(world, { token: 's3cret' });
    await world.play(500);
    assert.deepEqual(states(), ['connecting', 'connected', 'playing']);
    const [post] = world.of('POST');
    assert.deepEqual(
      [post?.path, post?.headers['content-type'], post?.headers['authorization']],
      ['/whip/gate%20cam', 'application/sdp', 'Bearer s3cret'],
    );
    assert.match(post?.body ?? '', /^v=0/);
    assert.equal(publishing.sessionUrl, `${SERVER}sessions/s1`);
    publishing.close();
    await world.clock.advance(10);
    const [end] = world.of('DELETE');
    assert.deepEqual([end?.path, end?.headers['authorization'], end?.keepalive], ['/sessions/s1', 'Bearer s3cret', true]);
    assert.deepEqual([world.clock.pendingTimers, world.listeners, world.pc.closed], [0, 0, true]);
  });

  it('sends one encoding, or its own size, half and a quarter of it at once, of which the largest is limited', async () => {
    for (const [simulcast, expected] of [
      [false, [{ maxBitrate: 900_000 }]],
      [
        true,
        [
          { rid: 'q', scaleResolutionDownBy: 4 },
          { rid: 'h', scaleResolutionDownBy: 2 },
          { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 900_000 },
        ],
      ],
    ] as const) {
      const world = new FakeWorld();
      const { publishing } = await start(world, { simulcast, maxBitrateBps: 900_000 });
      assert.deepEqual(world.pc.encodings, [expected, [{}]], 'video, and sound');
      publishing.close();
    }
  });

  it('answers the keepalive, and obeys when the server asks for another connection, which says which one it continues', async () => {
    const world = new FakeWorld();
    const told: unknown[] = [];
    const { publishing, changes } = await start(world, { onCommand: (command) => told.push(command) });
    await world.play(500);
    const [channel] = world.pc.channels;
    channel?.receive(new TextEncoder().encode('\0PING').buffer);
    assert.deepEqual(channel?.sent, ['\0PONG']);
    for (const foreign of ['{', 'null', '7', '{"command":7}', '{"ok":true}']) channel.receive(foreign);
    channel.receive('{"command":"reconnect","reason":"No frames for 11s"}');
    await world.play(500);
    assert.deepEqual(told, [{ command: 'reconnect', reason: 'No frames for 11s' }]);
    assert.deepEqual(
      world.of('POST').map(({ headers }) => headers['sightline-replaces']),
      [undefined, '/sessions/s1'],
    );
    assert.ok(changes.some(({ state, reason }) => state === 'recovering' && reason?.message === 'No frames for 11s'));
    assert.deepEqual([publishing.state, world.connections.map(({ closed }) => closed)], ['playing', [true, false]]);
    publishing.close();
  });

  it('leaves its room to the patience of the server when the page goes, because it may be loaded again', async () => {
    for (const event of ['leaving', 'frozen'] as const) {
      const world = new FakeWorld();
      const { publishing } = await start(world);
      await world.play(500);
      world.tell(event);
      await world.clock.advance(10);
      assert.deepEqual([world.connections[0]?.closed, world.of('DELETE').length], [true, 0], event);
      publishing.close();
    }
  });

  it('waits for a room that is taken, and does not where a token is missing', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'POST' ? refusal(409, 'ROOM_TAKEN', { 'retry-after': '3' }) : undefined);
    const taken = await start(world);
    await world.clock.advance(6_500);
    assert.deepEqual(world.times('POST'), [0, 3, 6]);
    taken.publishing.close();
    const locked = new FakeWorld();
    locked.handler = () => refusal(401, 'UNAUTHORIZED');
    const { publishing } = await start(locked);
    await locked.clock.advance(30_000);
    assert.deepEqual([publishing.state, locked.of('POST').length], ['failed', 1]);
  });

  it('restarts ICE like a viewer, and comes back after a cut that nobody answered in', async () => {
    const world = new FakeWorld();
    world.handler = ({ method }) => (method === 'PATCH' ? restarted() : undefined);
    const { publishing } = await start(world);
    await world.play(500);
    await world.change('disconnected');
    await world.play(3_500);
    assert.deepEqual([publishing.state, world.of('PATCH').length, world.of('POST').length], ['playing', 1, 1]);
    world.handler = silence;
    await world.change('failed');
    await world.play(20_000);
    assert.notEqual(publishing.state, 'playing');
    world.handler = () => undefined;
    await world.play(12_000);
    assert.equal(publishing.state, 'playing');
    assert.ok(
      world
        .of('POST')
        .slice(1)
        .every(({ headers }) => headers['sightline-replaces'] === '/sessions/s1'),
    );
    publishing.close();
  });

  it('goes on trying while nobody sees its page', async () => {
    const world = new FakeWorld();
    world.visible = world.isReachable = false;
    const { publishing } = await start(world);
    await world.clock.advance(46_000);
    assert.deepEqual(world.times('POST'), [0, 1, 3, 7, 15, 25, 35, 45]);
    publishing.close();
  });

  it('changes the camera without another connection, also for the connections that follow', async () => {
    const world = new FakeWorld();
    const { publishing } = await start(world);
    await world.play(500);
    const [other] = new FakeStream('video').getVideoTracks();
    await publishing.replaceTrack(other as unknown as MediaStreamTrack);
    assert.equal(world.pc.senders[0]?.track, other);
    publishing.reconnect();
    await world.play(500);
    assert.equal(world.connections.length, 2);
    assert.equal(world.pc.senders[0]?.track, other);
    publishing.close();
  });

  it('tells of a camera that gives nothing, and leaves the connection alone', async () => {
    const world = new FakeWorld();
    const errors: string[] = [];
    const { publishing } = await start(world, { onError: ({ code }) => errors.push(code) });
    await world.play(500);
    await world.clock.advance(30_000);
    assert.deepEqual([errors, world.requests.length, publishing.state], [['CAMERA_SILENT'], 1, 'playing']);
    publishing.close();
  });
});
