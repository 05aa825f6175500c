/** The UDP port of all sessions: what comes reaches those that it is for, and nobody else. */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import { systemClock, type Clock } from '../../../src/base/clock.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { IceAgent } from '../../../src/webrtc/ice/agent.js';
import { hostAddresses } from '../../../src/webrtc/ice/host-addresses.js';
import { IceUdpPort, type IceUdpPortInit } from '../../../src/webrtc/ice/udp-port.js';
import { eventually } from '../../helpers/deadline.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { seededRandom } from '../../helpers/random.js';
import { HeardAgent } from './heard-agent.js';
import { RawPeer, REMOTE } from './raw-peer.js';

interface OpenOptions {
  readonly transport?: object;
  readonly controlling?: boolean;
  readonly addresses?: readonly string[];
  readonly publicIps?: readonly string[];
  readonly stunUrls?: readonly string[];
}

interface Rig {
  readonly ledger: ResourceLedger;
  readonly port: IceUdpPort;
  /** An agent that waits for checks; `transport` as of `IceAgent`. */
  readonly open: (options?: OpenOptions) => Promise<HeardAgent>;
}

/** Closed after the test, with nothing left. */
async function rig(t: TestContext, init: Partial<IceUdpPortInit> & { agentClock?: Clock } = {}): Promise<Rig> {
  const ledger = new ResourceLedger();
  const clock = systemClock(ledger);
  const iceAddresses = init.iceAddresses ?? ['127.0.0.1'];
  const port = await IceUdpPort.open({ port: 0, clock, ledger, ...init, iceAddresses });
  const agents: HeardAgent[] = [];
  t.after(async () => {
    await Promise.all(agents.map((agent) => agent.close()));
    assert.deepEqual(port.counts, { agents: 0, transactions: 0, addresses: 0 });
    assert.ok(ledger.snapshot().udp_sockets > 0, 'agents leave the sockets as they are');
    await port.close();
    assert.equal(ledger.snapshot().udp_sockets, 0);
  });
  return {
    ledger,
    port,
    open: async ({ transport, controlling = false, addresses = iceAddresses, publicIps, stunUrls = [] } = {}) => {
      const options = {
        addresses: hostAddresses(addresses),
        portRange: undefined,
        udp: port,
        publicIps,
        stunUrls,
        clock: init.agentClock ?? clock,
        ledger,
      };
      const agent = new HeardAgent(options, transport);
      agents.push(agent);
      await agent.open();
      agent.connect(REMOTE, { controlling });
      return agent;
    },
  };
}

/** The peer nominates, and can be sent to. */
async function connected(agent: HeardAgent, peer: RawPeer): Promise<void> {
  peer.check(agent, { nominates: true });
  await agent.told('nominated');
}

async function heard(agent: HeardAgent, count: number): Promise<(number | undefined)[]> {
  await eventually(() => agent.heard.datagrams.length >= count, 3000, `${count} datagrams`);
  return agent.heard.datagrams.map((data) => data[1]);
}

/** What was sent before to the same socket has been read. */
async function settled(agent: IceAgent, peer: RawPeer): Promise<void> {
  const transaction = peer.check(agent);
  await eventually(() => peer.answered.has(transaction), 3000, 'an answer');
}

const dtls = (mark: number): Buffer => Buffer.from([22, mark]);

