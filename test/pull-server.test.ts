/** Cameras of SOURCES_FILE in the whole server, watched by real peers; everything that is said is searched for credentials. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { parseConfig } from '../src/config.js';
import { MediaPeerError } from '../src/base/errors.js';
import { startServer, type Server } from '../src/server.js';
import { projectRoot } from './helpers/assets.js';
import { HttpCamera } from './helpers/cameras.js';
import { eventually } from './helpers/deadline.js';
import { WeriftViewer } from './helpers/werift-viewer.js';

const PASSWORD = 'Gate/5ecret@7';
const TOKEN = 'tok-5ecret&8';
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-pull-'));
const lines: string[] = [];
const bodies: string[] = [];
const leftovers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
after(async () => {
  for (const undo of leftovers.reverse()) await undo();
});

async function start(sources: string, variables: Record<string, string> = {}): Promise<Server> {
  process.env['PULL_TEST_PASSWORD'] = PASSWORD;
  process.env['PULL_TEST_TOKEN'] = TOKEN;
  const file = path.join(folder, 'sources.yml');
  writeFileSync(file, sources);
  const http = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const config = parseConfig({
    PORT: '0',
    UPLOAD_DIR: path.join(folder, 'upload'),
    STATE_DIR: path.join(folder, 'state'),
    MODEL: 'none',
    ICE_ADDRESSES: '127.0.0.1',
    IDLE_GRACE: '300',
    SOURCES_FILE: file,
    ...variables,
  });
  return startServer(config, { http, of: (name) => http.child({ component: name }) });
}

async function get<T>(server: Server, name: string): Promise<T> {
  const body = await (await fetch(server.url + name)).text();
  bodies.push(body);
  return JSON.parse(body) as T;
}

interface Listed {
  readonly videos: readonly { readonly source: string; readonly kind: string; readonly state: string; readonly reason?: string }[];
}
const stateOf = async (server: Server, source: string): Promise<string | undefined> =>
  (await get<Listed>(server, '/available-videos')).videos.find((video) => video.source === source)?.state;
const running = async (server: Server): Promise<string[]> =>
  (await get<{ sources: { source: string }[] }>(server, '/active-streams')).sources.map(({ source }) => source);

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly answer: { readonly sdp: string; readonly session_url: string; readonly code?: string; readonly message?: string };
}
async function offer(server: Server, source: string, sdp: string): Promise<Answered> {
  const response = await fetch(`${server.url}/offer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sdp, type: 'offer', source }),
  });
  const body = await response.text();
  if (!response.ok) bodies.push(body);
  return { status: response.status, retryAfter: response.headers.get('retry-after'), answer: JSON.parse(body) as Answered['answer'] };
}

/** Joins and waits until it is connected. */
async function join(server: Server, source: string): Promise<{ viewer: WeriftViewer; sessionUrl: string }> {
  const viewer = new WeriftViewer({ audio: true });
  leftovers.push(() => viewer.close());
  let sessionUrl = '';
  await viewer.join(async (sdp) => {
    const { status, answer } = await offer(server, source, sdp);
    assert.equal(status, 200, answer.message);
    sessionUrl = answer.session_url;
    return answer;
  });
  return { viewer, sessionUrl };
}

