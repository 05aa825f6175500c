import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { Rig, type Client } from './rig.js';

const HERE = { room: 'street', client_id: 'drone-1' };

/** A viewer that has answered, and its resume token. */
async function settledViewer(rig: Rig): Promise<{ client: Client; token: unknown }> {
  const client = await rig.client();
  const { resume_token: token } = await client.join(HERE);
  await client.next('offer');
  client.send({ type: 'answer', sdp: 'v=0 a' });
  await client.settled();
  return { client, token };
}

test('who drops and comes back with its token keeps its session, and gets in order what it missed', async (t) => {
  const rig = await Rig.open(t);
  const { client, token } = await settledViewer(rig);
  client.cut();
  await rig.connections(0);
  const session = rig.sessions.last;
  session.state('disconnected');
  await rig.clock.advance(3000);
  session.found('candidate:7');
  rig.directory.set('street', 'waiting', 'file');
  rig.directory.set('street', 'live', 'file');
  await rig.clock.advance(26_999);
  const back = await rig.client();
  const joined = await back.join({ ...HERE, resume_token: token });
  assert.deepEqual([joined['client_id'], joined['resumed'], joined['resume_token']], ['drone-1', true, token]);
  assert.deepEqual(
    (await back.settled()).map(({ type, sdp, state }) => sdp ?? state ?? type),
    ['v=0 offer s1 restart 1', 'candidate', 'waiting', 'live'],
  );
  back.send({ type: 'answer', sdp: 'v=0 b' });
  await back.settled();
  assert.deepEqual([session.answers, rig.sessions.all.length], [['v=0 a', 'v=0 b'], 1]);
  await rig.close();
});

test('an offer that went into a dead socket comes again on the next one', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  const { resume_token: token } = await client.join(HERE);
  await client.next('offer');
  rig.sessions.last.found('candidate:1');
  await client.next('candidate');
  client.cut();
  const back = await rig.client();
  await back.join({ ...HERE, resume_token: token });
  assert.equal((await back.next('offer'))['sdp'], 'v=0 offer s1');
  await back.next('candidate');
  back.send({ type: 'answer', sdp: 'v=0 a' });
  await back.settled();
  assert.deepEqual(rig.sessions.last.answers, ['v=0 a']);
  await rig.close();
});

test('after 30 s away the membership ends with its session, and the id is free', async (t) => {
  const rig = await Rig.open(t);
  const { client, token } = await settledViewer(rig);
  client.cut();
  await rig.connections(0);
  await rig.clock.advance(29_999);
  assert.equal(rig.sessions.open.length, 1);
  await rig.clock.advance(1);
  assert.deepEqual(
    rig.sessions.all.map(({ endReason }) => endReason),
    ['viewer-left'],
  );
  const back = await rig.client();
  const joined = await back.join({ ...HERE, resume_token: token });
  assert.deepEqual([joined['client_id'], joined['resumed'], joined['resume_token'] === token], ['drone-1', false, false]);
  await rig.close();
});

test('a publisher that is away for 30 s is lost, it has not left', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'gate', role: 'publisher' });
  client.send({ type: 'offer', sdp: 'v=0 x' });
  await client.next('answer');
  client.cut();
  await rig.connections(0);
  await rig.clock.advance(30_000);
  assert.equal(rig.sessions.last.endReason, 'publisher-gone');
  await rig.close();
});