describe('the UDP port of all sessions', () => {
  it('is one socket for fifty viewers, each of which gets what is its own', { timeout: 30_000 }, async (t) => {
    const { ledger, open } = await rig(t);
    const pairs = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const [agent, peer] = await Promise.all([open(), RawPeer.open(t)]);
        await connected(agent, peer);
        return { agent, peer };
      }),
    );
    assert.equal(ledger.snapshot().udp_sockets, 1);
    pairs.forEach(({ agent, peer }, i) => {
      peer.send(agent, dtls(i));
      agent.send(dtls(100 + i));
    });
    for (const [i, { agent, peer }] of pairs.entries()) {
      assert.deepEqual(await heard(agent, 1), [i]);
      await eventually(() => peer.received.length > 0, 3000, 'a datagram');
      assert.deepEqual(peer.received, [dtls(100 + i)]);
    }
  });

  it('knows the answers to checks by their transaction: nobody has to come from there before', async (t) => {
    const { open } = await rig(t);
    const peer = await RawPeer.open(t);
    const agent = await open({ controlling: true });
    agent.addRemoteCandidate({ foundation: '1', priority: 1, address: '127.0.0.1', port: peer.port, type: 'host' });
    await agent.told('nominated');
    assert.equal(agent.report.checksReceived, 0);
    assert.equal(agent.report.selected, 'host/host');
    // Nor does a lite peer (RFC 8445 §2.5), which never checks, have to before it is heard.
    peer.send(agent, dtls(1));
    assert.deepEqual(await heard(agent, 1), [1]);
  });

  it('asks STUN servers by it, and tells what they saw', async (t) => {
    const { port, open } = await rig(t);
    const server = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    server.on('message', (data, from) => {
      const request = parseMessage(data);
      assert.ok(request);
      const answer = new Message(methods.BINDING, classes.RESPONSE, request.transactionId);
      server.send(answer.setAttribute('XOR-MAPPED-ADDRESS', ['203.0.113.9', 1234]).bytes, from.port, from.address);
    });
    const agents = await Promise.all([1, 2].map(() => open({ stunUrls: [`stun:127.0.0.1:${server.address().port}`] })));
    for (const agent of agents) {
      await agent.told('gathered');
      const told = agent.candidates
        .find((line) => line.includes('srflx'))
        ?.split(' ')
        .slice(4)
        .join(' ');
      assert.equal(told, `203.0.113.9 1234 typ srflx raddr 127.0.0.1 rport ${port.port}`);
    }
  });

  it('learns an address from authentic checks alone, and answers nobody else', async (t) => {
    const { port, open } = await rig(t);
    const [agent, other] = [await open(), await open()];
    const stranger = await RawPeer.open(t);
    const answer = new Message(methods.BINDING, classes.RESPONSE).setAttribute('XOR-MAPPED-ADDRESS', ['127.0.0.1', 1]);
    stranger.send(agent, dtls(1));
    stranger.check(agent, { password: 'wrong'.repeat(5) });
    stranger.check(agent, { password: other.localPassword });
    stranger.check(agent, { ufrag: 'nobody' });
    stranger.send(agent, new Message(methods.BINDING, classes.REQUEST).addFingerprint().bytes);
    stranger.send(agent, answer.addMessageIntegrity(Buffer.from(REMOTE.icePassword)).addFingerprint().bytes);
    stranger.send(agent, dtls(2));
    await settled(agent, await RawPeer.open(t));
    assert.equal(stranger.datagrams, 0);
    assert.deepEqual([agent.heard.datagrams.length, agent.report.checksReceived], [0, 1]);
    assert.equal(port.counts.addresses, 1);
    assert.equal(stranger.check(agent).length, 24);
    await eventually(() => stranger.answered.size === 1, 3000, 'an answer');
    stranger.send(agent, dtls(3));
    assert.deepEqual(await heard(agent, 1), [3]);
    assert.equal(other.heard.datagrams.length, 0);
  });

  it('gives what comes from an address to each transport that was checked from there, so none can take it from another', async (t) => {
    const { open } = await rig(t);
    const [victim, thief] = [await open(), await open()];
    const peer = await RawPeer.open(t);
    await connected(victim, peer);
    // As if the thief, who has a session of its own, pretended to send from the address of the peer.
    await settled(thief, peer);
    peer.send(victim, dtls(1));
    assert.deepEqual(await heard(victim, 1), [1]);
    assert.deepEqual(await heard(thief, 1), [1], 'its keys do not fit');
    await thief.close();
    peer.send(victim, dtls(2));
    assert.deepEqual(await heard(victim, 2), [1, 2]);
  });

  it('serves four transports of a session, two generations of each, from one address', async (t) => {
    const { open } = await rig(t);
    const transports = [{}, {}, {}, {}];
    const peer = await RawPeer.open(t);
    const generations = await Promise.all([1, 2].map(() => Promise.all(transports.map((transport) => open({ transport })))));
    for (const agents of generations) for (const agent of agents) await settled(agent, peer);
    const [first = [], second = []] = generations;
    peer.send(first[0]!, dtls(1));
    for (const agent of second) assert.deepEqual(await heard(agent, 1), [1]);
    assert.ok(first.every((agent) => agent.heard.datagrams.length === 0));
  });

  it('gives it to a transport once, by the newest of its generations, and by the older one when that is given up', async (t) => {
    const { open } = await rig(t);
    const transport = {};
    const [first, second] = [await open({ transport }), await open({ transport })];
    const peer = await RawPeer.open(t);
    await connected(first, peer);
    await settled(second, peer);
    peer.send(first, dtls(1));
    assert.deepEqual(await heard(second, 1), [1]);
    assert.equal(first.heard.datagrams.length, 0);
    await second.close();
    peer.send(first, dtls(2));
    assert.deepEqual(await heard(first, 1), [2]);
  });

  it('shares an address among eight agents at most, and keeps 32 addresses of one', { timeout: 30_000 }, async (t) => {
    const { port, open } = await rig(t);
    const peer = await RawPeer.open(t);
    const agents = await Promise.all(Array.from({ length: 9 }, () => open()));
    for (const agent of agents) await settled(agent, peer);
    peer.send(agents[0]!, dtls(1));
    for (const agent of agents.slice(1)) await heard(agent, 1);
    assert.equal(agents[0]!.heard.datagrams.length, 0, 'the one that was checked longest ago gives way');
    // A new check learns it again.
    await settled(agents[0]!, peer);
    peer.send(agents[0]!, dtls(2));
    assert.deepEqual(await heard(agents[0]!, 1), [2]);
    for (let i = 0; i < 40; i++) await settled(agents[0]!, await RawPeer.open(t));
    assert.equal(port.counts.addresses, 1 + 32);
  });

  it('keeps no more checks of an agent in mind than may be waited for', { timeout: 30_000 }, async (t) => {
    const clock = new FakeClock();
    const { port, ledger } = await rig(t, { clock });
    const events = { datagram: () => undefined };
    const [joined] = await port.join({ localUfrag: 'ufrag', transport: {}, ...events }, hostAddresses(['127.0.0.1']));
    assert.ok(joined);
    const ask = (): void => joined.socket.send(new Message(methods.BINDING, classes.REQUEST).bytes, '127.0.0.1', port.port);
    for (let i = 0; i < 300; i++) ask();
    assert.equal(port.counts.transactions, 256);
    await clock.advance(60_000);
    ask();
    assert.equal(port.counts.transactions, 1, 'the others were given up long ago');
    await joined.socket.close();
    assert.equal(ledger.snapshot().udp_sockets, 1);
  });

  it('remembers nothing of strangers, however many messages they send, and answers none', { timeout: 30_000 }, async (t) => {
    const { port, open } = await rig(t);
    const [agent, peer, stranger] = [await open(), await RawPeer.open(t), await RawPeer.open(t)];
    await connected(agent, peer);
    const before = port.counts;
    const random = seededRandom(7);
    for (let i = 0; i < 5000; i++) {
      if (i % 3 === 0) stranger.check(agent, { ufrag: `ufrag${i}` });
      else if (i % 3 === 1) stranger.send(agent, new Message(methods.BINDING, classes.RESPONSE).addFingerprint().bytes);
      else stranger.send(agent, Buffer.from(Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256))));
      if (i % 100 === 0) await settled(agent, peer);
    }
    await settled(agent, peer);
    assert.deepEqual([port.counts.agents, port.counts.addresses], [before.agents, before.addresses]);
    // Some of what is sent so fast never comes.
    assert.ok(port.unrouted > 1000 && port.unrouted <= 5000, `${port.unrouted} datagrams for nobody`);
    assert.ok(port.counts.transactions <= before.transactions + 60, 'our own checks');
    assert.deepEqual([stranger.datagrams, agent.heard.datagrams.length], [0, 0]);
    peer.send(agent, dtls(1));
    assert.deepEqual(await heard(agent, 1), [1]);
  });

  it('counts what is not sent yet for each agent', async (t) => {
    const { open } = await rig(t);
    const [busy, idle, peer, other] = [await open(), await open(), await RawPeer.open(t), await RawPeer.open(t)];
    await connected(busy, peer);
    await connected(idle, other);
    const sent = new Promise<void>((resolve) => busy.sendAll(Buffer.alloc(60_000, 128), [30_000, 60_000], resolve));
    assert.deepEqual([busy.pendingBytes, idle.pendingBytes], [60_000, 0]);
    await sent;
    assert.equal(busy.pendingBytes, 0);
  });

  it('stays when an agent is closed, to which nothing more is handed', async (t) => {
    const { ledger, open } = await rig(t);
    const [leaving, staying, peer] = [await open(), await open(), await RawPeer.open(t)];
    await connected(leaving, peer);
    await connected(staying, peer);
    await leaving.close();
    assert.equal(ledger.snapshot().udp_sockets, 1);
    const before = peer.answered.size;
    peer.check(leaving);
    peer.send(staying, dtls(7));
    assert.deepEqual(await heard(staying, 1), [7]);
    await settled(staying, peer);
    assert.deepEqual([leaving.heard.datagrams.length, peer.answered.size], [0, before + 1]);
  });

  it('has a socket for each address, by IPv6 as by IPv4, and opens those of addresses that are new', async (t) => {
    const { ledger, port, open } = await rig(t, { iceAddresses: ['127.0.0.1', '::1'] });
    assert.equal(ledger.snapshot().udp_sockets, 2);
    for (const address of ['127.0.0.1', '::1']) {
      const [agent, peer] = [await open({ addresses: [address] }), await RawPeer.open(t, address)];
      await connected(agent, peer);
      peer.send(agent, dtls(1));
      await heard(agent, 1);
    }
    const agents = await Promise.all([1, 2].map(() => open({ addresses: ['127.0.0.1', '127.0.0.5'] })));
    assert.equal(ledger.snapshot().udp_sockets, 3, 'those who join at once open one');
    for (const agent of agents)
      assert.deepEqual(
        agent.candidates.map((line) => line.split(' ').slice(4, 6)),
        [
          ['127.0.0.1', String(port.port)],
          ['127.0.0.5', String(port.port)],
        ],
      );
  });

  it('leads several addresses of a 1:1 NAT to one socket, beside which no address can be bound alone', async (t) => {
    const addresses = ['203.0.113.5', '203.0.113.6', '127.0.0.1'];
    const { ledger, port, open } = await rig(t, { iceAddresses: addresses });
    const [agent, peer] = [await open(), await RawPeer.open(t)];
    assert.equal(ledger.snapshot().udp_sockets, 1);
    assert.deepEqual(
      agent.candidates.map((line) => line.split(' ').slice(4, 8).join(' ')),
      addresses.map((address) => `${address} ${port.port} typ host`),
    );
    await connected(agent, peer);
    // An address that was bound alone is served by what is there.
    const late = await open({ addresses: ['127.0.0.1'] });
    await connected(late, peer);
    assert.equal(ledger.snapshot().udp_sockets, 1);
  });

  it('tells a public address once, whichever of its sockets the NAT leads to', async (t) => {
    const { port, open } = await rig(t, { iceAddresses: ['127.0.0.1', '127.0.0.2'] });
    const agent = await open({ publicIps: ['203.0.113.5'] });
    assert.deepEqual(
      agent.candidates.filter((line) => line.includes('srflx')).map((line) => line.split(' ').slice(4).join(' ')),
      [`203.0.113.5 ${port.port} typ srflx raddr 127.0.0.1 rport ${port.port}`],
    );
  });

  it('is refused where another program has it, unless it may be another one', async (t) => {
    const { port } = await rig(t, { iceAddresses: ['127.0.0.2'] });
    const ledger = new ResourceLedger();
    const init = { iceAddresses: ['127.0.0.1', '127.0.0.2'], port: port.port, clock: systemClock(ledger), ledger };
    await assert.rejects(IceUdpPort.open(init), { code: 'EADDRINUSE', address: '127.0.0.2' });
    assert.equal(ledger.snapshot().udp_sockets, 0, 'the half that was opened is closed');
    const another = await IceUdpPort.open({ ...init, mayDiffer: true });
    assert.notEqual(another.port, port.port);
    assert.equal(ledger.snapshot().udp_sockets, 2);
    await another.close();
  });
});

