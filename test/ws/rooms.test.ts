import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { sourceNotFound } from '../../src/base/refusals.js';
import { eventually } from '../helpers/deadline.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { Rig, type Client } from './rig.js';

const PUBLISHER = { room: 'gate', role: 'publisher', client_id: 'cam' };
const offerOf = (connection: string, ufrag = 'u1', more = ''): string =>
  `v=0\r\no=- ${connection} 2 IN IP4 127.0.0.1\r\na=fingerprint:sha-256 AA:${connection}\r\na=ice-ufrag:${ufrag}\r\n${more}`;

test('a viewer of a live room is told what it joined, gets an offer at once, and answers it', async (t) => {
  const rig = await Rig.open(t, { iceServers: (clientId) => [{ urls: ['turn:relay.example'], username: clientId }] });
  const client = await rig.client();
  const joined = await client.join({ room: 'street', client_id: 'drone-1', tracks: ['raw', 'processed'] });
  assert.match(String(joined['resume_token']), /^[\w-]{32}$/);
  assert.deepEqual(
    { ...joined, resume_token: '' },
    {
      type: 'joined',
      client_id: 'drone-1',
      room: 'street',
      role: 'viewer',
      state: 'live',
      ice_servers: [{ urls: ['turn:relay.example'], username: 'drone-1' }],
      sources: ['street'],
      resume_token: '',
      resumed: false,
    },
  );
  assert.deepEqual(await client.next(), { type: 'offer', sdp: 'v=0 offer s1' });
  assert.deepEqual(
    [rig.sessions.last.clientId, rig.sessions.last.room, rig.sessions.last.request],
    ['drone-1', 'street', { ...rig.sessions.last.request, door: 'ws', renditions: ['raw', 'processed'] }],
  );
  client.send({ type: 'answer', sdp: 'v=0 mine' });
  assert.deepEqual(await client.settled(), []);
  assert.deepEqual(rig.sessions.last.answers, ['v=0 mine']);
  await rig.close();
  assert.equal((await client.next('left'))['reason'], 'server-closing');
  assert.equal(await client.closed(), 1001);
});

test('a publisher offers and is answered', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  const joined = await client.join(PUBLISHER);
  assert.equal(joined['state'], 'empty');
  client.send({ type: 'offer', sdp: offerOf('1') });
  assert.deepEqual(await client.next(), { type: 'answer', sdp: 'v=0 answer s1' });
  assert.deepEqual(
    [rig.sessions.last.room, 'takeover' in rig.sessions.last.request && rig.sessions.last.request.takeover],
    ['gate', false],
  );
  await rig.close();
});

test('who comes before the publisher waits in an empty room and gets its offer when the room is live', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  assert.equal((await client.join({ room: 'gate' }))['state'], 'empty');
  assert.deepEqual(await client.settled(), []);
  rig.directory.set('gate', 'live');
  assert.deepEqual(await client.next(), { type: 'room', room: 'gate', state: 'live', publisher: true, viewers: 0 });
  assert.equal((await client.next('offer'))['sdp'], 'v=0 offer s1');
  await rig.close();
});

test('a room that is a file which is added later comes to life without a word of the directory', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'later' });
  rig.directory.rooms.set('later', { state: 'live', kind: 'file' });
  await rig.clock.advance(15_000);
  assert.deepEqual(await client.next(), { type: 'room', room: 'later', state: 'live', publisher: false, viewers: 0 });
  await client.next('offer');
  await rig.close();
});

test('a camera that is called for its first viewer is empty until it answers, and is called again', async (t) => {
  const rig = await Rig.open(t);
  rig.directory.rooms.set('cam', { state: 'empty', kind: 'pull' });
  rig.sessions.refuseNext = new MediaPeerError('SOURCE_NOT_LIVE', 'it does not answer', { retryAfterS: 5 });
  const client = await rig.client();
  assert.equal((await client.join({ room: 'cam' }))['state'], 'empty');
  assert.deepEqual(await client.settled(), []);
  rig.directory.rooms.set('cam', { state: 'live', kind: 'pull' });
  await rig.clock.advance(5000);
  assert.equal((await client.next('room'))['state'], 'live');
  await client.next('offer');
  assert.deepEqual(await client.settled(), []);
  await rig.close();
});

