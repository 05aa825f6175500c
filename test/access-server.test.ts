/** Rights in the whole server: viewers who lose theirs are gone. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from './helpers/deadline.js';
import { openRightsServer, type RightsServer } from './helpers/rights-server.js';
import { TestServer } from './helpers/server.js';
import { WeriftViewer } from './helpers/werift-viewer.js';
import { openCommands } from './webrtc/commanding.js';
import { Client } from './ws/rig.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-access-'));
const file = path.join(folder, 'users.yaml');
const SECRET = 'a secret that has thirty-two characters';
const user = (name: string, sources: string): string =>
  `  - { name: ${name}, token: 'sha256:${createHash('sha256').update(name).digest('hex')}', actions: [watch, data, ice], sources: ['${sources}'] }\n`;

function jwt(expiresInS: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ sub: 'carol', exp: Date.now() / 1000 + expiresInS, grants: [{ action: 'watch', source: '*' }] })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

/** Where the end of a session is told. */
const endOf = async (report: string): Promise<string | undefined> =>
  ((await (await fetch(report)).json()) as { end: { reason: string } | null }).end?.reason;

describe('a viewer', { timeout: 60_000 }, () => {
  let server: TestServer;
  const viewers: WeriftViewer[] = [];

  before(async () => {
    writeFileSync(file, `users:\n${user('alice', 'street*')}${user('bob', 'street*')}`);
    server = await TestServer.start(
      [
        ['copyable.mp4', 'street.mp4'],
        ['copyable.mp4', 'yard.mp4'],
      ],
      {
        AUTH_FILE: file,
        JWT_SECRET: SECRET,
        ADMIN_TOKEN: 'sixteen-letters!',
        // Reports are asked for again and again.
        RATE_LIMIT: '0',
      },
    );
  });

  after(async () => {
    await Promise.all(viewers.map((viewer) => viewer.close()));
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function watch(token: string, source = 'street'): Promise<{ readonly status: number; readonly report: string }> {
    const viewer = new WeriftViewer();
    viewers.push(viewer);
    let status = 0;
    let report = '';
    await viewer
      .join(async (sdp) => {
        const response = await fetch(`${server.url}/offer`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ sdp, type: 'offer', source }),
        });
        status = response.status;
        const answer = (await response.json()) as { sdp: string; session_url: string };
        if (!response.ok) throw new Error('refused');
        report = `${server.url}${answer.session_url}/report`;
        return answer;
      })
      .catch((error: unknown) => {
        if (status === 200) throw error;
      });
    return { status, report };
  }

  it('who is removed from AUTH_FILE is gone within 2 s, and the others stay', async () => {
    const [alice, bob] = [await watch('alice'), await watch('bob')];
    assert.deepEqual([alice.status, bob.status, (await watch('alice', 'yard')).status, (await watch('eve')).status], [200, 200, 404, 401]);
    const atMs = performance.now();
    writeFileSync(file, `users:\n${user('bob', 'street*')}`);
    await eventually(async () => (await endOf(alice.report)) === 'access-ended', 10_000, 'the end of the session');
    assert.ok(performance.now() - atMs < 5000);
    assert.equal(await endOf(bob.report), undefined);
    assert.equal((await watch('alice')).status, 401);
  });

  it('gets no tile of a source that it may not watch by any door, and learns the name of none', async () => {
    writeFileSync(file, `users:\n${user('dora', 'street*')}`);
    await eventually(async () => (await watch('dora')).status === 200, 10_000, 'the new user');
    const raw = (source: string): object => ({ source, rendition: 'raw' });
    const isRefused = (refusal: object, name: string): void => {
      const { code, message } = refusal as { code: string; message: string };
      assert.equal(code, 'SOURCE_NOT_FOUND', message);
      assert.doesNotMatch(JSON.stringify({ ...refusal, message: message.replace(`'${name}'`, '') }), /yard/);
    };
    const viewer = new WeriftViewer({ video: 2, dataChannel: 'any' });
    viewers.push(viewer);
    const post = async (sdp: string, tracks: readonly object[]): Promise<{ readonly sdp: string; readonly session_url: string }> =>
      (await (
        await fetch(`${server.url}/offer`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer dora' },
          body: JSON.stringify({ sdp, type: 'offer', tracks }),
        })
      ).json()) as { sdp: string; session_url: string };
    const socket = new Client(`${server.url.replace('http', 'ws')}/ws`, { headers: { authorization: 'Bearer dora' } });
    await within(once(socket.socket, 'open'), 3000, 'the socket');
    const offered = await viewer.offer();
    // One that is there, one that is not, and one that it might watch if there were one.
    for (const name of ['yard', 'nowhere', 'street-9']) {
      isRefused(await post(offered, [raw('street'), raw(name)]), name);
      socket.send({ type: 'join', role: 'viewer', room: 'street', tracks: [raw('street'), raw(name)] });
      isRefused(await eventually(() => socket.rest().find(({ type }) => type === 'error'), 3000, 'the refusal'), name);
    }
    const answer = await viewer.join(async () => post(offered, [raw('street'), raw('street')]));
    const command = await openCommands(viewer);
    for (const name of ['yard', 'nowhere', 'street-9']) {
      isRefused(await command({ cmd: 'select', mid: '1', source: name }), name);
      isRefused(await command({ cmd: 'select', tracks: [raw(name), null] }), name);
      isRefused(await command({ cmd: 'select', source: name }), name);
    }
    assert.match(JSON.stringify(await command({ cmd: 'select', mid: '1', max_height: 360 })), /"ok":true.*street.*street/);
    await fetch(server.url + answer.session_url, { method: 'DELETE' });
    socket.socket.close();
  });

  it('whose token expires is gone, too', async () => {
    const carol = await watch(jwt(8));
    assert.equal(carol.status, 200);
    await eventually(async () => (await endOf(carol.report)) === 'access-ended', 20_000, 'the end of the session');
  });
});

