import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { DetectionFeed, type FrameDetections } from '../../src/media/index.js';
import { Rig } from './rig.js';

const seen = (frame: number): FrameDetections => ({
  sourceId: 'street',
  frame,
  mediaTimeMs: frame * 40,
  widthPx: 640,
  heightPx: 360,
  inferenceMs: 2,
  objects: [{ objectId: 1, label: 'car', classId: 2, score: 0.9, box: [1, 2, 3, 4], velocity: [0, 0], isObserved: true }],
  scene: undefined,
});

test("detections come as on the data channel, with the RTP timestamps of the client's own session", async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'street' });
  await client.next('offer');
  client.send({ type: 'subscribe', topics: ['detections'] });
  assert.deepEqual(await client.settled(), []);
  rig.feed.publish(seen(5));
  const message = await client.next('detections');
  assert.deepEqual(
    [message['source'], message['frame'], message['rtp_timestamp'], message['media_time_s']],
    ['street', 5, { raw: 18_000 }, 0.2],
  );
  assert.equal((message['objects'] as { label: string }[])[0]?.label, 'car');
  client.send({ type: 'subscribe', topics: [] });
  await client.settled();
  assert.equal(rig.leases, 0);
  rig.feed.publish(seen(6));
  assert.deepEqual(await client.settled(), []);
  await rig.close();
});

test('a session that was led to another source lends its timestamps to none of its room', async (t) => {
  const rig: Rig = await Rig.open(t, { rtpTimestamps: (_session, sourceId) => (sourceId === 'other' ? { raw: 1 } : {}) });
  const client = await rig.client();
  await client.join({ room: 'street' });
  await client.next('offer');
  client.send({ type: 'subscribe', topics: ['detections'] });
  await client.settled();
  rig.feed.publish(seen(5));
  assert.deepEqual((await client.next('detections'))['rtp_timestamp'], {});
  await rig.close();
});

test('detections of an empty room follow as soon as it is live, and again when it comes back', async (t) => {
  let feed = new DetectionFeed('gate');
  const open: number[] = [];
  const rig: Rig = await Rig.open(t, {
    openSource: (sourceId) => {
      assert.equal(sourceId, 'gate');
      return Promise.resolve({
        openDetections: () => {
          const id = open.push(open.length);
          return { feed, release: () => open.splice(open.indexOf(id - 1), 1) };
        },
      });
    },
  });
  rig.directory.set('gate', 'live');
  const client = await rig.client();
  await client.join({ room: 'gate' });
  await client.next('offer');
  client.send({ type: 'subscribe', topics: ['detections'] });
  await client.settled();
  feed.close('source-ended');
  assert.equal(open.length, 0);
  feed = new DetectionFeed('gate');
  rig.directory.set('gate', 'live');
  await eventually(() => open.length === 1, 2000, 'the subscription');
  feed.publish(seen(9));
  assert.equal((await client.next('detections'))['frame'], 9);
  await rig.close();
  assert.equal(open.length, 0);
});

test('where no detector looks, a subscription says so; the other topics come all the same', async (t) => {
  const rig = await Rig.open(t);
  rig.directory.set('dark', 'live');
  const client = await rig.client();
  await client.join({ room: 'dark' });
  await client.next('offer');
  client.send({ type: 'subscribe', topics: ['detections', 'room'], id: 'mine' });
  assert.equal((await client.next('room'))['state'], 'live');
  const { code, in_reply_to: inReplyTo } = await client.next('error');
  assert.deepEqual([code, inReplyTo], ['DETECTION_OFF', 'mine']);
  await rig.close();
});

test("a client's own session is told once a second, while there is one", async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'gate', client_id: 'a' });
  client.send({ type: 'subscribe', topics: ['stats'] });
  await client.settled();
  await rig.clock.advance(2000);
  assert.deepEqual(await client.settled(), []);
  rig.directory.set('gate', 'live');
  await client.next('room');
  await client.next('offer');
  await rig.clock.advance(1000);
  const stats = await client.next('stats');
  assert.deepEqual(
    [stats['client_id'], stats['connection_state'], stats['bytes_sent'], stats['round_trip_ms']],
    ['a', 'connected', 1000, 3],
  );
  await rig.clock.advance(999);
  assert.deepEqual(await client.settled(), []);
  await rig.close();
});

test('who subscribes to its room is told how many watch, when that changes', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'gate', role: 'publisher' });
  client.send({ type: 'subscribe', topics: ['room'] });
  assert.deepEqual(await client.next(), { type: 'room', room: 'gate', state: 'empty', publisher: false, viewers: 0 });
  rig.viewers = 2;
  await rig.clock.advance(3000);
  assert.deepEqual(
    (await client.settled()).map(({ viewers }) => viewers),
    [2],
  );
  rig.directory.set('gate', 'live');
  assert.deepEqual(await client.next(), { type: 'room', room: 'gate', state: 'live', publisher: true, viewers: 2 });
  rig.directory.set('gate', 'live');
  assert.deepEqual(await client.settled(), []);
  await rig.close();
});

test('who no longer subscribes to its room is not told of it before its state changes', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'gate', role: 'publisher' });
  client.send({ type: 'subscribe', topics: ['room'] });
  await client.next('room');
  client.send({ type: 'subscribe', topics: [] });
  await client.settled();
  rig.viewers = 2;
  rig.directory.set('gate', 'empty');
  assert.deepEqual(await client.settled(), []);
  rig.directory.set('gate', 'live');
  assert.equal((await client.next('room'))['state'], 'live');
  await rig.close();
});

test('what a member has subscribed to is given back when it is gone', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'street' });
  client.send({ type: 'subscribe', topics: ['detections', 'stats', 'room'] });
  await eventually(() => rig.leases === 1, 2000, 'the subscription');
  client.cut();
  await rig.connections(0);
  assert.equal(rig.leases, 1, 'it may come back');
  await rig.clock.advance(30_000);
  assert.equal(rig.leases, 0);
  assert.equal(rig.clock.pendingTimers, 0);
  await rig.close();
});
