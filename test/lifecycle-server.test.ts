/** The life of sources and clients as events of the whole server, and who may read which. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { eventually } from './helpers/deadline.js';
import { publishClip } from './helpers/publish-clip.js';
import { TestServer } from './helpers/server.js';
import { WeriftViewer } from './helpers/werift-viewer.js';
import { receive, type ReceivingServer } from './webhooks/receiving-server.js';

const [ADMIN, VIEWER] = ['an-admin-of-this-test', 'a-viewer-of-this-test'];

interface Event {
  readonly id: string;
  readonly type: string;
  readonly source: string | null;
  readonly [member: string]: unknown;
}

describe('what becomes of sources and clients', { timeout: 120_000 }, () => {
  let server: TestServer;
  let hooks: ReceivingServer;
  let queueDir: string;
  const hooked = (): { source: string | null; events: { type: string }[] }[] =>
    hooks.received.map(({ body }) => JSON.parse(body) as { source: string | null; events: { type: string }[] });

  const ask = (address: string, token: string, init: { readonly method?: string; readonly body?: string } = {}): Promise<Response> =>
    fetch(server.url + address, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.body !== undefined && { 'content-type': 'application/json' }) },
    });
  const events = async (query: string, token = ADMIN): Promise<readonly Event[]> =>
    ((await (await ask(`/events?limit=1000&${query}`, token)).json()) as { events: Event[] }).events;

  before(async () => {
    hooks = await receive({ after: () => undefined });
    queueDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-hooks-'));
    server = await TestServer.start(['copyable.mp4'], {
      ADMIN_TOKEN: ADMIN,
      VIEWER_TOKEN: VIEWER,
      WEBHOOK_URL: hooks.url,
      WEBHOOK_QUEUE_DIR: queueDir,
      WEBHOOK_EVENTS: 'viewer_joined,changed',
    });
  });

  after(async () => {
    await server.close();
    await hooks.close();
    rmSync(queueDir, { recursive: true });
  });

  it('is told: a source starts and stops, a viewer comes and goes', async () => {
    const viewer = new WeriftViewer();
    let session = '';
    await viewer.join(async (sdp) => {
      const response = await ask('/offer', VIEWER, {
        method: 'POST',
        body: JSON.stringify({ sdp, type: 'offer', client_id: 'drone-1', tracks: ['raw'] }),
      });
      const answer = (await response.json()) as { sdp: string; session_url: string };
      session = answer.session_url;
      return answer;
    });
    const joined = await eventually(async () => (await events('type=viewer_joined', VIEWER))[0], 10_000, 'the viewer to have joined');
    assert.deepEqual([joined.source, joined.client_id, joined.door], ['copyable', 'drone-1', 'offer']);
    await fetch(server.url + session, { method: 'DELETE' });
    await viewer.close();
    const left = await eventually(async () => (await events('type=viewer_left'))[0], 10_000, 'the viewer to have left');
    assert.deepEqual([left.source, left.client_id, left.reason], ['copyable', 'drone-1', 'viewer-left']);
    assert.ok(Number(left.duration_s) > 0);
    await eventually(async () => (await events('type=source_stopped')).length > 0, 20_000, 'the source to stop');
    assert.deepEqual(
      (await events('source=copyable')).map(({ type }) => type),
      ['source_started', 'viewer_joined', 'viewer_left', 'source_stopped'],
    );
  });

  it('has who was refused and who changed what, for administrators alone', async () => {
    const stream = await ask('/events/stream', ADMIN);
    const others = await ask('/events/stream', VIEWER);
    const [reader, otherReader] = [stream.body?.getReader(), others.body?.getReader()];
    const before = (await events('type=refused')).length;
    for (let i = 0; i < 50; i++) assert.equal((await ask('/connection-stats', VIEWER)).status, 403);
    await ask('/sources/copyable/zones', ADMIN, { method: 'PUT', body: '{"zones":[]}' });
    const changed = await eventually(async () => (await events('type=changed'))[0], 10_000, 'the change');
    assert.deepEqual([changed.source, changed.route], ['copyable', 'PUT /sources/:id/zones']);
    const refused = (await events('type=refused')).slice(before);
    assert.equal(refused.length, 1, 'the same again and again is told once');
    assert.deepEqual([refused[0]?.action, refused[0]?.code, refused[0]?.times], ['admin', 'FORBIDDEN', 1]);

    assert.ok((await events('', VIEWER)).every(({ type }) => !['login', 'refused', 'changed'].includes(type)));
    assert.equal((await ask('/events?type=changed', VIEWER)).status, 403);
    assert.equal((await ask('/events/stream?type=refused', VIEWER)).status, 403);

    // What both readers are told up to an event that both may have.
    const viewerAgain = new WeriftViewer();
    await viewerAgain.join(async (sdp) => {
      const response = await ask('/offer', VIEWER, {
        method: 'POST',
        body: JSON.stringify({ sdp, type: 'offer', tracks: ['raw'] }),
      });
      return (await response.json()) as { sdp: string };
    });
    const told = await readUntil(reader, 'event: viewer_joined');
    assert.match(told, /event: refused/);
    assert.match(told, /event: changed/);
    assert.doesNotMatch(await readUntil(otherReader, 'event: viewer_joined'), /event: (refused|changed)/);
    await Promise.all([reader?.cancel(), otherReader?.cancel(), viewerAgain.close()]);
  });

  it('goes to webhooks that ask for it, and only what they ask for', async () => {
    await eventually(() => hooked().some(({ events: [first] }) => first?.type === 'changed'), 10_000, 'the change');
    assert.deepEqual([...new Set(hooked().flatMap((hook) => hook.events.map(({ type }) => type)))].sort(), ['changed', 'viewer_joined']);
    assert.equal(hooked().find(({ events: [first] }) => first?.type === 'viewer_joined')?.source, 'copyable');
  });
});

describe('what becomes of publishers, detectors and logins', { timeout: 120_000 }, () => {
  let server: TestServer;
  /** As they come, by who is told. */
  const told = { admin: [] as Event[], viewer: [] as Event[] };
  const following = new AbortController();
  const ends: Promise<void>[] = [];

  const ask = (address: string, token: string | undefined, init: { readonly method: string; readonly body: object }): Promise<Response> =>
    fetch(server.url + address, {
      method: init.method,
      body: JSON.stringify(init.body),
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    });
  const next = (who: keyof typeof told, type: string): Promise<Event> =>
    eventually(() => told[who].find((event) => event.type === type), 20_000, type);
  const logIn = async (token: string): Promise<number> => (await ask('/login', undefined, { method: 'POST', body: { token } })).status;

  before(async () => {
    server = await TestServer.start(['copyable.mp4'], { ADMIN_TOKEN: ADMIN, VIEWER_TOKEN: VIEWER });
    for (const [token, events] of [
      [ADMIN, told.admin],
      [VIEWER, told.viewer],
    ] as const)
      ends.push(...(await follow(`${server.url}/events/stream`, token, events, following.signal)));
  });
  after(async () => {
    following.abort();
    await Promise.all(ends);
    await server.close();
  });

  it('is told: a publisher comes and goes', async () => {
    const leave = await publishClip(server.url, 'gate', ADMIN);
    const joined = await next('viewer', 'publisher_joined');
    assert.deepEqual([joined.source, joined['door'], typeof joined['client_id']], ['gate', 'whip', 'string']);
    assert.equal((await ask(`/clients/${String(joined['client_id'])}`, ADMIN, { method: 'DELETE', body: {} })).status, 200);
    const left = await next('viewer', 'publisher_left');
    await leave();
    assert.deepEqual([left.source, left['client_id'], left['door'], left['reason']], ['gate', joined['client_id'], 'whip', 'removed']);
    assert.ok(Number(left['duration_s']) > 0);
    assert.ok(!told.admin.some(({ type }) => type.startsWith('viewer_')), 'a publisher is no viewer');
  });

  it('is told: a detector has failed, with its model and why', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const assigned = await ask('/sources/copyable/model', ADMIN, { method: 'PUT', body: { model: 'sightline-demo' } });
    assert.equal(assigned.status, 200, await assigned.text());
    const [worker] = await started;
    await worker.terminate();
    const failed = await next('viewer', 'detector_failed');
    assert.deepEqual([failed.source, failed['model']], [null, 'sightline-demo']);
    assert.match(String(failed['reason']), /thread ended/);
  });

  it('has who logged in, and who tried, for administrators alone, and nothing of what they showed', async () => {
    assert.equal(await logIn(ADMIN), 200);
    const login = await next('admin', 'login');
    assert.deepEqual([login.source, login['action'], login['address'], typeof login['who']], [null, 'login', '127.0.0.1', 'string']);
    assert.equal(await logIn('a-guess-of-this-test'), 401);
    const refused = await next('admin', 'refused');
    assert.deepEqual([refused['action'], refused['code'], refused['who']], ['login', 'UNAUTHORIZED', 'unknown']);
    const read = async (token: string): Promise<string[]> => {
      const response = await fetch(`${server.url}/events?limit=1000`, { headers: { authorization: `Bearer ${token}` } });
      return ((await response.json()) as { events: Event[] }).events.map(({ type }) => type);
    };
    assert.deepEqual((await read(ADMIN)).filter((type) => type === 'login').length, 1);
    for (const types of [await read(VIEWER), told.viewer.map(({ type }) => type)])
      assert.ok(types.includes('detector_failed') && !types.some((type) => ['login', 'refused', 'changed'].includes(type)), types.join());
    for (const secret of ['a-guess-of-this-test', ADMIN]) assert.ok(!JSON.stringify(told).includes(secret));
  });
});

/** Keeps the events of a stream until `signal`. @returns its end, once it is open */
async function follow(url: string, token: string, events: Event[], signal: AbortSignal): Promise<Promise<void>[]> {
  const { status, body } = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
  assert.equal(status, 200);
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of (body ?? assert.fail()).pipeThrough(new TextDecoderStream())) {
      const messages = (text + chunk).split('\n\n');
      text = messages.pop() ?? '';
      for (const [, data] of messages.join('\n').matchAll(/^data: (.+)$/gm)) events.push(JSON.parse(data ?? '') as Event);
    }
  };
  return [read().catch((error: unknown) => assert.ok(signal.aborted, String(error)))];
}

async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array> | undefined, end: string): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  while (!text.includes(end)) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) throw new Error(`the stream ended: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}