test('a viewer stays in the room when the source ends, and gets a fresh offer when it is live again', async (t) => {
  const rig = await Rig.open(t);
  rig.directory.set('gate', 'live');
  const client = await rig.client();
  await client.join({ room: 'gate' });
  await client.next('offer');
  rig.directory.set('gate', 'waiting');
  assert.equal((await client.next('room'))['state'], 'waiting');
  rig.directory.set('gate', 'empty');
  rig.sessions.last.end('source-ended');
  assert.equal((await client.next('room'))['state'], 'empty');
  rig.directory.set('gate', 'live');
  assert.equal((await client.next('room'))['state'], 'live');
  await rig.clock.advance(1000);
  assert.equal((await client.next('offer'))['sdp'], 'v=0 offer s2');
  await rig.close();
});

test('a viewer whose offers come ever later gets one at once when somebody publishes again', async (t) => {
  const rig = await Rig.open(t);
  rig.directory.set('gate', 'live');
  const client = await rig.client();
  await client.join({ room: 'gate' });
  for (let i = 0; i < 5; i++) {
    await client.next('offer');
    rig.sessions.last.end('source-ended');
    await client.settled();
    await rig.clock.advance(10_000);
  }
  await client.next('offer');
  rig.directory.set('gate', 'empty');
  rig.sessions.last.end('source-ended');
  await client.settled();
  rig.directory.set('gate', 'live');
  await client.next('room');
  assert.equal((await client.next('offer'))['sdp'], 'v=0 offer s7', 'without a wait');
  await rig.close();
});

test('the side that sends the media makes the offer: anything else is refused, and the socket stays open', async (t) => {
  const rig = await Rig.open(t);
  const viewer = await rig.client();
  await viewer.join({ room: 'street' });
  await viewer.next('offer');
  viewer.send({ type: 'offer', sdp: offerOf('1'), id: 7 });
  assert.deepEqual({ ...(await viewer.next('error')), message: '' }, { type: 'error', code: 'ROLE_REFUSED', message: '', in_reply_to: 7 });
  const publisher = await rig.client();
  await publisher.join(PUBLISHER);
  publisher.send({ type: 'answer', sdp: 'v=0' });
  assert.deepEqual(
    { ...(await publisher.next('error')), message: '' },
    { type: 'error', code: 'ROLE_REFUSED', message: '', in_reply_to: 'answer' },
  );
  publisher.send({ type: 'ping' });
  await publisher.next('pong');
  await rig.close();
});

test('a room is never nobody: what comes before a join, or joins without a room, is an error with a code', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  for (const type of ['restart', 'leave']) {
    client.send({ type });
    assert.deepEqual(
      { ...(await client.next('error')), message: '' },
      { type: 'error', code: 'NOT_JOINED', message: '', in_reply_to: type },
    );
  }
  for (const room of [undefined, null, '', 7, {}]) {
    client.send({ type: 'join', role: 'viewer', room });
    const error = await client.next('error');
    assert.equal(error['code'], 'MESSAGE_INVALID');
    assert.match(String(error['message']), /"room":"gate"/);
  }
  client.send({ type: 'join', role: 'viewer', room: 'a b' });
  assert.equal((await client.next('error'))['code'], 'ROOM_INVALID');
  client.send({ type: 'join', role: 'publisher', room: 'street' });
  assert.equal((await client.next('error'))['code'], 'ROOM_TAKEN');
  assert.equal(rig.door.rooms.size, 0);
  await client.join({ room: 'street' });
  client.send({ type: 'join', role: 'viewer', room: 'gate' });
  await client.next('offer');
  assert.equal((await client.next('error'))['code'], 'NEGOTIATION_STATE');
  await rig.close();
});

