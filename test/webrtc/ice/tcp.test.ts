import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import { systemClock } from '../../../src/base/clock.js';
import { FrameReader, framed, framedAll, MAX_FRAME_BYTES } from '../../../src/webrtc/ice/tcp-framing.js';
import { IceTcpListener } from '../../../src/webrtc/ice/tcp-listener.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { eventually, within } from '../../helpers/deadline.js';
import { HeardAgent } from './heard-agent.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { seededRandom } from '../../helpers/random.js';

const LOOPBACK = { bind: '127.0.0.1', advertise: '127.0.0.1', family: 4, loopback: true } as const;
const CLIENT = { iceUfrag: 'abcd', icePassword: 'a'.repeat(24), iceLite: false, candidates: [] } as const;

interface Rig {
  readonly ledger: ResourceLedger;
  readonly clock: FakeClock;
  readonly listener: IceTcpListener;
  readonly agent: HeardAgent;
}

/** An agent with a TCP port; closed after the test, with nothing left. */
async function rig(t: TestContext): Promise<Rig> {
  const ledger = new ResourceLedger();
  const clock = new FakeClock();
  const listener = await IceTcpListener.open({ iceAddresses: ['127.0.0.1'], port: 0, clock, ledger });
  const agent = new HeardAgent({
    addresses: [LOOPBACK],
    portRange: undefined,
    stunUrls: [],
    tcp: listener,
    clock: systemClock(ledger),
    ledger,
  });
  await agent.open();
  t.after(async () => {
    await agent.close();
    await listener.close();
    await eventually(() => Object.values(ledger.snapshot()).every((held) => held === 0), 2000, 'everything to be given back');
    assert.equal(clock.pendingTimers, 0);
  });
  agent.connect(CLIENT, { controlling: false });
  return { ledger, clock, listener, agent };
}

