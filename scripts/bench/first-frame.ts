/**
 * How soon a viewer sees something: real Chromium against the real server, the offer posted without waiting
 * for candidates, a source whose keyframes are 4 s apart.
 */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ChromiumHarness, type BrowserViewer, type StatsEntry, type ViewerPage } from '../../test/helpers/chromium.js';
import { eventually } from '../../test/helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../../test/helpers/server-process.js';
import { Fleet } from '../load-test/fleet.js';
import { readHealth } from '../load-test/server-figures.js';
import { percentile } from '../load-test/statistics.js';
import { assertPassthrough, makeClip, withFolder, type BenchOptions, type Row } from './bench.js';

/** Joins of a source that nobody watched before. */
const COLD_JOINS = 5;
/** The jitter buffer is read over this time before the end of the second second. */
const JITTER_WINDOW_MS = 500;

interface Join {
  readonly postedToFrameMs: number;
  readonly connectedToFrameMs: number;
  readonly postedToConnectedMs: number;
  readonly freezes: number;
  readonly jitterBufferMs: number;
}

export async function run(options: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    const server = await startServerProcess({
      UPLOAD_DIR: folder,
      MODEL: 'none',
      IDLE_GRACE: '0',
      MAX_CONNECTIONS: '20',
      LOG_LEVEL: 'warn,http=info',
    });
    const browser = await ChromiumHarness.launch();
    try {
      await assertPassthrough(server.url);
      const page = await browser.viewerPage(server.url);
      const cold = await coldJoins(server, page);
      const warm = await warmJoins(server, page, options.joins ?? 20);
      return rows(cold, warm);
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

async function coldJoins(server: ServerProcess, page: ViewerPage): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < COLD_JOINS; i++) {
    // The very first join also warms up browser and server; it is what a person meets, so it counts.
    const viewer = await join(page);
    const { postedToFrameMs } = await measure(viewer, false);
    times.push(postedToFrameMs);
    await viewer.leave();
    await eventually(async () => (await readHealth(server.url)).resources?.['child_processes'] === 0, 45_000, 'the source to stop');
  }
  return times;
}

/** One viewer stays all the time, so that the source runs; the measured ones come at moments spread over the GOP. */
async function warmJoins(server: ServerProcess, page: ViewerPage, joins: number): Promise<Join[]> {
  const keeper = new Fleet(
    [
      {
        index: 0,
        url: server.url,
        source: 'clip',
        tracks: ['raw'],
        codec: 'h264',
        audio: true,
        delayMs: 0,
        connectTimeoutMs: 10_000,
        countOnly: true,
      },
    ],
    1,
  );
  try {
    await keeper.settled();
    // A whole GOP is in the cache from here on.
    await wait(4500);
    const measured: Join[] = [];
    for (let i = 0; i < joins; i++) {
      await wait((i * 370) % 1000);
      const viewer = await join(page);
      measured.push(await measure(viewer, true));
      await viewer.leave();
    }
    return measured;
  } finally {
    await keeper.stop();
  }
}

async function join(page: ViewerPage): Promise<BrowserViewer> {
  const viewer = await page.join({ video: 1, audio: true, keepFirstPicture: false, body: { source: 'clip', tracks: ['raw'] } });
  if (viewer.status !== 200) throw new Error(`the server refused: ${JSON.stringify(viewer.answer)}`);
  return viewer;
}

async function measure(viewer: BrowserViewer, withPlayback: boolean): Promise<Join> {
  const { times, firstFrame } = await viewer.frames(1);
  const { posted = NaN, connected = NaN } = times;
  const shownAt = firstFrame[0]?.now ?? NaN;
  let jitterBufferMs = NaN;
  let freezes = NaN;
  if (withPlayback) {
    await wait(2000 - JITTER_WINDOW_MS);
    const before = videoStats(await viewer.stats());
    await wait(JITTER_WINDOW_MS);
    const after = videoStats(await viewer.stats());
    jitterBufferMs = ((after.delayS - before.delayS) / Math.max(1, after.emitted - before.emitted)) * 1000;
    freezes = after.freezes;
  }
  return {
    postedToFrameMs: shownAt - posted,
    connectedToFrameMs: shownAt - connected,
    postedToConnectedMs: connected - posted,
    freezes,
    jitterBufferMs,
  };
}

function videoStats(stats: readonly StatsEntry[]): { delayS: number; emitted: number; freezes: number } {
  const inbound = stats.find(({ type, ['kind']: kind }) => type === 'inbound-rtp' && kind === 'video');
  const read = (name: string): number => Number(inbound?.[name] ?? NaN);
  return { delayS: read('jitterBufferDelay'), emitted: read('jitterBufferEmittedCount'), freezes: read('freezeCount') };
}

function rows(cold: readonly number[], warm: readonly Join[]): Row[] {
  const of = (share: number, value: (join: Join) => number): number => percentile(warm.map(value), share) ?? NaN;
  return [
    { figure: `warm: offer sent → first picture, p50 of ${warm.length}`, value: of(0.5, (join) => join.postedToFrameMs), unit: 'ms' },
    { figure: 'warm: offer sent → first picture, p95', value: of(0.95, (join) => join.postedToFrameMs), unit: 'ms', limit: 100 },
    { figure: 'warm: connected → first picture, p50', value: of(0.5, (join) => join.connectedToFrameMs), unit: 'ms' },
    { figure: 'warm: connected → first picture, p95', value: of(0.95, (join) => join.connectedToFrameMs), unit: 'ms', limit: 50 },
    { figure: 'warm: offer sent → connected, p50', value: of(0.5, (join) => join.postedToConnectedMs), unit: 'ms' },
    { figure: 'warm: freezes in the first 2 s, all joins', value: warm.reduce((sum, { freezes }) => sum + freezes, 0), unit: '', limit: 0 },
    { figure: 'warm: jitter buffer after 2 s, p50', value: of(0.5, (join) => join.jitterBufferMs), unit: 'ms' },
    { figure: 'warm: jitter buffer after 2 s, max', value: of(1, (join) => join.jitterBufferMs), unit: 'ms', limit: 30 },
    { figure: `cold: offer sent → first picture, median of ${cold.length}`, value: percentile(cold, 0.5) ?? NaN, unit: 'ms', limit: 1500 },
    { figure: 'cold: offer sent → first picture, max', value: percentile(cold, 1) ?? NaN, unit: 'ms' },
  ];
}
