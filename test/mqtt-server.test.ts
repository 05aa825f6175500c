/** A real broker beside the whole server: what it keeps of sources, and what Home Assistant makes of it. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { bundledModel } from '../src/config.js';
import { eventually } from './helpers/deadline.js';
import { demoClip } from './helpers/demo-labels.js';
import { assertValidConfig, render } from './mqtt/home-assistant-schema.js';
import { Mosquitto, noMosquitto, type Listener } from './helpers/mosquitto.js';
import { startServerProcess } from './helpers/server-process.js';
import { TestServer } from './helpers/server.js';

const LEFT = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];
const ZONES = { units: 'fraction', lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }], zones: [{ id: 'left', polygon: LEFT }] };

/** What the broker keeps, as somebody gets it who subscribes now. */
async function kept(t: TestContext, broker: Mosquitto, topic: string): Promise<Map<string, string>> {
  const listener = await broker.listen(t, topic, { clean: true });
  await listener.client.publishAsync('end-of-retained', '', { qos: 1 });
  const found = new Map(listener.heard.filter(({ retain }) => retain).map((heard) => [heard.topic, heard.payload.toString()]));
  await listener.client.endAsync(true);
  return found;
}

interface Config {
  readonly unique_id: string;
  readonly state_topic?: string;
  readonly topic?: string;
  readonly value_template?: string;
}

function configsIn(listener: Listener): Map<string, Config> {
  const found = new Map<string, Config>();
  for (const { topic, payload } of listener.heard) {
    if (!topic.startsWith('homeassistant/') || topic === 'homeassistant/status') continue;
    if (payload.length === 0) found.delete(topic);
    else found.set(topic, JSON.parse(payload.toString()) as Config);
  }
  return found;
}

