/** A source of one server goes by WHIP to a room of another one, in another process, and is watched there. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { freePort } from '../helpers/free-port.js';
import { eventually } from '../helpers/deadline.js';
import { ImpairedPath } from '../helpers/network/impaired-path.js';
import { SignallingProxy } from '../helpers/network/signalling-proxy.js';
import { TestServer } from '../helpers/server.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { WeriftViewer } from '../helpers/werift-viewer.js';
import { temporaryFolder, type Folder } from '../e2e/fixtures.js';

const TOKEN = 'EvTbEeyPfVxEdAyh';
const SDP = { 'content-type': 'application/sdp' };

interface ForwardJson {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly quality: string | null;
  readonly bitrate_kbps: number | null;
  readonly estimate_kbps: number | null;
  readonly video_codec: string | null;
  readonly audio: boolean | null;
}

describe('a forwarded source', { timeout: 600_000 }, () => {
  let here: TestServer;
  let there: ServerProcess;
  let folder: Folder;
  let baseline: TestServer['resources'];
  const closers: (() => Promise<void> | void)[] = [];

  const startThere = (variables: Readonly<Record<string, string>> = {}): Promise<ServerProcess> =>
    startServerProcess({
      UPLOAD_DIR: folder.videos,
      MODEL: 'none',
      ALLOW_ANONYMOUS: 'all',
      PUBLISH_TOKENS: `*=${TOKEN}`,
      PUBLISH_GRACE: '1000',
      ...variables,
    });

  before(async () => {
    folder = await temporaryFolder();
    [here, there] = await Promise.all([
      TestServer.start(['copyable.mp4', 'copyable-720p.mp4', ['copyable.mp4', 'seen.mp4']], {
        MODEL: 'models/sightline-demo.json',
        SOURCE_MODELS: 'copyable=none',
        ALLOW_ANONYMOUS: 'all',
        PUBLISH_TOKENS: `*=${TOKEN}`,
      }),
      startThere(),
    ]);
    baseline = here.resources;
  });

  after(async () => {
    await here.close();
    assert.equal(await there.close(), 0);
    await folder.remove();
  });

  afterEach(async () => {
    for (const source of ['copyable', 'copyable-720p', 'seen']) await ask('DELETE', source);
    for (const close of closers.splice(0).reverse()) await close();
    await eventually(
      () => JSON.stringify(here.resources) === JSON.stringify(baseline),
      10_000,
      `everything to be given back: ${JSON.stringify(baseline)}`,
    );
  });

  async function ask(method: string, source: string, body?: object): Promise<{ status: number; body: ForwardJson & { code?: string } }> {
    const response = await fetch(`${here.url}/sources/${source}/forward`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as ForwardJson };
  }

  const forwardOf = async (source: string): Promise<ForwardJson> => {
    const { forwards } = await here.get<{ forwards: ForwardJson[] }>(`/sources/${source}/forward`);
    return forwards[0] ?? assert.fail(`${source} is forwarded`);
  };
  const until = (
    source: string,
    condition: (forward: ForwardJson, all: readonly ForwardJson[]) => boolean,
    what: string,
    ms = 20_000,
  ): Promise<ForwardJson> =>
    eventually(
      async () => {
        const { forwards } = await here.get<{ forwards: ForwardJson[] }>(`/sources/${source}/forward`);
        const [forward] = forwards;
        return forward && condition(forward, forwards) ? forward : undefined;
      },
      ms,
      what,
    );

  async function forward(source: string, room: string, more: object = {}, to = there.url): Promise<ForwardJson> {
    const { status, body } = await ask('POST', source, { url: `${to}/whip/${room}`, token: TOKEN, ...more });
    assert.equal(status, 201, JSON.stringify(body));
    return until(source, ({ state }) => state === 'live', `${source} to be live in ${room}`);
  }

  /** Watches a room of the other server. */
  async function watch(room: string, audio = false): Promise<WeriftViewer> {
    const viewer = new WeriftViewer({ audio });
    closers.push(() => viewer.close());
    await viewer.join(async (sdp) => {
      const response = await fetch(`${there.url}/whep/${room}`, { method: 'POST', headers: SDP, body: sdp });
      assert.equal(response.status, 201);
      return { sdp: await response.text() };
    });
    return viewer;
  }

  interface Room {
    readonly source: string;
    readonly state: string;
    readonly delivery: string;
    readonly codec: string;
    readonly renditions: readonly { readonly rendition: string; readonly width: number; readonly height: number }[];
  }
  async function room(name: string): Promise<Room | undefined> {
    const { sources } = (await (await fetch(`${there.url}/active-streams`)).json()) as { sources: Room[] };
    return sources.find(({ source }) => source === name);
  }

  it('is watched on the other server, with picture and sound, as it comes', async () => {
    await forward('copyable', 'gate');
    const viewer = await watch('gate', true);
    const kinds = (): Set<number> => new Set(viewer.packets.map(({ header }) => header.payloadType));
    await viewer.until(() => viewer.packets.length > 200 && kinds().size === 2, 15_000, 'picture and sound');
    const { video_codec, audio, quality } = await forwardOf('copyable');
    assert.deepEqual([video_codec, audio, quality], ['h264', true, 'source']);
    assert.equal((await room('gate'))?.codec, 'h264');
    const stats = await here.get<{ active_clients: number }>('/connection-stats');
    assert.equal(stats.active_clients, 0, 'a forward takes no place of a viewer');
    await until('copyable', ({ bitrate_kbps }) => (bitrate_kbps ?? 0) > 50, 'a bitrate');
  });

  it('has what was detected drawn in where it is asked for', async () => {
    const { status, body } = await ask('POST', 'copyable', { url: `${there.url}/whip/none`, token: TOKEN, rendition: 'processed' });
    assert.equal(status, 201);
    const failed = await until('copyable', ({ state }) => state === 'failed', 'a source without a detector to fail');
    assert.match(failed.last_error ?? '', /no detector is running/);
    assert.equal(failed.id, body.id);
    await forward('seen', 'boxes', { rendition: 'processed' });
    const viewer = await watch('boxes');
    await viewer.until(() => viewer.packets.length > 50, 15_000, 'pictures');
    const { sources } = await here.get<{ sources: Room[] }>('/active-streams');
    const renditions = sources.find(({ source }) => source === 'seen')?.renditions.map(({ rendition }) => rendition);
    assert.ok(renditions?.includes('processed'), String(renditions));
  });

  it('goes to several places, to each once, and leaves each when it is told to', async () => {
    const first = await forward('copyable', 'one');
    await ask('POST', 'copyable', { url: `${there.url}/whip/two`, token: TOKEN });
    await until('copyable', (_first, all) => all.length === 2 && all.every(({ state }) => state === 'live'), 'both to be live');
    const again = await ask('POST', 'copyable', { url: `${there.url}/whip/two` });
    assert.deepEqual([again.status, again.body.code], [409, 'FORWARD_EXISTS']);
    for (const viewer of [await watch('one'), await watch('two')]) await viewer.until(() => viewer.packets.length > 50, 10_000, 'packets');
    const remove = (): Promise<Response> => fetch(`${here.url}/sources/copyable/forward/${first.id}`, { method: 'DELETE' });
    assert.deepEqual(await (await remove()).json(), { removed: 1 });
    // It left on purpose, so its room waits for nobody.
    const isLeft = (line: string): boolean => line.includes('"sourceId":"one"') && line.includes('"how":"left"');
    await eventually(() => there.log.some(isLeft), 10_000, 'the room to know');
    assert.equal((await room('two'))?.state, 'live');
    assert.equal((await remove()).status, 404);
  });

  it('comes back when the other server does, however that ended', async () => {
    const port = String(await freePort());
    let other = await startThere({ PORT: port });
    closers.push(async () => {
      await other.close();
    });
    await forward('copyable', 'gate', {}, other.url);
    const killedMs = performance.now();
    process.kill(other.pid, 'SIGKILL');
    await other.exited;
    const lost = await until('copyable', ({ state }) => state === 'waiting', 'the loss to be noticed', 30_000);
    assert.ok(lost.last_error !== null);
    const noticedMs = performance.now() - killedMs;
    other = await startThere({ PORT: port });
    const backMs = performance.now();
    await until('copyable', ({ state, attempts }) => state === 'live' && attempts > 1, 'the forward to be back', 30_000);
    assert.ok(noticedMs < 20_000, `noticed after ${Math.round(noticedMs)} ms`);
    assert.ok(performance.now() - backMs < 15_000, 'tried again every 10 s at least');
    await other.close();
    await until('copyable', ({ state, last_error }) => state !== 'live' && last_error !== null, 'the end to be noticed');
  });

  it('is shown why it does not get there, and that a person has to mend it', async () => {
    await ask('POST', 'copyable', { url: `${there.url}/whip/gate`, token: 'not the right one'.replaceAll(' ', '-') });
    const { last_error: why } = await until('copyable', ({ state }) => state === 'failed', 'the refusal');
    assert.match(why ?? '', /answered 401: it wants a token, or another one/);
    const { findings } = await here.get<{ findings: { state: string; what: string; text: string }[] }>('/health?verbose');
    assert.match(findings.find(({ what }) => what === 'forward')?.text ?? '', /'copyable' is not forwarded to .*401/);
    const metrics = await (await fetch(`${here.url}/metrics`)).text();
    assert.match(metrics, /sightline_forwards\{source="copyable",state="failed"\} 1/);
  });

  it('is sent in a lower quality over a slow network, which does not stay full', async () => {
    const network = new ImpairedPath({ delayMs: 20 }, { rateBps: 900_000, delayMs: 20, queueMs: 300 });
    const proxy = await SignallingProxy.open(there.url, network);
    closers.push(
      () => network.close(),
      () => proxy.close(),
    );
    await forward('copyable-720p', 'slow', {}, proxy.url);
    await until('copyable-720p', ({ quality }) => quality !== null && quality !== 'source', 'a lower quality', 30_000);
    await eventually(
      () => network.up.samples.length > 100 && network.up.queueMs(performance.now()) < 50,
      20_000,
      'packets, and an empty queue',
    );
    assert.ok(network.up.dropped < network.up.passed / 10, `${network.up.dropped} dropped of ${network.up.passed}`);
  });

  it('is refused at the start where its configuration cannot work', async () => {
    const address = 'media.example/whip/gate';
    for (const [variables, why] of [
      [
        { WHIP_OUT: `gate=http://one@${address},yard=http://${address},gate=http://two@${address}` },
        /pair 3 \('gate'\): another pair sends that source/,
      ],
      [{ WHIP_OUT: `gate=http://%zz@${address}` }, /pair 1 \('gate'\): .*hexadecimal/],
      [{ WHIP_OUT: `gate=http://${address}`, MAX_FORWARDS: '0' }, /WHIP_OUT has 1 forwards, and MAX_FORWARDS allows 0/],
    ] as const)
      await assert.rejects(TestServer.start([], variables), { code: 'CONFIG_INVALID', message: why });
  });
});
