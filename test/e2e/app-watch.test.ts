/** The watch view in a real browser: controls on the picture, keys, and the way into the past and back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { complaints, openPage, PLAYING, screens, until } from './page-rig.js';

const desktop = { viewport: { width: 1280, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const NO_DETECTOR = 'no detector at hand: neither the bundled model nor ../shared/assets';

describe('the watch view', { skip: noChromium, timeout: 240_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    seeing = await makeSeeingFixture(folder);
    const sources = path.join(folder.path, 'sources.yaml');
    await writeFile(sources, 'sources:\n  - { name: gate-north, url: "rtsp://127.0.0.1:9/none" }\n');
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      STATE_DIR: path.join(folder.path, 'state'),
      RECORD_DIR: path.join(folder.path, 'recordings'),
      RECORD: 'clip,seen',
      SOURCES_FILE: sources,
      MODEL: seeing?.model ?? 'none',
      IDLE_GRACE: '1000',
    });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  async function open(t: TestContext, address: string, options: Parameters<typeof openPage>[2] = desktop): ReturnType<typeof openPage> {
    const opened = await openPage(browser, server.url + address, options);
    t.after(() => opened.page.context().close());
    return opened;
  }

  /** How many seconds of it are recorded. */
  async function recordedS(source: string): Promise<number> {
    const response = await fetch(`${server.url}/recordings/${source}`);
    if (!response.ok) return 0;
    const { from, to } = (await response.json()) as { from: number; to: number };
    return to - from;
  }

  it('saves a picture of what is shown, hands on its link, and does by keys what its buttons do', async (t) => {
    const { page, troubles } = await open(t, '/#/clip/raw');
    await page.waitForSelector(PLAYING);
    await page.hover('#stage');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#snapshot')]);
    assert.match(download.suggestedFilename(), /^clip_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.jpg$/);
    const saved = path.join(folder.path, 'saved.jpg');
    await download.saveAs(saved);
    const { width, height, format } = await sharp(await readFile(saved)).metadata();
    assert.deepEqual([format, width, height], ['jpeg', 640, 360]);
    await until(page, "document.querySelector('#notice-title').textContent === 'Picture saved'");

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.click('#share');
    await until(page, "document.querySelector('#notice-title').textContent === 'Link copied'");
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), `${server.url}/#/clip/raw`);

    const isMuted = "document.querySelector('#stage audio').muted";
    assert.equal(await page.evaluate(isMuted), true);
    await page.keyboard.press('m');
    await until(page, `!${isMuted}`);
    await page.locator('.volume').fill('0.5');
    assert.equal(await page.evaluate("document.querySelector('#stage audio').volume"), 0.5);
    await page.keyboard.press('f');
    await until(page, "document.fullscreenElement?.id === 'stage'");
    await page.keyboard.press('f');
    await until(page, 'document.fullscreenElement === null');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('m');
    assert.equal(await page.evaluate(isMuted), false, 'keys of a dialog are its own');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.deepEqual(troubles, []);
  });

  it('goes back in time and to the present in one session, says when it is, and opens there from a link', async (t) => {
    await eventually(async () => (await recordedS('clip')) > 15, 60_000, 'a recording of 15 s');
    const { page, troubles } = await open(t, '/#/clip/raw');
    await page.waitForSelector(PLAYING);
    await page.waitForSelector('.timeline');
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);
    await page.keyboard.press('ArrowLeft');
    await until(page, "/^Recorded \\d\\d:\\d\\d:\\d\\d/.test(document.querySelector('#when .when-text').textContent)");
    await until(page, 'new URLSearchParams(location.hash.split("?")[1]).get("at") > 1e9');
    const link = page.url();
    await page.keyboard.press(' ');
    await until(page, "/paused/.test(document.querySelector('#when').textContent)");
    assert.equal(await page.locator('#trouble:visible').count(), 0, 'a picture that was stopped is no trouble');
    await page.screenshot({ path: path.join(screens, 'app-watch-past-desktop-light.png') });
    assert.deepEqual(await complaints(page), []);
    await page.keyboard.press('l');
    await until(page, "location.hash === '#/clip/raw' && document.querySelector('#when').dataset.state === 'live'");
    assert.equal(offers, 0);
    assert.deepEqual(troubles, []);

    const { page: other } = await open(t, link.slice(server.url.length));
    await other.waitForSelector(PLAYING);
    await until(other, "/^Recorded/.test(document.querySelector('#when .when-text').textContent)");
    await other.hover('#stage');
    await other.click('#to-live');
    await until(other, "location.hash === '#/clip/raw'");
  });

  it('tells beside the picture what is in the zones and what has just happened, with the way there', async (t) => {
    if (!seeing) return t.skip(NO_DETECTOR);
    const zones = { units: 'fraction', zones: [{ id: 'road', polygon: [[0, 0], [1, 0], [1, 1], [0, 1]] }], lines: [] }; // prettier-ignore
    const headers = { 'content-type': 'application/json' };
    const put = await fetch(`${server.url}/sources/seen/zones`, { method: 'PUT', headers, body: JSON.stringify(zones) });
    assert.equal(put.status, 200);
    const { page, troubles } = await open(t, '/#/seen/overlay');
    await page.waitForSelector(PLAYING);
    await until(page, "/^[1-9]\\d* inside$/.test(document.querySelector('.counts dd')?.textContent)");
    await page.waitForSelector('.newest li');
    assert.match((await page.locator('.newest a').first().getAttribute('href')) ?? '', /^#\/seen\?at=\d+/);
    assert.deepEqual(troubles, []);
    await fetch(`${server.url}/sources/seen/zones`, { method: 'DELETE' });
  });

  it('finds a dark camera among 300 and says why, answers a click at once, and asks for two snapshots at a time', async (t) => {
    const { page, troubles } = await open(t, '/favicon.svg');
    const name = (n: number): string => `site${n % 9}-camera ${n} ${'長い名前 '.repeat(44)}`.slice(0, 250);
    const videos = Array.from({ length: 300 }, (_, n) => ({
      ...{ source: `camera-${n}`, name: name(n), kind: 'pull', delivery: 'passthrough', playable: true },
      ...{ width: null, height: null, fps: null, duration_s: null, audio_codec: null, size_bytes: null },
      ...(n === 217 ? { state: 'waiting', reason: 'the camera cannot be reached: connection refused' } : { state: 'live' }),
    }));
    await page.route('**/available-videos', (route) => route.fulfill({ json: { videos } }));
    let [asked, most] = [0, 0];
    await page.route('**/snapshot/**', async (route) => {
      most = Math.max(most, ++asked);
      await route.fulfill({ status: 404, json: {} });
      asked--;
    });
    await page.goto(`${server.url}/#/`);
    await page.waitForSelector('.card');
    assert.equal(await page.locator('.card').count(), 300);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, 'long names are cut');
    await page.locator('#search').fill('REFUSED');
    await until(page, "document.querySelectorAll('.card').length === 1");
    // What is not painted yet has no inner text.
    await until(page, "document.querySelector('.card .tag').textContent === 'Offline'");
    assert.match((await page.locator('.card .reason').textContent()) ?? '', /connection refused/);
    await page.locator('#search').fill('');
    await page.getByLabel('Group').selectOption('state');
    await until(
      page,
      "[...document.querySelectorAll('.group-title')].map(({ textContent }) => textContent).join() === 'Live 299,Offline 1'",
    );
    assert.deepEqual(await complaints(page), []);
    const answeredMs = await page.evaluate<number>(`(() => {
      const beganMs = performance.now();
      document.querySelector('.card[data-source=camera-250]').click();
      return new Promise((resolve) => (function look() {
        if (document.querySelector('#player')) resolve(performance.now() - beganMs);
        else requestAnimationFrame(look);
      })());
    })()`);
    t.diagnostic(`answered a click after ${answeredMs.toFixed(0)} ms`);
    assert.ok(answeredMs < 1_000, `${answeredMs} ms`);
    assert.ok(most <= 2, `${most} at a time`);
    assert.deepEqual(
      troubles.filter((trouble) => !/404/.test(trouble)),
      [],
    );
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('works below a path that the server does not know of, speaks German where it is asked to, and can be installed', async (t) => {
    const proxied = await startPrefixProxy(t, '/cams/', server.url);
    const { page, troubles } = await openPage(browser, proxied, { ...desktop, locale: 'de-DE' });
    t.after(() => page.context().close());
    await page.getByRole('heading', { name: 'Videos und Kameras' }).waitFor();
    assert.equal(await page.evaluate('document.documentElement.lang'), 'de');
    await page.click('.card[data-source=clip]');
    await page.waitForSelector(PLAYING);
    await page.waitForSelector('.card .snapshot img');
    await page.click('#leave');
    const active = async (): Promise<number> =>
      ((await (await fetch(`${server.url}/connection-stats`)).json()) as { active_clients: number }).active_clients;
    await eventually(async () => (await active()) === 0, 3_000, 'the end of the session, by its address below the path');
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByRole('heading', { name: 'Videos and cameras' }).waitFor();
    const manifest = (await (await fetch(new URL('manifest.webmanifest', proxied))).json()) as { icons: { src: string; sizes: string }[] };
    for (const { src, sizes } of manifest.icons) {
      const icon = await fetch(new URL(src, proxied));
      assert.equal(icon.status, 200, src);
      const { width } = await sharp(Buffer.from(await icon.arrayBuffer())).metadata();
      if (sizes !== 'any') assert.equal(`${width}x${width}`, sizes);
    }
    await page.click('a[href=publish]');
    await page.waitForSelector('#start');
    assert.deepEqual(troubles, []);
  });

  for (const [device, options] of [
    ['desktop', desktop],
    ['phone', phone],
  ] as const)
    for (const colorScheme of ['light', 'dark'] as const)
      it(`is fine on a ${device}, ${colorScheme}`, async (t) => {
        if (!seeing) return t.skip(NO_DETECTOR);
        const { page } = await open(t, '/#/seen/overlay', { ...options, colorScheme });
        await page.waitForSelector(PLAYING);
        await page.waitForSelector('.chips .chip');
        if (device === 'desktop') await page.hover('#stage');
        assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, 'nothing is wider than the page');
        await page.screenshot({ path: path.join(screens, `app-watch-${device}-${colorScheme}.png`), fullPage: device === 'phone' });
        assert.deepEqual(await complaints(page), []);
        await page.click('#statistics-button');
        await page.waitForSelector('.sparkline canvas');
        await page.getByRole('img', { name: /^Bitrate in the last 60 seconds, now \d/ }).waitFor();
        await page.screenshot({ path: path.join(screens, `app-watch-statistics-${device}-${colorScheme}.png`), fullPage: true });
        assert.deepEqual(await complaints(page), []);
        await page.goto(`${server.url}/#/`);
        await page.waitForSelector('#player', { state: 'hidden' });
        await page.screenshot({ path: path.join(screens, `app-watch-list-${device}-${colorScheme}.png`) });
        assert.deepEqual(await complaints(page), []);
      });
});

/** A server in front of another one, which serves it below a path. Its address. */
async function startPrefixProxy(t: TestContext, prefix: string, target: string): Promise<string> {
  const proxy = http.createServer((request, response) => {
    if (!request.url?.startsWith(prefix)) return void response.writeHead(404).end('not below the path');
    const { method, headers } = request;
    const onward = http.request(new URL(request.url.slice(prefix.length - 1), target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`;
}