describe('with AUTH_URL', { timeout: 60_000 }, () => {
  let rights: RightsServer;
  let server: TestServer;
  const viewers: WeriftViewer[] = [];
  /** By token: sources. */
  const allowed = new Map([
    ['a-day', ['street']],
    ['always', ['street', 'yard']],
  ]);

  before(async () => {
    rights = await openRightsServer(({ token, source, action }) => {
      const sources = allowed.get(token);
      return sources && action !== 'admin' && (source === null || sources.includes(source)) ? 204 : 403;
    });
    server = await TestServer.start(
      [
        ['copyable.mp4', 'street.mp4'],
        ['copyable.mp4', 'yard.mp4'],
      ],
      { AUTH_URL: rights.url, RATE_LIMIT: '0' },
    );
  });

  after(async () => {
    await Promise.all(viewers.map((viewer) => viewer.close()));
    await server.close();
    await rights.close();
  });

  const bearer = (token: string): { readonly authorization: string } => ({ authorization: `Bearer ${token}` });

  async function watch(token: string, source: string): Promise<string> {
    const viewer = new WeriftViewer();
    viewers.push(viewer);
    let report = '';
    await viewer.join(async (sdp) => {
      const response = await fetch(`${server.url}/offer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(token) },
        body: JSON.stringify({ sdp, type: 'offer', source }),
      });
      const answer = (await response.json()) as { sdp: string; session_url: string };
      assert.ok(response.ok, JSON.stringify(answer));
      report = `${server.url}${answer.session_url}/report`;
      return answer;
    });
    return report;
  }

  const listed = async (token: string): Promise<readonly string[]> => {
    const { videos } = (await (await fetch(`${server.url}/available-videos`, { headers: bearer(token) })).json()) as {
      videos: { source: string }[];
    };
    return videos.map(({ source }) => source);
  };

  it('each sees what that server says, and nobody else anything', async () => {
    assert.deepEqual([await listed('a-day'), await listed('always')], [['street'], ['street', 'yard']]);
    const statusOf = async (path_: string, token?: string): Promise<number> =>
      (await fetch(server.url + path_, token === undefined ? {} : { headers: bearer(token) })).status;
    assert.deepEqual(
      [
        await statusOf('/snapshot/yard.jpg', 'a-day'),
        await statusOf('/connection-stats', 'always'),
        await statusOf('/available-videos', 'a-guess'),
        await statusOf('/available-videos'),
        await statusOf('/ready'),
      ],
      [404, 403, 401, 401, 200],
    );
    const socket = new Client(`${server.url.replace('http', 'ws')}/ws`);
    await within(once(socket.socket, 'open'), 3000, 'the socket');
    socket.send({ type: 'join', role: 'viewer', room: 'yard', token: 'a-day' });
    await eventually(() => socket.rest().find(({ code }) => code === 'SOURCE_NOT_FOUND'), 3000, 'the refusal');
    socket.send({ type: 'join', role: 'viewer', room: 'street', token: 'a-day' });
    const joined = await eventually(() => socket.rest().find(({ type }) => type === 'joined'), 3000, 'the room');
    assert.deepEqual(joined['sources'], ['street']);
    assert.ok(rights.questions.some(({ protocol, action, source }) => protocol === 'ws' && action === 'watch' && source === 'street'));
    socket.socket.close();
  });

  it('a viewer to whom it says no is gone within 5 s, the others stay; and where it is gone, all are', async () => {
    const [day, always] = [await watch('a-day', 'street'), await watch('always', 'street')];
    await eventually(() => rights.questions.some(({ session }) => session !== null), 5000, 'a question about a session');
    const atMs = performance.now();
    allowed.delete('a-day');
    await eventually(async () => (await endOf(day)) === 'access-ended', 10_000, 'the end of the session');
    assert.ok(performance.now() - atMs < 6000, `${performance.now() - atMs} ms`);
    assert.equal(await endOf(always), undefined);
    await rights.close();
    await eventually(async () => (await endOf(always)) === 'access-ended', 10_000, 'the end of the other one');
  });
});
