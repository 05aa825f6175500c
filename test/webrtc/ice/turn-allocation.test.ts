import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import { TurnAllocation } from '../../../src/webrtc/ice/turn/allocation.js';
import { channelData, readChannelData, TurnStreamReader } from '../../../src/webrtc/ice/turn/framing.js';
import { splitIceServers, type TurnServer } from '../../../src/webrtc/ice/turn/server.js';
import type { TurnTransport, TurnTransportEvents } from '../../../src/webrtc/ice/turn/transport.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { seededRandom } from '../../helpers/random.js';

const SERVER: TurnServer = { uri: 'turn:relay', host: 'relay', port: 3478, transport: 'udp', username: 'me', credential: 'mine' };
const KEY = createHash('md5').update('me:realm:mine').digest();
const RELAYED: [string, number] = ['192.0.2.1', 50_000];

/** A TURN server in memory, on a network that loses nothing. */
class FakeTurn implements TurnTransport {
  isStream = false;
  pendingBytes = 0;
  /** Of whoever has connected. */
  events: TurnTransportEvents | undefined;
  isClosed = false;
  nonce = 'nonce-1';
  /** Requests with credentials, in order. */
  readonly requests: Message[] = [];
  readonly relayed: { readonly channel: number; readonly data: Buffer }[] = [];
  sends = 0;
  /** What a request with credentials is answered with; undefined: nothing. */
  answer: (request: Message) => Message | undefined = (request) => success(request);

  send(slab: Buffer, ends: readonly number[]): void {
    let start = 0;
    for (const end of ends) {
      this.sends++;
      this.#take(slab.subarray(start, end));
      start = end;
    }
  }

  /** The server says something. */
  say(message: Buffer): void {
    this.events?.message(message);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  #take(message: Buffer): void {
    const relayed = readChannelData(message);
    if (relayed) return void this.relayed.push(relayed);
    const request = parseMessage(message);
    assert.ok(request);
    const nonce = request.attributesKeys.includes('NONCE') ? String(request.getAttributeValue('NONCE')) : undefined;
    if (nonce !== this.nonce) {
      const refusal = new Message(request.messageMethod, classes.ERROR, request.transactionId);
      refusal
        .setAttribute('ERROR-CODE', nonce === undefined ? [401, 'Unauthorized'] : [438, 'Stale Nonce'])
        .setAttribute('REALM', 'realm')
        .setAttribute('NONCE', Buffer.from(this.nonce));
      return this.say(refusal.bytes);
    }
    assert.ok(parseMessage(message, KEY), 'the request proves the credentials');
    this.requests.push(request);
    const answer = this.answer(request);
    if (answer) this.say(answer.bytes);
  }

  methods(): methods[] {
    return this.requests.map(({ messageMethod }) => messageMethod);
  }
}

function success(request: Message, key = KEY): Message {
  const answer = new Message(request.messageMethod, classes.RESPONSE, request.transactionId);
  if (request.messageMethod === methods.ALLOCATE)
    answer.setAttribute('XOR-RELAYED-ADDRESS', RELAYED).setAttribute('XOR-MAPPED-ADDRESS', ['198.51.100.7', 40_000]);
  if (request.messageMethod !== methods.CHANNEL_BIND) answer.setAttribute('LIFETIME', 600);
  return answer.addMessageIntegrity(key).addFingerprint();
}

function refusal(request: Message, code: number, reason: string): Message {
  return new Message(request.messageMethod, classes.ERROR, request.transactionId)
    .setAttribute('ERROR-CODE', [code, reason])
    .addMessageIntegrity(KEY);
}

interface Rig {
  readonly turn: FakeTurn;
  readonly clock: FakeClock;
  readonly opening: Promise<TurnAllocation>;
  readonly lost: string[];
  readonly received: [host: string, port: number, data: number[]][];
}

