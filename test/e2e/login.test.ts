/** Logging in at the page: by keyboard, with words for what goes wrong, and out again. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hashPassword } from '../../src/access/index.js';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';
import { complaints, openPage, PLAYING, screens } from './page-rig.js';

const PASSWORD = 'correct horse battery';
const desktop = { viewport: { width: 1000, height: 800 } };

describe('the page of a server that is closed', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    await mkdir(screens, { recursive: true });
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    const users = path.join(folder.videos, '..', 'users.yaml');
    await writeFile(
      users,
      `users:\n  - { name: alice, password: '${await hashPassword(PASSWORD)}', actions: [watch, data, ice] }\n  - { name: tom, password: '${await hashPassword(PASSWORD)}', actions: [publish] }\n`,
    );
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      STATE_DIR: path.join(folder.videos, '..', 'state'),
      AUTH_FILE: users,
      ADMIN_TOKEN: 'a-token-of-sixteen',
      MODEL: 'none',
      IDLE_GRACE: '1000',
    });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`asks who somebody is, in a form that axe finds no fault with: ${colorScheme}`, async () => {
      const { page } = await openPage(browser, server.url, { ...desktop, colorScheme });
      await page.waitForSelector('#sign-in');
      assert.equal(await page.locator('#log-out').isVisible(), false);
      assert.deepEqual(await complaints(page), []);
      await page.screenshot({ path: path.join(screens, `login-${colorScheme}.png`) });
      await page.goto(`${server.url}/#/clip/raw`);
      await page.reload();
      await page.waitForSelector('#notice #sign-in');
      assert.deepEqual(await complaints(page), []);
      await page.screenshot({ path: path.join(screens, `login-over-video-${colorScheme}.png`) });
      await page.context().close();
    });

  it('lets in by keyboard, shows pictures and plays without a secret that a script could read, and lets out again', async () => {
    const { page } = await openPage(browser, server.url, desktop);
    await page.getByLabel('User').focus();
    await page.keyboard.type('alice');
    await page.keyboard.press('Tab');
    await page.keyboard.type('another horse');
    await page.keyboard.press('Enter');
    await page.getByText('User and password do not fit.').waitFor();
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.card .snapshot img');
    assert.equal(await page.locator('#sign-in').isVisible(), false);
    assert.equal(await page.evaluate('document.cookie'), '');
    assert.doesNotMatch(await page.evaluate<string>('JSON.stringify(localStorage)'), /horse|sightline_/);
    await page.locator('.card').first().click();
    await page.waitForSelector(PLAYING);
    await page.screenshot({ path: path.join(screens, 'logged-in.png') });
    await page.getByRole('button', { name: 'Log out alice' }).click();
    await page.waitForSelector('#notice #sign-in');
    await page.locator('.card').first().waitFor({ state: 'detached' });
    assert.equal(await page.locator('#log-out').isVisible(), false);
    // Over the video, too, and what was asked for plays.
    await page.getByLabel('Password or token').fill('a-token-of-sixteen');
    await page.keyboard.press('Enter');
    await page.waitForSelector(PLAYING);
    assert.equal(await page.getByRole('button', { name: 'Log out ADMIN_TOKEN' }).isVisible(), true);
    await page.context().close();
  });

  it('takes over a token that an earlier page kept, and says what a user lacks', async () => {
    const old = `localStorage.getItem('sightline.user') ?? localStorage.setItem('sightline.token', 'a-token-of-sixteen')`;
    const { page } = await openPage(browser, server.url, desktop, old);
    await page.waitForSelector('.card');
    assert.equal(await page.evaluate("localStorage.getItem('sightline.token')"), null);
    await page.getByRole('button', { name: 'Log out ADMIN_TOKEN' }).click();
    await page.getByLabel('User').fill('tom');
    await page.getByLabel('Password or token').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('This user may watch nothing here.').waitFor();
    await page.context().close();
  });
});
