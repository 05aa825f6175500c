import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import { systemClock } from '../../../src/base/clock.js';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { IceOptions } from '../../../src/webrtc/ice/gathering.js';
import { MAX_CANDIDATES, parseCandidate } from '../../../src/webrtc/sdp/remote-transport.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { eventually, within } from '../../helpers/deadline.js';
import { HeardAgent } from './heard-agent.js';
import { seededRandom } from '../../helpers/random.js';

const LOOPBACK = { bind: '127.0.0.1', advertise: '127.0.0.1', family: 4, loopback: true } as const;

/** Closed after the test, with nothing left. */
async function open(t: TestContext, options: Partial<IceOptions> = {}): Promise<HeardAgent> {
  const ledger = new ResourceLedger();
  const agent = new HeardAgent({
    addresses: [LOOPBACK],
    portRange: undefined,
    stunUrls: [],
    clock: systemClock(ledger),
    ledger,
    ...options,
  });
  await agent.open();
  t.after(async () => {
    await agent.close();
    assert.deepEqual(
      Object.values(ledger.snapshot()).filter((held) => held > 0),
      [],
    );
  });
  return agent;
}

function credentials(of: HeardAgent): { iceUfrag: string; icePassword: string; iceLite: boolean; candidates: [] } {
  return { iceUfrag: of.localUfrag, icePassword: of.localPassword, iceLite: false, candidates: [] };
}

/** Tells whoever asks that it came from `seen`; says nothing where that is undefined. */
async function stunServer(t: TestContext, seen: string | undefined): Promise<number> {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  socket.on('message', (data, { address, port }) => {
    const request = parseMessage(data);
    if (request && seen !== undefined)
      socket.send(
        new Message(methods.BINDING, classes.RESPONSE, request.transactionId).setAttribute('XOR-MAPPED-ADDRESS', [seen, 4000]).bytes,
        port,
        address,
      );
  });
  return socket.address().port;
}

function trickle(from: HeardAgent, to: HeardAgent): void {
  for (const line of from.candidates) to.addRemoteCandidate(parseCandidate(line));
}

