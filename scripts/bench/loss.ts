/**
 * What 5 % loss and a round trip of 50 ms leave of a picture: real Chromium behind a UDP relay that loses and delays,
 * 720p30. The same datagrams are lost in each run.
 */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ChromiumHarness, type StatsEntry, type ViewerPage } from '../../test/helpers/chromium.js';
import { eventually } from '../../test/helpers/deadline.js';
import { ImpairedPath } from '../../test/helpers/network/impaired-path.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';

const BAD = { loss: 0.05, delayMs: 25 };
const GOOD = { loss: 0, delayMs: 25 };
const DEFAULT_SECONDS = 30;

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    const server = await startServerProcess({ UPLOAD_DIR: folder, MODEL: 'none', LOG_LEVEL: 'warn,http=info' });
    const browser = await ChromiumHarness.launch();
    try {
      const page = await browser.viewerPage(server.url);
      const clean = await watch(page, new ImpairedPath(GOOD), seconds);
      const lossy = await watch(page, new ImpairedPath(BAD), seconds);
      return [...rows('0 % loss, 50 ms', clean), ...rows('5 % loss, 50 ms', lossy, 1)];
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

interface Watched {
  readonly frozenPercent: number;
  readonly fps: number;
  readonly freezes: number;
  readonly nacks: number;
  readonly repaired: number;
  readonly plis: number;
  readonly lostOnTheWay: number;
}

async function watch(page: ViewerPage, way: ImpairedPath, seconds: number): Promise<Watched> {
  await page.page.route('**/offer', async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { sdp: string };
    await route.fulfill({ response, json: { ...answer, sdp: await way.reroute(answer.sdp) } });
  });
  const viewer = await page.join({ video: 1, keepFirstPicture: false, body: { source: 'clip', tracks: ['raw'] } });
  await page.page.unroute('**/offer');
  await viewer.frames(30, 0, 20_000);
  const before = video(await viewer.stats());
  await wait(seconds * 1000);
  const after = video(await viewer.stats());
  await viewer.leave();
  await eventually(() => way.down.passed > 0, 1000, 'datagrams on the way');
  way.close();
  const difference = (name: string): number => after(name) - before(name);
  return {
    frozenPercent: (difference('totalFreezesDuration') / seconds) * 100,
    fps: difference('framesDecoded') / seconds,
    freezes: difference('freezeCount'),
    nacks: difference('nackCount'),
    repaired: difference('retransmittedPacketsReceived'),
    plis: difference('pliCount'),
    lostOnTheWay: way.down.lost + way.up.lost,
  };
}

function video(stats: readonly StatsEntry[]): (name: string) => number {
  const inbound = stats.find(({ type, ['kind']: kind }) => type === 'inbound-rtp' && kind === 'video');
  return (name) => Number(inbound?.[name] ?? 0);
}

function rows(name: string, watched: Watched, limit?: number): Row[] {
  return [
    { figure: `${name}: time frozen`, value: watched.frozenPercent, unit: '%', ...(limit !== undefined && { limit }) },
    { figure: `${name}: frames decoded`, value: watched.fps, unit: 'fps' },
    { figure: `${name}: freezes`, value: watched.freezes, unit: '' },
    { figure: `${name}: NACKs`, value: watched.nacks, unit: '' },
    { figure: `${name}: packets repaired`, value: watched.repaired, unit: '' },
    { figure: `${name}: PLIs`, value: watched.plis, unit: '' },
    { figure: `${name}: datagrams lost on the way`, value: watched.lostOnTheWay, unit: '' },
  ];
}
