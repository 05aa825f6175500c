import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { projectRoot } from '../helpers/assets.js';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

const screens = path.join(projectRoot, 'dist/screens');
const ON_AIR = '#preview[data-phase=playing]';

describe('the page that makes a camera of a device', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    browser = await ChromiumHarness.launch(['--use-fake-device-for-media-stream=device-count=2', '--use-fake-ui-for-media-stream']);
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  it('sends its picture to a room, where others watch it', async () => {
    const { page, troubles } = await open('/publish?room=garden', { width: 360, height: 780 });
    await page.screenshot({ path: path.join(screens, 'publish-phone-ready.png'), fullPage: true });
    await page.click('#start');
    await page.waitForSelector(ON_AIR);
    assert.equal(await page.locator('#start').innerText(), 'Stop');
    assert.equal(await page.locator('#address').innerText(), `${server.url}/#/garden`);
    await until(
      page,
      "!document.querySelector('#readout')?.textContent.includes('–') && document.querySelector('#readout').children.length > 5",
    );
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    await page.screenshot({ path: path.join(screens, 'publish-phone.png'), fullPage: true });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.screenshot({ path: path.join(screens, 'publish-desktop.png'), fullPage: true });

    const { page: viewer, troubles: seenTroubles } = await open('/', { width: 1280, height: 900 });
    await viewer.waitForSelector('.card:has-text("garden") .tag.live');
    await viewer.click('.card:has-text("garden")');
    await viewer.waitForSelector('#stage[data-phase=playing]');
    await viewer.screenshot({ path: path.join(screens, 'desktop-live.png') });

    await page.click('#mute');
    assert.equal(await page.locator('#mute').innerText(), 'Unmute');
    const before = await page.evaluate("document.querySelector('#picture').srcObject.getVideoTracks()[0].getSettings().deviceId");
    await page.click('#flip');
    await until(
      page,
      `document.querySelector('#picture').srcObject.getVideoTracks()[0].getSettings().deviceId !== ${JSON.stringify(before)}`,
    );
    assert.equal(await page.evaluate("document.querySelector('#preview').dataset.phase"), 'playing');
    const shown = await viewer.evaluate<number>("document.querySelector('#stage video.on').currentTime");
    await until(viewer, `document.querySelector('#stage video.on').currentTime > ${shown + 1}`);

    await page.click('#start');
    assert.equal(await page.locator('#status-title').innerText(), 'Stopped');
    await until(page, "document.querySelector('#picture').srcObject === null");
    assert.deepEqual(troubles, []);
    assert.deepEqual(seenTroubles, []);
    await viewer.context().close();
    await page.context().close();
  });

  it('sends a large picture in three sizes at once, as viewers on slow links need it, and a small one alone', async () => {
    interface Layer {
      readonly rid: string | null;
      readonly height: number | null;
      readonly fps: number;
    }
    const layersOf = async (room: string): Promise<string[]> => {
      const answer = await fetch(new URL('/connection-stats', server.url));
      const { clients } = (await answer.json()) as { clients: { source: string; role: string; received?: { layers: Layer[] } }[] };
      const layers = clients.find(({ source, role }) => source === room && role === 'publisher')?.received?.layers ?? [];
      return layers.filter(({ fps }) => fps > 2).map(({ rid, height }) => `${rid} ${height}`);
    };
    const sent = async (room: string, wanted: readonly string[]): Promise<void> => {
      await eventually(
        async () => (await layersOf(room)).sort().join() === [...wanted].sort().join(),
        30_000,
        `${wanted.join()} of ${room}`,
      );
    };
    const { page, troubles } = await open('/publish?room=wide', { width: 1000, height: 900 });
    await page.click('#start');
    await page.waitForSelector(ON_AIR);
    assert.equal(await page.locator('#simulcast').isDisabled(), true);
    await sent('wide', ['q 180', 'h 360', 'f 720']);
    await until(page, "document.querySelector('#readout').textContent.includes('1280 × 720 and 2 smaller')");
    await page.screenshot({ path: path.join(screens, 'publish-simulcast.png') });
    await page.click('#start');

    await page.uncheck('#simulcast');
    await page.click('#start');
    await page.waitForSelector(ON_AIR);
    await until(page, "/1280 × 720(?! and)/.test(document.querySelector('#readout').textContent)");
    assert.ok((await layersOf('wide')).length <= 1, (await layersOf('wide')).join());
    await page.click('#start');

    await page.check('#simulcast');
    await page.selectOption('#size', '640x360');
    await page.click('#start');
    await page.waitForSelector(ON_AIR);
    await until(page, "/640 × 360(?! and)/.test(document.querySelector('#readout').textContent)");
    assert.ok((await layersOf('wide')).length <= 1, (await layersOf('wide')).join());
    await page.click('#start');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('says what is missing: a token, a name that can be one, the camera, a secure page', async (test) => {
    const locked = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', PUBLISH_TOKENS: '*=EvTbEeyPfVxEdAyh' });
    test.after(() => locked.close());
    const { page } = await open('/publish?room=locked', { width: 800, height: 900 }, locked.url);
    await page.click('#start');
    await page.waitForSelector('#preview[data-phase=failed]');
    assert.equal(await page.locator('#status-title').innerText(), 'A login or a token is needed');
    await page.fill('#token', 'EvTbEeyPfVxEdAyh');
    await page.click('#start');
    await page.waitForSelector(ON_AIR);
    await page.click('#start');

    await page.fill('#room', 'not a room');
    await page.click('#start');
    assert.equal(await page.evaluate("document.querySelector('#room').validity.patternMismatch"), true);
    await page.fill('#room', 'cellar');
    await page.evaluate("navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))");
    await page.click('#start');
    await until(page, "document.querySelector('#status-title').textContent === 'The camera may not be used'");

    await page.addInitScript(
      "Object.defineProperty(navigator, 'mediaDevices', { value: undefined }); Object.defineProperty(globalThis, 'isSecureContext', { value: false });",
    );
    await page.reload();
    await until(page, "document.querySelector('#status-title').textContent === 'A camera needs a secure page'");
    assert.equal(await page.locator('#start').isDisabled(), true);
    assert.match(await page.locator('#status-text').innerText(), /https.*localhost:\d+\/publish/);
    await page.context().close();
  });

  it('waits for a server that is away, and says so', async () => {
    const { page } = await open('/publish?room=roof', { width: 800, height: 900 });
    await page.route('**/whip/*', (route) => route.abort());
    await page.click('#start');
    await page.waitForSelector('#preview[data-phase=waiting]');
    assert.equal(await page.locator('#status-title').innerText(), 'The server cannot be reached');
    await page.unroute('**/whip/*');
    await page.waitForSelector(ON_AIR);
    await page.context().close();
  });

  async function open(
    address: string,
    viewport: { width: number; height: number },
    base: string = server.url,
  ): Promise<{ page: Page; troubles: string[] }> {
    const troubles: string[] = [];
    const page = await browser.open('about:blank', { viewport, permissions: ['camera', 'microphone'] });
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => message.type() === 'error' && troubles.push(`${message.text()} ${message.location().url}`));
    await page.goto(new URL(address, base).href);
    await until(page, "document.querySelector('#status-title, #sources-title')?.textContent !== ''");
    return { page, troubles };
  }
});

/** Waits until an expression holds in the page. */
async function until(page: Page, expression: string): Promise<void> {
  await eventually(() => page.evaluate<boolean>(`Boolean(${expression})`), 15_000, expression);
}
