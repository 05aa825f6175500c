import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { openPage as open, PLAYING, screens, until } from './page-rig.js';

describe('the page', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    await writeFile(path.join(folder.videos, 'notes.mp4'), 'not a video at all');
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      MODEL: seeing?.model ?? 'none',
      MAX_CONNECTIONS: '3',
      IDLE_GRACE: '1000',
    });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  it('lists the sources, plays the one that is clicked and changes the view without a gap or another connection', async (t) => {
    if (!seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
    const { page, troubles } = await open(browser, server.url, { viewport: { width: 1280, height: 900 } });
    await page.waitForSelector('.card img');
    assert.equal(await page.locator('.card:enabled').count(), 2);
    assert.match(await page.locator('.card:disabled .reason').innerText(), /\w+/);
    await page.screenshot({ path: path.join(screens, 'desktop-videos.png') });
    let offers = 0;
    page.on('request', (request) => request.url().endsWith('/offer') && offers++);

    await page.click('.card:has-text("seen")');
    await page.waitForSelector(PLAYING);
    assert.match(page.url(), /#\/seen\/overlay$/);
    await until(
      page,
      "!document.querySelector('#readout')?.textContent.includes('–') && document.querySelector('#readout').children.length > 5",
    );

    // From here on there is a video with pictures on the stage at every moment.
    await page.evaluate(
      `globalThis.gaps = 0; (function look() { const on = document.querySelector('#stage video.on'); if (!on || on.readyState < 2) gaps++; requestAnimationFrame(look); })()`,
    );
    for (const view of ['processed', 'both', 'raw', 'overlay', 'processed', 'raw']) {
      await page.check(`input[value=${view}]`, { force: true });
      await until(page, `location.hash === '#/seen/${view}' && document.querySelector('${PLAYING}[data-view=${view}]')`);
    }
    assert.equal(await page.evaluate('gaps'), 0);
    assert.equal(offers, 1);
    for (const view of ['raw', 'processed', 'both']) {
      await page.check(`input[value=${view}]`, { force: true });
      await until(page, `document.querySelector('${PLAYING}[data-view=${view}]')`);
      await page.screenshot({ path: path.join(screens, `desktop-${view}.png`) });
    }

    await page.click('#mute');
    assert.equal(await page.locator('#mute').innerText(), 'Mute');
    assert.equal(await page.evaluate("[...document.querySelectorAll('#stage audio')].filter(({ muted }) => !muted).length"), 1);
    await page.click('#leave');
    await page.waitForSelector('#player', { state: 'hidden' });
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('fits a phone and works from a link', async () => {
    const { page, troubles } = await open(browser, `${server.url}/#/clip/raw`, {
      viewport: { width: 360, height: 780 },
      deviceScaleFactor: 2,
      colorScheme: 'dark',
    });
    await page.waitForSelector(PLAYING);
    await until(page, "document.querySelector('#readout').children.length > 5");
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    await page.screenshot({ path: path.join(screens, 'phone-playing.png'), fullPage: true });
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('says in words what went wrong: a source that is gone, a full server, a server out of reach', async () => {
    const { page } = await open(browser, `${server.url}/#/nowhere/raw`, { viewport: { width: 800, height: 700 } });
    await page.waitForSelector('#stage[data-phase=failed]');
    assert.equal(await page.locator('#notice-title').innerText(), 'This video is gone');

    await page.route('**/offer', (route) =>
      route.fulfill({ status: 503, headers: { 'retry-after': '3' }, json: { statusCode: 503, code: 'CAPACITY_REACHED', message: 'full' } }),
    );
    await page.click('.card:has-text("clip")');
    await page.waitForSelector('#stage[data-phase=waiting]');
    assert.equal(await page.locator('#notice-title').innerText(), 'The server is full');
    assert.match(await page.locator('#countdown').innerText(), /Next attempt in [123] s/);
    await page.screenshot({ path: path.join(screens, 'desktop-full.png') });
    // Once there is room it plays by itself.
    await page.unroute('**/offer');
    await page.waitForSelector(PLAYING, { timeout: 10_000 });

    await page.route('**/offer', (route) => route.abort());
    await page.click('.card:has-text("seen")');
    await until(page, "document.querySelector('#notice-title').textContent === 'The server cannot be reached'");
    await page.context().close();
  });

  it('says that the connection is lost, and plays again when the server is back', async () => {
    const variables = { UPLOAD_DIR: folder.videos, MODEL: 'none' };
    const first = await startServerProcess(variables);
    const { page } = await open(browser, `${first.url}/#/clip/raw`, { viewport: { width: 800, height: 700 } });
    await page.waitForSelector(PLAYING);
    await first.close();
    await page.waitForSelector('#stage[data-phase=waiting]', { timeout: 15_000 });
    const second = await startServerProcess({ ...variables, PORT: new URL(first.url).port });
    await page.waitForSelector(PLAYING, { timeout: 15_000 });
    await page.context().close();
    await second.close();
  });

  it('says where to put a video when there is none', async () => {
    const { page } = await open(browser, 'about:blank', { viewport: { width: 800, height: 600 } });
    await page.route('**/available-videos', (route) => route.fulfill({ json: { videos: [] } }));
    await page.goto(server.url);
    await page.waitForSelector('#empty:visible');
    assert.match(await page.locator('#empty').innerText(), /upload\//);
    await page.screenshot({ path: path.join(screens, 'desktop-empty.png') });
    await page.context().close();
  });
});
