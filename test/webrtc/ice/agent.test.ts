import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import { systemClock } from '../../../src/base/clock.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { eventually, within } from '../../helpers/deadline.js';
import { HeardAgent } from './heard-agent.js';

const LOOPBACK = { bind: '127.0.0.1', advertise: '127.0.0.1', family: 4, loopback: true } as const;
const REMOTE = {
  iceUfrag: 'abcd',
  icePassword: 'a'.repeat(24),
  iceLite: false,
  fingerprints: [],
  setup: 'actpass',
  candidates: [],
} as const;

/** Closed after the test, with nothing left. */
async function openAgent(t: TestContext): Promise<HeardAgent> {
  const ledger = new ResourceLedger();
  const agent = new HeardAgent({
    addresses: [LOOPBACK],
    portRange: undefined,
    stunUrls: [],
    clock: systemClock(ledger),
    ledger,
  });
  await agent.open();
  t.after(async () => {
    await agent.close();
    assert.equal(ledger.snapshot().udp_sockets, 0);
  });
  agent.connect(REMOTE, { controlling: false });
  return agent;
}

async function udpSocket(t: TestContext): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket;
}

/** A connectivity check that nominates nothing (RFC 8445 §7.2.4). */
function check(ufrag: string, password: string): Message {
  const request = new Message(methods.BINDING, classes.REQUEST);
  request.setAttribute('USERNAME', `${ufrag}:${REMOTE.iceUfrag}`).setAttribute('PRIORITY', 1).setAttribute('ICE-CONTROLLING', 1n);
  return request.addMessageIntegrity(Buffer.from(password)).addFingerprint();
}

/** Nominates from the socket, and answers what the agent checks in turn. */
function nominate(agent: HeardAgent, socket: dgram.Socket): void {
  socket.on('message', (data, { address, port }) => {
    const request = parseMessage(data);
    if (request?.messageClass !== classes.REQUEST) return;
    const answer = new Message(methods.BINDING, classes.RESPONSE, request.transactionId).setAttribute('XOR-MAPPED-ADDRESS', [
      address,
      port,
    ]);
    socket.send(answer.addMessageIntegrity(Buffer.from(REMOTE.icePassword)).addFingerprint().bytes, port, address);
  });
  const request = new Message(methods.BINDING, classes.REQUEST);
  request
    .setAttribute('USERNAME', `${agent.localUfrag}:${REMOTE.iceUfrag}`)
    .setAttribute('PRIORITY', 1)
    .setAttribute('ICE-CONTROLLING', 1n)
    .setAttribute('USE-CANDIDATE', null);
  socket.send(request.addMessageIntegrity(Buffer.from(agent.localPassword)).addFingerprint().bytes, portOf(agent), '127.0.0.1');
}

function portOf(agent: HeardAgent): number {
  return Number(agent.candidates[0]?.split(' ')[5]);
}

/** Sends an authentic check; false where it is not answered. */
async function isAnswered(agent: HeardAgent, socket: dgram.Socket): Promise<boolean> {
  const request = check(agent.localUfrag, agent.localPassword);
  const answered = new Promise<boolean>((resolve) => {
    socket.on('message', (data) => {
      if (parseMessage(data)?.transactionIdHex === request.transactionIdHex) resolve(true);
    });
  });
  socket.send(request.bytes, portOf(agent), '127.0.0.1');
  try {
    return await within(answered, 300, 'an answer').catch(() => false);
  } finally {
    socket.removeAllListeners('message');
  }
}

/** The second byte of each datagram. */
function seconds({ heard }: HeardAgent): (number | undefined)[] {
  return heard.datagrams.map((data) => data[1]);
}