test('candidates go both ways; those that come before their description wait for it', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join(PUBLISHER);
  client.send({ type: 'candidate', candidate: { candidate: 'candidate:1', sdpMid: '0', usernameFragment: 'u1' } });
  client.send({ type: 'candidate', candidate: 'a=candidate:2' });
  client.send({ type: 'offer', sdp: offerOf('1') });
  await client.next('answer');
  assert.deepEqual(
    rig.sessions.last.candidates.map(({ candidate }) => candidate),
    ['candidate:1', 'candidate:2'],
  );
  client.send({ type: 'candidate', candidate: { candidate: 'candidate:3', sdpMLineIndex: 1 } });
  client.send({ type: 'candidate', candidate: null });
  // Of the ICE generation that the next offer begins.
  client.send({ type: 'candidate', candidate: { candidate: 'candidate:4', sdpMid: '0', usernameFragment: 'u2' } });
  await client.settled();
  assert.deepEqual(
    rig.sessions.last.candidates.slice(2).map(({ candidate, mLineIndex }) => [candidate, mLineIndex]),
    [
      ['candidate:3', 1],
      ['', undefined],
    ],
  );
  client.send({ type: 'offer', sdp: offerOf('1', 'u2') });
  assert.equal((await client.next('answer'))['sdp'], 'v=0 answer s1 restart 1');
  assert.equal(rig.sessions.last.candidates.at(-1)?.candidate, 'candidate:4');
  rig.sessions.last.found('candidate:9');
  rig.sessions.last.found(null);
  assert.deepEqual(await client.next(), {
    type: 'candidate',
    candidate: { candidate: 'candidate:9', sdpMid: '0', sdpMLineIndex: null, usernameFragment: 'srv' },
  });
  assert.deepEqual(await client.next(), { type: 'candidate', candidate: null });
  await rig.close();
});

test("a viewer's candidates wait for its answer, and are bounded", async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'street' });
  await client.next('offer');
  for (let i = 0; i < 101; i++) client.send({ type: 'candidate', candidate: `candidate:${i}` });
  assert.equal((await client.next('error'))['code'], 'NEGOTIATION_STATE');
  assert.equal(rig.sessions.last.candidates.length, 0);
  client.send({ type: 'answer', sdp: 'v=0' });
  await eventually(() => rig.sessions.last.candidates.length === 100, 2000, 'the candidates');
  await rig.close();
});

test('a candidate that waited and cannot be used is told of by itself: the others are used, and the description holds', async (t) => {
  const rig = await Rig.open(t);
  const [publisher, viewer] = [await rig.client(), await rig.client()];
  await publisher.join(PUBLISHER);
  for (const candidate of ['candidate:1', 'nonsense', 'candidate:2']) publisher.send({ type: 'candidate', candidate });
  publisher.send({ type: 'offer', sdp: offerOf('1') });
  await publisher.next('answer');
  assert.deepEqual(await publisher.next(), { type: 'error', code: 'CANDIDATE_INVALID', message: "'nonsense' is no ICE candidate" });
  assert.deepEqual(
    rig.sessions.last.candidates.map(({ candidate }) => candidate),
    ['candidate:1', 'candidate:2'],
  );
  publisher.send({ type: 'offer', sdp: offerOf('1', 'u2') });
  assert.equal((await publisher.next('answer'))['sdp'], 'v=0 answer s1 restart 1', 'the same connection goes on');

  await viewer.join({ room: 'street' });
  await viewer.next('offer');
  for (const candidate of ['candidate:1', 'nonsense', 'candidate:2']) viewer.send({ type: 'candidate', candidate });
  viewer.send({ type: 'answer', sdp: 'v=0' });
  assert.deepEqual(await viewer.next(), { type: 'error', code: 'CANDIDATE_INVALID', message: "'nonsense' is no ICE candidate" });
  assert.deepEqual(
    rig.sessions.last.candidates.map(({ candidate }) => candidate),
    ['candidate:1', 'candidate:2'],
  );
  await rig.close();
});

test('candidates of the server never come before their description', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'street' });
  await client.next('offer');
  client.send({ type: 'answer', sdp: 'v=0' });
  await client.settled();
  let open = (): void => undefined;
  rig.sessions.gate = new Promise((resolve) => (open = resolve));
  client.send({ type: 'restart' });
  await client.settled();
  rig.sessions.last.found('candidate:5');
  assert.deepEqual(await client.settled(), []);
  open();
  assert.equal((await client.next('offer'))['sdp'], 'v=0 offer s1 restart 1');
  assert.equal((await client.next('candidate'))['type'], 'candidate');
  await rig.close();
});

