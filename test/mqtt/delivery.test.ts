/** Events on their way to a real broker that stops, is killed, is away, and to one that is not what it should be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { Mosquitto, noMosquitto, type Listener } from '../helpers/mosquitto.js';
import { Happenings, openRig, stateFolder } from './mqtt-rig.js';

interface Told {
  readonly id: string;
  readonly source: string | null;
  readonly n: number;
}

/** Number of events, and how often the broker stops: `MQTT_EVENTS=10000 MQTT_STOPS=10` is the whole of it. */
const EVENTS = Number(process.env.MQTT_EVENTS ?? 2000);
const STOPS = Number(process.env.MQTT_STOPS ?? 5);
const SOURCES = ['street', 'gate', 'yard', 'roof'];

/** What a listener was told, each event once, in the order in which it came first. */
function toldTo(listener: Listener): Told[] {
  const seen = new Map<string, Told>();
  for (const { topic, payload } of listener.heard) {
    const told = JSON.parse(payload.toString()) as Told;
    assert.equal(topic, told.source === null ? 'sightline/events' : `sightline/${told.source}/events`);
    if (!seen.has(told.id)) seen.set(told.id, told);
  }
  return [...seen.values()];
}

/** Every event is there, and those of a source are in order. */
function assertWhole(told: readonly Told[], happened: Happenings): void {
  const ids = new Set(told.map(({ id }) => id));
  assert.deepEqual(
    happened.added.filter(({ id }) => !ids.has(id)),
    [],
    'none is lost',
  );
  assert.equal(told.length, happened.added.length, 'and there are no others');
  for (const source of new Set(happened.added.map((each) => each.source)))
    assert.deepEqual(
      told.filter((each) => each.source === source).map(({ n }) => n),
      happened.added.filter((each) => each.source === source).map(({ n }) => n),
      `in order: ${source}`,
    );
}

describe('events for a broker', { skip: noMosquitto, timeout: 300_000 }, () => {
  it(`arrive whole and in order although it is stopped ${STOPS} times`, async (t) => {
    const broker = await Mosquitto.start(t);
    const listener = await broker.listen(t, 'sightline/+/events');
    const { events, publisher } = await openRig(t, stateFolder(t), { url: broker.url });
    const happened = new Happenings();
    for (let stop = 0; stop < STOPS; stop++) {
      const before = publisher.stats.events;
      const share = EVENTS / STOPS;
      for (let i = 0; i < share; i++) happened.add(events, SOURCES[i % SOURCES.length]);
      // In the middle of them.
      await eventually(() => publisher.stats.events > before + share / 3, 60_000, 'some to be taken');
      await broker.stop('SIGTERM');
      await eventually(() => !publisher.stats.isConnected, 10_000, 'the connection to be lost');
      await broker.start();
    }
    await eventually(() => publisher.stats.queued === 0, 120_000, 'all to be taken');
    await eventually(() => toldTo(listener).length >= happened.added.length, 60_000, 'all to arrive');
    const told = toldTo(listener);
    assertWhole(told, happened);
    t.diagnostic(`${told.length} events, ${listener.heard.length - told.length} of them came twice`);
  });

  it('that it had not acknowledged when it was killed are published again', async (t) => {
    // It writes nothing down by itself: what it has acknowledged is gone with it.
    const broker = await Mosquitto.start(t, { lines: ['autosave_interval 0'] });
    const happened = new Happenings();
    const { events, publisher } = await openRig(t, stateFolder(t), { url: broker.url, backoff: { firstMs: 4000, maxMs: 4000 } });
    for (let i = 0; i < 500; i++) happened.add(events, SOURCES[i % SOURCES.length]);
    await eventually(() => publisher.stats.events > 100, 60_000, 'some to be taken');
    await broker.stop('SIGKILL');
    await eventually(() => !publisher.stats.isConnected, 10_000, 'the connection to be lost');
    const acknowledged = publisher.stats.events;
    await broker.start();
    const listener = await broker.listen(t, 'sightline/+/events');
    assert.equal(publisher.stats.isConnected, false, 'somebody listens before the rest comes');
    await eventually(() => publisher.stats.queued === 0, 60_000, 'the rest to be taken');
    await eventually(() => listener.heard.length >= 500 - acknowledged, 10_000, 'the rest to arrive');
    const told = toldTo(listener);
    assert.equal(publisher.stats.events, 500);
    assert.equal(told.length, 500 - acknowledged);
    for (const source of SOURCES) {
      const all = happened.added.filter((each) => each.source === source).map(({ n }) => n);
      const rest = told.filter((each) => each.source === source).map(({ n }) => n);
      assert.deepEqual(rest, all.slice(all.length - rest.length), `all that follow the last that was acknowledged: ${source}`);
    }
  });

  it('wait on disk while it and we are away', async (t) => {
    const broker = await Mosquitto.start(t);
    const listener = await broker.listen(t, ['sightline/+/events', 'sightline/events']);
    const folder = stateFolder(t);
    const happened = new Happenings();
    const first = await openRig(t, folder, { url: broker.url });
    happened.add(first.events, 'street');
    await listener.until('the first', ({ topic }) => topic === 'sightline/street/events');
    await broker.stop('SIGTERM');
    for (let i = 0; i < 300; i++) happened.add(first.events, SOURCES[i % SOURCES.length]);
    happened.add(first.events, undefined);
    assert.equal(first.publisher.stats.queued, 301);
    await first.close();
    assert.equal(first.ledger.snapshot().tcp_sockets, 0);
    assert.equal(first.ledger.snapshot().timers, 0);

    const second = await openRig(t, folder, { url: broker.url });
    for (let i = 0; i < 100; i++) happened.add(second.events, SOURCES[i % SOURCES.length]);
    assert.equal(second.publisher.stats.queued, 401);
    await broker.start();
    await eventually(() => toldTo(listener).length >= happened.added.length, 30_000, 'all to arrive');
    assertWhole(toldTo(listener), happened);
    await eventually(() => second.publisher.stats.queued === 0, 10_000, 'nothing to wait');
  });

  it('begin with what happens once it is configured', async (t) => {
    const broker = await Mosquitto.start(t);
    const listener = await broker.listen(t, 'sightline/+/events');
    const folder = stateFolder(t);
    const nobody = await openRig(t, folder, { url: 'mqtt://127.0.0.1:1' });
    nobody.events.forgetReader('mqtt');
    new Happenings().add(nobody.events, 'street');
    await nobody.close();
    const happened = new Happenings();
    const { events } = await openRig(t, folder, { url: broker.url });
    happened.add(events, 'street');
    await listener.until('the event', () => true);
    assert.deepEqual(
      toldTo(listener).map(({ id }) => id),
      happened.added.map(({ id }) => id),
    );
  });
});
