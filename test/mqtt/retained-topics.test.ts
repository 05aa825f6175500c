/** What a broker is to keep, over its restarts and ours. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { systemClock } from '../../src/base/clock.js';
import { brokerAddress } from '../../src/mqtt/address.js';
import { Broker } from '../../src/mqtt/broker.js';
import { BrokerLink } from '../../src/mqtt/broker-link.js';
import { RetainedTopics } from '../../src/mqtt/retained-topics.js';
import { eventually } from '../helpers/deadline.js';
import { connack, CONNECT, puback, PUBLISH, strangeBroker } from './strange-broker.js';
import type { TestContext } from 'node:test';

/** A broker that keeps what it is told, by connection, and how to cut it off. */
async function keeping(t: TestContext) {
  const kept: { readonly connection: number; readonly topic: string; readonly text: string }[] = [];
  let cut = (): void => undefined;
  const url = await strangeBroker(t, (packet, socket, connection) => {
    cut = () => socket.destroy();
    if (packet.type === CONNECT) socket.write(connack());
    if (packet.type !== PUBLISH) return;
    const topicEnd = 2 + packet.body.readUInt16BE(0);
    // Two bytes of the identifier, and one that says that there are no properties.
    kept.push({ connection, topic: packet.body.toString('utf8', 2, topicEnd), text: packet.body.toString('utf8', topicEnd + 3) });
    socket.write(puback(packet));
  });
  const ledger = new ResourceLedger();
  const link = new BrokerLink({
    address: brokerAddress(url),
    ca: undefined,
    statusTopic: 'status',
    wanted: undefined,
    connect: (init) => Broker.connect(init),
    onMessage: () => undefined,
    clock: systemClock(ledger),
    ledger,
    logger: silentLogger,
    backoff: { firstMs: 20, maxMs: 50 },
  });
  t.after(() => link.close());
  return { kept, link, cut: () => cut() };
}

describe('topics that a broker keeps', { timeout: 60_000 }, () => {
  it('are sent where the broker was connected before anybody had something to say', async (t) => {
    const { kept, link } = await keeping(t);
    await eventually(() => link.isConnected, 10_000, 'the connection');
    const retained = new RetainedTopics({ link, known: [], keepNames: () => undefined, logger: silentLogger });
    retained.set('a', 'one');
    await eventually(() => kept.some(({ topic, text }) => topic === 'a' && text === 'one'), 10_000, 'what was set');
  });

  it('are sent again to one that comes back, as they are then, and each change once', async (t) => {
    const { kept, link, cut } = await keeping(t);
    const retained = new RetainedTopics({ link, known: [], keepNames: () => undefined, logger: silentLogger });
    retained.set('a', 'one');
    retained.set('b', 'two');
    retained.set('a', 'three');
    await eventually(() => kept.some(({ topic }) => topic === 'a') && kept.some(({ topic }) => topic === 'b'), 10_000, 'both');
    retained.set('a', 'three');
    retained.remove('b');
    await eventually(() => kept.at(-1)?.text === '', 10_000, 'the removal');
    const first = kept.filter(({ topic }) => topic !== 'status').map(({ topic, text }) => `${topic}=${text}`);
    assert.deepEqual(first.sort(), ['a=three', 'b=', 'b=two']);
    cut();
    await eventually(() => kept.some(({ connection, topic }) => connection === 2 && topic === 'a'), 10_000, 'it to be sent again');
    assert.deepEqual(
      kept.filter(({ connection }) => connection === 2).map(({ topic, text }) => `${topic}=${text}`),
      ['status=online', 'a=three'],
    );
  });

  it('are removed where an earlier server had them and this one has not', async (t) => {
    const { kept, link } = await keeping(t);
    let names: readonly string[] = [];
    const retained = new RetainedTopics({ link, known: ['old', 'a'], keepNames: (now) => (names = now), logger: silentLogger });
    retained.set('a', 'one');
    retained.removeLeftovers();
    await eventually(() => kept.some(({ topic, text }) => topic === 'old' && text === ''), 10_000, 'the removal');
    await eventually(() => kept.some(({ topic, text }) => topic === 'a' && text === 'one'), 10_000, 'what is there');
    retained.set('c', 'two');
    await eventually(() => names.includes('c'), 10_000, 'the names');
    assert.deepEqual([...names].sort(), ['a', 'c'], 'what was removed is forgotten once the broker has done so');
  });
});