test('a viewer that asks for a restart gets a new offer; a publisher is asked for one', async (t) => {
  const rig = await Rig.open(t);
  const viewer = await rig.client();
  await viewer.join({ room: 'street' });
  await viewer.next('offer');
  viewer.send({ type: 'restart' });
  assert.equal((await viewer.next('offer'))['sdp'], 'v=0 offer s1', 'the same one, as long as it is not answered');
  viewer.send({ type: 'answer', sdp: 'v=0 a' });
  viewer.send({ type: 'restart' });
  assert.equal((await viewer.next('offer'))['sdp'], 'v=0 offer s1 restart 1');
  const publisher = await rig.client();
  await publisher.join(PUBLISHER);
  publisher.send({ type: 'restart' });
  assert.equal((await publisher.next('error'))['code'], 'NEGOTIATION_STATE');
  publisher.send({ type: 'offer', sdp: offerOf('1') });
  await publisher.next('answer');
  publisher.send({ type: 'restart' });
  assert.deepEqual(await publisher.next(), { type: 'restart' });
  await rig.close();
});

test('a publisher that offers another connection replaces what it published', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join(PUBLISHER);
  client.send({ type: 'offer', sdp: offerOf('1') });
  await client.next('answer');
  client.send({ type: 'offer', sdp: offerOf('1') });
  assert.equal((await client.next('answer'))['sdp'], 'v=0 answer s1', 'it is the same offer: it did not get the answer');
  client.send({ type: 'offer', sdp: offerOf('2') });
  assert.equal((await client.next('answer'))['sdp'], 'v=0 answer s2');
  assert.deepEqual(
    rig.sessions.all.map(({ endReason, request }) => [endReason, 'takeover' in request && request.takeover]),
    [
      ['publisher-replaced', false],
      [undefined, true],
    ],
  );
  assert.deepEqual(await client.settled(), [], 'the membership goes on');
  rig.sessions.refuseNext = new MediaPeerError('SDP_INVALID', 'no');
  client.send({ type: 'offer', sdp: offerOf('3') });
  assert.equal((await client.next('error'))['code'], 'SDP_INVALID');
  assert.deepEqual(
    rig.sessions.open.map(({ id }) => id),
    ['s2'],
    'what it published goes on',
  );
  await rig.close();
});

test('a publisher that closes its connection stays in the room and may offer another one', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join(PUBLISHER);
  client.send({ type: 'offer', sdp: offerOf('1') });
  await client.next('answer');
  rig.sessions.last.end('publisher-gone');
  client.send({ type: 'candidate', candidate: 'candidate:1' });
  client.send({ type: 'offer', sdp: offerOf('2') });
  assert.equal((await client.next('answer'))['sdp'], 'v=0 answer s2');
  assert.deepEqual(
    rig.sessions.last.candidates.map(({ candidate }) => candidate),
    ['candidate:1'],
  );
  rig.sessions.last.end('publisher-replaced');
  assert.deepEqual(await client.next(), { type: 'left', reason: 'publisher-replaced' });
  await rig.close();
});

test('a connection that is disconnected for 3 s is restarted, then after 3, 6, 12 and 12 s while that lasts', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join(PUBLISHER);
  client.send({ type: 'offer', sdp: offerOf('1') });
  await client.next('answer');
  const viewer = await rig.client();
  await viewer.join({ room: 'street' });
  await viewer.next('offer');
  viewer.send({ type: 'answer', sdp: 'v=0 a' });
  await viewer.settled();
  const session = rig.sessions.last;
  session.state('connected');
  session.state('disconnected');
  await rig.clock.advance(2999);
  assert.equal(session.restarts, 0);
  const restarted: number[] = [];
  for (let ms = 3000; ms <= 40_000; ms += 500) {
    await rig.clock.advance(ms === 3000 ? 1 : 500);
    const [message] = await viewer.settled();
    if (!message) continue;
    assert.equal(message['type'], 'offer');
    restarted.push(ms);
    viewer.send({ type: 'answer', sdp: `v=0 a${ms}` });
    await viewer.settled();
  }
  assert.deepEqual(restarted, [3000, 6000, 12_000, 24_000, 36_000]);
  session.state('connected');
  await rig.clock.advance(60_000);
  assert.equal(session.restarts, 5);
  rig.sessions.all[0]?.state('disconnected');
  await rig.clock.advance(3000);
  assert.deepEqual(await client.next(), { type: 'restart' }, 'the publisher makes the offer');
  await rig.close();
});

