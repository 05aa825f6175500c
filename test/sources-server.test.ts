/** Sources that are added, changed and removed over HTTP in the whole server, watched by real peers, and kept over a restart. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { parseConfig } from '../src/config.js';
import { startServer, type Server } from '../src/server.js';
import { HttpCamera, type StreamName } from './helpers/cameras.js';
import { eventually } from './helpers/deadline.js';
import { copyVideo } from './helpers/make-video.js';
import { startServerProcess } from './helpers/server-process.js';
import { WeriftViewer } from './helpers/werift-viewer.js';

const SECRET = 's3cret-of-the-gate';
const leftovers: (() => unknown)[] = [];
after(async () => {
  for (const undo of leftovers.reverse()) await undo();
});

/** Everything that was said by a server, in logs and answers. */
const said: string[] = [];

interface Installation {
  readonly folder: string;
  readonly sourcesFile: string;
  readonly start: (variables?: Record<string, string>, onLogLine?: (line: string) => void) => Promise<Server>;
}

function install(sources: string): Installation {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-sources-'));
  leftovers.push(() => rmSync(folder, { recursive: true, force: true }));
  const sourcesFile = path.join(folder, 'sources.yml');
  writeFileSync(sourcesFile, sources);
  const start: Installation['start'] = async (variables = {}, onLogLine = () => undefined) => {
    const write = (line: string): void => {
      said.push(line);
      onLogLine(line);
    };
    const http = pino({ level: 'trace' }, { write });
    const config = parseConfig({
      PORT: '0',
      UPLOAD_DIR: path.join(folder, 'upload'),
      STATE_DIR: path.join(folder, 'state'),
      MODEL: 'none',
      ICE_ADDRESSES: '127.0.0.1',
      IDLE_GRACE: '300',
      SOURCES_FILE: sourcesFile,
      ...variables,
    });
    const server = await startServer(config, { http, of: (name) => http.child({ component: name }) });
    leftovers.push(() => server.close());
    return server;
  };
  return { folder, sourcesFile, start };
}

