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
import { FakeClock } from '../helpers/fake-clock.js';
import { connack, CONNECT, puback, PUBLISH, strangeBroker } from './strange-broker.js';
import type { TestContext } from 'node:test';

/** A broker that keeps what it is told, by connection, and how to cut it off. @param refusal of a topic: the reason code */
async function keeping(t: TestContext, refusal: (topic: string) => number = () => 0) {
  const kept: { readonly connection: number; readonly topic: string; readonly text: string }[] = [];
  let cut = (): void => undefined;
  const url = await strangeBroker(t, (packet, socket, connection) => {
    cut = () => socket.destroy();
    if (packet.type === CONNECT) socket.write(connack());
    if (packet.type !== PUBLISH) return;
    const topicEnd = 2 + packet.body.readUInt16BE(0);
    // Two bytes of the identifier, and one that says that there are no properties.
    const topic = packet.body.toString('utf8', 2, topicEnd);
    const code = refusal(topic);
    if (code === 0) kept.push({ connection, topic, text: packet.body.toString('utf8', topicEnd + 3) });
    socket.write(puback(packet, code));
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
    const retained = new RetainedTopics({ link, known: [], keepNames: () => undefined, clock: new FakeClock(), logger: silentLogger });
    retained.set('a', 'one');
    await eventually(() => kept.some(({ topic, text }) => topic === 'a' && text === 'one'), 10_000, 'what was set');
  });

  it('are sent again to one that comes back, as they are then, and each change once', async (t) => {
    const { kept, link, cut } = await keeping(t);
    const retained = new RetainedTopics({ link, known: [], keepNames: () => undefined, clock: new FakeClock(), logger: silentLogger });
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
    const retained = new RetainedTopics({
      link,
      known: ['old', 'a'],
      keepNames: (now) => (names = now),
      clock: new FakeClock(),
      logger: silentLogger,
    });
    retained.set('a', 'one');
    retained.removeLeftovers();
    await eventually(() => kept.some(({ topic, text }) => topic === 'old' && text === ''), 10_000, 'the removal');
    await eventually(() => kept.some(({ topic, text }) => topic === 'a' && text === 'one'), 10_000, 'what is there');
    retained.set('c', 'two');
    await eventually(() => names.includes('c'), 10_000, 'the names');
    assert.deepEqual([...names].sort(), ['a', 'c'], 'what was removed is forgotten once the broker has done so');
  });

  it('are listed once for all that go or come together, and leftovers until they are gone', async (t) => {
    const { kept, link } = await keeping(t);
    const known = Array.from({ length: 40 }, (_, i) => `old-${i}`);
    const lists: (readonly string[])[] = [];
    const keepNames = (names: readonly string[]): void => void lists.push(names);
    const retained = new RetainedTopics({ link, known, keepNames, clock: new FakeClock(), logger: silentLogger });
    for (let i = 0; i < 20; i++) retained.set(`new-${i}`, 'one');
    await eventually(() => kept.filter(({ topic }) => topic.startsWith('new-')).length === 20, 10_000, 'what is there');
    assert.deepEqual(
      lists.map(({ length }) => length),
      [60],
      'a server that is killed now leaves the names to the next one',
    );
    retained.removeLeftovers();
    await eventually(() => lists.length > 1, 10_000, 'the names of what is left');
    assert.equal(kept.filter(({ text }) => text === '').length, 40);
    assert.deepEqual(
      lists.map(({ length }) => length),
      [60, 20],
    );
  });

  it('are offered again in a minute where the broker refuses them for the moment, as they are then', async (t) => {
    const codes = new Map([
      ['quota', 0x97],
      ['forbidden', 0x87],
    ]);
    const { kept, link } = await keeping(t, (topic) => codes.get(topic) ?? 0);
    const clock = new FakeClock();
    const retained = new RetainedTopics({ link, known: [], keepNames: () => undefined, clock, logger: silentLogger });
    retained.set('quota', 'one');
    retained.set('forbidden', 'one');
    await eventually(() => retained.refused === 2, 10_000, 'both to be refused');
    await clock.advance(60_000);
    await eventually(() => retained.refused === 3, 10_000, 'the quota to be used up still');
    codes.clear();
    await clock.advance(60_000);
    await eventually(() => kept.some(({ topic, text }) => topic === 'quota' && text === 'one'), 10_000, 'what was refused');
    assert.ok(!kept.some(({ topic }) => topic === 'forbidden'), 'nobody gets a right by asking again');
    codes.set('quota', 0x83);
    retained.set('quota', 'two');
    await eventually(() => retained.refused === 4, 10_000, 'the next one to be refused');
    retained.close();
    assert.equal(clock.pendingTimers, 0);
  });
});
