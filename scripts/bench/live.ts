/**
 * How old a live picture is when a viewer sees it. A page publishes a canvas that carries the time in its pixels;
 * another page of the same browser reads the time from each picture it shows. Encoding and decoding by Chromium
 * on the same machine are part of the figure.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { ChromiumHarness } from '../../test/helpers/chromium.js';
import { eventually } from '../../test/helpers/deadline.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { percentile } from '../load-test/statistics.js';
import { withFolder, type BenchOptions, type Row } from './bench.js';
import { publishTime, watchTime } from '../../test/helpers/clock-pages.js';

const DEFAULT_SECONDS = 20;
/** The publisher's encoder settles on a bitrate, the viewer's jitter buffer on a delay. */
const SETTLE_MS = 6000;
/** The size that Chromium's software encoder manages beside a decoder and a detector on two cores. */
const SIZE = { width: 640, height: 360 };

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  return withFolder(async (folder) => {
    const server = await startServerProcess({ UPLOAD_DIR: folder, LOG_LEVEL: 'warn,http=info' });
    const browser = await ChromiumHarness.launch([
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
    ]);
    try {
      const camera = await openPage(browser, server.url);
      await camera.evaluate(`(${publishTime.toString()})(${JSON.stringify(SIZE)})`);
      await eventually(() => camera.evaluate<boolean>("publishing.state === 'playing'"), 20_000, 'the canvas to be published');
      const raw = await ages(browser, server.url, 'raw', seconds);
      const processed = await ages(browser, server.url, 'processed', seconds);
      return [...rows('raw', raw, 80), ...rows('processed', processed, 130)];
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

async function openPage(browser: ChromiumHarness, url: string): Promise<Page> {
  const { page } = await browser.viewerPage(url);
  await page.evaluate("(async () => { globalThis.sightline = await import('/sightline.js'); })()");
  return page;
}

async function ages(browser: ChromiumHarness, url: string, rendition: string, seconds: number): Promise<number[]> {
  const page = await openPage(browser, url);
  try {
    await page.evaluate(`(${watchTime.toString()})(${JSON.stringify(rendition)})`);
    await eventually(() => page.evaluate<boolean>('ages.length > 30'), 20_000, 'the picture to play');
    await wait(SETTLE_MS);
    await page.evaluate('ages.length = 0');
    await wait(seconds * 1000);
    return await page.evaluate<number[]>('ages.map(([, ageMs]) => ageMs)');
  } finally {
    await page.context().close();
  }
}

function rows(name: string, measured: readonly number[], limit: number): Row[] {
  return [
    { figure: `${name}: drawn → shown, p50 of ${measured.length} pictures`, value: percentile(measured, 0.5) ?? NaN, unit: 'ms' },
    { figure: `${name}: drawn → shown, p95`, value: percentile(measured, 0.95) ?? NaN, unit: 'ms', limit },
  ];
}
