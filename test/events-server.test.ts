/** Events of the whole server: a real detector sees the demo, whose events are there after a restart. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { bundledModel } from '../src/config.js';
import { encodeSnapshot } from '../src/detection/index.js';
import { eventually } from './helpers/deadline.js';
import { demoClip } from './helpers/demo-labels.js';
import { pictureAt } from './helpers/pictures.js';
import { TestServer } from './helpers/server.js';

interface Event {
  readonly id: string;
  readonly at: number;
  readonly type: string;
  readonly source: string;
  readonly line?: string;
  readonly still: boolean;
  readonly position: readonly [x: number, y: number];
  readonly media_time_s: number;
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

async function pixelsOf(jpeg: Buffer): Promise<{ readonly data: Buffer; readonly width: number; readonly height: number }> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

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

  it('have a still of the very frame, with a box around the one to whom it happened', async () => {
    let event: Event | undefined;
    await eventually(
      async () => {
        event = (await list('source=demo&limit=1000')).events.find((each) => each.still && each.type !== 'leave' && each.media_time_s > 1);
        return event !== undefined;
      },
      60_000,
      'an event with a still, of one that is in the picture',
    );
    assert.ok(event);
    const { media_time_s: mediaTimeS } = event;
    const response = await fetch(`${server.url}/events/${event.id}/still.jpg`);
    assert.equal(response.headers.get('content-type'), 'image/jpeg');
    assert.equal(response.headers.get('cache-control'), 'private, max-age=31536000, immutable');
    const jpeg = Buffer.from(await response.arrayBuffer());
    const seen = await pixelsOf(jpeg);
    assert.equal(Math.max(seen.width, seen.height), 320);
    const { videos } = await server.get<{ videos: { width: number; height: number; duration_s: number }[] }>('/available-videos');
    const { width = NaN, height = NaN, duration_s: durationS = NaN } = videos[0] ?? {};
    const differences = await Promise.all(
      [0, -0.1, 0.1, durationS / 2].map(async (offsetS) => {
        const frame = await pictureAt(demoClip, (mediaTimeS + offsetS - 0.01) % durationS, seen.width, seen.height);
        const { data } = await pixelsOf(await encodeSnapshot(frame, { widthPx: seen.width }));
        return seen.data.map((value, at) => Math.abs(value - (data[at] ?? 0)));
      }),
    );
    const means = differences.map((each) => each.reduce((sum, value) => sum + value, 0) / each.length);
    assert.equal(means.indexOf(Math.min(...means)), 0, `it is like another frame than its own: ${means.join()}`);
    const [x, y] = [
      Math.min(seen.width - 2, Math.round((event.position[0] * seen.width) / width)),
      Math.round((event.position[1] * seen.height) / height),
    ];
    const edge = [-3, -2, -1, 0, 1].map((dy) => {
      const at = 3 * ((y + dy) * seen.width + x);
      return Math.max(...(differences[0]?.subarray(at, at + 3) ?? []));
    });
    assert.ok(Math.max(...edge) > 40, `the lower edge of the box is drawn: ${edge.join()}`);
    const again = await fetch(response.url, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } });
    assert.deepEqual([again.status, await again.text()], [304, '']);
    const none = await fetch(`${server.url}/events/1/still.jpg`);
    assert.deepEqual([none.status, ((await none.json()) as { code: string }).code], [404, 'EVENT_NOT_FOUND']);
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
