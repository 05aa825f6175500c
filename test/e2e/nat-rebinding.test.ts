/** A real browser whose NAT forgets its port in the middle of a session. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { ImpairedPath } from '../helpers/network/impaired-path.js';
import { SignallingProxy } from '../helpers/network/signalling-proxy.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

describe('Chromium behind a NAT that forgets it', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let proxy: SignallingProxy;
  const network = new ImpairedPath({});

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    browser = await ChromiumHarness.launch();
    proxy = await SignallingProxy.open(server.url, network);
  });

  after(async () => {
    await browser.close();
    await proxy.close();
    network.close();
    await server.close();
    await folder.remove();
  });

  it('sees on by its next check, on the same connection, and so does who watches beside it', async () => {
    const page = await browser.viewerPage(proxy.url);
    const viewers = [await page.join({ dataChannel: true }), await page.join({ dataChannel: true })];
    for (const viewer of viewers) await viewer.frames(10);
    network.rebind();
    // Those that were on their way may still be shown.
    for (const viewer of viewers) await viewer.frames(90, 0, 20_000);
    for (const viewer of viewers) {
      const report = (await (await fetch(`${server.url}${String(viewer.answer['session_url'])}/report`)).json()) as {
        ice: { restarts: number };
        end: object | null;
      };
      assert.deepEqual([report.ice.restarts, report.end], [0, null]);
      await viewer.leave();
    }
  });
});