test('nobody gets the membership of another: a wrong token is refused, none gives another id', async (t) => {
  const rig = await Rig.open(t);
  const { client, token } = await settledViewer(rig);
  const other = await rig.client();
  const { resume_token: others } = await other.join({ room: 'street', client_id: 'drone-2' });
  await other.next('offer');
  const thief = await rig.client();
  for (const wrong of ['x', others, `${String(token)}x`, String(token).slice(1)]) {
    thief.send({ type: 'join', role: 'viewer', ...HERE, resume_token: wrong });
    assert.equal((await thief.next('error'))['code'], 'RESUME_REFUSED');
  }
  thief.send({ type: 'join', role: 'viewer', room: 'street', resume_token: token });
  assert.equal((await thief.next('error'))['code'], 'MESSAGE_INVALID');
  const joined = await thief.join(HERE);
  assert.match(String(joined['client_id']), /^drone-1-[0-9a-f]{8}$/);
  assert.notEqual(joined['resume_token'], token);
  await thief.next('offer');
  thief.send({ type: 'leave' });
  await thief.next('left');
  assert.deepEqual(await client.settled(), [], 'its owner has noticed nothing');
  client.send({ type: 'join', role: 'viewer', ...HERE, resume_token: token });
  assert.equal((await client.next('error'))['code'], 'NEGOTIATION_STATE');
  await rig.close();
});

test('an id that a client of another door has is not given to a second one', async (t) => {
  const rig = await Rig.open(t);
  rig.sessions.taken.add('drone-1');
  const client = await rig.client();
  assert.match(String((await client.join(HERE))['client_id']), /^drone-1-[0-9a-f]{8}$/);
  await rig.close();
});

test('a token opens the room and the role that it was given for', async (t) => {
  const rig = await Rig.open(t);
  const { client, token } = await settledViewer(rig);
  client.cut();
  const back = await rig.client();
  for (const wrong of [{ room: 'gate' }, { role: 'publisher', room: 'gate' }]) {
    back.send({ type: 'join', role: 'viewer', ...HERE, ...wrong, resume_token: token });
    assert.equal((await back.next('error'))['code'], 'NEGOTIATION_STATE');
  }
  assert.equal((await back.join({ ...HERE, resume_token: token }))['resumed'], true);
  await rig.close();
});

test('a socket that resumes closes the one before, and its end is not noticed any more', async (t) => {
  const rig = await Rig.open(t);
  const { client, token } = await settledViewer(rig);
  const back = await rig.client();
  await back.join({ ...HERE, resume_token: token });
  assert.equal(await client.closed(), 4001);
  await rig.connections(1);
  assert.deepEqual(client.rest(), []);
  await rig.clock.advance(29_000);
  assert.equal(rig.sessions.open.length, 1);
  back.send({ type: 'leave' });
  assert.equal((await back.next('left'))['reason'], 'viewer-left');
  await rig.close();
});

test('while a client is away its topics give way to signalling, the oldest first', async (t) => {
  const rig = await Rig.open(t);
  const { client, token } = await settledViewer(rig);
  client.send({ type: 'subscribe', topics: ['detections'] });
  await client.settled();
  client.cut();
  await rig.connections(0);
  for (let frame = 1; frame <= 300; frame++) {
    rig.feed.publish({
      sourceId: 'street',
      frame,
      mediaTimeMs: frame * 40,
      widthPx: 1,
      heightPx: 1,
      inferenceMs: 1,
      objects: [],
      scene: undefined,
    });
    if (frame % 100 === 0) rig.sessions.last.found(`candidate:${frame}`);
  }
  const back = await rig.client();
  await back.join({ ...HERE, resume_token: token });
  const missed = await back.settled();
  assert.equal(missed.length, 256);
  const candidates = missed.flatMap(({ type, candidate }) =>
    type === 'candidate' ? [(candidate as { candidate: string }).candidate] : [],
  );
  assert.deepEqual(candidates, ['candidate:100', 'candidate:200', 'candidate:300']);
  const frames = missed.flatMap(({ type, frame }) => (type === 'detections' ? [Number(frame)] : []));
  assert.deepEqual(
    frames,
    Array.from({ length: 253 }, (_, i) => i + 48),
    'the newest, in order',
  );
  back.send({ type: 'leave' });
  await eventually(() => rig.leases === 0, 1000, 'the detections to be given back');
  await rig.close();
});
