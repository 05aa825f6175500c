/** Events of the whole server: a real detector sees the demo, whose events are there after a restart. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledModel } from '../src/config.js';
import { eventually } from './helpers/deadline.js';
import { demoClip } from './helpers/demo-labels.js';
import { TestServer } from './helpers/server.js';

interface Event {
  readonly id: string;
  readonly at: number;
  readonly type: string;
  readonly source: string;
  readonly line?: string;
}
interface Page {
  readonly events: readonly Event[];
  readonly next: string | null;
}

const ZONES = { units: 'fraction', always: true, lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }] };
const LEFT = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];

describe('events of the server', () => {
  let server: TestServer;
  const state = mkdtempSync(path.join(os.tmpdir(), 'sightline-kept-'));
  const videos = mkdtempSync(path.join(os.tmpdir(), 'sightline-seen-'));
  const start = (): Promise<TestServer> => TestServer.start([], { MODEL: bundledModel, UPLOAD_DIR: videos, STATE_DIR: state });
  const list = (query: string): Promise<Page> => server.get<Page>(`/events?${query}`);

  before(async () => {
    copyFileSync(demoClip, path.join(videos, 'demo.mp4'));
    writeFileSync(path.join(videos, 'demo.zones.json'), JSON.stringify({ ...ZONES, zones: [{ id: 'left', polygon: LEFT }] }));
    server = await start();
  });

  after(async () => {
    await server.close();
    for (const folder of [state, videos]) rmSync(folder, { recursive: true });
  });

  it('are listed by time, source and type, and are there after a restart', async () => {
    const sinceS = Date.now() / 1000;
    await eventually(async () => (await list('type=cross')).events.length > 0, 60_000, 'something that crosses the line');
    const all = await list('source=demo&limit=1000');
    const crossings = await list(`source=demo&type=cross&from=${sinceS - 60}&limit=1000`);
    assert.ok(crossings.events.every(({ type, line, at }) => type === 'cross' && line === 'middle' && Math.abs(at - sinceS) < 120));
    assert.deepEqual((await list('source=other')).events, []);
    const first = await list('limit=1');
    assert.deepEqual(first, { events: all.events.slice(0, 1), next: all.events[0]?.id });
    assert.equal((await list(`limit=1&after=${first.next}`)).events[0]?.id, all.events[1]?.id);
    const counted = (): Promise<{ lines: { in: number; out: number; since: number }[] }> => server.get('/sources/demo/counts');
    const [before] = (await counted()).lines;
    await server.close();
    server = await start();
    const [now] = (await counted()).lines;
    assert.ok(before && now && now.since === before.since && now.in + now.out >= before.in + before.out, 'counts go on');
    assert.deepEqual((await list('limit=1000')).events.slice(0, all.events.length), all.events);
  });

  it('are refused to those who ask for what there is not', async () => {
    const refusals = ['type=jump', 'from=5&to=4', 'limit=0', 'after=x', 'order=up'].map(async (query) => {
      const response = await fetch(`${server.url}/events?${query}`);
      const { code, message } = (await response.json()) as { code: string; message: string };
      assert.equal(response.status, 400, query);
      assert.equal(code, 'QUERY_INVALID', query);
      return message;
    });
    assert.match((await Promise.all(refusals))[0] ?? '', /no events of type 'jump'; there are enter, leave, cross/);
  });
});
