/** The watch view in a real browser: controls on the picture, keys, and the way into the past and back. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
    const { width, height, format } = await sharp(await readFile(await download.path())).metadata();
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
        await page.goto(`${server.url}/#/`);
        await page.waitForSelector('#player', { state: 'hidden' });
        await page.screenshot({ path: path.join(screens, `app-watch-list-${device}-${colorScheme}.png`) });
        assert.deepEqual(await complaints(page), []);
      });
});
