/** What a wall of four costs the browser for each picture that it shows, beside four pages with one source each: CPU of all its processes. */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { ChromiumHarness } from '../../test/helpers/chromium.js';
import { eventually } from '../../test/helpers/deadline.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';

const SOURCES = ['gate', 'yard', 'dock', 'roof'];
/** Joining, and the qualities that settle after it. */
const WARM_UP_MS = 10_000;
const VIEWPORT = { viewport: { width: 1280, height: 900 } } as const;
const FRAMES = `[...document.querySelectorAll('video')].reduce((sum, video) => {
  const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
  return sum + totalVideoFrames - droppedVideoFrames;
}, 0)`;

interface Cost {
  readonly cpuS: number;
  readonly frames: number;
  readonly seconds: number;
}

/** Runs it. `seconds` of each measurement. Default 30. */
export async function run({ seconds = 30 }: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    for (const source of SOURCES) await makeClip(path.join(folder, `${source}.mp4`));
    const server = await startServerProcess({ UPLOAD_DIR: folder, MODEL: 'none', MAX_CONNECTIONS: '10', LOG_LEVEL: 'warn,http=info' });
    try {
      const wall = await measure([`${server.url}/#wall?s=${SOURCES.join(',')}&boxes=0`], seconds);
      const pages = await measure(
        SOURCES.map((source) => `${server.url}/#/${source}/raw`),
        seconds,
      );
      const [a, b] = [perFrame(wall), perFrame(pages)];
      return [
        { figure: 'pictures a second, wall of four', value: wall.frames / wall.seconds, unit: '1/s' },
        { figure: 'pictures a second, four pages', value: pages.frames / pages.seconds, unit: '1/s' },
        { figure: 'browser CPU a picture, wall of four', value: a, unit: 'ms', limit: b },
        { figure: 'browser CPU a picture, four pages', value: b, unit: 'ms' },
      ];
    } finally {
      await server.close();
    }
  });
}

async function measure(urls: readonly string[], seconds: number): Promise<Cost> {
  const browser = await ChromiumHarness.launch();
  try {
    const pages = await Promise.all(urls.map((url) => browser.open(url, VIEWPORT)));
    await eventually(async () => (await framesOf(pages)) > 60, 30_000, 'pictures');
    await wait(WARM_UP_MS);
    const session = await pages[0]?.context().browser()?.newBrowserCDPSession();
    if (!session) throw new Error('the browser tells nothing of its processes');
    const [cpuBefore, framesBefore, startedMs] = [await cpuOf(session), await framesOf(pages), performance.now()];
    await wait(seconds * 1000);
    const [cpuAfter, framesAfter] = [await cpuOf(session), await framesOf(pages)];
    return { cpuS: cpuAfter - cpuBefore, frames: framesAfter - framesBefore, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    await browser.close();
  }
}

async function cpuOf(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

async function framesOf(pages: readonly Page[]): Promise<number> {
  const counts = await Promise.all(pages.map((page) => page.evaluate<number>(FRAMES)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function perFrame({ cpuS, frames }: Cost): number {
  return frames > 0 ? (cpuS * 1000) / frames : Infinity;
}
