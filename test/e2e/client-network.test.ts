import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { ChromiumHarness, chromiumPath, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { Namespaces, SERVER_ADDRESS, noNamespaces } from '../helpers/namespaces.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';
import path from 'node:path';

describe('the client library when the network is cut', { skip: noChromium || noNamespaces, timeout: 180_000 }, () => {
  let folder: Folder;
  let network: Namespaces;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  const chromium = process.env['CHROMIUM_PATH'];

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    network = new Namespaces();
    server = await startServerProcess({ HOST: SERVER_ADDRESS, ICE_ADDRESSES: SERVER_ADDRESS, UPLOAD_DIR: folder.videos, MODEL: 'none' }, network.server);
    process.env['CHROMIUM_PATH'] = network.wrapper(network.client, chromiumPath() ?? '');
    browser = await ChromiumHarness.launch();
  });

  after(async () => {
    if (chromium === undefined) delete process.env['CHROMIUM_PATH'];
    else process.env['CHROMIUM_PATH'] = chromium;
    await browser.close();
    await server.close();
    network.close();
    await folder.remove();
  });

  it('shows the picture again after 2 s without a network, over the same session', async () => {
    const { page, url } = await play();
    const before = await page.evaluate('watching.sessionUrl');
    await cut(page, 2_000, 'block');
    assert.equal(await page.evaluate('watching.sessionUrl'), before);
    assert.deepEqual(url(), ['POST'], 'nothing had to be asked');
    await page.context().close();
  });

  it('shows the picture again after 15 s without a network', async () => {
    const { page } = await play();
    await cut(page, 15_000, 'block');
    assert.ok((await page.evaluate<string[]>('states')).includes('recovering'));
    await page.context().close();
  });

  it('restarts ICE when the cable is plugged in again', async () => {
    const { page, url } = await play();
    await cut(page, 2_000, 'pull');
    assert.ok(url().includes('PATCH'), url().join());
    assert.equal(url().filter((method) => method === 'POST').length, 1);
    await page.context().close();
  });

  /** A page that watches, and the methods of its requests about the session. */
  async function play(): Promise<{ page: Page; url: () => string[] }> {
    const methods: string[] = [];
    const page = await browser.open(`${server.url}/health`);
    page.on('request', (request) => /\/(offer|sessions)/.test(request.url()) && !/candidate/.test(request.postData() ?? '') && methods.push(request.method()));
    await page.evaluate(`(async () => {
      const { watch } = await import('/sightline.js');
      const video = Object.assign(document.createElement('video'), { autoplay: true, muted: true, playsInline: true });
      document.body.append(video);
      Object.assign(globalThis, { frames: 0, states: [] });
      (function count() { video.requestVideoFrameCallback(() => { frames++; count(); }); })();
      globalThis.watching = watch({ video, source: 'clip', onState: ({ state }) => states.push(state) });
    })()`);
    await eventually(() => page.evaluate("frames > 30 && watching.state === 'playing'"), 15_000, 'the picture');
    return { page, url: () => methods };
  }

  /** The cut itself takes its time; what comes after it is waited for. */
  async function cut(page: Page, ms: number, how: 'block' | 'pull'): Promise<void> {
    if (how === 'block') network.block();
    else network.pull();
    await wait(ms);
    const stood = await page.evaluate<number>('frames');
    if (how === 'block') network.unblock();
    else network.plug();
    await eventually(() => page.evaluate(`frames > ${stood} + 30 && watching.state === 'playing'`), 20_000, 'the picture to be back');
  }
});