describe('a server with a broker', { skip: noMosquitto, timeout: 240_000 }, () => {
  it('keeps state, counts, snapshots and Home Assistant up to date there', async (t) => {
    const broker = await Mosquitto.start(t);
    const listener = await broker.listen(t, ['sightline/#', 'homeassistant/#']);
    const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-seen-'));
    const stateDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-kept-'));
    t.after(() => [uploadDir, stateDir].forEach((folder) => rmSync(folder, { recursive: true })));
    copyFileSync(demoClip, path.join(uploadDir, 'demo.mp4'));
    writeFileSync(path.join(uploadDir, 'demo.zones.json'), JSON.stringify(ZONES));
    const variables = { MODEL: bundledModel, UPLOAD_DIR: uploadDir, STATE_DIR: stateDir, MQTT_URL: broker.url, MQTT_DETECTIONS: 'de*' };
    let server = await TestServer.start([], variables);
    t.after(() => server.close());

    await eventually(() => listener.text('sightline/status') === 'online', 10_000, 'the status');
    await eventually(() => listener.text('sightline/demo/state') === 'live', 20_000, 'the state');
    const event = await listener.until('an event', ({ topic }) => topic === 'sightline/demo/events', 60_000);
    const { id } = JSON.parse(event.payload.toString()) as { id: string };
    const { events } = await server.get<{ events: { id: string }[] }>('/events?source=demo&limit=1');
    assert.equal(events[0]?.id, id, 'the first is the first of the store');
    assert.deepEqual(JSON.parse(event.payload.toString()), events[0]);

    const first = await listener.until('a snapshot', ({ topic }) => topic === 'sightline/demo/snapshot', 20_000);
    const { format, width } = await sharp(first.payload).metadata();
    assert.deepEqual([format, width], ['jpeg', 640]);
    const detections = await listener.until('detections', ({ topic }) => topic === 'sightline/demo/detections', 20_000);
    assert.equal((JSON.parse(detections.payload.toString()) as { source: string }).source, 'demo');

    const configs = configsIn(listener);
    assert.deepEqual([...configs.keys()].sort(), [
      'homeassistant/binary_sensor/sightline__demo/zone_left_occupancy/config',
      'homeassistant/camera/sightline__demo/camera/config',
      'homeassistant/sensor/sightline__demo/line_middle_in/config',
      'homeassistant/sensor/sightline__demo/line_middle_out/config',
      'homeassistant/sensor/sightline__demo/zone_left_count/config',
    ]);
    for (const [topic, config] of configs) assertValidConfig(topic, config);
    assert.equal(new Set([...configs.values()].map(({ unique_id: unique }) => unique)).size, configs.size);

    // Home Assistant starts.
    const before = listener.heard.length;
    await listener.client.publishAsync('homeassistant/status', 'online');
    const again = (topic: string): boolean => listener.heard.slice(before).some((heard) => heard.topic === topic);
    await eventually(() => [...configs.keys()].every(again), 10_000, 'everything to be announced again');

    // What its templates make of the counts is what the server counts.
    const sensor = configs.get('homeassistant/sensor/sightline__demo/zone_left_count/config');
    const payload = JSON.parse(listener.text('sightline/demo/counts') ?? '') as { zones: { count: number }[]; lines: { in: number }[] };
    assert.equal(sensor?.state_topic, 'sightline/demo/counts');
    assert.equal(render(sensor.value_template, payload), String(payload.zones[0]?.count));
    const crossed = configs.get('homeassistant/sensor/sightline__demo/line_middle_in/config');
    assert.equal(render(crossed?.value_template, payload), String(payload.lines[0]?.in));
    const occupied = configs.get('homeassistant/binary_sensor/sightline__demo/zone_left_occupancy/config');
    assert.equal(render(occupied?.value_template, payload), (payload.zones[0]?.count ?? 0) > 0 ? 'ON' : 'OFF');

    // A zone goes.
    const response = await fetch(`${server.url}/sources/demo/zones`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ZONES, zones: [] }),
    });
    assert.equal(response.status, 200);
    await eventually(() => configsIn(listener).size === 3, 10_000, 'the entities of the zone to go');

    // The source goes while the server is away.
    await server.close();
    await eventually(() => listener.text('sightline/status') === 'offline', 10_000, 'the farewell');
    rmSync(path.join(uploadDir, 'demo.mp4'));
    rmSync(path.join(uploadDir, 'demo.zones.json'));
    assert.ok((await kept(t, broker, '+/#')).size > 3);
    server = await TestServer.start([], variables);
    await eventually(async () => [...(await kept(t, broker, '+/#')).keys()].join() === 'sightline/status', 20_000, 'its topics to go');
  });

  it('takes a snapshot a second at most', async (t) => {
    const broker = await Mosquitto.start(t);
    const listener = await broker.listen(t, 'sightline/+/snapshot');
    const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-seen-'));
    t.after(() => rmSync(uploadDir, { recursive: true }));
    copyFileSync(demoClip, path.join(uploadDir, 'demo.mp4'));
    writeFileSync(path.join(uploadDir, 'demo.zones.json'), JSON.stringify(ZONES));
    const server = await TestServer.start([], { MODEL: bundledModel, UPLOAD_DIR: uploadDir, MQTT_URL: broker.url });
    t.after(() => server.close());
    const times: number[] = [];
    listener.client.on('message', () => times.push(performance.now()));
    const startedMs = performance.now();
    await eventually(() => times.length >= 4, 60_000, 'four snapshots');
    assert.ok(performance.now() - startedMs > 1900, `four took ${performance.now() - startedMs} ms`);
  });

  it('that is killed is said to be gone, and its events follow when it is back', async (t) => {
    const broker = await Mosquitto.start(t);
    const listener = await broker.listen(t, ['sightline/status', 'sightline/+/events']);
    const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-seen-'));
    const stateDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-kept-'));
    t.after(() => [uploadDir, stateDir].forEach((folder) => rmSync(folder, { recursive: true })));
    copyFileSync(demoClip, path.join(uploadDir, 'demo.mp4'));
    writeFileSync(path.join(uploadDir, 'demo.zones.json'), JSON.stringify(ZONES));
    const variables = { MODEL: bundledModel, UPLOAD_DIR: uploadDir, STATE_DIR: stateDir, MQTT_URL: broker.url };
    const killed = await startServerProcess(variables);
    const eventsHeard = (): string[] =>
      listener.heard
        .filter(({ topic }) => topic.endsWith('/events'))
        .map(({ payload }) => (JSON.parse(payload.toString()) as { id: string }).id);
    await eventually(() => eventsHeard().length > 3, 60_000, 'events');
    process.kill(killed.pid, 'SIGKILL');
    await eventually(() => listener.text('sightline/status') === 'offline', 10_000, 'the last will');
    await killed.close();

    const server = await TestServer.start([], variables);
    t.after(() => server.close());
    await eventually(() => listener.text('sightline/status') === 'online', 10_000, 'the server to be back');
    const { events } = await server.get<{ events: { id: string }[] }>('/events?limit=1000');
    await eventually(() => events.every(({ id }) => eventsHeard().includes(id)), 10_000, 'everything that is kept to be told');
    assert.ok(events.length > 3);
  });
});