test('who leaves is told so, its session ends, and it may join again on the same socket', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'street', client_id: 'a' });
  await client.next('offer');
  client.send({ type: 'leave' });
  assert.deepEqual(await client.next(), { type: 'left', reason: 'viewer-left' });
  assert.equal(rig.sessions.last.endReason, 'viewer-left');
  assert.equal((await client.join({ room: 'street', client_id: 'a' }))['client_id'], 'a');
  await client.next('offer');
  assert.equal(rig.sessions.last.clientId, 'a', 'the id is free again');
  rig.sessions.last.end('ice-failed');
  assert.deepEqual(await client.next(), { type: 'left', reason: 'ice-failed' });
  await rig.close();
});

test('who has left before its former session was closed opens none: neither viewer nor publisher', async (t) => {
  for (const role of ['viewer', 'publisher'] as const) {
    const rig = await Rig.open(t);
    const client = await rig.client();
    const join = { type: 'join', room: role === 'viewer' ? 'street' : 'gate', role, client_id: 'camera' };
    client.send(join);
    if (role === 'publisher') client.send({ type: 'offer', sdp: offerOf('1') });
    await eventually(() => rig.sessions.all.length === 1, 2000, 'the first session');
    let close = (): void => undefined;
    rig.sessions.closing = new Promise((resolve) => (close = resolve));
    client.send({ type: 'leave' });
    client.send(join);
    if (role === 'publisher') client.send({ type: 'offer', sdp: offerOf('2') });
    client.send({ type: 'leave' });
    await client.settled();
    close();
    await client.settled();
    assert.equal(rig.sessions.all.length, 1, role);
    await rig.close();
  }
});

test('a room without a place tells so and tries again; what can never be served ends the membership', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  rig.sessions.refuseNext = new MediaPeerError('CAPACITY_REACHED', 'full', { retryAfterS: 5 });
  await client.join({ room: 'street' });
  assert.equal((await client.next('error'))['code'], 'CAPACITY_REACHED');
  await rig.clock.advance(5000);
  await client.next('offer');
  client.send({ type: 'leave' });
  await client.next('left');
  rig.sessions.refuseNext = new MediaPeerError('DETECTION_OFF', 'no detector');
  await client.join({ room: 'street', tracks: ['processed'] });
  assert.equal((await client.next('error'))['code'], 'DETECTION_OFF');
  assert.deepEqual(await client.next(), { type: 'left', reason: 'negotiation-failed' });
  rig.sessions.refuseNext = new TypeError('a bug');
  await client.join({ room: 'street' });
  assert.deepEqual(await client.next(), { type: 'left', reason: 'negotiation-failed' });
  await client.join({ room: 'street' });
  await client.next('offer');
  client.send({ type: 'answer', sdp: 'v=0 bad' });
  const [one, other] = [await client.next(), await client.next()];
  assert.deepEqual([one['code'] ?? other['code'], one['reason'] ?? other['reason']], ['SDP_INVALID', 'negotiation-failed']);
  await rig.close();
});

test('tokens let in whom they are for, from the message or the request', async (t) => {
  const rig = await Rig.open(t, {
    allowTakeover: true,
    access: accessOf({ tokens: { viewerToken: 'v', publishTokens: new Map([['gate', 'p']]) } }),
  });
  const client = await rig.client();
  for (const [message, code] of [
    [{ role: 'viewer' }, 'UNAUTHORIZED'],
    [{ role: 'viewer', token: 'guess' }, 'UNAUTHORIZED'],
    [{ role: 'viewer', token: 'p' }, 'FORBIDDEN'],
    [{ role: 'publisher', token: 'v' }, 'FORBIDDEN'],
  ] as const) {
    client.send({ type: 'join', room: 'gate', ...message });
    assert.equal((await client.next('error'))['code'], code);
  }
  await client.join({ ...PUBLISHER, token: 'p' });
  client.send({ type: 'offer', sdp: offerOf('1') });
  await client.next('answer');
  assert.equal('takeover' in rig.sessions.last.request && rig.sessions.last.request.takeover, true);
  const native = await rig.client({ headers: { authorization: 'Bearer v' } });
  await native.join({ room: 'street', token: '' });
  await rig.close();
});

