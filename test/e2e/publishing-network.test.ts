/** Chromium publishes over a network that gets slow: it sends less, and who watches sees pictures all the while. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import '../helpers/alone.js';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { publishTime, watchTime } from '../helpers/clock-pages.js';
import { eventually } from '../helpers/deadline.js';
import { ImpairedPath } from '../helpers/network/impaired-path.js';
import { SignallingProxy } from '../helpers/network/signalling-proxy.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

const FAST_BPS = 4_000_000;
const SLOW_BPS = 500_000;

describe('a browser that publishes over a slow network', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let network: ImpairedPath;
  let proxy: SignallingProxy;

  before(async () => {
    folder = await temporaryFolder();
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    browser = await ChromiumHarness.shared();
    network = new ImpairedPath({ delayMs: 20 }, { rateBps: FAST_BPS, delayMs: 20, queueMs: 300 });
    proxy = await SignallingProxy.open(server.url, network);
  });

  after(async () => {
    await browser.close();
    await proxy.close();
    network.close();
    await server.close();
    await folder.remove();
  });

  const open = async (url: string): Promise<Page> => {
    const { page } = await browser.viewerPage(url);
    await page.evaluate("(async () => { globalThis.sightline = await import('/sightline.js'); })()");
    return page;
  };

  /** Of the last second that it is asked about, until that is less than `bps`. */
  const sendsLess = (bps: number): Promise<unknown> =>
    eventually(
      () => {
        const nowMs = performance.now();
        const { samples } = network.up;
        const bytes = samples.filter(({ atMs }) => atMs > nowMs - 1000).reduce((sum, sample) => sum + sample.bytes, 0);
        return bytes > 0 && bytes * 8 < bps && network.up.queueMs(nowMs) < 60;
      },
      20_000,
      `less than ${bps} bit/s and an empty queue`,
    );

  it('sends what the network carries, and more again later; who watches sees new pictures all the while', async () => {
    const camera = await open(proxy.url);
    await camera.evaluate(`(${publishTime.toString()})(${JSON.stringify({ width: 640, height: 360, isBusy: true })})`);
    await eventually(() => camera.evaluate<boolean>("publishing.state === 'playing'"), 20_000, 'the canvas to be published');
    const viewer = await open(server.url);
    await viewer.evaluate(`(${watchTime.toString()})('raw')`);
    const pictures = (count: number): Promise<unknown> =>
      eventually(
        () => viewer.evaluate<boolean>(`ages.filter(([, ageMs]) => ageMs < 1500).length >= ${count}`),
        20_000,
        `${count} new pictures`,
      );
    await pictures(60);
    network.change({ up: { rateBps: SLOW_BPS } });
    await sendsLess(SLOW_BPS);
    await viewer.evaluate('ages.length = 0');
    const { dropped } = network.up;
    await pictures(60);
    assert.ok(network.up.dropped - dropped < 30, `${network.up.dropped - dropped} datagrams found the queue full while it was slow`);
    network.change({ up: { rateBps: FAST_BPS } });
    await eventually(
      () => {
        const sinceMs = performance.now() - 1000;
        return network.up.samples.filter(({ atMs }) => atMs > sinceMs).reduce((sum, { bytes }) => sum + bytes * 8, 0) > SLOW_BPS;
      },
      40_000,
      'more to be sent again',
    );
    await camera.context().close();
    await viewer.context().close();
  });
});