async function camera(stream: StreamName, credentials?: string): Promise<HttpCamera> {
  const started = await HttpCamera.start(stream, credentials);
  leftovers.push(() => started.switchOff());
  return started;
}

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: Record<string, unknown> & {
    readonly code?: string;
    readonly message?: string;
    readonly details?: { readonly faults?: readonly { readonly path: string; readonly code: string }[] };
  };
}
async function ask(server: Server, method: string, route: string, body?: object): Promise<Answer> {
  const response = await fetch(server.url + route, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  said.push(text);
  return { status: response.status, location: response.headers.get('location'), body: JSON.parse(text) as Answer['body'] };
}

interface Joined {
  readonly viewer: WeriftViewer;
  /** Complete frames that came. */
  readonly frames: () => number;
  readonly sessionUrl: () => string;
}
async function join(server: Server, source: string): Promise<Joined> {
  const viewer = new WeriftViewer({ audio: true });
  leftovers.push(() => viewer.close());
  let sessionUrl = '';
  await viewer.join(async (sdp) => {
    const { status, body } = await ask(server, 'POST', '/offer', { sdp, type: 'offer', source });
    assert.equal(status, 200, body.message);
    sessionUrl = String(body['session_url']);
    return { sdp: String(body['sdp']) };
  });
  const video = () => viewer.packets.filter(({ header }) => header.payloadType === 102);
  const joined = { viewer, frames: () => video().filter(({ header }) => header.marker).length, sessionUrl: () => sessionUrl };
  await viewer.until(() => joined.frames() > 10, 20_000, 'pictures');
  return joined;
}

/** All of one session: one ssrc of video, numbered on and on; a busy machine may lose a few. */
function assertUnbroken({ viewer }: Joined): void {
  const packets = viewer.packets.filter(({ header }) => header.payloadType === 102).map(({ header }) => header);
  assert.equal(new Set(packets.map(({ ssrc }) => ssrc)).size, 1);
  for (const [i, { sequenceNumber }] of packets.entries())
    if (i > 0) assert.ok(((sequenceNumber - packets[i - 1]!.sequenceNumber) & 0xffff) < 500, `${sequenceNumber} at ${i}`);
}

const sourceNames = async (server: Server): Promise<string[]> =>
  ((await ask(server, 'GET', '/sources')).body['sources'] as { name: string }[]).map(({ name }) => name);
const isAlive = async (server: Server, { sessionUrl }: Joined): Promise<boolean> => (await fetch(server.url + sessionUrl())).status !== 404;

test('a camera is added, watched, changed beneath its viewers, removed, and what was changed outlives a restart', async () => {
  const gate = await camera('flv', `admin:${SECRET}`);
  const other = await camera('flv');
  const { folder, start } = install('sources: []');
  const server = await start();
  const url = `http://admin:${SECRET}@${gate.url.slice(7)}?key=${SECRET}`;
  const added = await ask(server, 'POST', '/sources', { name: 'gate', url, title: 'Main gate' });
  assert.deepEqual([added.status, added.location, added.body['origin'], added.body['scheme']], [201, '/sources/gate', 'api', 'http']);
  assert.equal(gate.calls, 0, 'nobody is called before somebody asks');

  const watching = await join(server, 'gate');
  const { calls } = gate;
  const named = await ask(server, 'PATCH', '/sources/gate', { title: 'Gate', group: 'Outside', always_on: true });
  assert.deepEqual([named.status, named.body['title'], named.body['group'], named.body['state']], [200, 'Gate', 'Outside', 'live']);
  const listed = (await ask(server, 'GET', '/available-videos')).body['videos'] as Record<string, unknown>[];
  assert.deepEqual([listed[0]?.['source'], listed[0]?.['title'], listed[0]?.['group']], ['gate', 'Gate', 'Outside']);
  const before = watching.frames();
  await watching.viewer.until(() => watching.frames() > before + 30, 15_000, 'more pictures');
  assert.equal(gate.calls, calls, 'a title touches no viewer');

  assert.equal((await ask(server, 'PATCH', '/sources/gate', { url: other.url })).status, 200);
  await eventually(() => gate.connections === 0 && other.connections === 1, 15_000, 'the connection to the new address');
  const moved = watching.frames();
  await watching.viewer.until(() => watching.frames() > moved + 30, 15_000, 'pictures from there');
  assertUnbroken(watching);

  assert.equal((await ask(server, 'POST', '/sources', { name: 'gate', url })).body.code, 'SOURCE_TAKEN');
  const state = path.join(folder, 'state/state.json');
  assert.equal(statSync(state).mode & 0o777, 0o600);
  await server.close();
  const again = await start();
  assert.deepEqual(await sourceNames(again), ['gate']);
  await eventually(() => other.connections === 1, 15_000, 'the camera that is always on');
  const back = await join(again, 'gate');
  assert.equal((await ask(again, 'DELETE', '/sources/gate')).body['removed'], true);
  await eventually(async () => !(await isAlive(again, back)), 10_000, 'the end of the session');
  await eventually(() => other.connections === 0, 10_000, 'the end of the connection');
  assert.deepEqual(await sourceNames(again), []);
  assert.equal((await ask(again, 'GET', '/sources/gate')).status, 404);
  assert.ok(!readFileSync(state, 'utf8').includes('gate'));
  for (const route of ['POST /sources', 'PATCH /sources/:id', 'DELETE /sources/:id']) {
    const isNoted = (line: string): boolean => line.includes('"msg":"changed"') && line.includes(`"route":"${route}"`);
    assert.match(said.find(isNoted) ?? '', /"sourceId":"gate"/, `who changed what is written down: ${route}`);
  }
  for (const text of said) assert.ok(!text.includes(SECRET) && !text.includes(gate.url), text);
});

test('what is wrong with a source is told at once, by place and in words, and changes nothing', async () => {
  const { folder, start } = install('sources: [{name: yard, url: "rtsp://127.0.0.1:1/"}]');
  mkdirSync(path.join(folder, 'upload'));
  copyVideo('silent.mp4', path.join(folder, 'upload'), 'street.mp4');
  const server = await start();
  const wrong = await ask(server, 'POST', '/sources', { url: 'file:///etc/passwd', audio: 'no', colour: 'red' });
  assert.deepEqual([wrong.status, wrong.body.code], [422, 'SOURCE_INVALID']);
  assert.deepEqual(wrong.body.details?.faults, [
    { path: '/audio', code: 'invalid' },
    { path: '/name', code: 'required' },
    { path: '/colour', code: 'unknown' },
  ]);
  assert.match(wrong.body.message ?? '', /field 'audio': expected true or false; field 'name': expected 1 to 64/);
  assert.equal((await ask(server, 'POST', '/sources', { name: 'street', url: 'rtsp://127.0.0.1:1/' })).body.code, 'SOURCE_TAKEN');
  assert.equal((await ask(server, 'PATCH', '/sources/nobody', { title: 'x' })).body.code, 'SOURCE_NOT_FOUND');
  assert.equal((await ask(server, 'DELETE', '/sources/street')).body.code, 'SOURCE_NOT_CONFIGURED');
  assert.equal((await ask(server, 'PATCH', '/sources/street', { title: 'High street' })).body['title'], 'High street');
  const { sources, removed } = (await ask(server, 'GET', '/sources')).body as Record<string, { name: string; origin: string }[]>;
  assert.deepEqual(
    sources?.map(({ name, origin }) => `${name} ${origin}`),
    ['street upload', 'yard sources_file'],
  );
  assert.deepEqual(removed, []);
  const longest = await ask(server, 'POST', '/sources', { name: 'a', url: `rtsp://${'a'.repeat(70_000)}/` });
  assert.deepEqual([longest.status, longest.body.code], [413, 'BODY_TOO_LARGE']);
});

test('a model that was chosen outlives a restart, and ends with its source', async () => {
  const { start } = install('sources: [{name: bars, device: "testsrc2=size=320x180:rate=10", format: lavfi}]');
  const server = await start();
  const model = async (of: Server): Promise<unknown> => (await ask(of, 'GET', '/sources/bars/model')).body['model'];
  assert.equal(await model(server), 'none');
  assert.equal((await ask(server, 'PUT', '/sources/bars/model', { model: 'sightline-demo' })).status, 200);
  assert.equal((await ask(server, 'GET', '/sources/bars')).body['model'], 'sightline-demo');
  const refused = await ask(server, 'PATCH', '/sources/bars', { model: 'nobody' });
  assert.deepEqual(refused.body.details?.faults, [{ path: '/model', code: 'not_found' }]);
  await server.close();
  const again = await start();
  assert.equal(await model(again), 'sightline-demo');
  assert.equal((await ask(again, 'PATCH', '/sources/bars', { model: null })).body['model'], 'none');
});

test('SOURCES_FILE is read again when it changes or by SIGHUP; what did not change notices nothing, and a faulty file changes nothing', async () => {
  const [still, old, next] = [await camera('flv'), await camera('flv'), await camera('flv')];
  const entry = (name: string, url: string, more = ''): string => `  - { name: ${name}, url: "${url}"${more} }\n`;
  const { sourcesFile, start } = install(`sources:\n${entry('still', still.url)}${entry('gate', old.url)}`);
  const server = await start();
  const [calm, moved] = [await join(server, 'still'), await join(server, 'gate')];
  const { calls } = still;

  writeFileSync(sourcesFile, `sources:\n${entry('gate', next.url, ', title: Gate')}${entry('new', old.url)}${entry('still', still.url)}`);
  await eventually(async () => (await sourceNames(server)).join() === 'gate,new,still', 15_000, 'the other sources');
  await eventually(() => old.connections === 0 && next.connections === 1, 15_000, 'the connection to the new address');
  const frames = moved.frames();
  await moved.viewer.until(() => moved.frames() > frames + 30, 15_000, 'pictures from there');
  assertUnbroken(moved);

  writeFileSync(sourcesFile, `sources:\n${entry('gate', 'file:///etc/passwd')}`);
  await server.reload();
  assert.deepEqual(await sourceNames(server), ['gate', 'new', 'still']);
  const findings = async (): Promise<string> => JSON.stringify((await ask(server, 'GET', '/health?verbose')).body);
  assert.match(await findings(), /source 1 'gate': field 'url': expected a URL that begins with.*what SOURCES_FILE held before goes on/);
  rmSync(sourcesFile);
  await server.reload();
  assert.match(await findings(), /ENOENT/);

  writeFileSync(sourcesFile, `sources:\n${entry('still', still.url)}`);
  await server.reload();
  assert.deepEqual(await sourceNames(server), ['still']);
  assert.doesNotMatch(await findings(), /SOURCES_FILE/);
  await eventually(async () => !(await isAlive(server, moved)), 10_000, 'the end of the session of the one that was removed');
  const last = calm.frames();
  await calm.viewer.until(() => calm.frames() > last + 30, 15_000, 'more pictures of the one that stayed');
  assertUnbroken(calm);
  assert.equal(still.calls, calls, 'it was connected once');
});

test('SOURCES_FILE that is changed while the server starts counts as it is then', async () => {
  const { sourcesFile, start } = install('sources: [{ name: gate, url: "rtsp://127.0.0.1:9/gate" }]\n');
  const server = await start({}, (line) => {
    // What is configured has been read by then, and nothing follows the file yet.
    if (line.includes('ffmpeg found')) writeFileSync(sourcesFile, 'sources: [{ name: yard, url: "rtsp://127.0.0.1:9/yard" }]\n');
  });
  await eventually(async () => (await sourceNames(server)).join() === 'yard', 15_000, 'the file as it is now');
});

test('a probe says what a camera sends and what is wrong with it, calls it once, and not too often', async () => {
  const gate = await camera('flv', `admin:${SECRET}`);
  const { start } = install(`sources: [{name: gate, url: "http://admin:${SECRET}@${gate.url.slice(7)}"}]`);
  const server = await start();
  const probe = (body: object): Promise<Answer> => ask(server, 'POST', '/sources/probe', body);
  const seen = await probe({ name: 'gate' });
  assert.equal(seen.status, 200, JSON.stringify(seen.body));
  const { reachable, problems, video_codec, width, height, fps, audio_codec, delivery, low } = seen.body;
  assert.deepEqual(
    [reachable, problems, video_codec, width, height, fps, audio_codec, delivery, low],
    [true, [], 'h264', 320, 180, 25, 'aac', 'passthrough', null],
  );
  const together = await Promise.all([probe({ url: `http://admin:wrong@${gate.url.slice(7)}` }), probe({ url: 'http://127.0.0.1:1/' })]);
  assert.deepEqual(
    together.map(({ status }) => status),
    [200, 429],
  );
  const [wrong] = together;
  assert.equal(wrong.body['reachable'], false);
  assert.match(String(wrong.body['problems']), /the user name or the password is wrong/);
  assert.equal(wrong.body['cause'], 'login');
  assert.equal(gate.wrongLogins, 1, 'a wrong password is tried once');
  assert.match(String((await probe({ url: 'http://127.0.0.1:1/' })).body['problems']), /nothing listens at that address/);
  const often = await probe({ url: gate.url });
  assert.deepEqual([often.status, often.body.code], [429, 'TOO_MANY_REQUESTS']);
  assert.match(often.body.message ?? '', /called 3 times within a minute, and cameras lock accounts/);
  const bars = await probe({ device: 'testsrc2=size=321x180:rate=10', format: 'lavfi' });
  assert.deepEqual([bars.body['reachable'], bars.body['delivery']], [true, 'transcode']);
  assert.match(String(bars.body['problems']), /codec is rawvideo/);
  assert.deepEqual((await probe({ url: 'file:///etc/passwd' })).body.details?.faults, [{ path: '/url', code: 'invalid' }]);
  assert.deepEqual((await probe({ name: 'gate', url: 'http://${SECRET}/' })).body.details?.faults, [{ path: '/url', code: 'not_allowed' }]);
  for (const text of said) assert.ok(!text.includes(SECRET), text);
});

test('SIGHUP reads SOURCES_FILE again, and ends nothing', async () => {
  const { folder, sourcesFile } = install('sources: [{name: gate, url: "rtsp://127.0.0.1:1/"}]');
  const server = await startServerProcess({ SOURCES_FILE: sourcesFile, UPLOAD_DIR: path.join(folder, 'upload'), MODEL: 'none' });
  try {
    process.kill(server.pid, 'SIGHUP');
    await eventually(() => server.log.some((line) => line.includes('SOURCES_FILE was read again')), 15_000, 'the file to be read again');
    const { videos } = (await (await fetch(`${server.url}/available-videos`)).json()) as { videos: { source: string }[] };
    assert.deepEqual(
      videos.map(({ source }) => source),
      ['gate'],
    );
  } finally {
    assert.equal(await server.close(), 0);
  }
});