test('cameras are connected on demand, held over a loss, refused with a reason, and nobody hears their credentials', async () => {
  const gate = await HttpCamera.start('flv', `admin:${PASSWORD}`);
  const dead = await HttpCamera.start('flv');
  leftovers.push(
    () => gate.switchOff(),
    () => dead.switchOff(),
  );
  await dead.switchOff();
  const server = await start(`
sources:
  - name: gate
    url: http://admin:\${PULL_TEST_PASSWORD}@${gate.url.slice(7)}?token=\${PULL_TEST_TOKEN}
  - name: locked
    url: http://admin:wrong-5ecret@${gate.url.slice(7)}
  - name: dead
    url: ${dead.url}?token=\${PULL_TEST_TOKEN}
    options: { headers: { X-Key: "\${PULL_TEST_TOKEN}" } }
  - name: bars
    device: testsrc2=size=320x180:rate=25
    format: lavfi
    always_on: true
`);
  leftovers.push(() => server.close());
  const { videos } = await get<Listed>(server, '/available-videos');
  assert.deepEqual(
    videos.map(({ source, kind }) => [source, kind]),
    [
      ['gate', 'pull'],
      ['locked', 'pull'],
      ['dead', 'pull'],
      ['bars', 'pull'],
    ],
  );
  assert.equal(gate.calls, 0, 'nobody is called before somebody asks');
  await eventually(async () => (await running(server)).includes('bars'), 15_000, 'the camera that is always on');

  const { viewer, sessionUrl } = await join(server, 'gate');
  const sdp = viewer.pc.localDescription?.sdp ?? '';
  const refused = [await offer(server, 'locked', sdp), await offer(server, 'dead', sdp)];
  for (const { status, retryAfter, answer } of refused) {
    assert.deepEqual([status, answer.code], [409, 'SOURCE_NOT_LIVE']);
    assert.ok(Number(retryAfter) >= 1);
  }
  assert.match(refused[0]?.answer.message ?? '', /401/);
  assert.match(refused[1]?.answer.message ?? '', /Connection refused/);

  const pictures = (): number => viewer.packets.filter(({ header }) => header.payloadType === 102 && header.marker).length;
  await viewer.until(() => pictures() > 30, 15_000, 'pictures');
  assert.equal(await stateOf(server, 'gate'), 'live');
  await gate.switchOff();
  await eventually(async () => (await stateOf(server, 'gate')) === 'waiting', 15_000, 'the loss');
  const before = pictures();
  await viewer.until(() => pictures() > before + 3, 10_000, 'pictures of the slate');
  for (const name of ['/active-streams', '/connection-stats', '/health']) await get(server, name);
  assert.equal(viewer.pc.connectionState, 'connected');
  await gate.switchOn();
  await eventually(async () => (await stateOf(server, 'gate')) === 'live', 20_000, 'the camera');
  const back = pictures();
  await viewer.until(() => pictures() > back + 25, 10_000, 'pictures of the camera');

  await fetch(server.url + sessionUrl, { method: 'DELETE' });
  await eventually(async () => !(await running(server)).includes('gate'), 10_000, 'the end of the call');
  assert.ok((await running(server)).includes('bars'));
  await server.close();
  assert.deepEqual(
    Object.entries(server.ledger.snapshot()).filter(([, count]) => count !== 0),
    [],
  );
});

test('who reads the detections of a camera first waits while it is connected, and who reads them of a dead one gets the reason', async () => {
  const server = await start(
    'sources:\n  - {name: first, device: "testsrc2=size=320x180:rate=25", format: lavfi}\n  - {name: dead, url: "http://127.0.0.1:1/"}\n',
    { MODEL: path.join(projectRoot, 'models/sightline-demo.onnx') },
  );
  leftovers.push(() => server.close());
  const stop = new AbortController();
  const stream = await fetch(`${server.url}/detections/first`, { signal: stop.signal });
  assert.equal(stream.status, 200, 'the very first request');
  stop.abort();
  assert.equal((await get<{ source: string }>(server, '/detections/first/latest')).source, 'first');
  const refused = await fetch(`${server.url}/detections/dead`);
  const { code, message } = (await refused.json()) as { readonly code: string; readonly message: string };
  assert.deepEqual([refused.status, code], [409, 'SOURCE_NOT_LIVE']);
  assert.match(message, /Connection refused/);
  await server.close();
});

test('a file with faults keeps the server from starting, and tells them all', async () => {
  await assert.rejects(
    start('sources:\n  - {name: a, url: "rtsp://u:${NOT_SET_ANYWHERE}@cam/"}\n  - {name: b, url: "file:///etc/passwd"}\n'),
    (error: unknown) => {
      assert.ok(error instanceof MediaPeerError);
      bodies.push(error.message);
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.match(error.message, /source 1 'a'.*NOT_SET_ANYWHERE is not set[^]*source 2 'b'.*field 'url'/);
      return true;
    },
  );
});

test('no log line, no answer and no error of the whole run holds a credential', () => {
  const said = [...lines, ...bodies].join('\n');
  assert.ok(lines.length > 50 && lines.some((line) => line.includes('ffmpeg started')), `${lines.length} lines`);
  for (const secret of [
    '5ecret',
    Buffer.from(`admin:${PASSWORD}`).toString('base64'),
    Buffer.from('admin:wrong-5ecret').toString('base64'),
  ]) {
    const at = said.indexOf(secret);
    assert.equal(at, -1, said.slice(Math.max(0, at - 300), at + 100));
  }
});
