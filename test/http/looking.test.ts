/** Timelines, search, thumbnails and clips over HTTP. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import type { ClipRequest, FoundObject } from '../../src/recording/index.js';
import type { SeenQuery } from '../../src/store/index.js';
import { accessOf } from '../helpers/access.js';
import { testApp, type AppOverrides } from '../helpers/app.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { openRightsServer } from '../helpers/rights-server.js';

const T = 1_796_061_600_000;
const OBJECT = { id: 17, sourceId: 'gate', objectId: 7, label: 'car', firstMs: T, lastMs: T + 300_000, score: 0.91234, bestMs: T + 2500 };
const FOUND: FoundObject = { atMs: T, id: 17, visit: 0, found: undefined, object: OBJECT, watchMs: T, bestMs: T + 2500 };

async function appOf(t: TestContext, overrides: AppOverrides) {
  const app = await testApp(overrides);
  t.after(() => app.close());
  return app;
}

describe('GET /search', () => {
  it('hands its filters on, with hours and weekdays as stretches of time', async (t) => {
    const asked: SeenQuery[] = [];
    const search = (query: SeenQuery): Promise<FoundObject[]> => (asked.push(query), Promise.resolve([]));
    const app = await appOf(t, { looking: { search: { search, now: () => T, sources: () => Promise.resolve(['gate', 'yard']) } } });
    // 2026-12-01 is a Tuesday.
    const from = Date.parse('2026-11-30T00:00Z') / 1000;
    const url = `/search?label=car,truck&line=A&direction=in&weekday=tue&hours=07:00-09:00&timezone=UTC&from=${from}&min_duration=1.5&limit=10&order=asc`;
    const response = await app.inject(`${url}&to=${from + 3 * 86_400}`);
    assert.equal(response.statusCode, 200, response.body);
    const hour = (h: number): number => Date.parse('2026-12-01T00:00Z') + h * 3_600_000;
    assert.deepEqual(asked, [
      {
        ...{
          sourceIds: ['gate', 'yard'],
          labels: ['car', 'truck'],
          zone: undefined,
          line: 'A',
          direction: 'in',
          isDescending: false,
          limit: 11,
        },
        ...{ within: [{ fromMs: hour(7), toMs: hour(9) }], minMs: 1500, maxMs: undefined, minScore: undefined, after: undefined },
      },
    ]);
  });

  it('tells of each result what it was, when, and what to open', async (t) => {
    const stay: FoundObject = {
      ...FOUND,
      found: { place: 'dock', direction: undefined, atMs: T + 1000, leftMs: undefined },
      atMs: T + 1000,
      watchMs: T + 1000,
      bestMs: T + 1000,
    };
    const crossing: FoundObject = {
      ...FOUND,
      found: { place: 'A', direction: 'out', atMs: T + 200_000, leftMs: undefined },
      atMs: T + 200_000,
      watchMs: undefined,
    };
    const app = await appOf(t, {
      looking: { search: { search: () => Promise.resolve([FOUND, stay, crossing]), sources: () => Promise.resolve(['gate']) } },
    });
    const { results, next } = (await app.inject('/search')).json<{ results: Record<string, unknown>[]; next: unknown }>();
    assert.equal(next, null);
    assert.deepEqual(results[0], {
      ...{ id: '17', type: 'object', source: 'gate', at: T / 1000, from: T / 1000, to: T / 1000 + 300, duration_s: 300, label: 'car' },
      ...{ object_id: 7, score: 0.9123, zone: null, line: null, direction: null, recorded: true },
      thumbnail: `/recordings/gate/thumbnail.jpg?at=${T / 1000 + 2.5}`,
      clip: `/recordings/gate/clip.mp4?from=${T / 1000 - 2}&to=${T / 1000 + 118}`,
    });
    assert.deepEqual([results[1]?.type, results[1]?.zone, results[1]?.duration_s], ['stay', 'dock', 299]);
    assert.deepEqual(
      [results[2]?.type, results[2]?.line, results[2]?.direction, results[2]?.thumbnail, results[2]?.clip],
      ['crossing', 'A', 'out', null, null],
    );
  });

  it('gives pages', async (t) => {
    const asked: SeenQuery['after'][] = [];
    const search = (query: SeenQuery): Promise<FoundObject[]> => (
      asked.push(query.after),
      Promise.resolve([FOUND, { ...FOUND, id: 16, atMs: T - 5 }])
    );
    const app = await appOf(t, { looking: { search: { search, sources: () => Promise.resolve(['gate']) } } });
    const { next } = (await app.inject('/search?limit=1')).json<{ next: string }>();
    await app.inject(`/search?limit=1&after=${next}`);
    assert.deepEqual(asked, [undefined, { atMs: T, id: 17, visit: 0 }]);
  });

  it('looks in those sources alone that somebody may play back', async (t) => {
    const asked: SeenQuery[] = [];
    const search = (query: SeenQuery): Promise<FoundObject[]> => (asked.push(query), Promise.resolve([]));
    const access = accessOf({ tokens: { adminToken: 'admin-token-0123456789', viewerToken: 'viewer-token-0123456789' } });
    t.after(() => access.close());
    const app = await appOf(t, { access, looking: { search: { search, sources: () => Promise.resolve(['gate']) } } });
    assert.equal((await app.inject('/search')).statusCode, 401);
    const response = await app.inject({ url: '/search?source=gate', headers: { authorization: 'Bearer admin-token-0123456789' } });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(asked[0]?.sourceIds, ['gate']);
  });

  it('refuses what contradicts itself, and says why', async (t) => {
    const app = await appOf(t, { looking: { search: { sources: () => Promise.resolve(['gate']) } } });
    for (const [query, words] of [
      ['zone=a&line=b', /name one/],
      ['direction=in', /name a line/],
      ['from=5&to=4', /later than to/],
      ['min_duration=5&max_duration=4', /longer than/],
      ['weekday=tuesday', /no weekday 'tuesday'/],
      ['hours=7', /07:00-09:30/],
      ['hours=07:00-09:00&timezone=Mars/Base', /time zone/],
      ['timezone=Mars/Base', /time zone/],
      [`source=${'a,'.repeat(501)}`, /501 sources are too many/],
      ['after=x', /querystring/],
    ] as const) {
      const response = await app.inject(`/search?${query}`);
      assert.equal(response.statusCode, 400, query);
      const { code, message } = response.json<{ code: string; message: string }>();
      assert.equal(code, 'QUERY_INVALID');
      assert.match(message, words);
    }
  });
});

describe('GET /recordings/:source/timeline', () => {
  it('tells what it is of, in seconds', async (t) => {
    const steps = [{ atMs: T, recorded: 0.50749, motion: undefined, objects: { car: { seen: 2, most: 1 } } }];
    const asked: unknown[] = [];
    const timeline = (...all: unknown[]) => {
      asked.push(all);
      return Promise.resolve({
        stepMs: 60_000,
        ranges: [{ fromMs: T, toMs: T + 30_450 }],
        gaps: [{ fromMs: T + 30_450, toMs: T + 60_000 }],
        steps,
      });
    };
    const app = await appOf(t, { looking: { timeline: { timeline } } });
    const response = await app.inject(`/recordings/gate/timeline?from=${T / 1000}&to=${T / 1000 + 60}&step=60`);
    assert.deepEqual(response.json(), {
      ...{ source: 'gate', from: T / 1000, to: T / 1000 + 60, step_s: 60 },
      ranges: [{ from: T / 1000, to: T / 1000 + 30.45 }],
      gaps: [{ from: T / 1000 + 30.45, to: T / 1000 + 60 }],
      steps: [{ at: T / 1000, recorded: 0.507, motion: null, objects: { car: { seen: 2, most: 1 } } }],
    });
    assert.deepEqual(asked, [['gate', { fromMs: T, toMs: T + 60_000 }, 60_000]]);
    assert.equal((await app.inject('/recordings/gate/timeline?from=5&to=5')).statusCode, 400);
  });

  it('is not found where nothing is recorded', async (t) => {
    const app = await appOf(t, {});
    const response = await app.inject('/recordings/gate/timeline');
    assert.equal(response.statusCode, 404);
    assert.equal(response.json<{ code: string }>().code, 'RECORDING_NOT_FOUND');
  });
});

describe('GET /recordings/:source/thumbnail.jpg', () => {
  const jpeg = Buffer.from([0xff, 0xd8, 0xff]);

  it('says when it was, and is sent once', async (t) => {
    const thumbnail = (_source: string, atMs: number) =>
      Promise.resolve({ atMs: atMs - 500, jpeg, tag: `1-${atMs}`, state: 'final' as const });
    const narrowed = (): Promise<Buffer> => Promise.resolve(Buffer.from('narrow'));
    const app = await appOf(t, { looking: { thumbnails: { thumbnail, narrowed } } });
    const first = await app.inject(`/recordings/gate/thumbnail.jpg?at=${T / 1000}`);
    assert.equal(first.statusCode, 200);
    assert.equal(first.headers['thumbnail-at'], `${T / 1000 - 1}.500`);
    assert.equal(first.headers['cache-control'], 'private, max-age=3600');
    assert.equal(first.headers['thumbnail-pending'], undefined);
    assert.deepEqual(first.rawPayload, jpeg);
    const again = await app.inject({
      url: `/recordings/gate/thumbnail.jpg?at=${T / 1000}`,
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    assert.equal(again.statusCode, 304);
    const narrow = await app.inject({
      url: `/recordings/gate/thumbnail.jpg?at=${T / 1000}&width=80`,
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    assert.equal(narrow.body, 'narrow', 'another width is another picture');
  });

  it('says that the wanted one is being made, and is kept by nobody then', async (t) => {
    const thumbnail = (): Promise<{ atMs: number; jpeg: Buffer; tag: string; state: 'nearest' }> =>
      Promise.resolve({ atMs: T - 60_000, jpeg, tag: 'x', state: 'nearest' });
    const app = await appOf(t, { looking: { thumbnails: { thumbnail } } });
    const response = await app.inject(`/recordings/gate/thumbnail.jpg?at=${T / 1000}`);
    assert.deepEqual([response.headers['thumbnail-pending'], response.headers['cache-control']], ['?1', 'no-store']);
    for (const query of ['', '?at=', '?at=yesterday', '?at=1&width=5'])
      assert.equal((await app.inject(`/recordings/gate/thumbnail.jpg${query}`)).statusCode, 400, query);
  });
});

describe('GET /recordings/:source/clip.mp4', () => {
  it('is a download with a name, and leaves a line in the audit', async (t) => {
    const asked: ClipRequest[] = [];
    const access = accessOf({ anonymous: 'all' });
    const noted: (string | undefined)[] = [];
    access.audit.onRecord(({ route, source }) => void noted.push(route, source));
    t.after(() => access.close());
    const openClip = (request: ClipRequest) => {
      asked.push(request);
      return Promise.resolve({ stream: Readable.from([Buffer.from('mp4')]), startMs: T - 250, durationMs: 1000, isEncoded: false });
    };
    const app = await appOf(t, { access, looking: { clips: { openClip } } });
    const response = await app.inject(`/recordings/tor%20%C3%B6st/clip.mp4?from=${T / 1000}&to=${T / 1000 + 1}&annotated=1`);
    assert.equal(response.statusCode, 200, response.body);
    assert.equal(response.body, 'mp4');
    assert.equal(response.headers['content-type'], 'video/mp4');
    assert.equal(response.headers['clip-from'], `${T / 1000 - 1}.750`);
    assert.equal(
      response.headers['content-disposition'],
      `attachment; filename="tor _st_2026-11-30T17-59-59Z.mp4"; filename*=UTF-8''tor%20%C3%B6st_2026-11-30T17-59-59Z.mp4`,
    );
    assert.deepEqual(asked, [{ sourceId: 'tor öst', fromMs: T, toMs: T + 1000, isExact: false, isAnnotated: true }]);
    assert.deepEqual(noted, ['GET /recordings/:source/clip.mp4', 'tor öst']);
  });

  it('is described by HEAD without being made', async (t) => {
    const describeClip = () => Promise.resolve({ startMs: T - 250, durationMs: 1000, isEncoded: false });
    const openClip = () => Promise.reject(new Error('nobody wants it'));
    const app = await appOf(t, { looking: { clips: { openClip, describeClip } } });
    const url = `/recordings/gate/clip.mp4?from=${T / 1000}&to=${T / 1000 + 1}`;
    const { statusCode, headers, body } = await app.inject({ method: 'HEAD', url });
    assert.deepEqual([statusCode, body, headers['content-length']], [200, '', undefined]);
    assert.deepEqual(
      [headers['content-type'], headers['clip-from'], headers['accept-ranges']],
      ['video/mp4', `${T / 1000 - 1}.750`, 'none'],
    );
    const nothing = await appOf(t, {});
    assert.equal((await nothing.inject({ method: 'HEAD', url })).statusCode, 404);
  });

  it('ends where the right for it does', async (t) => {
    const clock = new FakeClock();
    const server = await openRightsServer(() => 204);
    const access = accessOf({ clock, authUrl: server.url, sources: () => ['gate'] });
    const stream = new Readable({ read: () => undefined });
    stream.push(Buffer.alloc(100_000));
    const openClip = () => Promise.resolve({ stream, startMs: T, durationMs: 1000, isEncoded: false });
    const app = await testApp({ access, looking: { clips: { openClip } } });
    t.after(async () => {
      await app.close();
      await access.close();
      await server.close();
    });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const response = await fetch(`${address}/recordings/gate/clip.mp4?from=1&to=2`, { headers: { authorization: 'Bearer good' } });
    assert.equal(response.status, 200);
    const read = response.arrayBuffer();
    server.answer = ({ action }) => (action === 'playback' ? 403 : 204);
    const broken = assert.rejects(read);
    await eventually(
      async () => {
        await clock.advance(1000);
        return stream.destroyed;
      },
      10_000,
      'the end of the clip',
    );
    await broken;
  });

  it('breaks the connection where it cannot be finished: half of it is none', async (t) => {
    const stream = new Readable({ read: () => undefined });
    stream.push(Buffer.alloc(100_000));
    const app = await appOf(t, {
      looking: { clips: { openClip: () => Promise.resolve({ stream, startMs: T, durationMs: 1000, isEncoded: false }) } },
    });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const response = await fetch(`${address}/recordings/gate/clip.mp4?from=1&to=2`);
    const broken = assert.rejects(response.arrayBuffer());
    stream.destroy(new Error('the disk is gone'));
    await broken;
  });

  it('ends what makes it when its client goes', async (t) => {
    const stream = new Readable({ read: () => undefined });
    stream.push(Buffer.alloc(100_000));
    const openClip = () => Promise.resolve({ stream, startMs: T, durationMs: 1000, isEncoded: false });
    const app = await appOf(t, { looking: { clips: { openClip } } });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const leaving = new AbortController();
    const response = await fetch(`${address}/recordings/gate/clip.mp4?from=1&to=2`, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await eventually(() => stream.destroyed, 5000, 'the end of the clip');
  });
});
