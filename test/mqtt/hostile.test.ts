/** Brokers that refuse, drop, flood, or never answer: said in words, tried again, and nothing grows. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { eventually, within } from '../helpers/deadline.js';
import { Mosquitto, noMosquitto } from '../helpers/mosquitto.js';
import { Happenings, Logged, openRig, stateFolder } from './mqtt-rig.js';
import {
  connack,
  CONNECT,
  oldConnack,
  publish,
  PUBLISH,
  puback,
  remainingLength,
  strangeBroker,
  suback,
  SUBSCRIBE,
  type Received,
} from './strange-broker.js';
import type net from 'node:net';

/** A broker that is well, as far as it goes. */
function answer(packet: Received, socket: net.Socket): void {
  if (packet.type === CONNECT) socket.write(connack());
  else if (packet.type === PUBLISH && (packet.flags & 6) !== 0) socket.write(puback(packet));
  else if (packet.type === SUBSCRIBE) socket.write(suback(packet));
}

describe('a broker', { timeout: 60_000 }, () => {
  it('that refuses our credentials is named once, in words, without them', { skip: noMosquitto }, async (t) => {
    const broker = await Mosquitto.start(t, { users: { sightline: 'a-right-password' } });
    const logger = new Logged();
    const url = broker.url.replace('//', '//sightline:a-wrong-password@');
    const { publisher } = await openRig(t, stateFolder(t), { url, logger });
    await eventually(() => broker.output.split('not authorised').length > 4, 20_000, 'a few tries');
    assert.match(publisher.stats.lastError ?? '', /user name or password|no right/);
    assert.equal(logger.of('warn').filter((line) => line.startsWith('broker not connected')).length, 1, logger.of('warn').join('\n'));
    assert.doesNotMatch(JSON.stringify([logger.lines, publisher.stats]), /wrong-password/);
    assert.deepEqual(logger.of('error'), []);
  });

  it('takes them where they are right, with every character that a password may have', { skip: noMosquitto }, async (t) => {
    const password = 'p/a?s#s@w:o%rd ü';
    const broker = await Mosquitto.start(t, { users: { 'sight@line': password } });
    const url = broker.url.replace('//', `//${encodeURIComponent('sight@line')}:${encodeURIComponent(password)}@`);
    const { publisher } = await openRig(t, stateFolder(t), { url });
    await eventually(() => publisher.stats.isConnected, 10_000, `a connection: ${broker.output}`);
  });

  it('that is not there is tried again until it is', { skip: noMosquitto }, async (t) => {
    const broker = await Mosquitto.start(t);
    await broker.stop();
    const { publisher } = await openRig(t, stateFolder(t), { url: broker.url });
    await eventually(() => /nothing listens there/.test(publisher.stats.lastError ?? ''), 10_000, 'the reason');
    await broker.start();
    await eventually(() => publisher.stats.isConnected, 10_000, 'a connection');
    assert.equal(publisher.stats.lastError, undefined);
  });

  it('whose certificate nobody trusts is refused, and taken with that of its authority', { skip: noMosquitto }, async (t) => {
    const keys = stateFolder(t);
    const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: keys, stdio: 'pipe' });
    for (const name of ['right', 'wrong'])
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}-ca.key`,
        '-out',
        `${name}-ca.pem`,
      );
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=broker',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      'key.pem',
      '-out',
      'request.pem',
    );
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      'request.pem',
      '-CA',
      'right-ca.pem',
      '-CAkey',
      'right-ca.key',
      '-CAcreateserial',
      '-copy_extensions',
      'copy',
      '-out',
      'cert.pem',
    );
    const broker = await Mosquitto.start(t, {
      lines: [`certfile ${path.join(keys, 'cert.pem')}`, `keyfile ${path.join(keys, 'key.pem')}`],
    });
    const url = broker.url.replace('mqtt:', 'mqtts:');
    const tryBy = async (ca: string | undefined, address = url) => {
      const rig = await openRig(t, stateFolder(t), {
        url: address,
        ca: ca === undefined ? undefined : readFileSync(path.join(keys, ca), 'utf8'),
      });
      await eventually(() => rig.publisher.stats.isConnected || rig.publisher.stats.lastError !== undefined, 10_000, 'an outcome');
      const { lastError } = rig.publisher.stats;
      await rig.close();
      return lastError;
    };
    assert.match((await tryBy(undefined)) ?? '', /nobody that is trusted has signed its certificate: .* MQTT_CA_FILE/);
    assert.match((await tryBy('wrong-ca.pem')) ?? '', /certificate/);
    assert.equal(await tryBy('right-ca.pem'), undefined);
    assert.match((await tryBy('right-ca.pem', url.replace('127.0.0.1', 'localhost'))) ?? '', /another name than the host in MQTT_URL/);
    const plain = await Mosquitto.start(t);
    assert.match((await tryBy(undefined, plain.url.replace('mqtt:', 'mqtts:'))) ?? '', /TLS|mqtt:\/\//);
  });

  it('that never answers is given up after a while, and tried again', async (t) => {
    let connections = 0;
    const url = await strangeBroker(t, (_packet, _socket, connection) => (connections = connection));
    const { publisher, ledger, close } = await openRig(t, stateFolder(t), { url, deadlines: { connectMs: 100 } });
    await eventually(() => connections >= 3, 10_000, 'three tries');
    assert.match(publisher.stats.lastError ?? '', /does not answer within 0.1 s/);
    assert.ok(ledger.snapshot().tcp_sockets <= 1);
    await close();
    assert.deepEqual([ledger.snapshot().tcp_sockets, ledger.snapshot().timers], [0, 0]);
  });

  it('that takes everything and acknowledges nothing has one event of a source under way, and loses none', async (t) => {
    const sent = new Map<number, string[]>();
    let acknowledges = false;
    const url = await strangeBroker(t, (packet, socket, connection) => {
      if (packet.type !== PUBLISH) return answer(packet, socket);
      const topic = packet.body.toString('utf8', 2, 2 + packet.body.readUInt16BE(0));
      if (topic === 'sightline/status') return answer(packet, socket);
      sent.set(connection, [...(sent.get(connection) ?? []), topic]);
      if (acknowledges) answer(packet, socket);
    });
    const { events, publisher } = await openRig(t, stateFolder(t), { url, deadlines: { acknowledgeMs: 300 } });
    const happened = new Happenings();
    for (let i = 0; i < 200; i++) happened.add(events, ['street', 'gate'][i % 2]);
    await eventually(() => sent.size >= 3, 10_000, 'three connections');
    for (const topics of sent.values()) assert.equal(new Set(topics).size, topics.length, topics.join());
    assert.equal(publisher.stats.queued, 200);
    acknowledges = true;
    await eventually(() => publisher.stats.queued === 0, 20_000, 'all to be taken');
    assert.equal(publisher.stats.events, 200);
  });

  it('that hangs does not keep the server from ending', async (t) => {
    let events = 0;
    const url = await strangeBroker(t, (packet, socket) => {
      const topic = packet.type === PUBLISH ? packet.body.toString('utf8', 2, 2 + packet.body.readUInt16BE(0)) : '';
      if (topic.endsWith('/events')) events++;
      // From the first event on it takes what is sent, and answers nothing.
      if (events === 0) answer(packet, socket);
    });
    const rig = await openRig(t, stateFolder(t), { url, deadlines: { acknowledgeMs: 600_000 } });
    const happened = new Happenings();
    for (const source of ['street', 'gate']) happened.add(rig.events, source);
    await eventually(() => events > 0, 10_000, 'an event to be under way');
    await within(rig.close(), 10_000, 'the end of the server');
    assert.deepEqual([rig.ledger.snapshot().tcp_sockets, rig.ledger.snapshot().timers], [0, 0]);
  });

  it('that takes no events for a while is offered the same one again, and says why', async (t) => {
    let refuses = true;
    const url = await strangeBroker(t, (packet, socket) => {
      const isEvent = packet.type === PUBLISH && packet.body.includes('/events');
      if (isEvent && refuses) socket.write(puback(packet, 0x87));
      else answer(packet, socket);
    });
    const logger = new Logged();
    const { events, publisher } = await openRig(t, stateFolder(t), { url, logger });
    new Happenings().add(events, 'street');
    await eventually(() => publisher.stats.lastError !== undefined && publisher.stats.isConnected, 10_000, 'the refusal');
    assert.match(publisher.stats.lastError ?? '', /no right to: see the rights \(ACL\)/);
    assert.match(logger.of('warn').join('\n'), /does not take an event; trying again: this user has no right/);
    refuses = false;
    await eventually(() => publisher.stats.queued === 0, 10_000, 'the event to be taken');
    assert.equal(publisher.stats.lastError, undefined);
  });

  it('that never takes one of them gets those behind it, and a line says what was left out', async (t) => {
    const url = await strangeBroker(t, (packet, socket) => {
      const isSecond = packet.type === PUBLISH && packet.body.includes('/events') && packet.body.includes('"n":2');
      if (isSecond) socket.write(puback(packet, 153));
      else answer(packet, socket);
    });
    const logger = new Logged();
    const { events, publisher } = await openRig(t, stateFolder(t), { url, logger });
    const happened = new Happenings();
    for (let i = 0; i < 3; i++) happened.add(events, 'street');
    await eventually(() => publisher.stats.queued === 0, 10_000, 'the others to be taken');
    assert.deepEqual([publisher.stats.events, publisher.stats.lastError], [2, undefined]);
    assert.match(logger.of('warn').join('\n'), /takes no event like this one; it is left out: it does not take this content/);
  });

  it('that knows MQTT 3.1.1 alone is spoken to in that', async (t) => {
    const versions: number[] = [];
    const url = await strangeBroker(t, (packet, socket) => {
      if (packet.type === CONNECT) {
        versions.push(packet.body[6] ?? 0);
        if (packet.body[6] === 5) socket.end(oldConnack(1));
        else socket.write(oldConnack());
      } else if (packet.type === PUBLISH) socket.write(puback(packet).fill(2, 1, 2).subarray(0, 4));
      else if (packet.type === SUBSCRIBE) socket.write(Buffer.from([0x90, 3, ...packet.body.subarray(0, 2), 0]));
    });
    const { publisher } = await openRig(t, stateFolder(t), { url });
    await eventually(() => publisher.stats.isConnected, 10_000, 'a connection');
    assert.deepEqual(versions, [5, 4]);
  });

  for (const [what, flood, why] of [
    ['with messages', () => publish('some/topic', 'x'), /more than 1000 messages in 10 s/],
    // A packet of 200 MB that never ends.
    ['with one that has no end', () => Buffer.alloc(16_384), /a packet of more than 262144 bytes/],
  ] as const) {
    it(`that floods us ${what} is left`, async (t) => {
      let connections = 0;
      const url = await strangeBroker(t, (packet, socket, connection) => {
        connections = connection;
        answer(packet, socket);
        if (packet.type !== CONNECT) return;
        if (what !== 'with messages') socket.write(Buffer.concat([Buffer.from([0x30]), remainingLength(200_000_000)]));
        const pour = (): void => {
          while (!socket.destroyed && socket.write(flood()));
          socket.once('drain', pour);
        };
        pour();
      });
      const { publisher, close, ledger } = await openRig(t, stateFolder(t), { url });
      await eventually(
        () => connections >= 2 && why.test(publisher.stats.lastError ?? ''),
        20_000,
        `the reason, not ${publisher.stats.lastError}`,
      );
      await close();
      assert.equal(ledger.snapshot().tcp_sockets, 0);
    });
  }

  it('that speaks another language is left', async (t) => {
    const url = await strangeBroker(t, (_packet, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { publisher } = await openRig(t, stateFolder(t), { url });
    await eventually(() => publisher.stats.lastError, 10_000, 'the reason');
    assert.equal(publisher.stats.isConnected, false);
  });
});
