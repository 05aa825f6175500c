import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

/** What the page keeps of a watching or publishing. */
interface Seen {
  readonly states: readonly string[];
  readonly reasons: readonly string[];
  readonly frames: number;
  readonly url: string | undefined;
}

/** Watches in the page: an element, what was told, and presented frames. */
const WATCH = `async (options) => {
  const { watch } = await import('/sightline.js');
  const video = Object.assign(document.createElement('video'), { autoplay: true, muted: true, playsInline: true });
  document.body.append(video);
  const seen = { states: [], reasons: [], frames: 0, tracks: [] };
  (function count() { video.requestVideoFrameCallback(() => { seen.frames++; count(); }); })();
  const watching = watch({ video, onState: ({ state, reason }) => { seen.states.push(state); if (reason) seen.reasons.push(reason.code); }, onTrack: ({ name }) => seen.tracks.push(name), ...options });
  Object.assign(globalThis, { watching, seen, video });
}`;

/** Publishes the fake camera in the page. */
const PUBLISH = `async (options) => {
  const { publish } = await import('/sightline.js');
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  const seen = { states: [], reasons: [], frames: 0 };
  const publishing = publish({ stream, onState: ({ state, reason }) => { seen.states.push(state); if (reason) seen.reasons.push(reason.code); }, ...options });
  Object.assign(globalThis, { publishing, seen });
}`;

