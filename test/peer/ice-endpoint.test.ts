import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { classes, Message, methods } from 'werift';
import { systemClock } from '../../src/clock.js';
import { IceEndpoint } from '../../src/peer/ice-endpoint.js';
import { ResourceLedger } from '../../src/resources.js';
import { eventually } from '../helpers/deadline.js';

const LOOPBACK = { bind: '127.0.0.1', advertise: '127.0.0.1', family: 4, loopback: true } as const;
const REMOTE = { iceUfrag: 'abcd', icePassword: 'a'.repeat(24), iceLite: false, fingerprints: [], setup: 'actpass', candidates: [] } as const;

async function udpSocket(): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A connectivity check that nominates nothing (RFC 8445 §7.2.4). */
function check(ufrag: string, password: string): Buffer {
  const request = new Message(methods.BINDING, classes.REQUEST);
  request.setAttribute('USERNAME', `${ufrag}:${REMOTE.iceUfrag}`).setAttribute('PRIORITY', 1).setAttribute('ICE-CONTROLLING', 1n);
  return request.addMessageIntegrity(Buffer.from(password)).addFingerprint().bytes;
}

describe('IceEndpoint', () => {
  it("takes a browser's first DTLS flight before a pair is nominated, and only from addresses that know the password", async (t) => {
    const ledger = new ResourceLedger();
    const endpoint = await IceEndpoint.open({ addresses: [LOOPBACK], portRange: undefined, stunUrls: [], clock: systemClock(ledger), ledger });
    const received: number[] = [];
    endpoint.onData = (data) => received.push(data[1] ?? -1);
    endpoint.connect(REMOTE);
    const port = Number(endpoint.candidates[0]?.split(' ')[5]);
    const [peer, stranger] = [await udpSocket(), await udpSocket()];
    t.after(async () => {
      peer.close();
      stranger.close();
      await endpoint.close();
      assert.equal(ledger.snapshot().udp_sockets, 0);
    });
    stranger.send(check(endpoint.localUfrag, 'wrong'.repeat(5)), port, '127.0.0.1');
    stranger.send(Buffer.from([22, 1]), port, '127.0.0.1');
    const answered = once(peer, 'message');
    peer.send(check(endpoint.localUfrag, endpoint.localPassword), port, '127.0.0.1');
    await answered;
    peer.send(Buffer.from([22, 2]), port, '127.0.0.1');
    await eventually(() => received.length > 0, 2000, 'the flight');
    assert.deepEqual(received, [2]);
  });
});