describe('IceAgent', () => {
  it("takes a browser's first DTLS flight before a pair is nominated, and only from addresses that know the password", async (t) => {
    const agent = await openAgent(t);
    const [peer, stranger] = [await udpSocket(t), await udpSocket(t)];
    stranger.send(check(agent.localUfrag, 'wrong'.repeat(5)).bytes, portOf(agent), '127.0.0.1');
    stranger.send(Buffer.from([22, 1]), portOf(agent), '127.0.0.1');
    assert.equal(await isAnswered(agent, peer), true);
    peer.send(Buffer.from([22, 2]), portOf(agent), '127.0.0.1');
    await eventually(() => agent.heard.datagrams.length > 0, 2000, 'the flight');
    assert.deepEqual(seconds(agent), [2]);
  });

  it('hears a client that nominates several pairs and stays with the first, and still no stranger', async (t) => {
    const agent = await openAgent(t);
    const [first, last, stranger] = [await udpSocket(t), await udpSocket(t), await udpSocket(t)];
    nominate(agent, first);
    await agent.told('nominated');
    let isMoved = false;
    last.on('message', (data) => (isMoved ||= data[1] === 9));
    nominate(agent, last);
    await eventually(
      () => {
        agent.send(Buffer.from([22, 9]));
        return isMoved;
      },
      3000,
      'the last nomination to be followed',
    );
    stranger.send(Buffer.from([22, 1]), portOf(agent), '127.0.0.1');
    first.send(Buffer.from([22, 2]), portOf(agent), '127.0.0.1');
    last.send(Buffer.from([22, 3]), portOf(agent), '127.0.0.1');
    await eventually(() => agent.heard.datagrams.length > 1, 2000, 'the datagrams');
    assert.deepEqual(seconds(agent).sort(), [2, 3]);
  });

  it('tells how long the pair in use takes, by the answer to the check that was asked for and no other', async (t) => {
    const agent = await openAgent(t);
    const [peer, stranger] = [await udpSocket(t), await udpSocket(t)];
    agent.checkPath(1);
    nominate(agent, peer);
    await agent.told('nominated');
    agent.checkPath(2);
    await eventually(() => agent.heard.answers.length > 0, 2000, 'the answer');
    const asked = new Promise<Message>((resolve) => {
      peer.removeAllListeners('message');
      peer.on('message', (data) => {
        const request = parseMessage(data);
        if (request?.messageClass === classes.REQUEST) resolve(request);
      });
    });
    agent.checkPath(3);
    const request = await within(asked, 2000, 'the check');
    const answer = (password: string): Buffer =>
      new Message(methods.BINDING, classes.RESPONSE, request.transactionId)
        .setAttribute('XOR-MAPPED-ADDRESS', ['127.0.0.1', 9])
        .addMessageIntegrity(Buffer.from(password))
        .addFingerprint().bytes;
    peer.send(answer('wrong'.repeat(5)), portOf(agent), '127.0.0.1');
    stranger.send(answer(REMOTE.icePassword), portOf(agent), '127.0.0.1');
    for (let again = 0; again < 2; again++) peer.send(answer(REMOTE.icePassword), portOf(agent), '127.0.0.1');
    await eventually(() => agent.heard.answers.length > 1, 2000, 'the second answer');
    peer.send(Buffer.from([22, 1]), portOf(agent), '127.0.0.1');
    await eventually(() => agent.heard.datagrams.length > 0, 2000, 'what was sent after them');
    const { answers } = agent.heard;
    assert.deepEqual(
      answers.map(({ id }) => id),
      [2, 3],
    );
    assert.ok(answers.every(({ roundTripMs = 0 }) => roundTripMs >= 0 && roundTripMs < 2000));
  });

  it('has new credentials each time, with the 24 and 128 random bits of RFC 8445', async (t) => {
    const [a, b] = [await openAgent(t), await openAgent(t)];
    // Base64 carries 6 bits in a character.
    assert.match(a.localUfrag, /^[A-Za-z0-9+/]{4,}$/);
    assert.match(a.localPassword, /^[A-Za-z0-9+/]{22,}$/);
    assert.ok(/[g-zA-Z+/]/.test(a.localPassword), 'hexadecimal digits would carry 4');
    assert.ok(a.localUfrag !== b.localUfrag && a.localPassword !== b.localPassword);
  });

  it('answers, and checks, a client that sends from ever new addresses at a bounded number of them', { timeout: 30_000 }, async (t) => {
    const agent = await openAgent(t);
    const first = await udpSocket(t);
    assert.equal(await isAnswered(agent, first), true);
    let answered = 1;
    for (let i = 0; i < 102; i++) if (await isAnswered(agent, await udpSocket(t))) answered++;
    assert.equal(answered, 100);
    assert.equal(agent.report.pairs.length, 100);
    assert.equal(await isAnswered(agent, first), true, 'a known address is still answered');
  });

  it('gives up a client that refuses each check, instead of asking it again without end', { timeout: 30_000 }, async (t) => {
    const agent = await openAgent(t);
    const socket = await udpSocket(t);
    let requests = 0;
    socket.on('message', (data, { address, port }) => {
      const request = parseMessage(data);
      if (request?.messageClass !== classes.REQUEST) return;
      requests++;
      const refusal = new Message(methods.BINDING, classes.ERROR, request.transactionId).setAttribute('ERROR-CODE', [401, 'Unauthorized']);
      socket.send(refusal.addMessageIntegrity(Buffer.from(REMOTE.icePassword)).addFingerprint().bytes, port, address);
    });
    const { port } = socket.address();
    agent.addRemoteCandidate({ foundation: '1', priority: 1, address: '127.0.0.1', port, type: 'host' });
    await eventually(() => agent.report.pairs[0]?.state === 'failed', 20_000, 'the pair to be given up');
    assert.ok(requests > 100 && requests < 300, `${requests} checks`);
  });
});
