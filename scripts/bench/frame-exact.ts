/**
 * Is every box on its own picture? Real Chromium against the real server with a clip whose pictures carry their
 * numbers and a detector that reads them: what a shown picture says is compared with what the box paired to it says.
 */
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Rendition } from '../../src/media/index.js';
import { ChromiumHarness, type BrowserViewer, type JoinOptions, type ViewerPage } from '../../test/helpers/chromium.js';
import { eventually } from '../../test/helpers/deadline.js';
import { FRAME_NUMBER_MODEL } from '../../test/helpers/frame-number-model.js';
import { makeNumberedClip } from '../../test/helpers/numbered-clip.js';
import { processTree, startServerProcess, type ServerProcess } from '../../test/helpers/server-process.js';
import { percentile } from '../load-test/statistics.js';
import { withFolder, type BenchOptions, type Row } from './bench.js';
import { combine, pair, type Pairing } from './frame-exact-pairing.js';

const DEFAULT_SECONDS = 60;
const RENDITIONS: readonly Rendition[] = ['raw', 'processed'];
/** Joins at different places of a group of pictures. */
const JOINS = 8;
const KEYFRAME_REQUESTS = 8;
/** Number of the first picture of the file that takes another's place; larger than any of the first one's. */
const REPLACED_BY = 600;
/** A picture that was shown last may still wait for its message. */
const LAST_MESSAGES_MS = 500;

type Pairings = Readonly<Record<Rendition, Pairing>>;

/** What is done to a source while it is watched. */
interface Scenario {
  readonly name: string;
  /** When messages come is told as well. */
  readonly isSteady?: true;
  /** A copied file that is replayed to a viewer shows pictures again: those have no message of their own. */
  readonly repeatsPictures?: true;
  readonly run: (context: Context) => Promise<Pairings>;
}

interface Context {
  readonly folder: string;
  readonly seconds: number;
  readonly server: ServerProcess;
  readonly page: ViewerPage;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'copied', isSteady: true, run: ({ page, seconds }) => watch(page, 'copied', () => wait(seconds * 1000)) },
  { name: 'transcoded', isSteady: true, run: ({ page, seconds }) => watch(page, 'transcoded', () => wait(seconds * 1000)) },
  { name: 'joined, copied', run: (context) => joins(context, 'copied') },
  { name: 'joined, transcoded', run: (context) => joins(context, 'transcoded') },
  {
    name: 'keyframes asked for, copied',
    repeatsPictures: true,
    run: ({ page }) => watch(page, 'copied', keyframeRequests, { keyframeRequests: true }),
  },
  { name: 'keyframes asked for, transcoded', run: ({ page }) => watch(page, 'transcoded', keyframeRequests, { keyframeRequests: true }) },
  { name: 'ffmpeg killed, copied', run: (context) => watch(context.page, 'copied', () => killFeed(context)) },
  { name: 'ffmpeg killed, transcoded', run: (context) => watch(context.page, 'transcoded', () => killFeed(context)) },
  { name: 'file replaced', run: (context) => watch(context.page, 'copied', (viewer) => replaceFile(context, viewer)) },
];