async function dial(t: TestContext, port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function check(agent: HeardAgent, { password = agent.localPassword, ufrag = agent.localUfrag, nominates = false } = {}): Message {
  const request = new Message(methods.BINDING, classes.REQUEST);
  request.setAttribute('USERNAME', `${ufrag}:${CLIENT.iceUfrag}`).setAttribute('PRIORITY', 1).setAttribute('ICE-CONTROLLING', 1n);
  if (nominates) request.setAttribute('USE-CANDIDATE', null);
  return request.addMessageIntegrity(Buffer.from(password)).addFingerprint();
}

function framesOf(socket: net.Socket, onFrame: (frame: Buffer) => void): void {
  const reader = new FrameReader(onFrame);
  socket.on('data', (chunk) => reader.push(chunk));
}

/** Answers the agent's checks, as a client does. */
function answerChecks(socket: net.Socket, onData: (data: Buffer) => void = () => undefined): void {
  framesOf(socket, (frame) => {
    if ((frame[0] ?? 0) >= 4) return onData(frame);
    const request = parseMessage(frame);
    if (request?.messageClass !== classes.REQUEST) return;
    const answer = new Message(methods.BINDING, classes.RESPONSE, request.transactionId).setAttribute('XOR-MAPPED-ADDRESS', [
      '127.0.0.1',
      socket.localPort as number,
    ]);
    socket.write(framed(answer.addMessageIntegrity(Buffer.from(CLIENT.icePassword)).addFingerprint().bytes));
  });
}

function closed(socket: net.Socket): Promise<unknown> {
  return within(
    socket.destroyed || socket.readableEnded ? Promise.resolve([]) : once(socket, 'close'),
    3000,
    'the connection to be cut off',
  );
}

describe('ICE by TCP', () => {
  it('offers a passive candidate, and carries datagrams both ways once a client nominates', async (t) => {
    const { agent, listener, ledger } = await rig(t);
    const line = agent.candidates.find((candidate) => candidate.includes(' tcp '));
    assert.match(line ?? '', new RegExp(`^candidate:\\S+ 1 tcp \\d+ 127\\.0\\.0\\.1 ${listener.port} typ host tcptype passive$`));
    const client = await dial(t, listener.port);
    const received: Buffer[] = [];
    answerChecks(client, (data) => received.push(data));
    client.write(framed(check(agent, { nominates: true }).bytes));
    await agent.told('nominated');
    assert.equal(ledger.snapshot().tcp_sockets, 1);
    assert.equal(agent.report.selected, 'host-tcp/prflx-tcp');
    agent.send(Buffer.from([22, 1]));
    await new Promise<void>((resolve) => agent.sendAll(Buffer.from([128, 1, 128, 2, 3]), [2, 5], resolve));
    await eventually(() => received.length === 3, 2000, 'the datagrams');
    assert.deepEqual(received, [Buffer.from([22, 1]), Buffer.from([128, 1]), Buffer.from([128, 2, 3])]);
    client.write(framed(Buffer.from([22, 9])));
    await eventually(() => agent.heard.datagrams.length > 0, 2000, 'a datagram');
    assert.deepEqual(agent.heard.datagrams, [Buffer.from([22, 9])]);
  });

  it('follows a client that comes back by another connection', async (t) => {
    const { agent, listener } = await rig(t);
    const first = await dial(t, listener.port);
    answerChecks(first);
    first.write(framed(check(agent, { nominates: true }).bytes));
    await agent.told('nominated');
    first.destroy();
    const second = await dial(t, listener.port);
    let isReached = false;
    answerChecks(second, () => (isReached = true));
    second.write(framed(check(agent, { nominates: true }).bytes));
    await eventually(
      () => {
        agent.send(Buffer.from([22, 1]));
        return isReached;
      },
      3000,
      'a datagram by the second connection',
    );
  });

  it('shows a client that reads nothing as pending, and loses what is too much', async (t) => {
    const { agent, listener } = await rig(t);
    const client = await dial(t, listener.port);
    answerChecks(client);
    client.write(framed(check(agent, { nominates: true }).bytes));
    await agent.told('nominated');
    client.pause();
    const slab = Buffer.alloc(64 * 1000, 128);
    const ends = Array.from({ length: 64 }, (_, i) => (i + 1) * 1000);
    for (let i = 0; i < 400; i++) {
      let isTaken = false;
      agent.sendAll(slab, ends, () => (isTaken = true));
      assert.ok(isTaken, 'the slab is free at once');
    }
    assert.ok(agent.pendingBytes > 1024 * 1024, `${agent.pendingBytes} bytes are pending`);
    assert.ok(agent.pendingBytes < 5 * 1024 * 1024, `${agent.pendingBytes} bytes are pending`);
  });

  it('cuts off who does not know the password, before anything is answered or agent.heard.datagrams.length', async (t) => {
    const { agent, listener } = await rig(t);
    const openings = [
      framed(check(agent, { password: 'wrong'.repeat(5) }).bytes),
      framed(check(agent, { ufrag: 'nobody' }).bytes),
      framed(Buffer.from([22, 254, 253, 0])),
      framed(new Message(methods.BINDING, classes.REQUEST).bytes),
      framed(new Message(methods.BINDING, classes.RESPONSE).bytes),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0xff, 0xff, 1, 2, 3]),
    ];
    for (const opening of openings) {
      const stranger = await dial(t, listener.port);
      let answered = 0;
      stranger.on('data', () => answered++);
      stranger.write(opening);
      await closed(stranger);
      assert.equal(answered, 0);
    }
    assert.equal(agent.heard.datagrams.length, 0);
  });

  it('cuts off who says nothing for 10 s, and only so many may try', async (t) => {
    const { clock, ledger, listener } = await rig(t);
    const silent = await dial(t, listener.port);
    await eventually(() => ledger.snapshot().tcp_sockets === 1, 2000, 'the connection');
    await clock.advance(9_900);
    assert.equal(ledger.snapshot().tcp_sockets, 1);
    await clock.advance(200);
    await closed(silent);
    const many = await Promise.all(Array.from({ length: 70 }, () => dial(t, listener.port)));
    await eventually(
      () => ledger.snapshot().tcp_sockets === 64 && many.filter((socket) => socket.destroyed).length === 6,
      3000,
      'the oldest to give way',
    );
  });

  it('withstands whatever follows an authentic check', async (t) => {
    const { agent, listener, ledger } = await rig(t);
    const random = seededRandom(11);
    for (let i = 0; i < 60; i++) {
      const client = await dial(t, listener.port);
      client.write(framed(check(agent).bytes));
      for (let k = 0; k < 8 && !client.destroyed; k++)
        client.write(Buffer.from(Array.from({ length: 1 + Math.floor(random() * 400) }, () => Math.floor(random() * 256))));
      client.end();
    }
    await eventually(() => ledger.snapshot().tcp_sockets <= 8, 5000, 'the connections to go');
    const honest = await dial(t, listener.port);
    let answered = false;
    framesOf(honest, () => (answered = true));
    honest.write(framed(check(agent).bytes));
    await eventually(() => answered, 3000, 'an answer');
  });
});

describe('datagrams on a TCP connection', () => {
  it('are cut the same however the bytes arrive', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 1 + Math.floor(random() * 10) }, () =>
        Buffer.alloc(1 + Math.floor(random() * 1500), Math.floor(random() * 256)),
      );
      const ends = sent.map((_, i) => sent.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
      const bytes = framedAll(Buffer.concat(sent), ends);
      const received: Buffer[] = [];
      const reader = new FrameReader((frame) => received.push(Buffer.from(frame)));
      for (let at = 0; at < bytes.length;) {
        const next = at + 1 + Math.floor(random() * 700);
        assert.ok(reader.push(bytes.subarray(at, next)));
        at = next;
      }
      assert.deepEqual(received, sent);
    }
  });

  it('may be empty, and end the connection where they are too long', () => {
    const received: Buffer[] = [];
    const reader = new FrameReader((frame) => received.push(frame));
    assert.ok(reader.push(Buffer.from([0, 0, 0, 0, 0, 1, 7])));
    assert.deepEqual(received, [Buffer.from([7])]);
    const tooLong = Buffer.alloc(2);
    tooLong.writeUInt16BE(MAX_FRAME_BYTES + 1);
    assert.equal(reader.push(tooLong), false);
  });
});
