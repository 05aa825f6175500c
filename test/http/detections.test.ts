import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import cors from '@fastify/cors';
import Fastify from 'fastify';
import { MediaPeerError } from '../../src/base/errors.js';
import { DetectionFeed, type FrameDetections } from '../../src/media/index.js';
import { detectionRoutes, installClientAddress, installErrorHandling, installGate } from '../../src/http/index.js';
import { openAccess } from '../helpers/access.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

const seen = (frame: number, more: Partial<FrameDetections> = {}): FrameDetections => ({
  sourceId: 'street',
  frame,
  mediaTimeMs: frame * 40,
  widthPx: 640,
  heightPx: 360,
  inferenceMs: 2,
  objects: [
    { objectId: 1, label: 'car', classId: 2, score: 0.9, box: [1, 2, 3, 4], velocity: [0, 0], isObserved: true },
    { objectId: 2, label: 'person', classId: 0, score: 0.4, box: [1, 2, 3, 4], velocity: [0, 0], isObserved: true },
  ],
  scene: undefined,
  ...more,
});

class Door {
  readonly clock = new FakeClock();
  readonly feed = new DetectionFeed('street');
  readonly app = Fastify({ forceCloseConnections: true });
  leases = 0;

  async listen(): Promise<string> {
    installErrorHandling(this.app);
    installClientAddress(this.app, []);
    installGate(this.app, openAccess());
    await this.app.register(cors, { origin: '*' });
    await this.app.register(detectionRoutes, {
      clock: this.clock,
      sourcesOf: (sessionId: string) => (sessionId === 'mine' ? ['street'] : []),
      rtpTimestamps: (_sessionId: string, _sourceId: string, mediaTimeMs: number) => ({ raw: mediaTimeMs * 90 }),
      inTurn: (_source, look) => look(),
      openSource: (sourceId: string) =>
        Promise.resolve({
          labels: ['person', 'car'],
          openDetections: () => {
            if (sourceId === 'dark') throw new MediaPeerError('DETECTION_OFF', 'no detector looks at it');
            this.leases++;
            return { feed: this.feed, release: () => this.leases-- };
          },
        }),
    });
    await this.app.listen({ port: 0, host: '127.0.0.1' });
    return `http://127.0.0.1:${(this.app.server.address() as AddressInfo).port}`;
  }

  /** Closes and checks that nothing is held. */
  async close(): Promise<void> {
    await this.app.close();
    await eventually(() => this.leases === 0 && this.clock.pendingTimers === 0, 1000, 'leases and timers to be given back');
  }
}

/** Reads a stream of events. */
async function read(url: string, localAddress = '127.0.0.1') {
  const response = await new Promise<IncomingMessage>((resolve, reject) => httpGet(url, { localAddress }, resolve).on('error', reject));
  response.on('error', () => undefined);
  const reader = { response, text: '' };
  response.on('data', (data: Buffer) => (reader.text += data.toString()));
  return reader;
}

const dataOf = (text: string, event: string): Record<string, unknown>[] =>
  [...text.matchAll(new RegExp(`event: ${event}\\n(?:id: \\d+\\n)?data: (.*)\\n\\n`, 'g'))].map(
    (match) => JSON.parse(match[1] ?? '') as Record<string, unknown>,
  );

