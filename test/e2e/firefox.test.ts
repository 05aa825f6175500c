/** The client library in Firefox, which has no H.264 until it has fetched a plug-in, and tells no time of capture. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { Firefox, noFirefox, type FirefoxPage } from '../helpers/firefox/index.js';
import { framesOfClip, makeRecording } from '../helpers/recording.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';

/** What the page keeps of a watching or publishing. */
interface Seen {
  readonly states: readonly string[];
  readonly reasons: readonly string[];
  readonly frames: number;
  readonly url: string | undefined;
}

/** Watches in the page: an element, what was told, presented frames and the boxes on them. */
const WATCH = `async (options) => {
  const { FramePairing, watch } = await import('/sightline.js');
  const video = Object.assign(document.createElement('video'), { autoplay: true, muted: true, playsInline: true });
  document.body.append(video);
  const seen = { states: [], reasons: [], frames: 0, tracks: [], qualities: [], positions: [] };
  const pairing = new FramePairing();
  (function count() { video.requestVideoFrameCallback((now, { rtpTimestamp }) => { seen.frames++; pairing.present(rtpTimestamp, now); count(); }); })();
  const watching = watch({
    video,
    onState: ({ state, reason }) => { seen.states.push(state); if (reason) seen.reasons.push(reason.code); },
    onTrack: ({ name }) => seen.tracks.push(name),
    onQuality: ({ quality, reason }) => seen.qualities.push(quality + ' ' + reason),
    onPosition: (position) => seen.positions.push(position),
    ...(options.detections && { onDetections: (message) => pairing.add(message, performance.now()) }),
    ...options,
  });
  Object.assign(globalThis, { watching, seen, video, pairing });
}`;

/** Publishes Firefox's fake camera and microphone in the page. */
const PUBLISH = `async (options) => {
  const { publish } = await import('/sightline.js');
  const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  const seen = { states: [], reasons: [], frames: 0 };
  const publishing = publish({ stream, onState: ({ state, reason }) => { seen.states.push(state); if (reason) seen.reasons.push(reason.code); }, ...options });
  Object.assign(globalThis, { publishing, seen });
}`;

/** A number that is another one for another picture. */
const PICTURE = `(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, 64, 36);
  return context.getImageData(0, 0, 64, 36).data.reduce((sum, value, index) => (sum * 31 + value * (index % 7)) % 1000003, 0);
})()`;

