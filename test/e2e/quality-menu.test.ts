/** The menu of qualities in a real browser: what it offers, what the server sends then, and what it says where that cannot be had. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';
import { openPage, PLAYING, screens, until } from './page-rig.js';

const OPTIONS =
  "[...document.querySelectorAll('#quality option')].map(({ value, text, disabled }) => `${value}: ${text}${disabled ? ', not now' : ''}`)";
const HEIGHT = "document.querySelector('#stage video.on').videoHeight";

/** Has the server list these qualities of every source. */
async function listQualities(page: Page, qualities: readonly object[] | undefined): Promise<void> {
  await page.route('**/available-videos', async (route) => {
    const { videos } = (await (await route.fetch()).json()) as { videos: object[] };
    await route.fulfill({ json: { videos: videos.map((video) => ({ ...video, qualities })) } });
  });
}

describe('the menu of qualities', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    for (const name of ['clip', 'other']) await makePassthroughClip(path.join(folder.videos, `${name}.mp4`));
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', LADDER: '240p:300,180p:150', MAX_CONNECTIONS: '4' });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  /** Closed after the test. */
  async function open(t: TestContext, ...[address, options]: [string, Parameters<typeof openPage>[2]]): ReturnType<typeof openPage> {
    const opened = await openPage(browser, address, options);
    t.after(async () => {
      // The page asks for the list again and again: an answer that is under way would find no page, and end the process.
      await opened.page.unrouteAll({ behavior: 'ignoreErrors' });
      await opened.page.context().close();
    });
    return opened;
  }

  async function watch(t: TestContext, options: Parameters<typeof openPage>[2]): ReturnType<typeof openPage> {
    const opened = await open(t, `${server.url}/#/clip/raw`, options);
    await opened.page.waitForSelector(PLAYING);
    await opened.page.waitForSelector('#quality-menu:visible');
    return opened;
  }

  it('offers what the source has, and has the server send what is chosen, by mouse or keyboard, on one connection', async (t) => {
    const { page, troubles } = await watch(t, { viewport: { width: 1280, height: 900 } });
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);
    assert.deepEqual(await page.evaluate(OPTIONS), ['auto: Auto (360p)', 'source: Source (360p)', '240p: 240p', '180p: 180p']);
    const menu = page.getByLabel('Quality');
    await menu.selectOption('180p');
    await until(page, `${HEIGHT} === 180`);
    await page.screenshot({ path: path.join(screens, 'desktop-quality.png') });
    await menu.focus();
    await page.keyboard.press('Home');
    await until(page, `${HEIGHT} === 360 && document.querySelector('#quality').value === 'auto'`);
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowDown');
    await until(page, `${HEIGHT} === 240`);
    assert.doesNotMatch(await page.locator('#trouble').innerText(), /Slow network/, 'a small picture that was asked for is no trouble');
    assert.equal(offers, 0);
    assert.deepEqual(troubles, []);

    // Another source has qualities of its own.
    await page.click('.card:has-text("other")');
    await until(page, `document.querySelector('${PLAYING}') && ${HEIGHT} === 360`);
    await until(page, "document.querySelector('#quality').value === 'auto'");
  });

  it('stays as it was where a quality cannot be had, and says why', async (t) => {
    const { page } = await open(t, 'about:blank', { viewport: { width: 800, height: 900 } });
    const qualities = [
      { quality: 'source', width: 640, height: 360, bitrate_bps: 1, running: true, available: true },
      { quality: '200p', width: 356, height: 200, bitrate_bps: 1, running: false, available: true },
      { quality: '90p', width: 160, height: 90, bitrate_bps: 1, running: false, available: false },
    ];
    await listQualities(page, qualities);
    await page.goto(`${server.url}/#/clip/raw`);
    await page.waitForSelector(PLAYING);
    await page.waitForSelector('#quality-menu:visible');
    assert.deepEqual(await page.evaluate(OPTIONS), ['auto: Auto (360p)', 'source: Source (360p)', '200p: 200p', '90p: 90p, not now']);
    await page.getByLabel('Quality').selectOption('200p');
    await until(page, "document.querySelector('#notice-title').textContent === '200p cannot be had now'");
    assert.match(await page.locator('#notice-text').innerText(), /has no quality '200p'; there is auto, high, source, 240p, 180p/);
    assert.equal(await page.locator('#quality').inputValue(), 'auto');
    assert.equal(await page.evaluate(HEIGHT), 360);
  });

  it('is not there where the server has one quality, or does not tell', async (t) => {
    const alone = [{ quality: 'source', width: 640, height: 360, running: true, available: true }];
    for (const qualities of [alone, undefined]) {
      const { page } = await open(t, 'about:blank', { viewport: { width: 800, height: 900 } });
      await listQualities(page, qualities);
      await page.goto(`${server.url}/#/clip/raw`);
      await page.waitForSelector(PLAYING);
      await page.waitForResponse('**/available-videos');
      assert.equal(await page.locator('#quality-menu').isVisible(), false);
    }
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a phone, ${colorScheme}`, async (t) => {
      const { page, troubles } = await watch(t, { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
      const { height = 0, width = 0 } = (await page.locator('#quality').boundingBox()) ?? {};
      assert.ok(height >= 44 && width >= 88, `${width} x ${height} is large enough for a finger`);
      await page.screenshot({ path: path.join(screens, `phone-quality-${colorScheme}.png`), fullPage: true });
      assert.deepEqual(troubles, []);
    });
  }
});