export async function run(options: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    await Promise.all([
      makeNumberedClip(path.join(folder, 'copied.mp4')),
      makeNumberedClip(path.join(folder, 'transcoded.mp4'), { bFrames: 3 }),
    ]);
    const server = await startServerProcess({
      UPLOAD_DIR: folder,
      MODEL: FRAME_NUMBER_MODEL,
      DETECT_FPS: '30',
      IDLE_GRACE: '0',
      MAX_CONNECTIONS: '20',
      LOG_LEVEL: 'warn,http=info',
    });
    const browser = await ChromiumHarness.launch();
    try {
      const context: Context = { folder, seconds: options.seconds ?? DEFAULT_SECONDS, server, page: await browser.viewerPage(server.url) };
      const rows: Row[] = [];
      for (const scenario of SCENARIOS) {
        const pairings = await scenario.run(context);
        for (const rendition of RENDITIONS) {
          const name = `${scenario.name}: ${rendition}`;
          rows.push(...figures(name, pairings[rendition], scenario.repeatsPictures === true && rendition === 'raw'));
          if (scenario.isSteady) rows.push(...timing(name, pairings[rendition]));
          for (const fault of pairings[rendition].faults) console.error(`${name}: ${fault}`);
        }
      }
      return rows;
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

/** Joins with both tracks and the channel of detections, lets something happen, and pairs what was shown with what came. */
async function watch(
  page: ViewerPage,
  source: string,
  happens: (viewer: BrowserViewer) => Promise<unknown>,
  more: JoinOptions = {},
): Promise<Pairings> {
  const viewer = await page.join({
    video: 2,
    codec: 'H264',
    detections: true,
    numbers: true,
    keepFirstPicture: false,
    body: { source, tracks: RENDITIONS },
    ...more,
  });
  if (viewer.status !== 200) throw new Error(`the offer was answered with ${viewer.status}: ${JSON.stringify(viewer.answer)}`);
  await Promise.all(RENDITIONS.map((_rendition, index) => viewer.frames(1, index)));
  await happens(viewer);
  const [raw = [], processed = []] = await viewer.numbers();
  await wait(LAST_MESSAGES_MS);
  const messages = await viewer.messages();
  await viewer.leave();
  if (messages.length === 0) throw new Error(`no message came on the channel of detections of ${source}`);
  return { raw: pair(raw, messages, 'raw'), processed: pair(processed, messages, 'processed') };
}

/** Newcomers while somebody watches: each is shown the open group of pictures first. */
async function joins({ page }: Context, source: string): Promise<Pairings> {
  const host = await page.join({ video: 2, codec: 'H264', body: { source, tracks: RENDITIONS } });
  await host.frames(30);
  const all: Pairings[] = [];
  for (let i = 0; i < JOINS; i++) all.push(await watch(page, source, () => wait(1000 + 130 * i)));
  await host.leave();
  return { raw: combine(all.map(({ raw }) => raw)), processed: combine(all.map(({ processed }) => processed)) };
}

/** As decoders do that lost a picture: a copied file is replayed to the viewer, an encoder makes a keyframe. */
async function keyframeRequests(viewer: BrowserViewer): Promise<void> {
  for (let i = 0; i < KEYFRAME_REQUESTS; i++) {
    await wait(700 + 70 * i);
    await Promise.all(RENDITIONS.map((_rendition, index) => viewer.requestKeyframe(index)));
  }
  await wait(1000);
}

/** The process that reads the file dies and is started again. */
async function killFeed({ server }: Context): Promise<void> {
  // It reads a list of passes; that of the source before may still be ending.
  const feeds = (): number[] =>
    processTree(server.pid)
      .filter(({ command }) => command.includes('-f concat'))
      .map(({ pid }) => pid);
  await wait(1500);
  const pid = await eventually(() => (feeds().length === 1 ? feeds()[0] : undefined), 5000, 'one process that reads the file');
  process.kill(pid, 'SIGKILL');
  await eventually(() => feeds().some((other) => other !== pid), 10_000, 'another process that reads the file');
  await wait(3000);
}

/** Another file takes the place of the one that is watched. */
async function replaceFile({ folder }: Context, viewer: BrowserViewer): Promise<void> {
  const next = path.join(folder, '.next.mp4');
  await makeNumberedClip(next, { firstNumber: REPLACED_BY });
  await rename(next, path.join(folder, 'copied.mp4'));
  await eventually(
    async () => (await viewer.numbers()).every((shown) => (shown.at(-2)?.number ?? 0) >= REPLACED_BY),
    20_000,
    'pictures of the file that took the place',
  );
  await wait(3000);
}

function figures(name: string, pairing: Pairing, repeatsPictures: boolean): Row[] {
  const { shown, withMessage, paired, wrong, maxErrorFrames, maxOffsetTicks, missedCallbacks, lateCallbacks, unreadable } = pairing;
  console.error(
    `${name}: ${wrong} wrong pairs, right ones at most ${maxOffsetTicks} ticks apart; callbacks: ${lateCallbacks} late, ${missedCallbacks} missed; ${unreadable} unreadable`,
  );
  return [
    { figure: `${name}: pictures shown`, value: shown, unit: '' },
    { figure: `${name}: … with a message`, value: (100 * withMessage) / shown, unit: '%' },
    {
      figure: `${name}: … that does not pair`,
      value: 100 - (100 * paired) / withMessage,
      unit: '%',
      ...(!repeatsPictures && { limit: 0.1 }),
    },
    { figure: `${name}: box of another picture by at most`, value: maxErrorFrames, unit: 'frames', limit: 0 },
  ];
}

function timing(name: string, { latenessMs }: Pairing): Row[] {
  return [
    { figure: `${name}: message after picture, p50`, value: percentile(latenessMs, 0.5) ?? NaN, unit: 'ms' },
    { figure: `${name}: message after picture, p95`, value: percentile(latenessMs, 0.95) ?? NaN, unit: 'ms' },
    {
      figure: `${name}: message there before its picture`,
      value: (100 * latenessMs.filter((ms) => ms <= 0).length) / latenessMs.length,
      unit: '%',
    },
  ];
}
