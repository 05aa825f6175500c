/** Uploads over HTTP, to the whole server: interrupted on either side, watched, replaced, removed. */
import assert from 'node:assert/strict';
import { copyFileSync, createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from './helpers/deadline.js';
import { makeVideo } from './helpers/make-video.js';
import { TestServer } from './helpers/server.js';
import { startServerProcess, type ServerProcess } from './helpers/server-process.js';

const VIDEO = readFileSync(makeVideo('copyable.mp4'));
const OTHER = readFileSync(makeVideo('silent.mp4'));

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(url: string, method: string, headers: Readonly<Record<string, string>> = {}, body?: Buffer): Promise<Answer> {
  const response = await fetch(url, { method, headers, ...(body && { body: new Uint8Array(body) }) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
}

/** A PUT of which so many bytes are sent, and no more. */
function begin(url: string, data: Buffer, sentBytes: number): http.ClientRequest {
  const request = http.request(url, { method: 'PUT', headers: { 'content-length': data.length } });
  request.on('error', () => undefined);
  request.write(data.subarray(0, sentBytes));
  return request;
}

const offsetOf = async (url: string): Promise<string | null> => (await fetch(url, { method: 'HEAD' })).headers.get('upload-offset');
const visibleIn = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));

describe('uploads to the whole server', { timeout: 120_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start([], { MAX_UPLOAD_BYTES: '20000000' });
  });
  after(() => server.close());
  const urlOf = (name: string): string => `${server.url}/uploads/${encodeURIComponent(name)}`;
  const listed = async (): Promise<string[]> =>
    (await server.get<{ videos: { name: string }[] }>('/available-videos')).videos.map(({ name }) => name);

  it('a video is sent, watched, replaced while it is watched, and its viewers leave when it is removed', async () => {
    const sent = await ask(urlOf('my street.mp4'), 'PUT', {}, VIDEO);
    assert.equal(sent.status, 201);
    assert.deepEqual(
      { ...sent.body, duration_s: 0 },
      {
        name: 'my street.mp4',
        complete: true,
        received_bytes: VIDEO.length,
        size_bytes: VIDEO.length,
        source: 'my_street',
        duration_s: 0,
        width: sent.body['width'],
        height: sent.body['height'],
        video_codec: 'h264',
        audio_codec: sent.body['audio_codec'],
        delivery: 'passthrough',
      },
    );
    const viewer = await server.join({ source: 'my_street', tracks: ['raw'] });
    await eventually(() => viewer.packets.length > 5, 10_000, 'packets');
    const before = viewer.packets.length;

    const twice = await ask(urlOf('my street.mp4'), 'PUT', {}, OTHER);
    assert.deepEqual([twice.status, twice.body['code']], [409, 'UPLOAD_EXISTS']);
    const stale = await ask(urlOf('my street.mp4'), 'PUT', { 'if-match': '"another"' }, OTHER);
    assert.deepEqual([stale.status, stale.body['code']], [412, 'PRECONDITION_FAILED']);
    const replaced = await ask(urlOf('my street.mp4'), 'PUT', { 'if-match': sent.headers.get('etag') ?? '' }, OTHER);
    assert.deepEqual([replaced.status, replaced.body['size_bytes']], [200, OTHER.length]);
    await eventually(() => viewer.packets.length > before + 20, 10_000, 'packets of the other video');

    const removed = await ask(urlOf('my street.mp4'), 'DELETE');
    assert.deepEqual([removed.status, removed.body], [200, { name: 'my street.mp4', removed: true }]);
    await eventually(
      async () => (await server.get<{ active_clients: number }>('/connection-stats')).active_clients === 0,
      10_000,
      'the viewer to be gone',
    );
    assert.deepEqual([await listed(), visibleIn(server.uploadDir)], [[], []]);
    assert.equal((await ask(urlOf('my street.mp4'), 'DELETE')).body['code'], 'UPLOAD_NOT_FOUND');
  });

  it('where a video was forwarded, no other one of its name is, once it was removed', async () => {
    const forwards = `${server.url}/sources/gate/forward`;
    const count = async (): Promise<unknown> => (await server.get<{ forwards: unknown[] }>('/sources/gate/forward')).forwards.length;
    assert.equal((await ask(urlOf('gate.mp4'), 'PUT', {}, VIDEO)).status, 201);
    const body = Buffer.from('{"url":"http://127.0.0.1:1/whip/gate"}');
    assert.equal((await ask(forwards, 'POST', { 'content-type': 'application/json' }, body)).status, 201);
    assert.equal((await ask(urlOf('gate.mp4'), 'DELETE', { 'if-match': '"another"' })).status, 412);
    assert.equal(await count(), 1);
    assert.equal((await ask(urlOf('gate.mp4'), 'DELETE')).status, 200);
    assert.equal((await ask(urlOf('gate.mp4'), 'PUT', {}, OTHER)).status, 201);
    assert.equal(await count(), 0);
    assert.equal((await ask(urlOf('gate.mp4'), 'DELETE')).status, 200);
  });

  it('a client that breaks off leaves nothing that is listed, asks where to go on, and goes on there', async () => {
    const url = urlOf('yard.mp4');
    const half = Math.floor(VIDEO.length / 2);
    const broken = begin(url, VIDEO, half);
    await eventually(async () => (await offsetOf(url)) === String(half), 5000, 'the first half');
    const second = await ask(url, 'PUT', {}, VIDEO);
    assert.deepEqual([second.status, second.body['code']], [409, 'UPLOAD_RUNNING']);
    broken.destroy();
    // Until the server has noticed it is still being sent.
    const wrong = await eventually(
      async () => {
        const answer = await ask(
          url,
          'PUT',
          { 'content-range': `bytes ${half + 1}-${VIDEO.length - 1}/${VIDEO.length}` },
          VIDEO.subarray(half + 1),
        );
        return answer.body['code'] === 'UPLOAD_RUNNING' ? undefined : answer;
      },
      5000,
      'the server to notice',
    );
    assert.deepEqual([wrong.status, wrong.body['code'], wrong.headers.get('upload-offset')], [409, 'UPLOAD_OFFSET', String(half)]);
    assert.deepEqual([await listed(), visibleIn(server.uploadDir)], [[], []]);
    const head = await fetch(url, { method: 'HEAD' });
    assert.deepEqual(
      ['upload-offset', 'upload-length', 'upload-complete'].map((name) => head.headers.get(name)),
      [String(half), String(VIDEO.length), '?0'],
    );
    const piece = await ask(url, 'PUT', { 'content-range': `bytes ${half}-${half + 9}/${VIDEO.length}` }, VIDEO.subarray(half, half + 10));
    assert.deepEqual([piece.status, piece.body['received_bytes'], piece.headers.get('upload-offset')], [202, half + 10, String(half + 10)]);
    const rest = await ask(
      url,
      'PUT',
      { 'content-range': `bytes ${half + 10}-${VIDEO.length - 1}/${VIDEO.length}` },
      VIDEO.subarray(half + 10),
    );
    assert.equal(rest.status, 201);
    assert.ok(readFileSync(path.join(server.uploadDir, 'yard.mp4')).equals(VIDEO));
    assert.deepEqual(await listed(), ['yard.mp4']);
    assert.equal((await ask(url, 'DELETE')).status, 200);
  });

  it('what is wrong with a request is said before its body is sent', async () => {
    const cases: readonly (readonly [string, Readonly<Record<string, string | number>>, number, string])[] = [
      ['..%2Fx.mp4', { 'content-length': 9e6 }, 400, 'QUERY_INVALID'],
      ['a%00.mp4', { 'content-length': 9e6 }, 400, 'QUERY_INVALID'],
      ['x.mp4', { 'content-length': 9e9 }, 413, 'UPLOAD_TOO_LARGE'],
      ['x.mp4', { 'content-length': 9e6, 'content-range': 'bytes 5-9000004/9000005' }, 409, 'UPLOAD_OFFSET'],
      ['x.mp4', { 'content-length': 9e6, 'content-range': 'bytes 0-9/9000000' }, 400, 'UPLOAD_RANGE_INVALID'],
      ['x.mp4', { 'content-length': 9e6, 'content-range': 'items 0-1/2' }, 400, 'UPLOAD_RANGE_INVALID'],
      ['x.mp4', { 'content-length': 9e6, 'content-range': 'bytes 0-8999999/8999999' }, 400, 'UPLOAD_RANGE_INVALID'],
      ['x.mp4', { 'content-length': 9e6, 'content-range': 'bytes 0-8999999/*' }, 400, 'UPLOAD_RANGE_INVALID'],
      ['x.mp4', { 'content-length': 9e6, 'content-type': 'multipart/form-data; boundary=x' }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
      ['x.mp4', { 'content-length': 9e6, 'content-encoding': 'gzip' }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
      ['x.mp4', { 'content-length': 9e6, authorization: 'Bearer nobody', origin: 'http://elsewhere.example' }, 401, 'UNAUTHORIZED'],
    ];
    for (const [name, headers, status, code] of cases) {
      const request = http.request(`${server.url}/uploads/${name}`, { method: 'PUT', headers: { ...headers, expect: '100-continue' } });
      request.on('continue', () => assert.fail(`${name} is to send its body`));
      request.flushHeaders();
      const [answer] = await within(
        new Promise<[http.IncomingMessage]>((resolve, reject) =>
          request.on('response', (response) => resolve([response])).on('error', reject),
        ),
        5000,
        'an answer',
      );
      const text = Buffer.concat((await answer.toArray()) as Buffer[]).toString();
      request.destroy();
      assert.deepEqual([answer.statusCode, (JSON.parse(text) as { code: string }).code], [status, code], JSON.stringify([name, headers]));
    }
    assert.deepEqual([await listed(), visibleIn(server.uploadDir)], [[], []]);
  });

  it('who asks whether to send is told to, once it is clear that nothing speaks against it', async () => {
    const request = http.request(urlOf('asked.mp4'), {
      method: 'PUT',
      headers: { 'content-length': VIDEO.length, expect: '100-continue' },
    });
    request.on('continue', () => request.end(VIDEO));
    request.flushHeaders();
    const answer = await within(
      new Promise<http.IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject)),
      10_000,
      'an answer',
    );
    answer.resume();
    assert.equal(answer.statusCode, 201);
    const offer = http.request(`${server.url}/offer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 2, expect: '100-continue' },
    });
    offer.on('continue', () => offer.end('{}'));
    offer.flushHeaders();
    const other = await within(
      new Promise<http.IncomingMessage>((resolve, reject) => offer.on('response', resolve).on('error', reject)),
      5000,
      'an answer',
    );
    other.resume();
    assert.equal(other.statusCode, 400);
    await ask(urlOf('asked.mp4'), 'DELETE');
  });
});

describe('uploads to a server process', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-killed-'));
  const uploadDir = path.join(folder, 'upload');
  let server: ServerProcess;
  const start = (): Promise<ServerProcess> => startServerProcess({ UPLOAD_DIR: uploadDir, MODEL: 'none' });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('that is killed half-way leave nothing that is listed, and go on where they were', async () => {
    server = await start();
    const half = Math.floor(VIDEO.length / 2);
    begin(`${server.url}/uploads/street.mp4`, VIDEO, half);
    await eventually(async () => (await offsetOf(`${server.url}/uploads/street.mp4`)) === String(half), 5000, 'the first half');
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    assert.deepEqual(visibleIn(uploadDir), []);
    server = await start();
    const url = `${server.url}/uploads/street.mp4`;
    assert.equal(await offsetOf(url), String(half));
    assert.deepEqual(await (await fetch(`${server.url}/available-videos`)).json(), { videos: [] });
    const rest = await ask(url, 'PUT', { 'content-range': `bytes ${half}-${VIDEO.length - 1}/${VIDEO.length}` }, VIDEO.subarray(half));
    assert.equal(rest.status, 201);
    assert.ok(readFileSync(path.join(uploadDir, 'street.mp4')).equals(VIDEO));
  });

  it('are not held in memory', { skip: process.platform !== 'linux' && 'memory is read from /proc' }, async () => {
    const sizeBytes = 400_000_000;
    const file = path.join(folder, 'large.mp4');
    copyFileSync(makeVideo('copyable.mp4'), file);
    truncateSync(file, sizeBytes);
    const rssBytes = (): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]);
    const url = `${server.url}/uploads/large.mp4`;
    const baseBytes = rssBytes();
    let peakBytes = 0;
    const request = http.request(url, { method: 'PUT', headers: { 'content-length': sizeBytes } });
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject));
    createReadStream(file, { highWaterMark: 1 << 20 })
      .on('data', () => (peakBytes = Math.max(peakBytes, rssBytes())))
      .pipe(request);
    const answer = await within(answered, 60_000, 'an answer');
    answer.resume();
    assert.equal(answer.statusCode, 201);
    // Far less than the file; what the collector of garbage has not fetched yet differs.
    assert.ok(peakBytes - baseBytes < 60e6, `${Math.round((peakBytes - baseBytes) / 1e6)} MB`);
  });
});
