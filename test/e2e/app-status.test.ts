/** The status view in Chromium: what the server says of itself, clients that are sent away, and the test of a connection. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { freePort } from '../helpers/free-port.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';
import { complaints, openPage, screens, until } from './page-rig.js';

const DESKTOP = { viewport: { width: 1280, height: 900 } } as const;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true } as const;
const ENDED = `document.querySelectorAll('.status-steps li').length === 7 && !document.querySelector('[data-outcome=waiting], [data-outcome=running]')`;

describe('the status view', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    await writeFile(path.join(folder.videos, 'notes.mp4'), 'not a video at all');
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', IDLE_GRACE: '1000' });
    browser = await ChromiumHarness.launch();
  });
  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  const open = async (options: Parameters<typeof openPage>[2] = DESKTOP): Promise<Awaited<ReturnType<typeof openPage>>> => {
    const opened = await openPage(browser, `${server.url}/#status`, options);
    await opened.page.waitForSelector('.status-findings li');
    return opened;
  };

  it('says in words what is wrong, who is connected, and what has happened; and sends somebody away', async () => {
    const viewer = await browser.viewerPage(server.url);
    const watching = await viewer.join({ video: 1, body: { source: 'clip', tracks: ['raw'], client_id: 'drone-1' } });
    await watching.frames(5, 0, 15_000);
    const { page, troubles } = await open();
    assert.match(await page.locator('.status-findings').innerText(), /'notes' cannot be played/);
    assert.match(await page.locator('.status-verdict').first().innerText(), /with less than was asked for/);
    const row = page.locator('tr:has-text("drone-1")');
    await row.waitFor();
    assert.match(await row.innerText(), /clip\s+watches\s+Direct, UDP/);
    await page.waitForSelector('tr:has(a[href="#/clip"])');
    await page.waitForSelector('.status-log li:has-text("Viewer joined")');
    await until(page, `/cores/.test(document.querySelector('.status-figures').textContent)`);
    assert.deepEqual(await complaints(page), []);
    await page.click('button[aria-label="Close the connection of drone-1"]');
    await page.waitForSelector('dialog[open]');
    assert.deepEqual(await complaints(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    assert.equal(await row.count(), 1, 'nothing was closed');
    await page.click('button[aria-label="Close the connection of drone-1"]');
    await page.click('dialog button:has-text("Close it")');
    await row.waitFor({ state: 'detached' });
    await page.waitForSelector('.status-log li:has-text("Viewer left")');
    assert.deepEqual(troubles, []);
    await page.context().close();
    await viewer.close();
  });

  it('tests the connection step by step, and gives the result as text', async () => {
    const { page, troubles } = await open({ ...DESKTOP, permissions: ['clipboard-read', 'clipboard-write'] });
    await page.click('button:has-text("Test my connection")');
    await page.waitForSelector('[data-outcome=running]');
    await until(page, ENDED, 60_000);
    const steps = await page.locator('.status-steps').innerText();
    assert.match(steps, /UDP Connected in \d+ ms/);
    assert.match(steps, /TCP The server offers no TCP|TCP Connected/);
    assert.match(steps, /TURN server The server names no TURN server/);
    assert.match(steps, /First picture After \d+ ms: 640 × 360, (H264|VP8)/);
    assert.match(steps, /Bandwidth [\d.]+ (M|k)bit\/s came/);
    assert.match(await page.locator('.status-card .status-verdict').last().innerText(), /Everything works from here/);
    assert.deepEqual(await complaints(page), []);
    await page.click('button:has-text("Copy the result")');
    await page.waitForSelector('button:has-text("Copied")');
    const text = await page.evaluate<string>('navigator.clipboard.readText()');
    assert.match(text, /^Sightline connection test\nSightline \d/);
    assert.match(text, /\[Fine\] First picture: After \d+ ms/);
    const connected = async (): Promise<number> =>
      ((await (await fetch(`${server.url}/connection-stats`)).json()) as { active_clients: number }).active_clients;
    await eventually(async () => (await connected()) === 0, 5_000, 'the connections of the test to be closed');
    assert.deepEqual(troubles, []);
    await page.context().close();
  });

  it('tells TCP from UDP, each by a connection of its own', async () => {
    const other = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', ICE_TCP_PORT: String(await freePort()) });
    const { page } = await openPage(browser, `${other.url}/#status`, DESKTOP);
    await page.click('button:has-text("Test my connection")');
    await until(page, ENDED, 60_000);
    const steps = await page.locator('.status-steps').innerText();
    assert.match(steps, /UDP Connected in \d+ ms/);
    assert.match(steps, /TCP Connected in \d+ ms/);
    await page.context().close();
    await other.close();
  });

  it('says that the server is gone, and goes on when it is back', async () => {
    const first = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    const { page } = await openPage(browser, `${first.url}/#status`, DESKTOP);
    await page.waitForSelector('.status-findings li');
    await first.close();
    await page.waitForSelector('.status-verdict:has-text("The server cannot be reached")', { timeout: 15_000 });
    const second = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', PORT: new URL(first.url).port });
    await page.waitForSelector('.status-verdict:has-text("The server cannot be reached")', { state: 'detached', timeout: 15_000 });
    await page.context().close();
    await second.close();
  });

  it('shows somebody who may only watch the test, and no figures of others', async () => {
    const other = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      MODEL: 'none',
      ADMIN_TOKEN: 'the-admin-of-the-tests',
      VIEWER_TOKEN: 'a-viewer-of-the-tests',
    });
    const context = await openPage(browser, 'about:blank', {
      ...DESKTOP,
      extraHTTPHeaders: { authorization: 'Bearer a-viewer-of-the-tests' },
    });
    await context.page.goto(`${other.url}/#status`);
    await context.page.waitForSelector('text=are shown to administrators');
    assert.equal(await context.page.locator('#status-clients').count(), 0);
    assert.deepEqual(await complaints(context.page), []);
    await context.page.context().close();
    await other.close();
  });

  it('looks as it should, in two languages', async () => {
    const viewer = await browser.viewerPage(server.url);
    const watching = await viewer.join({ video: 1, body: { source: 'clip', tracks: ['raw'], client_id: 'control-room-7' } });
    await watching.frames(5, 0, 15_000);
    for (const [device, options] of [
      ['desktop', DESKTOP],
      ['phone', PHONE],
    ] as const)
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await open({ ...options, colorScheme, locale: device === 'phone' ? 'de-DE' : 'en-GB' });
        await page.waitForSelector('tr:has-text("control-room-7")');
        await page.click('.status-card .buttons button');
        await until(page, ENDED, 60_000);
        if (device === 'phone') assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
        assert.deepEqual(await complaints(page), []);
        await page.screenshot({ path: path.join(screens, `app-status-${device}-${colorScheme}.png`), fullPage: device === 'phone' });
        await page.context().close();
      }
    await watching.leave();
    await viewer.close();
  });
});