describe('a peer whose NAT gives it another address', () => {
  for (const controlling of [false, true]) {
    it(`is followed once it is silent where it was, where we ${controlling ? 'control' : 'do not control'} and it nominates nothing`, async (t) => {
      const clock = new FakeClock();
      const { open } = await rig(t, { agentClock: clock });
      const [agent, before, after] = [await open({ controlling }), await RawPeer.open(t), await RawPeer.open(t)];
      // Known before, and so preferred to what is learned later.
      agent.addRemoteCandidate({ foundation: '1', priority: 2 ** 31 - 1, address: '127.0.0.1', port: before.port, type: 'host' });
      before.check(agent, { nominates: !controlling, controlling: !controlling });
      await agent.told('nominated');
      after.check(agent, { controlling: !controlling });
      await eventually(() => after.answered.size === 1, 3000, 'an answer');
      await eventually(() => agent.report.pairs.filter(({ state }) => state === 'succeeded').length === 2, 3000, 'a check of the new way');
      after.send(agent, dtls(1));
      await heard(agent, 1);
      agent.send(dtls(2));
      await eventually(() => before.received.length === 1, 3000, 'the old way, which may be alive');
      await clock.advance(3000);
      after.send(agent, dtls(3));
      assert.deepEqual(await heard(agent, 2), [1, 3]);
      agent.send(dtls(4));
      await eventually(() => after.received.length === 1, 3000, 'the new way');
      assert.deepEqual([before.received, after.received], [[dtls(2)], [dtls(4)]]);
      assert.equal(agent.heard.events.filter((event) => event === 'moved').length, 1);
    });
  }

  it('is followed at once where it nominates', async (t) => {
    const { open } = await rig(t, { agentClock: new FakeClock() });
    const [agent, before, after] = [await open(), await RawPeer.open(t), await RawPeer.open(t)];
    await connected(agent, before);
    before.close();
    after.check(agent, { nominates: true });
    await eventually(
      () => {
        agent.send(dtls(1));
        return after.received.length > 0;
      },
      3000,
      'the new way',
    );
    assert.ok(agent.heard.events.includes('moved'));
  });
});