describe('the client library in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let variables: Record<string, string>;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    variables = { UPLOAD_DIR: folder.videos, MODEL: 'none', IDLE_GRACE: '1000' };
    server = await startServerProcess(variables);
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  it('shows a source with sound, and ends its session when it is closed', async () => {
    const { page, troubles } = await open(server.url);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await frames(page, 10);
    await until(page, "watching.state === 'playing'");
    assert.deepEqual((await seen(page)).states, ['connecting', 'connected', 'playing']);
    assert.deepEqual(await page.evaluate('seen.tracks'), ['raw', 'audio']);
    assert.deepEqual(await page.evaluate('[watching.source, watching.hasAudio, watching.tracks.join()]'), ['clip', true, 'raw']);
    assert.equal(await clients(), 1);
    await page.evaluate('watching.close()');
    await eventually(async () => (await clients()) === 0, 5_000, 'the session to end');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('tells once a second how old the picture is, by stage', async () => {
    const { page, troubles } = await open(server.url);
    await page.evaluate(`(${WATCH})({ source: 'clip', onLatency: (latency) => (globalThis.latencies ??= []).push(latency) })`);
    await until(page, 'globalThis.latencies?.length >= 3');
    const latencies: { totalMs: number; serverMs: number; networkMs: number; playoutMs: number }[] = await page.evaluate('latencies');
    for (const { totalMs, serverMs, networkMs, playoutMs } of latencies) {
      assert.ok(Math.abs(totalMs - serverMs - networkMs - playoutMs) < 0.01 && serverMs >= 0 && networkMs >= 0 && playoutMs > 0);
      assert.ok(totalMs < 2000, `${totalMs} ms`);
    }
    await page.evaluate('watching.close()');
    await eventually(async () => (await clients()) === 0, 5_000, 'the session to end');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('pauses and resumes, and changes the source', async () => {
    const { page } = await open(server.url);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await frames(page, 5);
    await page.evaluate('watching.pause()');
    let sent: readonly string[] = [];
    await eventually(async () => (sent = await activeTracks()).length === 0, 5_000, 'nothing to be sent').catch((error: unknown) =>
      assert.deepEqual(sent, [], String(error)),
    );
    await page.evaluate('watching.resume()');
    await frames(page, (await seen(page)).frames + 5);
    await page.evaluate("watching.setSource('nowhere').catch((error) => (globalThis.refused = error.code))");
    await until(page, "globalThis.refused === 'SOURCE_NOT_FOUND' || seen.reasons.at(-1) === 'SOURCE_NOT_FOUND'");
    await page.evaluate('watching.close()');
    await eventually(async () => (await clients()) === 0, 5_000, 'the session to end');
    await page.context().close();
  });

  it('moves to another path by an ICE restart, while the picture goes on over the same session', async () => {
    const { page, troubles } = await open(server.url);
    const requests: string[] = [];
    page.on(
      'response',
      (response) => /offer|sessions/.test(response.url()) && requests.push(`${response.request().method()} ${response.status()}`),
    );
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await until(page, "watching.state === 'playing'");
    const { url } = await seen(page);
    const before = await selectedPair(page);
    await page.evaluate("dispatchEvent(new Event('online'))");
    await eventually(
      async () => requests.includes('PATCH 200') && (await selectedPair(page)) !== before,
      10_000,
      `another pair than ${before}: ${requests.join()}`,
    );
    await frames(page, (await seen(page)).frames + 30);
    const after = await seen(page);
    assert.deepEqual(
      [after.url, after.states.slice(0, 3), [...new Set(after.reasons)]],
      [url, ['connecting', 'connected', 'playing'], ['NETWORK_CHANGED']],
    );
    assert.equal(requests.filter((request) => request.startsWith('POST')).length, 1);
    const report = (await (await fetch(`${String(url)}/report`)).json()) as { ice?: { restarts?: number } };
    assert.equal(report.ice?.restarts, 1, JSON.stringify(report.ice));
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('plays again after the server was restarted', async () => {
    const first = await startServerProcess(variables);
    const { page } = await open(first.url);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await frames(page, 5);
    await first.close();
    await until(page, "watching.state === 'waiting' && seen.reasons.includes('UNREACHABLE')");
    const stood = (await seen(page)).frames;
    // The last picture stays meanwhile.
    assert.equal(await page.evaluate('video.readyState >= 2 && video.videoWidth > 0'), true);
    const second = await startServerProcess({ ...variables, PORT: new URL(first.url).port });
    await frames(page, stood + 10);
    await until(page, "watching.state === 'playing'");
    assert.deepEqual((await seen(page)).reasons[0], 'SERVER_CLOSED');
    await page.context().close();
    await second.close();
  });

  it('plays again after the server was killed without a word, long before the browser notices', async () => {
    const first = await startServerProcess(variables);
    const { page } = await open(first.url);
    await page.evaluate(`(${WATCH})({ source: 'clip' })`);
    await until(page, "watching.state === 'playing'");
    process.kill(first.pid, 'SIGKILL');
    await first.close();
    const second = await startServerProcess({ ...variables, PORT: new URL(first.url).port });
    await until(page, "seen.states.includes('recovering') && watching.state === 'playing'");
    const { reasons } = await seen(page);
    assert.equal(reasons[0], 'CONNECTION_WEAK', reasons.join());
    await page.context().close();
    await second.close();
  });

  it('publishes a camera that another page watches, and that stays watched while the publisher connects again', async () => {
    const { page: camera, troubles } = await open(server.url);
    await camera.evaluate(`(${PUBLISH})({ room: 'gate' })`);
    await until(camera, "publishing.state === 'playing'");
    const { page: viewer } = await open(server.url);
    await viewer.evaluate(`(${WATCH})({ source: 'gate' })`);
    await frames(viewer, 20);
    assert.deepEqual((await seen(viewer)).states, ['connecting', 'connected', 'playing']);
    const [codec, size] = await camera.evaluate<[string, string]>(
      "(async () => { const entries = [...(await publishing.stats()).values()]; const video = entries.find(({ type, kind }) => type === 'outbound-rtp' && kind === 'video'); return [entries.find(({ id }) => id === video.codecId).mimeType, video.rid ?? 'one']; })()",
    );
    assert.deepEqual([codec, size], ['video/H264', 'one']);
    const { url } = await seen(camera);
    await camera.evaluate('publishing.reconnect()');
    await until(camera, `publishing.state === 'playing' && publishing.sessionUrl !== ${JSON.stringify(url)}`);
    const stood = (await seen(viewer)).frames;
    await frames(viewer, stood + 20);
    assert.equal((await seen(viewer)).states.filter((state) => state === 'connected').length, 1, 'the viewer kept its connection');
    assert.deepEqual(troubles, []);
    await viewer.evaluate('watching.close()');
    await viewer.context().close();
    // A page that goes ends its session at once.
    await camera.evaluate("location.href = '/health'");
    await eventually(
      async () => (await get<{ clients: { role: string }[] }>('/connection-stats')).clients.every(({ role }) => role !== 'publisher'),
      5_000,
      'the publisher to be gone',
    );
    await camera.context().close();
  });

  async function get<T>(address: string): Promise<T> {
    return (await (await fetch(new URL(address, server.url))).json()) as T;
  }

  async function clients(): Promise<number> {
    return (await get<{ active_clients: number }>('/connection-stats')).active_clients;
  }

  async function activeTracks(): Promise<readonly string[]> {
    return (await get<{ clients: { active_tracks: string[] }[] }>('/connection-stats')).clients.at(-1)?.active_tracks ?? ['none'];
  }

  /** An empty page of the server's origin, and what its console and scripts complained about. */
  async function open(url: string): Promise<{ page: Page; troubles: string[] }> {
    const troubles: string[] = [];
    const page = await browser.open('about:blank', { permissions: ['camera', 'microphone'] });
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => message.type() === 'error' && troubles.push(`${message.text()} ${message.location().url}`));
    const blank = new URL('/blank-page-of-the-test', url).href;
    await page.route(blank, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>client</title>' }));
    await page.goto(blank);
    return { page, troubles };
  }
});

function seen(page: Page): Promise<Seen> {
  return page.evaluate('({ ...seen, url: (globalThis.watching ?? globalThis.publishing).sessionUrl })');
}

async function frames(page: Page, count: number): Promise<void> {
  await until(page, `seen.frames >= ${count}`);
}

async function until(page: Page, expression: string): Promise<void> {
  await eventually(() => page.evaluate<boolean>(`Boolean(${expression})`), 20_000, expression).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(await seen(page))}`);
  });
}

/** Ids of the candidates in use: others after a restart. */
function selectedPair(page: Page): Promise<string> {
  return page.evaluate(`(async () => {
    const entries = [...(await (globalThis.watching ?? globalThis.publishing).stats()).values()];
    const transport = entries.find(({ type }) => type === 'transport');
    const pair = entries.find(({ id }) => id === transport?.selectedCandidatePairId);
    const ufrag = (id) => entries.find((entry) => entry.id === id)?.usernameFragment;
    return pair ? ufrag(pair.localCandidateId) + ' ' + ufrag(pair.remoteCandidateId) : 'none';
  })()`);
}
