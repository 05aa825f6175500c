/** What the page shows when not all is well: boxes that come late or never, cameras that cannot be reached; and where Back leads. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { DRAWN, openPage, PLAYING, screens, until } from './page-rig.js';

const LATE_MS = 900;
/** Every message of a channel reaches the page's listeners late. */
const LATE_MESSAGES = `
  const add = RTCDataChannel.prototype.addEventListener;
  RTCDataChannel.prototype.addEventListener = function (type, listener, ...rest) {
    const late = this.label === 'detections' && type === 'message';
    add.call(this, type, late ? (event) => setTimeout(() => listener.call(this, event), ${LATE_MS}) : listener, ...rest);
  };`;
/** No message of detections reaches the page. */
const NO_MESSAGES = `
  const add = RTCDataChannel.prototype.addEventListener;
  RTCDataChannel.prototype.addEventListener = function (type, ...rest) { if (this.label !== 'detections' || type !== 'message') add.call(this, type, ...rest); };`;
const NO_DETECTOR = 'no detector at hand: neither the bundled model nor ../shared/assets';

describe('the page in trouble', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  const desktop = { viewport: { width: 1000, height: 800 } };
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    seeing = await makeSeeingFixture(folder);
    const sources = path.join(folder.videos, '..', 'sources.yaml');
    await writeFile(sources, 'sources:\n  - { name: gate, url: "rtsp://127.0.0.1:9/none" }\n');
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
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

  it('moves late boxes to the frame that is shown and marks them, instead of drawing nothing', async (t) => {
    if (!seeing) return t.skip(NO_DETECTOR);
    const { page, troubles } = await openPage(browser, `${server.url}/#/seen/overlay`, desktop, LATE_MESSAGES);
    await until(page, "Number(document.querySelector('#overlay-readout')?.dataset.outdated) > 20");
    assert.ok((await page.evaluate<number>(DRAWN)) > 500, 'late boxes are drawn');
    await page.screenshot({ path: path.join(screens, 'desktop-late-boxes.png') });
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('draws zones although no detections come, and says in one line that none come', async (t) => {
    if (!seeing) return t.skip(NO_DETECTOR);
    const zones = {
      units: 'fraction',
      zones: [
        {
          id: 'door',
          polygon: [
            [0.2, 0.2],
            [0.8, 0.2],
            [0.8, 0.8],
            [0.2, 0.8],
          ],
        },
      ],
      lines: [],
    };
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${server.url}/sources/seen/zones`, { method: 'PUT', headers, body: JSON.stringify(zones) })).status, 200);
    const { page } = await openPage(browser, `${server.url}/#/seen/overlay`, phone, NO_MESSAGES);
    await until(page, `${DRAWN} > 500`);
    await page.waitForSelector('#trouble:visible');
    assert.equal(await page.locator('#trouble').innerText(), 'The server sends no detections.');
    assert.equal(await page.locator('#notice:visible:not(.visually-hidden)').count(), 0, 'nobody else speaks');
    await page.screenshot({ path: path.join(screens, 'phone-zones-alone.png') });
    await fetch(`${server.url}/sources/seen/zones`, { method: 'DELETE' });
    await page.context().close();
  });

  it("tells the server's reason for a camera that cannot be reached, on its card and over the picture", async () => {
    const { page } = await openPage(browser, `${server.url}/#/gate/raw`, phone);
    await page.waitForSelector('#stage[data-phase=waiting]');
    assert.equal(await page.locator('#notice-title').innerText(), 'Not live right now');
    await until(page, "/refused/i.test(document.querySelector('#notice-text').textContent)");
    await until(page, "/refused/i.test(document.querySelector('.card[data-source=gate] .reason')?.textContent)");
    assert.ok(await page.locator('.card[data-source=gate] .reason').isVisible());
    assert.doesNotMatch(await page.locator('#notice-text').innerText(), /try again in/);
    await page.screenshot({ path: path.join(screens, 'phone-camera-refused.png'), fullPage: true });
    await page.context().close();
  });

  it('counts the age of the picture that stands while the server is gone, in one place', async () => {
    const own = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    const { page } = await openPage(browser, `${own.url}/#/clip/raw`, desktop);
    await page.waitForSelector(PLAYING);
    await own.close();
    await until(page, "/Last picture \\d+ s ago/.test(document.querySelector('#countdown').textContent)");
    assert.equal(await page.locator('#trouble:visible').count(), 0);
    assert.equal(await page.locator('#server').innerText(), '');
    await page.screenshot({ path: path.join(screens, 'desktop-server-gone.png') });
    await page.context().close();
  });

  it('leaves the source at once on Back, whatever views were looked at, and ends its session', async (t) => {
    if (!seeing) return t.skip(NO_DETECTOR);
    const { page } = await openPage(browser, server.url, desktop);
    await page.click('.card[data-source=seen]');
    await page.waitForSelector(PLAYING);
    for (const view of ['raw', 'both', 'processed']) {
      await page.check(`input[value=${view}]`, { force: true });
      await until(page, `document.querySelector('${PLAYING}[data-view=${view}]')`);
    }
    await page.goBack();
    await page.waitForSelector('#player', { state: 'hidden' });
    const active = async (): Promise<number> =>
      ((await (await fetch(`${server.url}/connection-stats`)).json()) as { active_clients: number }).active_clients;
    await eventually(async () => (await active()) === 0, 2_000, 'the end of the session');
    await page.context().close();
  });
});
