/** The whole server behind a real nginx, configured as docs/https.md says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { within } from './helpers/deadline.js';
import { noNginx, startNginx, type Nginx } from './helpers/nginx.js';
import { TestServer } from './helpers/server.js';
import { WeriftViewer } from './helpers/werift-viewer.js';

const ADMIN = 'an-admin-of-this-server';
const VIEWER = 'a-viewer-of-this-server';
const bearer = (token: string): { readonly authorization: string } => ({ authorization: `Bearer ${token}` });

interface Behind {
  readonly server: TestServer;
  readonly nginx: Nginx;
  readonly ask: (pathName: string, options?: https.RequestOptions, body?: string | Buffer) => Promise<Answer>;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function open({ url, ca }: Nginx, pathName: string, options: https.RequestOptions = {}, body?: string | Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = https.request(url + pathName, { ca, agent: false, ...options }, resolve);
    request.on('error', reject).end(body);
  });
}

async function behind(t: TestContext, variables: Readonly<Record<string, string>> = {}): Promise<Behind> {
  const server = await TestServer.start(['copyable.mp4'], {
    ADMIN_TOKEN: ADMIN,
    VIEWER_TOKEN: VIEWER,
    TRUST_PROXY: '127.0.0.1',
    CORS_ORIGINS: '',
    ...variables,
  });
  t.after(() => server.close());
  const nginx = await startNginx(t, server.url);
  const ask: Behind['ask'] = async (pathName, options, body) => {
    const response = await open(nginx, pathName, options, body);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    return { status: response.statusCode, headers: response.headers, body: text };
  };
  return { server, nginx, ask };
}

describe('behind nginx', { skip: noNginx, timeout: 120_000 }, () => {
  it('rooms are joined over a WebSocket, by pages of that address and of no other', async (t) => {
    const { nginx } = await behind(t);
    const socket = new WebSocket(`${nginx.url.replace('https', 'wss')}/ws`, { ca: nginx.ca, origin: nginx.url });
    await within(once(socket, 'open'), 5000, 'the socket');
    const next = async (): Promise<Record<string, unknown>> => {
      const [data] = (await within(once(socket, 'message'), 5000, 'an answer')) as [Buffer];
      return JSON.parse(data.toString()) as Record<string, unknown>;
    };
    const joined = next();
    socket.send(JSON.stringify({ type: 'join', role: 'viewer', room: 'copyable', token: VIEWER }));
    assert.equal((await joined)['type'], 'joined');
    socket.close();
    await within(once(socket, 'close'), 5000, 'the end');
    const foreign = new WebSocket(`${nginx.url.replace('https', 'wss')}/ws`, { ca: nginx.ca, origin: 'https://evil.example' });
    const [error] = (await within(once(foreign, 'error'), 5000, 'the refusal')) as [Error];
    assert.match(error.message, /403/);
  });

  it('event streams are passed on as they come', async (t) => {
    const { nginx } = await behind(t);
    const stream = await open(nginx, '/events/stream', { headers: bearer(ADMIN) });
    assert.equal(stream.statusCode, 200);
    const [first] = (await within(once(stream, 'data'), 5000, 'the first words, while the stream goes on')) as [Buffer];
    assert.match(first.toString(), /^: events follow/);
    stream.destroy();
  });

  it('WHEP players watch, trickle and leave by the session URL that they are told', async (t) => {
    const { ask, server } = await behind(t);
    const viewer = new WeriftViewer();
    t.after(() => viewer.close());
    let location = '';
    let etag = '';
    await viewer.join(async (sdp) => {
      const { status, headers, body } = await ask(
        '/whep/copyable',
        { method: 'POST', headers: { ...bearer(VIEWER), 'content-type': 'application/sdp' } },
        sdp,
      );
      assert.equal(status, 201, body);
      [location, etag] = [headers.location ?? '', headers.etag ?? ''];
      return { sdp: body };
    });
    assert.match(location, /^\/sessions\/[\w-]+$/, 'a path from the root: it is right at whichever address');
    const patched = await ask(
      location,
      { method: 'PATCH', headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': etag } },
      'a=end-of-candidates\r\n',
    );
    assert.equal(patched.status, 204, patched.body);
    assert.equal((await ask(location, { method: 'DELETE' })).status, 200);
    const { clients } = JSON.parse((await ask('/connection-stats', { headers: bearer(ADMIN) })).body) as { clients: unknown[] };
    assert.deepEqual(clients, []);
    assert.match(server.url, /^http:/);
  });

  it('brakes are by the client’s own address, whatever it writes itself', async (t) => {
    const { ask } = await behind(t);
    const guess = async (localAddress: string, headers: Record<string, string> = {}): Promise<number | undefined> =>
      (await ask('/available-videos', { localAddress, headers: { ...bearer(`guess-${Math.random()}`), ...headers } })).status;
    for (let i = 0; i < 10; i++) assert.equal(await guess('127.0.0.2', { 'x-forwarded-for': `198.51.100.${i}` }), 401);
    for (const headers of [{}, { 'x-forwarded-for': '203.0.113.7' }, { forwarded: 'for=203.0.113.8' }])
      assert.equal(await guess('127.0.0.2', headers), 429);
    assert.equal(await guess('127.0.0.3'), 401, 'others behind the proxy are unharmed');
    assert.equal((await ask('/available-videos', { localAddress: '127.0.0.2', headers: bearer(VIEWER) })).status, 200);
  });

  it('cookies are Secure, and count', async (t) => {
    const { ask, nginx } = await behind(t);
    const headers = { 'content-type': 'application/json', origin: nginx.url };
    const { status, headers: answered, body } = await ask('/login', { method: 'POST', headers }, JSON.stringify({ token: VIEWER }));
    assert.equal(status, 200, body);
    const [cookie = ''] = answered['set-cookie'] ?? [];
    assert.match(cookie, /; Secure/);
    assert.equal((await ask('/available-videos', { headers: { cookie: cookie.replace(/;.*/, '') } })).status, 200);
  });

  it('what is too large is answered by Sightline, not by nginx, which has bounds of its own', async (t) => {
    const { ask } = await behind(t);
    const headers = { ...bearer(ADMIN), 'content-type': 'application/json' };
    const { status, body } = await ask('/offer', { method: 'POST', headers }, Buffer.alloc(3_000_000, 0x20));
    assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [413, 'BODY_TOO_LARGE']);
    // More than nginx takes unless it is told otherwise; the first byte says that it is no video.
    const upload = await ask('/uploads/large.mp4', { method: 'PUT', headers: bearer(ADMIN) }, Buffer.alloc(3_000_000));
    assert.notEqual(upload.status, 413, upload.body);
    assert.match(upload.headers['content-type'] ?? '', /json/);
  });

  it('nobody has the rights of this machine, though the proxy runs here', async (t) => {
    const { ask, server } = await behind(t, { ADMIN_TOKEN: '', VIEWER_TOKEN: '', TRUST_PROXY: '' });
    for (const pathName of ['/connection-stats', '/available-videos', '/ice-servers']) {
      assert.equal((await fetch(server.url + pathName)).status, 200, 'as long as nobody comes by it');
      assert.equal((await ask(pathName)).status, 401, pathName);
    }
  });
});
