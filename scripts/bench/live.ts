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
    return await page.evaluate<number[]>('ages');
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

/* Both run in pages: the time in ms, modulo 2^16, stands as 16 black or white blocks, followed by their complement. */

function publishTime(size: { width: number; height: number }): void {
  const page = globalThis as unknown as {
    document: { createElement(name: string): never };
    sightline: { publish(options: object): unknown };
    setInterval(callback: () => void, ms: number): void;
    publishing: unknown;
  };
  interface Canvas {
    width: number;
    height: number;
    getContext(kind: string): { fillStyle: string; fillRect(x: number, y: number, width: number, height: number): void };
    captureStream(fps: number): unknown;
  }
  const canvas: Canvas = page.document.createElement('canvas');
  Object.assign(canvas, size);
  const drawing = canvas.getContext('2d');
  const block = size.width / 16;
  let step = 0;
  page.setInterval(() => {
    drawing.fillStyle = '#456';
    drawing.fillRect(0, 0, size.width, size.height);
    drawing.fillStyle = '#c84';
    drawing.fillRect((step++ * 5) % size.width, size.height - 80, 80, 60);
    const now = Date.now() & 0xffff;
    for (let bit = 0; bit < 16; bit++) {
      const isSet = ((now >> bit) & 1) === 1;
      drawing.fillStyle = isSet ? '#fff' : '#000';
      drawing.fillRect(bit * block, 0, block, 60);
      drawing.fillStyle = isSet ? '#000' : '#fff';
      drawing.fillRect(bit * block, 60, block, 60);
    }
  }, 1000 / 30);
  page.publishing = page.sightline.publish({ stream: canvas.captureStream(30), room: 'clock' });
}

function watchTime(rendition: string): void {
  const page = globalThis as unknown as {
    document: { createElement(name: string): never; body: { append(element: unknown): void } };
    sightline: { watch(options: object): unknown };
    ages: number[];
    watching: unknown;
  };
  interface Context {
    drawImage(video: unknown, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
  }
  const ages: number[] = [];
  page.ages = ages;
  const video: { muted: boolean; autoplay: boolean; requestVideoFrameCallback(callback: () => void): void } =
    page.document.createElement('video');
  video.muted = video.autoplay = true;
  page.document.body.append(video);
  const canvas: { width: number; height: number; getContext(kind: string, options: object): Context } =
    page.document.createElement('canvas');
  canvas.width = 160;
  canvas.height = 90;
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  const read = (): void => {
    const shownMs = Date.now();
    drawing.drawImage(video, 0, 0, 160, 90);
    let time = 0;
    let isSure = true;
    for (let bit = 0; bit < 16; bit++) {
      const upper = drawing.getImageData(bit * 10 + 5, 7, 1, 1).data[1] ?? 0;
      const lower = drawing.getImageData(bit * 10 + 5, 22, 1, 1).data[1] ?? 0;
      if (Math.abs(upper - lower) < 100) isSure = false;
      if (upper > lower) time |= 1 << bit;
    }
    if (isSure) ages.push(((shownMs & 0xffff) - time + 0x10000) & 0xffff);
    video.requestVideoFrameCallback(read);
  };
  video.requestVideoFrameCallback(read);
  page.watching = page.sightline.watch({ source: 'clock', tracks: [rendition], video });
}
