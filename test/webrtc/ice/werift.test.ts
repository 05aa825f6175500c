/** What this server relies on in werift's ICE and STUN: another version that does it differently fails here, in words. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { candidateFoundation, candidatePriority } from 'werift';
import { candidateNumbers, type LocalCandidate } from '../../../src/webrtc/ice/candidates.js';
import type { IceSocket } from '../../../src/webrtc/ice/socket.js';
import { assertChecklistShape, Checklist, pairState, reflectedAddress, type IcePath } from '../../../src/webrtc/ice/werift.js';
import { assertShape } from '../../../src/webrtc/ice/werift-shape.js';
import {
  assertStunShape,
  attributeOf,
  authenticated,
  classes,
  methods,
  parseMessage,
  StunMessage,
} from '../../../src/webrtc/ice/werift-stun.js';
import { eventually } from '../../helpers/deadline.js';

/** Datagrams between addresses that exist in this test alone. */
class Network {
  readonly #receivers = new Map<string, (data: Buffer, host: string, port: number) => void>();
  /** Where datagrams were sent to. */
  readonly targets = new Set<string>();

  socket(host: string, port: number, receive: (data: Buffer, host: string, port: number) => void): IceSocket {
    this.#receivers.set(`${host} ${port}`, receive);
    return {
      isClosed: false,
      pendingBytes: 0,
      send: (data, toHost, toPort) => {
        this.targets.add(`${toHost} ${toPort}`);
        setImmediate(() => this.#receivers.get(`${toHost} ${toPort}`)?.(data, host, port));
      },
      sendAll: () => assert.fail('the checks send one by one'),
      close: () => Promise.resolve(),
    };
  }
}

interface Side {
  readonly list: Checklist;
  readonly path: IcePath;
  checks: number;
  failures: number;
}

/** A checklist with one path, which answers nothing but what proves to know its password. */
function side(t: TestContext, network: Network, address: string): Side {
  const list: Checklist = new Checklist({ checked: () => self.checks++, failed: () => self.failures++ });
  const candidate = { type: 'host', transport: 'udp', address, port: 4000 } as const;
  const socket = network.socket(address, 4000, (data, host, port) => {
    const check = authenticated(data, Buffer.from(list.localPassword));
    if (parseMessage(data)?.messageClass !== classes.REQUEST) list.receiveAnswer(self.path, data, [host, port]);
    else if (check) list.receiveCheck(self.path, check, data, [host, port]);
  });
  const self: Side = { list, path: list.addPath(socket, candidate), checks: 0, failures: 0 };
  t.after(() => list.close());
  return self;
}

const remoteOf = ({ list }: Side) => ({ iceUfrag: list.localUfrag, icePassword: list.localPassword, iceLite: false });
const candidateOf = ({ path }: Side) => ({ ...path.candidate, ...candidateNumbers(path.candidate), type: 'host' }) as const;

describe('the version of werift that is installed', () => {
  it('has all that is used of its ICE and STUN, and what another one lacks is named', () => {
    assertChecklistShape();
    assertStunShape();
    assert.throws(() => assertShape('Connection', {}, { methods: ['connect'] }), /this version of werift has no Connection\.connect/);
    assert.throws(() => assertShape('SCTP', { rto: 1 }, { fields: ['rto', 'srtt'] }), /this version of werift has no SCTP\.srtt/);
  });

  it('checks pairs with our credentials, and nominates where it controls', async (t) => {
    const network = new Network();
    const [a, b] = [side(t, network, '192.0.2.1'), side(t, network, '192.0.2.2')];
    a.list.setRemote(remoteOf(b), { controlling: true });
    b.list.setRemote(remoteOf(a), { controlling: false });
    a.list.addRemoteCandidate(candidateOf(b));
    assert.deepEqual(network.targets, new Set(), 'nothing is sent before the start');
    a.list.start();
    b.list.start();
    // One that comes after the start is paired, too.
    b.list.addRemoteCandidate(candidateOf(a));
    await eventually(() => a.list.nominated && b.list.nominated, 5000, 'both to nominate');
    assert.equal(a.list.pairOf(a.path, ['192.0.2.2', 4000]), a.list.nominated);
    assert.equal(pairState(a.list.nominated!), 'succeeded');
    assert.ok(a.checks > 0 && b.checks > 0, 'each check that ends is told of');
    assert.deepEqual([a.failures, b.failures], [0, 0]);
    assert.ok(a.list.maySend && a.list.isControlling && !b.list.isControlling);
    assert.ok((a.list.nominated?.rtt ?? -1) >= 0);
    assert.deepEqual(network.targets, new Set(['192.0.2.2 4000', '192.0.2.1 4000']), 'nobody else is asked anything');
    await a.list.close();
    assert.deepEqual([a.list.state, a.list.maySend, a.failures], ['closed', false, 0]);
  });

  it('pairs a path that is entered when the peer is known already', (t) => {
    const network = new Network();
    const [a, b] = [side(t, network, '192.0.2.1'), side(t, network, '192.0.2.2')];
    a.list.setRemote(remoteOf(b), { controlling: false });
    a.list.addRemoteCandidate(candidateOf(b));
    const socket = network.socket('192.0.2.3', 4000, () => undefined);
    const late = a.list.addPath(socket, { type: 'relay', transport: 'udp', address: '192.0.2.3', port: 4000 });
    assert.ok(a.list.pairOf(late, ['192.0.2.2', 4000]));
    assert.equal(a.list.pairs.length, 2);
  });

  it('learns a peer from its checks, and keeps no more of them the more there are', (t) => {
    const network = new Network();
    const [a, b] = [side(t, network, '192.0.2.1'), side(t, network, '192.0.2.2')];
    a.list.setRemote(remoteOf(b), { controlling: false });
    a.list.start();
    for (let i = 0; i < 200; i++) {
      const check = new StunMessage(methods.BINDING, classes.REQUEST);
      check
        .setAttribute('USERNAME', `${a.list.localUfrag}:${b.list.localUfrag}`)
        .setAttribute('PRIORITY', 1)
        .setAttribute('ICE-CONTROLLING', 1n);
      a.list.receiveCheck(a.path, check, check.addMessageIntegrity(Buffer.from(a.list.localPassword)).addFingerprint().bytes, [
        '192.0.2.2',
        4000,
      ]);
    }
    const [pair] = a.list.pairs as unknown as {
      readonly remoteCandidate: { readonly type: string };
      readonly requestTransactionIds: Set<string>;
    }[];
    assert.equal(pair?.remoteCandidate.type, 'prflx');
    assert.ok(pair.requestTransactionIds.size > 0 && pair.requestTransactionIds.size <= 64);
  });

  it('asks a STUN server by the socket of a path', async (t) => {
    const network = new Network();
    const { path } = side(t, network, '192.0.2.1');
    const server = network.socket('192.0.2.9', 3478, (data, host, port) => {
      const answer = new StunMessage(methods.BINDING, classes.RESPONSE, parseMessage(data)!.transactionId);
      server.send(answer.setAttribute('XOR-MAPPED-ADDRESS', ['203.0.113.5', 7]).bytes, host, port);
    });
    assert.deepEqual(await reflectedAddress(path, ['192.0.2.9', 3478]), ['203.0.113.5', 7]);
  });

  it('takes a message for authentic only with the password that it was signed with', () => {
    const signed = (password: string): Buffer =>
      new StunMessage(methods.BINDING, classes.REQUEST)
        .setAttribute('USERNAME', 'a:b')
        .addMessageIntegrity(Buffer.from(password))
        .addFingerprint().bytes;
    const message = authenticated(signed('right'), Buffer.from('right'));
    assert.ok(message && attributeOf(message, 'USERNAME') === 'a:b' && attributeOf(message, 'REALM') === undefined);
    assert.equal(authenticated(signed('wrong'), Buffer.from('right')), undefined);
    assert.equal(authenticated(new StunMessage(methods.BINDING, classes.REQUEST).bytes, Buffer.from('right')), undefined, 'unsigned');
    const changed = signed('right');
    changed[23] = (changed[23] ?? 0) ^ 1;
    assert.equal(authenticated(changed, Buffer.from('right')), undefined, 'changed on the way');
  });

  it('orders candidates by the numbers that we give ours', () => {
    for (const type of ['host', 'srflx', 'relay'] as const) {
      const udp: LocalCandidate = { type, transport: 'udp', address: '192.0.2.1', port: 1, localPreference: 65_000 };
      assert.deepEqual(candidateNumbers(udp), {
        foundation: candidateFoundation(type, 'udp', '192.0.2.1'),
        priority: candidatePriority(type, { transport: 'udp', localPreference: 65_000 }),
      });
      const tcp: LocalCandidate = { ...udp, transport: 'tcp', localPreference: 8000 };
      assert.equal(
        candidateNumbers(tcp).priority,
        candidatePriority(type, { transport: 'tcp', tcptype: 'passive', otherPreference: 8000 }),
      );
    }
  });
});
