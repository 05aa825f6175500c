/** Whatever clients say, in whatever state: the server answers in known words, and touches nobody else's room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES } from '../../src/base/errors.js';
import { MAX_MESSAGE_BYTES, nameOf, parseMessage, parseObject } from '../../src/ws/protocol.js';
import { RoomClient, type RoomSocket } from '../../src/ws/room-client.js';
import { seededRandom } from '../helpers/random.js';
import { approachFrom } from '../helpers/access.js';
import { Rig, type Json } from './rig.js';

const random = seededRandom(20_240_607);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const ANSWERS = new Set(['joined', 'offer', 'answer', 'candidate', 'restart', 'error', 'pong', 'left', 'room', 'stats', 'detections']);
const TYPES = ['join', 'offer', 'answer', 'candidate', 'restart', 'reconnect_request', 'subscribe', 'leave', 'ping'];

/** A socket that only remembers. */
class Sink implements RoomSocket {
  readonly readyState = 1;
  bufferedAmount = 0;
  readonly got: Json[] = [];
  isClosed = false;
  send(text: string): void {
    this.got.push(JSON.parse(text) as Json);
  }
  ping(): void {
    // Nobody answers.
  }
  close(): void {
    this.isClosed = true;
  }
  terminate(): void {
    this.isClosed = true;
  }
}

function text(): string {
  return pick([
    '',
    'x',
    'gate',
    'street',
    '__proto__',
    'constructor',
    '../..',
    '\u0000',
    '\ud800',
    'é'.repeat(300),
    'v=0',
    'raw',
    'candidate:1 1 udp 1 127.0.0.1 9 typ host',
    'a'.repeat(70_000),
  ]);
}

function value(depth = 0): unknown {
  const kind = Math.floor(random() * (depth > 3 ? 6 : 9));
  if (kind === 0) return null;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return pick([0, -1, 1e308, 0.5, 2 ** 53, -0]);
  if (kind < 6) return text();
  if (kind === 6) return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
  return Object.fromEntries(
    Array.from({ length: Math.floor(random() * 4) }, () => [
      pick(['type', 'id', 'room', 'role', 'sdp', '__proto__', 'toString', 'candidate', 'length']),
      value(depth + 1),
    ]),
  );
}

const VALID: Readonly<Record<string, () => Json>> = {
  join: () => ({
    room: pick(['gate', 'street', 'yard', 'gone']),
    role: pick(['viewer', 'publisher']),
    ...(random() < 0.5 && { client_id: pick(['owner', 'a', 'b']) }),
    ...(random() < 0.3 && { resume_token: pick(['stolen', 'x'.repeat(32)]) }),
    ...(random() < 0.3 && { tracks: ['raw'] }),
  }),
  offer: () => ({ sdp: `v=0\r\no=- ${Math.floor(random() * 3)} 1 IN IP4 0.0.0.0\r\n` }),
  answer: () => ({ sdp: pick(['v=0', 'v=0 bad', 'v=0 other']) }),
  candidate: () => ({ candidate: pick([null, '', 'candidate:1', { candidate: 'candidate:2', sdpMid: '0', usernameFragment: 'u' }]) }),
  restart: () => ({}),
  reconnect_request: () => ({ reason: text() }),
  subscribe: () => ({ topics: pick([[], ['detections'], ['stats', 'room'], ['room', 'room']]) }),
  leave: () => ({}),
  ping: () => ({}),
};

/** A message as text: valid, nearly valid, or nothing of the kind. */
function message(): string {
  const type = pick(TYPES);
  const valid = { type, ...VALID[type]?.(), ...(random() < 0.3 && { id: pick([1, 'id', 'x'.repeat(64)]) }) };
  const dice = random();
  if (dice < 0.6) return JSON.stringify(valid);
  if (dice < 0.8) return JSON.stringify({ ...valid, [pick([...Object.keys(valid), 'id', 'type'])]: value() });
  if (dice < 0.9) return JSON.stringify(value()) || 'undefined';
  if (dice < 0.95) return JSON.stringify(valid).slice(0, Math.floor(random() * 40));
  return pick([
    '',
    '{',
    '[]',
    'null',
    '1',
    '"x"',
    '['.repeat(30_000),
    '{"a":'.repeat(10_000),
    '{"type":"ping","type":"join"}',
    '{"__proto__":{"type":"ping"}}',
    '\u0000',
  ]);
}