function open(t: TestContext, prepare: (turn: FakeTurn) => void = () => undefined): Rig {
  const turn = new FakeTurn();
  const clock = new FakeClock();
  prepare(turn);
  const [lost, received]: [Rig['lost'], Rig['received']] = [[], []];
  const allocation = new TurnAllocation(SERVER, clock, {
    datagram: (_socket, data, host, port) => received.push([host, port, [...data]]),
    lost: ({ message }) => lost.push(message),
  });
  const connect = (events: TurnTransportEvents): Promise<TurnTransport> => {
    turn.events = events;
    return Promise.resolve(turn);
  };
  const opening = allocation.open(connect, new AbortController().signal).then((addresses) => {
    assert.deepEqual(addresses, { relayed: RELAYED, mapped: ['198.51.100.7', 40_000] });
    return allocation;
  });
  t.after(async () => {
    turn.answer = success;
    await opening.then(
      () => allocation.close(),
      () => undefined,
    );
    assert.equal(clock.pendingTimers, 0);
  });
  return { turn, clock, opening, lost, received };
}

describe('a relayed address', () => {
  it('is asked for again until it is answered, for 5 s', async (t) => {
    const { turn, clock, opening } = open(t, (prepared) => (prepared.answer = () => undefined));
    const failed = assert.rejects(opening, /^Error: it does not answer$/);
    const sends: number[] = [];
    for (let ms = 0; ms < 5100; ms += 100) {
      await clock.advance(100);
      sends.push(turn.requests.length);
    }
    await failed;
    assert.equal(sends.at(-1), 4, 'at 0, 0.5, 1.5 and 3.5 s');
    const refused = open(t, (prepared) => (prepared.answer = (request) => refusal(request, 300, 'Try Alternate')));
    await assert.rejects(refused.opening, /redirects to another server, which is not followed/);
  });

  it('takes a new nonce wherever the server wants one, and not without end', async (t) => {
    const { turn, opening } = open(t);
    const allocation = await opening;
    turn.nonce = 'nonce-2';
    allocation.send(Buffer.from([1]), '203.0.113.1', 9);
    await new Promise(setImmediate);
    assert.deepEqual(turn.methods(), [methods.ALLOCATE, methods.CHANNEL_BIND]);
    assert.deepEqual(
      turn.relayed.map(({ data }) => [...data]),
      [[1]],
    );
    let nonces = 0;
    const endless = open(t, (prepared) => Object.defineProperty(prepared, 'nonce', { get: () => `nonce-${++nonces}` }));
    await assert.rejects(endless.opening, /438/);
    assert.ok(nonces < 20);
  });

  it('is not taken from an answer that does not prove to know the credential', async (t) => {
    const { clock, opening } = open(t, (prepared) => (prepared.answer = (request) => success(request, Buffer.from('another key'))));
    const failed = assert.rejects(opening, /does not answer/);
    await new Promise(setImmediate);
    await clock.advance(6000);
    await failed;
    const unsigned = open(t, (prepared) => {
      prepared.answer = (request) =>
        new Message(request.messageMethod, classes.RESPONSE, request.transactionId)
          .setAttribute('XOR-RELAYED-ADDRESS', ['127.0.0.1', 1])
          .setAttribute('XOR-MAPPED-ADDRESS', ['127.0.0.1', 1]);
    });
    const alsoFailed = assert.rejects(unsigned.opening, /does not answer/);
    await new Promise(setImmediate);
    await unsigned.clock.advance(6000);
    await alsoFailed;
  });

  it('is refreshed in time, and told of where it is lost all the same', async (t) => {
    const { turn, clock, opening, lost } = open(t);
    await opening;
    await clock.advance(539_000);
    assert.deepEqual(turn.methods(), [methods.ALLOCATE]);
    await clock.advance(2000);
    assert.deepEqual(turn.methods(), [methods.ALLOCATE, methods.REFRESH]);
    turn.answer = (request) => refusal(request, 437, 'Allocation Mismatch');
    await clock.advance(540_000);
    assert.deepEqual(lost, ['the relayed address was lost: it does not know this allocation (437 Allocation Mismatch)']);
  });

  it('is not refreshed without a pause where the server grants no time', async (t) => {
    const { turn, clock, opening } = open(t);
    await opening;
    turn.answer = (request) => {
      const answer = new Message(request.messageMethod, classes.RESPONSE, request.transactionId);
      return answer.setAttribute('LIFETIME', 0).addMessageIntegrity(KEY).addFingerprint();
    };
    await clock.advance(600_000);
    const asked = turn.methods().length;
    assert.ok(asked > 2 && asked <= 8, `${asked} requests in the minute after it`);
  });

  it('is released at the end, and no session waits long for a server that says nothing', async (t) => {
    const { turn, clock, opening } = open(t);
    const allocation = await opening;
    turn.answer = () => undefined;
    const closed = allocation.close();
    await clock.advance(500);
    await closed;
    const last = turn.requests.at(-1);
    assert.deepEqual([last?.messageMethod, last?.getAttributeValue('LIFETIME')], [methods.REFRESH, 0]);
    assert.ok(turn.isClosed);
  });

  it('keeps the channels of peers that are sent to, and of no others', async (t) => {
    const { turn, clock, opening } = open(t);
    const allocation = await opening;
    const binds = (): number => turn.methods().filter((method) => method === methods.CHANNEL_BIND).length;
    const send = async (host: string): Promise<void> => {
      allocation.send(Buffer.from([7]), host, 9);
      await new Promise(setImmediate);
    };
    await send('203.0.113.1');
    await send('203.0.113.2');
    assert.equal(binds(), 2);
    await clock.advance(230_000);
    await send('203.0.113.1');
    await clock.advance(20_000);
    assert.equal(binds(), 4, 'both were sent to within 4 minutes');
    await clock.advance(230_000);
    await send('203.0.113.1');
    await clock.advance(20_000);
    assert.equal(binds(), 5, 'the silent one is let go');
    await send('203.0.113.2');
    assert.equal(binds(), 6, 'and comes back when it is sent to');
    assert.deepEqual(
      [
        ...new Set(
          turn.requests
            .filter(({ messageMethod }) => messageMethod === methods.CHANNEL_BIND)
            .map((request) => Number(request.getAttributeValue('CHANNEL-NUMBER'))),
        ),
      ],
      [0x4000, 0x4001],
    );
    await send('2001:db8::1');
    assert.equal(binds(), 6, 'an address of another family is not asked for');
  });

  it('fails at once where the connection is lost before the first answer, be it in the turn that opened it', async (t) => {
    const { turn, clock, lost } = open(t);
    const silent = new TurnAllocation(SERVER, clock, { datagram: () => undefined, lost: ({ message }) => lost.push(message) });
    const opening = silent.open((events) => {
      events.lost(new Error('it closed the connection'));
      return Promise.resolve(turn);
    }, new AbortController().signal);
    await assert.rejects(opening, /it closed the connection/);
    assert.ok(turn.isClosed);
    assert.deepEqual(lost, [], 'nothing was lost that had been there');
  });

  it('holds little for a peer whose channel is being made, and bounds the peers', async (t) => {
    const { turn, opening } = open(t);
    const allocation = await opening;
    let later: (() => void)[] = [];
    turn.answer = (request) => {
      later.push(() => turn.say(success(request).bytes));
      return undefined;
    };
    for (let i = 0; i < 50; i++) allocation.send(Buffer.from([i]), '203.0.113.1', 9);
    let isDone = false;
    allocation.sendAll(Buffer.from([1]), [1], '203.0.113.1', 9, () => (isDone = true));
    assert.ok(isDone);
    for (const answer of later.splice(0)) answer();
    await new Promise(setImmediate);
    assert.equal(turn.relayed.length, 8);
    later = [];
    for (let i = 0; i < 1000; i++) allocation.send(Buffer.from([1]), '203.0.113.2', 1000 + i);
    await new Promise(setImmediate);
    assert.ok(later.length < 128, `${later.length} channels are asked for`);
    for (const answer of later) answer();
  });

  it('hands on what peers send by a channel and from other ports, and withstands everything else', async (t) => {
    const { turn, opening, received } = open(t);
    const allocation = await opening;
    allocation.send(Buffer.from([7]), '203.0.113.1', 9);
    await new Promise(setImmediate);
    turn.say(channelData(0x4000, Buffer.from([1, 2]), [2], false).slab);
    turn.say(channelData(0x4005, Buffer.from([3]), [1], false).slab);
    const indication = new Message(methods.DATA, classes.INDICATION)
      .setAttribute('XOR-PEER-ADDRESS', ['203.0.113.1', 10])
      .setAttribute('DATA', Buffer.from([4, 5]));
    turn.say(indication.bytes);
    assert.deepEqual(received, [
      ['203.0.113.1', 9, [1, 2]],
      ['203.0.113.1', 10, [4, 5]],
    ]);
    const random = seededRandom(23);
    const templates = [
      indication.bytes,
      success(turn.requests[0] as Message).bytes,
      channelData(0x4000, Buffer.alloc(20), [20], true).slab,
    ];
    for (let i = 0; i < 5000; i++) {
      const bytes = Buffer.from(templates[i % templates.length] as Buffer);
      for (let k = 0; k < 1 + random() * 5; k++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      assert.doesNotThrow(() => turn.say(bytes.subarray(0, Math.floor(random() * (bytes.length + 1)))));
    }
  });
});

describe('messages of a TURN server on a byte stream', () => {
  it('are cut the same however the bytes arrive, and end it where they are none', () => {
    const random = seededRandom(5);
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 1 + Math.floor(random() * 8) }, () => {
        const data = Buffer.alloc(Math.floor(random() * 300), 7);
        return random() < 0.5
          ? channelData(0x4001, data, [data.length], true).slab
          : new Message(methods.DATA, classes.INDICATION).setAttribute('DATA', data).bytes;
      });
      const received: Buffer[] = [];
      const reader = new TurnStreamReader((message) => received.push(Buffer.from(message)));
      const bytes = Buffer.concat(sent);
      for (let at = 0; at < bytes.length;) {
        const next = at + 1 + Math.floor(random() * 200);
        assert.ok(reader.push(bytes.subarray(at, next)));
        at = next;
      }
      assert.equal(received.length, sent.length);
      received.forEach((message, i) => assert.equal(Buffer.compare(message, (sent[i] as Buffer).subarray(0, message.length)), 0));
    }
    assert.equal(new TurnStreamReader(() => undefined).push(Buffer.from('HTTP/1.1 400 Bad Request')), true);
    assert.equal(new TurnStreamReader(() => undefined).push(Buffer.from([0x80, 0, 0, 0])), false);
  });
});

describe('URIs of ICE servers', () => {
  it('name host, port and transport, and those that cannot be used are passed over', () => {
    const login = { username: 'u', credential: 'c' };
    const { stunUrls, turnServers } = splitIceServers([
      { urls: ['stun:a', 'turn:ignored'] },
      {
        urls: ['turn:a', 'turn:a:1?transport=tcp', 'turns:b', 'turns:b?transport=udp', 'turn:[2001:db8::1]:5', 'turn:', 'http://c'],
        ...login,
      },
    ]);
    assert.deepEqual(stunUrls, ['stun:a']);
    assert.deepEqual(
      turnServers.map(({ host, port, transport }) => [host, port, transport]),
      [
        ['a', 3478, 'udp'],
        ['a', 1, 'tcp'],
        ['b', 5349, 'tls'],
        ['2001:db8::1', 5, 'udp'],
      ],
    );
  });
});