test('a reader without WebRTC gets each looked-at frame as an event, filtered, with the timestamps of a session', async () => {
  const door = new Door();
  const url = await door.listen();
  const reader = await read(`${url}/detections/street?classes=car,dog&session=mine`);
  assert.equal(reader.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(reader.response.headers['access-control-allow-origin'], '*');
  door.feed.publish(seen(1));
  door.feed.publish(
    seen(2, {
      scene: {
        zones: [],
        lines: [],
        events: [{ type: 'cross', id: 'gate', direction: 'in', objectId: 1, label: 'car', classId: 2, score: 0.9, position: [1, 2] }],
      },
    }),
  );
  await eventually(() => dataOf(reader.text, 'detections').length === 2, 1000, 'the events');
  assert.deepEqual(dataOf(reader.text, 'warning'), [{ message: "the model knows no class 'dog'; it knows person, car" }]);
  const [first] = dataOf(reader.text, 'detections');
  assert.deepEqual(
    (first?.['objects'] as { label: string }[]).map(({ label }) => label),
    ['car'],
  );
  assert.deepEqual(first?.['rtp_timestamp'], { raw: 3600 });
  assert.match(reader.text, /event: detections\nid: 1\n/);
  assert.equal(dataOf(reader.text, 'scene')[0]?.['frame'], 2);
  await door.clock.advance(15_000);
  await eventually(() => reader.text.includes(': still here'), 1000, 'the heartbeat');
  door.feed.close('source-ended');
  await once(reader.response, 'end');
  assert.deepEqual(dataOf(reader.text, 'end'), [{ reason: 'source-ended' }]);
  await door.close();
});

test('a reader that leaves gives the detections back', async () => {
  const door = new Door();
  const url = await door.listen();
  const reader = await read(`${url}/detections/street`);
  assert.equal(door.leases, 1);
  reader.response.destroy();
  await eventually(() => door.leases === 0, 1000, 'the lease to be given back');
  await door.close();
});

test('asking for the headers alone holds no detections', async () => {
  const door = new Door();
  const url = await door.listen();
  await fetch(`${url}/detections/street`, { method: 'HEAD' });
  assert.equal(door.leases, 0);
  await door.close();
});

test('a reader that does not read loses messages and is told how many', async () => {
  const door = new Door();
  const url = await door.listen();
  const reader = await read(`${url}/detections/street`);
  reader.response.pause();
  const objects = Array.from({ length: 300 }, (_, i) => ({
    objectId: i,
    label: 'car',
    classId: 2,
    score: 0.9,
    box: [1, 2, 3, 4] as const,
    velocity: [0, 0] as const,
    isObserved: true,
  }));
  for (let i = 0; i < 1000; i++) {
    door.feed.publish(seen(i, { objects }));
    if (i % 10 === 0) await new Promise(setImmediate);
  }
  reader.response.resume();
  await eventually(
    () => {
      door.feed.publish(seen(5000));
      return dataOf(reader.text, 'detections').some(({ frame }) => frame === 5000);
    },
    3000,
    'messages to flow again',
  );
  assert.ok(Number(dataOf(reader.text, 'detections').find(({ frame }) => frame === 5000)?.['dropped']) > 100);
  await door.close();
});

test('closing the server ends the streams at once', async () => {
  const door = new Door();
  const url = await door.listen();
  const reader = await read(`${url}/detections/street`);
  await door.close();
  await eventually(() => reader.response.closed, 1000, 'the stream to end');
});

test('what cannot be read is refused before a stream begins', async () => {
  const door = new Door();
  const url = await door.listen();
  const refusal = async (path: string) => {
    const response = await fetch(url + path);
    return [response.status, ((await response.json()) as { code: string }).code];
  };
  assert.deepEqual(await refusal('/detections/dark'), [422, 'DETECTION_OFF']);
  assert.deepEqual(await refusal('/detections/dark/latest'), [422, 'DETECTION_OFF']);
  assert.deepEqual(await refusal('/detections/street?session=other'), [404, 'SESSION_NOT_FOUND']);
  assert.deepEqual(await refusal('/detections/street?min_score=7'), [400, 'QUERY_INVALID']);
  const readers = await Promise.all(Array.from({ length: 100 }, () => read(`${url}/detections/street`)));
  assert.deepEqual(await refusal('/detections/street'), [503, 'CAPACITY_REACHED']);
  for (const { response } of readers) response.destroy();
  await door.close();
});

test('where one address has taken all streams, its newest ends for a reader of another', async () => {
  const door = new Door();
  const url = `${await door.listen()}/detections/street`;
  const readers = await Promise.all(Array.from({ length: 99 }, () => read(url, '127.0.0.2')));
  const newest = await read(url, '127.0.0.2');
  const other = await read(url, '127.0.0.3');
  await eventually(() => newest.response.complete, 1000, 'the newest to end');
  assert.deepEqual(dataOf(newest.text, 'end'), [{ reason: 'gave-way' }]);
  assert.ok(other.response.statusCode === 200 && readers.every(({ response }) => !response.complete));
  for (const { response } of [...readers, other]) response.destroy();
  await door.close();
});

test('the latest is the next looked-at frame, then that one while it is fresh', async () => {
  const door = new Door();
  const url = await door.listen();
  const latest = async () => {
    const response = await fetch(`${url}/detections/street/latest`);
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: (await response.json()) as { frame: number; code: string },
    };
  };
  const first = latest();
  await eventually(() => door.leases === 1, 1000, 'the request');
  door.feed.publish(seen(1));
  assert.equal((await first).body.frame, 1);
  assert.equal((await latest()).body.frame, 1, 'it is fresh');
  await door.clock.advance(1500);
  const stale = latest();
  await eventually(() => door.leases === 1, 1000, 'the request');
  await door.clock.advance(5001);
  const { status, retryAfter, body } = await stale;
  assert.deepEqual([status, retryAfter, body.code], [409, '5', 'SOURCE_NOT_LIVE']);
  await door.close();
});