// Some wait for what an agent gives up only after seconds.
describe('an ICE agent with trickled candidates', { concurrency: 4 }, () => {
  it('nominates where it controls, and is nominated where it does not', async (t) => {
    const [a, b] = [await open(t), await open(t)];
    const both = Promise.all([a.told('nominated'), b.told('nominated')]);
    a.connect(credentials(b), { controlling: true });
    b.connect(credentials(a), { controlling: false });
    trickle(a, b);
    trickle(b, a);
    await both;
    a.send(Buffer.from([22, 7]));
    await eventually(() => b.heard.datagrams.length > 0, 2000, 'a datagram');
    assert.deepEqual(b.heard.datagrams, [Buffer.from([22, 7])]);
    assert.equal(a.report.selected, 'host/host');
  });

  it('keeps the checks and the candidates that come before the description', async (t) => {
    const [server, client] = [await open(t), await open(t)];
    const both = Promise.all([server.told('nominated'), client.told('nominated')]);
    client.connect(credentials(server), { controlling: false });
    trickle(server, client);
    trickle(client, server);
    await eventually(
      () => client.report.pairs.some(({ state }) => state === 'failed'),
      10_000,
      "the client's checks to be given up for want of an answer",
    );
    server.connect(credentials(client), { controlling: true });
    await both;
  });

  it('learns a peer that names no candidate that it can reach', async (t) => {
    const [server, client] = [await open(t), await open(t)];
    const both = Promise.all([server.told('nominated'), client.told('nominated')]);
    server.connect(credentials(client), { controlling: false });
    server.addRemoteCandidate(parseCandidate('candidate:1 1 udp 2113937151 0b8b5c5e-7b3b-4b8e-9d3f-0d7a1c2e3f40.local 50000 typ host'));
    server.addRemoteCandidate(parseCandidate('candidate:2 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active'));
    server.endOfCandidates();
    client.connect(credentials(server), { controlling: true });
    trickle(server, client);
    await both;
    assert.deepEqual(server.report.remote, { mdns: 1, tcp: 1, prflx: 1 });
    assert.equal(server.report.selected, 'host/prflx');
  });

  it('takes each candidate once, and no more than the bound', async (t) => {
    const agent = await open(t);
    const line = (port: number): string => `candidate:1 1 udp 2113937151 127.0.0.1 ${port} typ host`;
    for (let i = 0; i < 3; i++) agent.addRemoteCandidate(parseCandidate(line(9)));
    agent.connect({ iceUfrag: 'abcd', icePassword: 'a'.repeat(24), iceLite: false, candidates: [] }, { controlling: false });
    for (let i = 0; i < 3; i++) agent.addRemoteCandidate(parseCandidate(line(9)));
    assert.deepEqual(agent.report.remote, { host: 1 });
    for (let port = 9; port < 60; port++) agent.addRemoteCandidate(parseCandidate(line(port)));
    assert.deepEqual(agent.report.remote, { host: MAX_CANDIDATES });
    agent.endOfCandidates();
    agent.addRemoteCandidate(parseCandidate('candidate:9 1 udp 1 a.local 9 typ host'));
    assert.deepEqual(agent.report.remote, { host: MAX_CANDIDATES });
  });

  it('offers the public addresses of a 1:1 NAT for each socket of their family', async (t) => {
    const agent = await open(t, { publicIps: ['203.0.113.5', '2001:db8::5'] });
    const [host, srflx, ...others] = agent.candidates;
    const port = host?.split(' ')[5];
    assert.match(
      srflx ?? '',
      new RegExp(`^candidate:\\S+ 1 udp \\d+ 203\\.0\\.113\\.5 ${port} typ srflx raddr 127\\.0\\.0\\.1 rport ${port}$`),
    );
    assert.deepEqual(others, []);
    assert.deepEqual(agent.report.local, { host: 1, srflx: 1 });
  });

  it('asks every STUN server, hands on what each saw when it comes, and names the one that is silent', { timeout: 30_000 }, async (t) => {
    const ports = await Promise.all(['203.0.113.1', '203.0.113.2', undefined].map((seen) => stunServer(t, seen)));
    const agent = await open(t, { stunUrls: ports.map((port) => `stun:127.0.0.1:${port}`) });
    assert.equal(agent.candidates.length, 1, 'nobody waits for them');
    await within(agent.gathered, 2000, 'those who cannot trickle');
    assert.deepEqual(agent.heard.candidates.map((line) => line.split(' ')[4]).sort(), ['203.0.113.1', '203.0.113.2']);
    assert.deepEqual(agent.candidates.slice(1), agent.heard.candidates);
    await agent.told('gathered', 10_000);
    assert.deepEqual(agent.report.troubles, [`STUN server stun:127.0.0.1:${ports[2]}: it does not answer`]);
  });

  it('tells consent that expired from checks that never worked', { timeout: 60_000 }, async (t) => {
    const [server, client] = [await open(t), await open(t)];
    const both = Promise.all([server.told('nominated'), client.told('nominated')]);
    server.connect(credentials(client), { controlling: true });
    client.connect(credentials(server), { controlling: false });
    trickle(client, server);
    await both;
    await client.close();
    await server.told('consent-expired', 45_000);
  });
});

describe('a candidate line', () => {
  it('is refused where it is no candidate, and passed over where it cannot be used', () => {
    for (const line of [
      '',
      'candidate:',
      'candidate:1 1 udp',
      'hello world',
      'candidate:1 1 udp x 1.2.3.4 5 typ host',
      `candidate:1 1 udp 1 ${'a'.repeat(2000)} 5 typ host`,
    ]) {
      assert.throws(
        () => parseCandidate(line),
        (error) => error instanceof MediaPeerError && error.code === 'CANDIDATE_INVALID',
        line,
      );
    }
    for (const line of [
      'candidate:1 2 udp 1 192.0.2.1 5 typ host',
      'candidate:1 1 udp 1 192.0.2.1 0 typ host',
      'candidate:1 1 udp 1 example.org 5 typ host',
      'candidate:1 1 udp 1 224.0.0.1 5 typ host',
      'candidate:1 1 udp 1 fe80::1 5 typ host',
    ]) {
      assert.deepEqual(parseCandidate(line), { type: 'unusable' }, line);
    }
    assert.deepEqual(
      parseCandidate('a=candidate:1 1 UDP 5 192.0.2.1 6 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag abcd network-cost 999'),
      { foundation: '1', priority: 5, address: '192.0.2.1', port: 6, type: 'srflx' },
    );
  });

  it('never breaks the parser', () => {
    const random = seededRandom(7);
    const whole = 'candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport 46154 generation 0';
    for (let i = 0; i < 5000; i++) {
      const bytes = Buffer.from(whole);
      for (let k = 0; k < 1 + random() * 6; k++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        assert.equal(typeof parseCandidate(bytes.toString('latin1')).type, 'string');
      } catch (error) {
        assert.ok(error instanceof MediaPeerError, String(error));
      }
    }
  });
});
