/**
 * What Prometheus costs: CPU of the server process for one scrape while 200 viewers watch, as the difference between spans
 * with scrapes and those without before and after, by the time that each really took; and how long a scrape takes.
 */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { Fleet } from '../load-test/fleet.js';
import { readHealth } from '../load-test/server-figures.js';
import { percentile } from '../load-test/statistics.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';
import { JOIN_SPACING_MS, reasonsOf, viewerJob, VIEWERS_PER_PROCESS } from './fan-out.js';

const VIEWERS = 200;
const DEFAULT_SECONDS = 6;
const ROUNDS = 3;
/** A server that is busy with nothing else tells nothing of a scrape. */
const SCRAPES_A_SECOND = 10;
const LIMIT_MS = 20;
const [SPAN_MS, MAX_SPANS, STEADY] = [2000, 20, 1.1];

export async function run({ seconds = DEFAULT_SECONDS, failures }: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    // What is sent matters little here: it only has to leave the machine time.
    await makeClip(path.join(folder, 'clip.mp4'), { size: '320x180', bitrateKbps: 100 });
    const server = await startServerProcess({
      UPLOAD_DIR: folder,
      MODEL: 'none',
      MAX_CONNECTIONS: String(VIEWERS),
      RATE_LIMIT: '0',
      LOG_LEVEL: 'warn,http=info',
    });
    const jobs = Array.from({ length: VIEWERS }, (_unused, i) => ({ ...viewerJob(server.url, i), delayMs: i * JOIN_SPACING_MS }));
    const fleet = new Fleet(jobs, VIEWERS_PER_PROCESS);
    try {
      const { failed } = await fleet.settled();
      if (failed > 0) failures.push(`${failed} of ${VIEWERS} viewers did not connect: ${reasonsOf(await fleet.stop()).join('; ')}`);
      await settle(server.url);
      return await measure(server.url, seconds);
    } finally {
      await fleet.stop();
      await server.close();
    }
  });
}

async function measure(url: string, seconds: number): Promise<Row[]> {
  const tookMs: number[] = [];
  const cpuMs: number[] = [];
  let bytes = 0;
  let before = await shareOf(url, () => wait(seconds * 1000));
  for (let round = 0; round < ROUNDS; round++) {
    let scrapes = 0;
    const scraping = await shareOf(url, async () => {
      const endMs = performance.now() + seconds * 1000;
      for (; performance.now() < endMs; scrapes++) {
        const startMs = performance.now();
        bytes = (await (await fetch(`${url}/metrics`)).text()).length;
        tookMs.push(performance.now() - startMs);
        await wait(Math.max(0, 1000 / SCRAPES_A_SECOND - (performance.now() - startMs)));
      }
    });
    const after = await shareOf(url, () => wait(seconds * 1000));
    const idle = (before.share + after.share) / 2;
    cpuMs.push(((scraping.share - idle) * scraping.tookMs) / scrapes);
    before = after;
  }
  return [
    { figure: `${VIEWERS} viewers: CPU of a scrape`, value: percentile(cpuMs, 0.5) ?? NaN, unit: 'ms', limit: LIMIT_MS },
    { figure: `${VIEWERS} viewers: time of a scrape, median`, value: percentile(tookMs, 0.5) ?? NaN, unit: 'ms' },
    { figure: `${VIEWERS} viewers: size of a scrape`, value: bytes / 1024, unit: 'KiB' },
  ];
}

/** 200 joins keep a small machine busy for a while: waits until three spans in a row cost the same. @throws Error where they do not */
async function settle(url: string): Promise<void> {
  const spans: number[] = [];
  for (let span = 0; span < MAX_SPANS; span++) {
    spans.push((await shareOf(url, () => wait(SPAN_MS))).share);
    const last = spans.slice(-3);
    if (last.length === 3 && Math.max(...last) < STEADY * Math.min(...last)) return;
  }
  throw new Error(`the server has not come to rest within ${(MAX_SPANS * SPAN_MS) / 1000} s of the last join`);
}

/** CPU of the server while `job` runs, as a share of one core, and how long that took. */
async function shareOf(url: string, job: () => Promise<unknown>): Promise<{ readonly share: number; readonly tookMs: number }> {
  const before = await readHealth(url);
  const startMs = performance.now();
  await job();
  const tookMs = performance.now() - startMs;
  const after = await readHealth(url);
  return { share: (((after.process?.cpu_s ?? NaN) - (before.process?.cpu_s ?? NaN)) * 1000) / tookMs, tookMs };
}
