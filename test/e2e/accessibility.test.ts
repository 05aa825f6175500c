/** The pages as axe sees them: the rules of WCAG 2.2 A and AA, and best practices. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, makeSeeingFixture, temporaryFolder, type Folder, type SeeingFixture } from './fixtures.js';
import { complaints, openPage, PLAYING } from './page-rig.js';

describe('the pages, checked by axe', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let seeing: SeeingFixture | undefined;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    await writeFile(path.join(folder.videos, 'notes.mp4'), 'not a video at all');
    seeing = await makeSeeingFixture(folder);
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: seeing?.model ?? 'none', IDLE_GRACE: '1000' });
    browser = await ChromiumHarness.launch();
  });

  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, address, ready] of [
      ['the list', '/', '.card'],
      ['a picture that plays', '/#/clip/raw', PLAYING],
      ['a picture with boxes', '/#/seen/overlay', `${PLAYING} >> visible=true`],
      ['a source that is gone', '/#/nowhere/raw', '#stage[data-phase=failed]'],
      ['the camera', '/publish', '#start'],
    ] as const) {
      it(`finds nothing to complain about: ${name}, ${colorScheme}`, async (t) => {
        if (address.includes('seen') && !seeing) return t.skip('no detector at hand: neither the bundled model nor ../shared/assets');
        const { page } = await openPage(browser, server.url + address, { viewport: { width: 1000, height: 800 }, colorScheme });
        await page.waitForSelector(ready);
        assert.deepEqual(await complaints(page), []);
        await page.context().close();
      });
    }
  }
});