describe('the client library in Firefox', { skip: noFirefox, timeout: 180_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let firefox: Firefox;
  let variables: Record<string, string>;
  let recordedFromS: number;

  before(async () => {
    folder = await temporaryFolder();
    const clip = path.join(folder.videos, 'clip.mp4');
    await makePassthroughClip(clip);
    const recordDir = path.join(folder.path, 'recordings');
    mkdirSync(recordDir);
    recordedFromS = Math.floor(Date.now() / 1000) - 120;
    await makeRecording({ recordDir, frames: await framesOfClip(clip), fromMs: recordedFromS * 1000, sourceId: 'clip' });
    seeing = await makeSeeingFixture(folder);
    variables = {
      UPLOAD_DIR: folder.videos,
      MODEL: seeing?.model ?? 'none',
      IDLE_GRACE: '1000',
      LADDER: '180p:150',
    };
    server = await startServerProcess({ ...variables, RECORD_DIR: recordDir });
    await eventually(async () => (await fetch(new URL('/recordings/clip', server.url))).ok, 10_000, 'the index of the recording');
    firefox = await Firefox.launch();
  });

  after(async () => {
    await firefox.close();
    await server.close();
    await folder.remove();
  });

  it('shows a source with sound in a codec that it has, repairs included, and ends its session when it is closed', async (t) => {
    const page = await open(t);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await frames(page, 10);
    await until(page, "watching.state === 'playing'");
    assert.deepEqual((await seen(page)).states, ['connecting', 'connected', 'playing']);
    assert.deepEqual(await page.evaluate('seen.tracks'), ['raw', 'audio']);
    const first = await page.evaluate<number>(PICTURE);
    await eventually(async () => (await page.evaluate<number>(PICTURE)) !== first, 5000, 'another picture');
    const { codecs, sound } = await page.evaluate<{ codecs: string[]; sound: number }>(`(async () => {
      const entries = [...(await watching.stats()).values()].filter(({ type }) => type === 'inbound-rtp' || type === 'codec');
      return { codecs: entries.filter(({ type }) => type === 'codec').map(({ mimeType }) => mimeType).sort(), sound: entries.find(({ kind }) => kind === 'audio').packetsReceived };
    })()`);
    assert.deepEqual(
      codecs.filter((codec) => /VP8|opus/.test(codec)),
      ['audio/opus', 'video/VP8'],
      codecs.join(),
    );
    assert.ok(sound > 0, 'sound arrives');
    assert.equal(await clients(), 1);
    await page.evaluate('watching.close()');
    await eventually(async () => (await clients()) === 0, 5_000, 'the session to end');
    assert.deepEqual(page.troubles, []);
  });

  it('has the boxes of each frame, though it is sent in another codec', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const page = await open(t);
    await page.evaluate(`(${WATCH})({ source: 'seen', detections: true })`);
    await until(page, 'pairing.counts.paired >= 10', 30_000);
    const { objects } = await page.evaluate<{ objects: { label: string; box: number[] }[] }>('pairing.newest');
    assert.ok(Array.isArray(objects), 'a message tells objects');
    await until(page, 'pairing.newest.objects.length > 0');
    await page.evaluate('watching.close()');
    assert.deepEqual(page.troubles, []);
  });

  it('pauses and resumes, shows the other rendition, and changes the source over the same session', async (t) => {
    const page = await open(t);
    await page.evaluate(`(${WATCH})({ source: 'clip', tracks: ['raw', 'processed'], active: ['raw'] })`);
    await frames(page, 5);
    const { url } = await seen(page);
    await page.evaluate('watching.pause()');
    await eventually(async () => (await activeTracks()).length === 0, 5_000, 'nothing to be sent');
    await page.evaluate('watching.resume()');
    await frames(page, (await seen(page)).frames + 5);
    await page.evaluate("watching.select(['processed'])");
    await eventually(async () => (await activeTracks()).join() === 'processed', 5_000, 'the other rendition');
    await page.evaluate("watching.select(['raw'])");
    await frames(page, (await seen(page)).frames + 5);
    await page.evaluate("watching.setSource('seen')");
    await until(page, 'video.videoWidth > 640');
    await frames(page, (await seen(page)).frames + 5);
    assert.equal((await seen(page)).url, url);
    await page.evaluate('watching.close()');
    assert.deepEqual(page.troubles, []);
  });

  it('shows a lower quality when it is asked for, and tells', async (t) => {
    const page = await open(t);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await until(page, 'video.videoHeight === 360');
    await page.evaluate("watching.selectQuality('180p')");
    await until(page, 'video.videoHeight === 180');
    await until(page, "seen.qualities.includes('180p wish')");
    await page.evaluate("watching.selectQuality('source')");
    await until(page, 'video.videoHeight === 360');
    await page.evaluate('watching.close()');
    assert.deepEqual(page.troubles, []);
  });

  it('moves to what was recorded, frame by frame, and back to the present', async (t) => {
    const page = await open(t);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await frames(page, 5);
    await page.evaluate(`watching.seek(${recordedFromS + 2})`);
    await until(page, `Math.abs((watching.position?.at ?? 0) - ${recordedFromS + 2}) < 3`);
    await frames(page, (await seen(page)).frames + 10);
    await page.evaluate('watching.pause()');
    await until(page, "watching.position.state === 'paused'");
    const stood = await page.evaluate<{ at: number; picture: number }>(`({ at: watching.position.at, picture: ${PICTURE} })`);
    await page.evaluate('watching.step(1)');
    await until(page, `watching.position.at > ${stood.at}`);
    await until(page, `${PICTURE} !== ${stood.picture}`);
    await page.evaluate('watching.live()');
    await until(page, 'watching.position === undefined');
    await page.evaluate('watching.resume()');
    await frames(page, (await seen(page)).frames + 10);
    await page.evaluate('watching.close()');
    assert.deepEqual(page.troubles, []);
  });

  it('moves to another path by an ICE restart over the same session', async (t) => {
    const page = await open(t);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await until(page, "watching.state === 'playing'");
    const { url } = await seen(page);
    const answered = page.requests.length;
    await page.evaluate("dispatchEvent(new Event('online'))");
    await eventually(() => page.requests.slice(answered).some((request) => request.startsWith('PATCH 200')), 10_000, 'the restart');
    await frames(page, (await seen(page)).frames + 30);
    assert.equal((await seen(page)).url, url);
    const report = (await (await fetch(`${String(url)}/report`)).json()) as { ice?: { restarts?: number } };
    assert.equal(report.ice?.restarts, 1, JSON.stringify(report.ice));
    await page.evaluate('watching.close()');
    assert.deepEqual(page.troubles, []);
  });

  it('plays again after the server was restarted, and the last picture stays meanwhile', async (t) => {
    const first = await startServer(t);
    const page = await open(t, first.url);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await frames(page, 5);
    await first.close();
    await until(page, "watching.state === 'waiting' && seen.reasons.includes('UNREACHABLE')");
    const stood = (await seen(page)).frames;
    assert.equal(await page.evaluate('video.readyState >= 2 && video.videoWidth > 0'), true);
    await startServer(t, { PORT: new URL(first.url).port });
    await frames(page, stood + 10);
    await until(page, "watching.state === 'playing'");
    assert.equal((await seen(page)).reasons[0], 'SERVER_CLOSED');
  });

  it('plays again after the server was killed without a word', async (t) => {
    const first = await startServer(t);
    const page = await open(t, first.url);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await until(page, "watching.state === 'playing'");
    process.kill(first.pid, 'SIGKILL');
    await first.close();
    await startServer(t, { PORT: new URL(first.url).port });
    await until(page, "seen.states.includes('recovering') && watching.state === 'playing'", 30_000);
  });

  it('shows several sources over one connection', async (t) => {
    const page = await open(t);
    await page.evaluate(`(async () => {
      const { watchWall } = await import('/sightline.js');
      globalThis.wall = watchWall({ tiles: [{ source: 'clip' }, { source: 'seen' }, undefined], room: 3 });
      globalThis.videos = [0, 1, 2].map((index) => Object.assign(document.createElement('video'), { autoplay: true, muted: true, srcObject: wall.stream(index) }));
      document.body.append(...videos);
      globalThis.shown = [0, 0, 0];
      videos.forEach((video, index) => (function count() { video.requestVideoFrameCallback(() => { shown[index]++; count(); }); })());
    })()`);
    await until(page, "wall.tiles.slice(0, 2).every(({ phase }) => phase === 'live')");
    await until(page, 'shown[0] > 10 && shown[1] > 10');
    await page.evaluate("wall.setTiles([{ source: 'clip' }, undefined, { source: 'seen' }])");
    await until(page, 'shown[2] > 10');
    await until(page, "wall.tiles.map(({ phase }) => phase).join() === 'live,empty,live'");
    await page.evaluate('wall.close()');
    assert.deepEqual(page.troubles, []);
  });

  for (const simulcast of [false, true]) {
    it(`publishes a camera that another page watches${simulcast ? ', in several sizes' : ''}`, async (t) => {
      const room = simulcast ? 'garden' : 'gate';
      const camera = await open(t);
      await camera.evaluate(`(${PUBLISH})(${JSON.stringify({ room, simulcast })})`);
      await until(camera, "publishing.state === 'playing'");
      const viewer = await open(t);
      await viewer.evaluate(`(${WATCH})({ source: '${room}' })`);
      await frames(viewer, 20);
      assert.deepEqual((await seen(viewer)).states, ['connecting', 'connected', 'playing']);
      const { url } = await seen(camera);
      await camera.evaluate('publishing.reconnect()');
      await until(camera, `publishing.state === 'playing' && publishing.sessionUrl !== ${JSON.stringify(url)}`);
      await frames(viewer, (await seen(viewer)).frames + 20);
      assert.equal((await seen(viewer)).states.filter((state) => state === 'connected').length, 1, 'the viewer kept its connection');
      await viewer.evaluate('watching.close()');
      assert.deepEqual([...viewer.troubles, ...camera.troubles], []);
      await camera.evaluate('publishing.close()');
      await eventually(async () => (await clients()) === 0, 5_000, 'the publisher to be gone');
    });
  }

  async function get<T>(address: string): Promise<T> {
    return (await (await fetch(new URL(address, server.url))).json()) as T;
  }

  async function clients(): Promise<number> {
    return (await get<{ active_clients: number }>('/connection-stats')).active_clients;
  }

  async function activeTracks(): Promise<readonly string[]> {
    return (await get<{ clients: { active_tracks: string[] }[] }>('/connection-stats')).clients.at(-1)?.active_tracks ?? ['none'];
  }

  /** Closed after the test. */
  async function open(t: TestContext, url = server.url): Promise<FirefoxPage> {
    const page = await firefox.emptyPage(url);
    t.after(() => page.close());
    return page;
  }

  /** Ended after the test. */
  async function startServer(t: TestContext, more: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const started = await startServerProcess({ ...variables, ...more });
    t.after(() => started.close());
    return started;
  }
});

function seen(page: FirefoxPage): Promise<Seen> {
  return page.evaluate('({ ...seen, url: (globalThis.watching ?? globalThis.publishing).sessionUrl })');
}

async function frames(page: FirefoxPage, count: number): Promise<void> {
  await until(page, `seen.frames >= ${count}`);
}

async function until(page: FirefoxPage, expression: string, ms = 20_000): Promise<void> {
  await page.until(expression, ms).catch(async (error: unknown) => {
    throw new Error(
      `${String(error)}: ${await page.evaluate<string>('JSON.stringify(globalThis.seen ?? null)')} ${page.troubles.join('\n')}`,
    );
  });
}
