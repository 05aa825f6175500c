import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder } from './fixtures.js';
import { complaints, openPage, screens, until } from './page-rig.js';

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const TOKEN = 'admin-token-of-tests';

describe('adding and managing', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let clip: string;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    const seeing = await makeSeeingFixture(folder);
    clip = path.join(folder.path, 'street.mp4');
    await makePassthroughClip(clip);
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      RECORD_DIR: path.join(folder.path, 'recordings'),
      MODEL: seeing?.model ?? 'none',
      ADMIN_TOKEN: TOKEN,
      ALLOW_ANONYMOUS: 'watch',
    });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  const ask = async (
    address: string,
    init: Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> } = {},
  ): Promise<Response> => fetch(`${server.url}${address}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });
  const read = async <Body>(address: string): Promise<Body> => (await (await ask(address)).json()) as Body;
  const open = async (hash: string, options: Parameters<typeof openPage>[2] = DESKTOP) => {
    const opened = await openPage(browser, 'about:blank', options);
    await opened.page.request.post(`${server.url}/login`, { data: { token: TOKEN } });
    await opened.page.goto(`${server.url}/${hash}`);
    return opened;
  };

  /** Does something in the page, and waits until the server has answered what that leads to. */
  const answered = async (page: Page, method: string, act: () => Promise<unknown>): Promise<void> => {
    const [response] = await Promise.all([page.waitForResponse((each) => each.request().method() === method), act()]);
    assert.ok(response.ok(), `${method} ${response.url()}: ${response.status()}`);
  };

  it('takes a video, goes on with one that was cut, after a reload too, and asks before it replaces or removes', async () => {
    const bytes = await readFile(clip);
    const { page } = await open('#manage/add');
    // What a reload leaves: a part at the server, and its name here.
    const part = bytes.subarray(0, 100_000);
    const cut = await ask('/uploads/street.mp4', {
      method: 'PUT',
      body: part,
      headers: { 'content-range': `bytes 0-${part.length - 1}/${bytes.length}` },
    });
    assert.equal(cut.status, 202);
    await page.evaluate(`localStorage.setItem('sightline.uploads', JSON.stringify([{ name: 'street.mp4', total: ${bytes.length} }]))`);
    await page.reload();
    await page.waitForSelector('.manage-uploads li:has-text("Choose the same file")');
    assert.deepEqual(await complaints(page), []);
    const sent = page.waitForRequest((request) => request.method() === 'PUT');
    await page.setInputFiles('.manage-uploads input[type=file]', clip);
    assert.equal((await sent).headers()['content-range'], `bytes 100000-${bytes.length - 1}/${bytes.length}`);
    await page.waitForSelector('.manage-uploads a:has-text("Watch")');
    assert.equal(await page.evaluate("localStorage.getItem('sightline.uploads')"), null);

    await page.click('.manage-uploads button:has-text("Close")');
    await page.setInputFiles('.drop input', clip);
    await page.click('.manage-uploads button:has-text("Replace")');
    await page.waitForSelector('.manage-uploads a:has-text("Watch")');

    await page.click('.manage-pages a:has-text("Sources")');
    await page.click('.manage-list a:has-text("street.mp4")');
    await page.click('.card-box button.danger');
    await page.click('dialog button.danger');
    await until(page, "location.hash === '#manage' && !document.querySelector('.manage-list')?.textContent.includes('street')");
    assert.equal((await ask('/uploads/street.mp4', { method: 'HEAD' })).status, 404);
    await page.context().close();
  });

  it('refuses what is no video with the reason, and cancels an upload that cannot go on', async () => {
    const { page } = await open('#manage/add');
    await page.setInputFiles('.drop input', { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no video at all') });
    await until(page, "/\\w/.test(document.querySelector('.manage-uploads .fault')?.textContent ?? '')");
    await page.click('.manage-uploads button:has-text("Close")');
    await page.route('**/uploads/**', (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()));
    await page.setInputFiles('.drop input', clip);
    await page.waitForSelector('.manage-uploads li:has-text("interrupted")');
    await page.click('.manage-uploads button:has-text("Cancel")');
    await page.waitForSelector('.manage-uploads', { state: 'detached' });
    await page.context().close();
  });

  it('tries a camera on a button alone, says what is wrong with it, and adds, changes and removes it', async () => {
    const { page } = await open('#manage/add');
    let probes = 0;
    page.on('request', (request) => request.url().endsWith('/sources/probe') && probes++);
    await page.route('**/sources/discover', (route) =>
      route.fulfill({ json: { devices: [{ address: 'http://127.0.0.1:1/onvif', ip: '127.0.0.1', name: 'Main gate', hardware: 'IPC' }] } }),
    );
    await page.click('.discovery > button');
    await page.click('.discovery li button');
    await page.fill('input[placeholder^="rtsp"]', 'rtsp://127.0.0.1:1/stream1');
    assert.equal(probes, 0);
    await page.click('button:text-is("Test")');
    await page.waitForSelector('.found.wrong strong:has-text("Nothing listens")');
    assert.equal(probes, 1);
    assert.deepEqual(await complaints(page), []);
    await page.click('button:has-text("Add the camera")');
    await page.waitForSelector('.manage-head h3:has-text("Main gate")');
    await page.fill('.form input >> nth=1', 'Outside');
    await answered(page, 'PATCH', () => page.click('.form button[type=submit] >> nth=0'));
    const { group, title } = await read<{ group: string; title: string }>('/sources/main-gate');
    assert.deepEqual([title, group], ['Main gate', 'Outside']);
    await page.click('.card-box button.danger >> nth=-1');
    await page.keyboard.press('Escape');
    assert.equal((await ask('/sources/main-gate')).status, 200, 'it was only asked');
    await page.click('.card-box button.danger >> nth=-1');
    await page.click('dialog button.danger');
    await until(page, "location.hash === '#manage'");
    assert.equal((await ask('/sources/main-gate')).status, 404);
    await page.context().close();
  });

  it('chooses model and recording, and forwards', async () => {
    const { page } = await open('#manage/source/seen');
    await page.waitForSelector('select option:has-text("none")', { state: 'attached' });
    await answered(page, 'PUT', () => page.selectOption('select', 'none'));
    assert.equal((await read<{ model: string }>('/sources/seen/model')).model, 'none');
    await answered(page, 'PUT', () => page.check('input[type=radio] >> nth=2'));
    await until(page, "document.querySelector('.pair input') && !document.querySelector('.form fieldset').disabled");
    await answered(page, 'PUT', async () => {
      await page.fill('.pair input >> nth=0', '8');
      await page.locator('.pair input').first().blur();
    });
    const { mode, pre_s: pre } = await read<{ mode: string; pre_s: number }>('/sources/seen/recording');
    assert.deepEqual([mode, pre], ['events', 8]);
    await page.fill('input[type=url]', 'http://127.0.0.1:1/whip/gate');
    await page.click('button:text-is("Forward")');
    await page.waitForSelector('.manage-forwards li');
    assert.deepEqual(await complaints(page), []);
    await page.click('.manage-forwards button');
    await page.click('dialog button.danger');
    await page.waitForSelector('.manage-forwards li', { state: 'detached' });
    await page.context().close();
  });

  it('makes a user, shows the token once, and removes the user when told twice', async () => {
    const { page } = await open('#manage/users');
    await page.click('button:has-text("New user")');
    assert.deepEqual(await complaints(page), []);
    await page.fill('.form input[type=text] >> nth=0', 'alice');
    await page.fill('.form input[type=text] >> nth=1', 'gate-*');
    await page.check('label:has-text("Make a token") input');
    await page.click('.form button[type=submit]');
    const token = await page.locator('.token code').innerText();
    const me = (await (await fetch(`${server.url}/login`, { headers: { authorization: `Bearer ${token}` } })).json()) as {
      user: string;
      actions: string[];
    };
    assert.deepEqual([me.user, me.actions], ['alice', ['watch', 'data', 'ice', 'playback']]);
    await page.click('.row button:has-text("Close")');
    await page.click('.user:has-text("alice") button.danger');
    await page.click('dialog button.danger');
    await page.waitForSelector('.user:has-text("alice")', { state: 'detached' });
    await page.context().close();
  });

  it('is for administrators alone', async () => {
    const { page } = await openPage(browser, `${server.url}/#manage`, DESKTOP);
    await page.waitForSelector('.empty:has-text("Only administrators")');
    assert.equal(await page.locator('nav a:has-text("Manage")').count(), 0);
    await page.context().close();
  });

  it('looks right on desktops and phones, by day and by night, and axe finds nothing', async () => {
    for (const [name, viewport] of [
      ['desktop', DESKTOP.viewport],
      ['phone', { width: 390, height: 844 }],
    ] as const)
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await open('#manage/add', { viewport, colorScheme, hasTouch: name === 'phone', isMobile: name === 'phone' });
        await page.waitForSelector('.qr');
        const shot = async (suffix: string): Promise<void> => {
          assert.equal(await page.evaluate('document.documentElement.scrollWidth'), viewport.width, suffix);
          assert.deepEqual(await complaints(page), [], `${name} ${suffix}`);
          await page.screenshot({ path: path.join(screens, `app-manage${suffix}-${name}-${colorScheme}.png`), fullPage: true });
        };
        await shot('-add');
        await page.click('.manage-pages a >> nth=0');
        await page.waitForSelector('.manage-list a');
        await shot('');
        await page.click('.manage-list a');
        await page.waitForSelector('select:enabled');
        await page.waitForSelector('input[type=radio]');
        await shot('-source');
        await page.context().close();
      }
  });
});