/** A server with one user, `v`, who may watch these, and what changes that. */
async function guarded(
  t: TestContext,
  sources: readonly string[],
): Promise<{ rig: Rig; client: Client; allow: (sources: readonly string[]) => Promise<void> }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'rooms-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'users.yaml');
  const token = createHash('sha256').update('v').digest('hex');
  const write = (names: readonly string[]): Promise<void> =>
    writeFile(file, `users: [{ name: eve, token: 'sha256:${token}', actions: [watch], sources: ${JSON.stringify(names)} }]`);
  await write(sources);
  const clock = new FakeClock();
  const access = accessOf({ authFile: file, clock });
  t.after(() => access.close());
  const rig = await Rig.open(t, { access });
  const allow = async (names: readonly string[]): Promise<void> => {
    await write(names);
    const isChanged = async (): Promise<boolean> => {
      await clock.advance(1000);
      const now = await access.identify(approachFrom('127.0.0.1', 'v'));
      return JSON.stringify(now.grants[0]?.sources) === JSON.stringify(names);
    };
    await eventually(isChanged, 5000, 'the file to be read');
  };
  return { rig, client: await rig.client(), allow };
}

test('nobody learns of sources that they may not watch by asking for one that there is not', async (t) => {
  const { rig, client } = await guarded(t, ['street', 'nowhere']);
  rig.sessions.refuseNext = sourceNotFound('nowhere', ['secret-1', 'street']);
  const tracks = [{ source: 'nowhere', rendition: 'raw' }];
  await client.join({ room: 'street', token: 'v', tracks });
  const told = { type: 'error', code: 'SOURCE_NOT_FOUND', message: "no source 'nowhere'; available: street" };
  assert.deepEqual(await client.next('error'), told);
  await rig.clock.advance(1000);
  await client.next('offer');
  rig.sessions.refuseNext = sourceNotFound('nowhere', ['secret-1', 'street']);
  client.send({ type: 'answer', sdp: 'v=0' });
  assert.deepEqual(await client.next('error'), { ...told, in_reply_to: 'answer' });
  await rig.close();
});

test('a wall that waits for its sources ends where the right for one of them does, and is not offered unasked', async (t) => {
  const { rig, client, allow } = await guarded(t, ['street', 'yard']);
  const tracks = [{ source: 'yard', rendition: 'raw' }];
  const join = async (): Promise<void> => {
    await client.join({ room: 'street', token: 'v', tracks });
    await client.next('offer');
  };
  await join();
  rig.sessions.last.end('source-ended');
  await allow(['street']);
  assert.deepEqual(await client.next('left'), { type: 'left', reason: 'access-ended' });
  await allow(['street', 'yard']);
  await join();
  // Its session shows other sources by now, which it may watch.
  const [{ room }, offered] = [rig.sessions.last, rig.sessions.all.length];
  assert.equal(room, 'street');
  await allow(['street']);
  rig.sessions.last.end('source-ended');
  await rig.clock.advance(60_000);
  assert.deepEqual(await client.next('left'), { type: 'left', reason: 'access-ended' });
  assert.equal(rig.sessions.all.length, offered);
  await rig.close();
});

test('who sees a dead picture lets the publisher be asked to reconnect, at most once in 5 s', async (t) => {
  const rig = await Rig.open(t);
  const viewer = await rig.client();
  await viewer.join({ room: 'gate' });
  viewer.send({ type: 'reconnect_request', reason: 'dead' });
  assert.equal((await viewer.next('error'))['code'], 'SOURCE_NOT_LIVE');
  const publisher = await rig.client();
  await publisher.join(PUBLISHER);
  publisher.send({ type: 'offer', sdp: offerOf('1') });
  await publisher.next('answer');
  viewer.send({ type: 'reconnect_request', reason: `No\u0000 frames\r\n for\u2028 11s ${'x'.repeat(500)}` });
  viewer.send({ type: 'reconnect_request', reason: 'again' });
  await viewer.settled();
  const { command, reason } = await publisher.next();
  assert.equal(command, 'reconnect');
  assert.match(String(reason), /^No frames for 11s x+$/);
  assert.equal(String(reason).length, 200);
  assert.deepEqual(await publisher.settled(), []);
  await rig.clock.advance(5000);
  viewer.send({ type: 'reconnect_request' });
  assert.deepEqual(await publisher.next(), { command: 'reconnect', reason: 'asked for by a client' });
  await rig.close();
});