test('the parser gives a checked message or MESSAGE_INVALID, and an answer that names what it is about', () => {
  for (let i = 0; i < 20_000; i++) {
    const input = message();
    try {
      const object = parseObject(input);
      const name = nameOf(object);
      assert.ok(name === undefined || typeof name === 'number' || name.length <= 64);
      const parsed = parseMessage(object);
      assert.ok(TYPES.includes(parsed.type));
      if (parsed.type === 'join') assert.ok(parsed.room.length > 0);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'MESSAGE_INVALID', `${input.slice(0, 200)}: ${String(error)}`);
    }
  }
  assert.equal(({} as Json)['type'], undefined, 'nobody has changed the prototype of all objects');
});

test('whatever clients say in whatever state, each message is answered in known words and no foreign room changes', async (t) => {
  const rig = await Rig.open(t);
  rig.directory.set('gate', 'live');
  rig.directory.set('yard', 'empty');
  const owner = await rig.client();
  const { resume_token: token } = await owner.join({ room: 'street', client_id: 'owner' });
  await owner.next('offer');
  owner.send({ type: 'answer', sdp: 'v=0 owner' });
  await owner.settled();
  const owned = rig.sessions.last;
  const failures: unknown[] = [];
  const logger = {
    ...rig.door.deps.logger,
    error: (...facts: unknown[]) => failures.push(facts),
    info: () => undefined,
    warn: () => undefined,
    debug: () => undefined,
  } as unknown as typeof rig.door.deps.logger;
  const clients: { readonly sink: Sink; readonly client: RoomClient }[] = [];
  for (let i = 0; i < 12_000; i++) {
    if (clients.length < 6) {
      const sink = new Sink();
      clients.push({
        sink,
        client: new RoomClient({
          socket: sink,
          rooms: rig.door.rooms,
          clock: rig.clock,
          logger,
          approach: approachFrom('127.0.0.1'),
        }),
      });
    }
    const { sink, client } = pick(clients);
    const input = message();
    const before = sink.got.length;
    client.receive(Buffer.from(input), random() < 0.02);
    if (random() < 0.3) await new Promise(setImmediate);
    // What is wrong is answered at once, whatever the state.
    if (!isValid(input)) assert.equal(sink.got[before]?.['type'], 'error', input.slice(0, 200));
    if (random() < 0.05) rig.directory.set(pick(['gate', 'yard']), pick(['empty', 'live', 'waiting']));
    if (random() < 0.05)
      for (const session of rig.sessions.open.filter((open) => open !== owned).slice(0, 1))
        session.end(pick(['ice-failed', 'source-ended', 'publisher-left']));
    if (random() < 0.1) await rig.clock.advance(pick([100, 1000, 3000]));
    if (random() < 0.01 || sink.isClosed) {
      client.gone();
      clients.splice(
        clients.findIndex((entry) => entry.sink === sink),
        1,
      );
    }
    for (const answer of sink.got.splice(0)) {
      if (answer['command'] === 'reconnect') continue;
      assert.ok(ANSWERS.has(String(answer['type'])), JSON.stringify(answer).slice(0, 200));
      if (answer['type'] === 'error') assert.ok(String(answer['code']) in ERROR_CODES, JSON.stringify(answer).slice(0, 200));
      if (answer['type'] === 'joined')
        assert.ok(answer['client_id'] !== 'owner' && answer['resume_token'] !== token && typeof answer['room'] === 'string');
      if (answer['type'] === 'room')
        assert.ok(/^[\w.-]{1,64}$/.test(String(answer['room'])) && ['empty', 'live', 'waiting'].includes(String(answer['state'])));
    }
  }
  for (const { client } of clients) client.gone();
  assert.deepEqual(failures, []);
  assert.deepEqual([owned.endReason, owned.answers, owned.candidates], [undefined, ['v=0 owner'], []]);
  assert.deepEqual(await owner.settled(), [], 'the owner has noticed nothing');
  await rig.clock.advance(31_000);
  assert.equal(rig.door.rooms.size, 1);
  await rig.close();
});

function isValid(input: string): boolean {
  if (Buffer.byteLength(input) > MAX_MESSAGE_BYTES) return false;
  try {
    parseMessage(parseObject(input));
    return true;
  } catch {
    return false;
  }
}
