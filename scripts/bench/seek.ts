/**
 * How soon is the past there? Real Chromium on a recording whose pictures carry their numbers: from the command `seek` to the first
 * picture of the group that holds the time, and to the very frame; whether the picture stands still after it; and whether boxes belong to their pictures.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ChromiumHarness, type BrowserViewer, type NumberedFrame, type ViewerPage } from '../../test/helpers/chromium.js';
import { eventually } from '../../test/helpers/deadline.js';
import { FRAME_NUMBER_MODEL } from '../../test/helpers/frame-number-model.js';
import { makeNumberedClip } from '../../test/helpers/numbered-clip.js';
import { seededRandom } from '../../test/helpers/random.js';
import { framesOfClip, makeRecording } from '../../test/helpers/recording.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { percentile } from '../load-test/statistics.js';
import { withFolder, type BenchOptions, type Row } from './bench.js';
import { pair } from './frame-exact-pairing.js';

const FPS = 30;
const DEFAULT_SEEKS = 25;
const DEFAULT_SECONDS = 3600;
/** Numbers come again after it. */
const CLIP_S = 60;
/** Watched after each seek. */
const WATCHED_MS = 1_200;
const GROUPS = [
  { source: 'gop2', keyframeS: 2, limitMs: 150 },
  { source: 'gop4', keyframeS: 4, limitMs: 400 },
] as const;

interface Seek {
  readonly keyframeMs: number;
  readonly exactMs: number;
  /** The very frame was the first that was shown behind those that led to it. */
  readonly isExact: boolean;
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  return withFolder(async (folder) => {
    const recordDir = path.join(folder, 'recordings');
    mkdirSync(recordDir);
    const fromMs = Date.now() - (seconds + 600) * 1000;
    for (const { source, keyframeS } of GROUPS) {
      const clip = path.join(folder, `${source}.mp4`);
      await makeNumberedClip(clip, { widthPx: 1280, seconds: CLIP_S, keyframeS });
      await makeRecording({ recordDir, sourceId: source, frames: await framesOfClip(clip), fromMs, count: seconds * FPS });
    }
    const variables = {
      UPLOAD_DIR: folder,
      RECORD_DIR: recordDir,
      STATE_DIR: path.join(folder, 'state'),
      MODEL: FRAME_NUMBER_MODEL,
      LOG_LEVEL: 'warn,http=info',
    };
    await makeIndex(variables, seconds);
    const server = await startServerProcess(variables);
    const browser = await ChromiumHarness.launch();
    try {
      const page = await browser.viewerPage(server.url);
      const rows: Row[] = [];
      for (const group of GROUPS) rows.push(...(await measure(page, group, { fromMs, seconds, seeks: options.joins ?? DEFAULT_SEEKS })));
      return rows;
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

/** Once: reading an hour of two sources takes a core for a while, which no server does that has an index. */
async function makeIndex(variables: Readonly<Record<string, string>>, seconds: number): Promise<void> {
  const server = await startServerProcess(variables);
  try {
    for (const { source } of GROUPS)
      await eventually(async () => (await recordedSeconds(server.url, source)) > seconds - 1, 300_000, `the index of ${source}`);
  } finally {
    await server.close();
  }
}

async function recordedSeconds(url: string, source: string): Promise<number> {
  const response = await fetch(new URL(`/recordings/${source}`, url));
  if (!response.ok) return 0;
  const { ranges } = (await response.json()) as { readonly ranges: readonly { readonly from: number; readonly to: number }[] };
  return ranges.reduce((total, { from, to }) => total + to - from, 0);
}

async function measure(
  page: ViewerPage,
  { source, keyframeS, limitMs }: (typeof GROUPS)[number],
  { fromMs, seconds, seeks }: { readonly fromMs: number; readonly seconds: number; readonly seeks: number },
): Promise<Row[]> {
  const at = (frame: number): number => (fromMs + (frame * 1000) / FPS) / 1000;
  const viewer = await page.join({
    codec: 'H264',
    dataChannel: true,
    detections: true,
    numbers: true,
    keepFirstPicture: false,
    body: { source, tracks: ['raw'], at: at(0) },
  });
  if (viewer.status !== 200) throw new Error(`the offer was answered with ${viewer.status}: ${JSON.stringify(viewer.answer)}`);
  await viewer.frames(FPS);
  const random = seededRandom(seeks);
  const before = await decoding(viewer);
  const all: Seek[] = [];
  for (let i = 0; i < seeks; i++) {
    const frame = Math.floor(random() * (seconds - 10) * FPS);
    const sentMs = await page.call<number>('now');
    const answer = await viewer.command({ cmd: 'seek', at: at(frame) });
    if (answer['ok'] !== true) throw new Error(`seek was answered with ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
    all.push(
      judge(
        ((await viewer.numbers())[0] ?? []).filter(({ now }) => now >= sentMs),
        { frame, sentMs, gop: keyframeS * FPS },
      ),
    );
  }
  const { freezes, frames, decodeMs } = await decoding(viewer);
  const pairing = pair((await viewer.numbers())[0] ?? [], await viewer.messages(), 'raw');
  await viewer.leave();
  for (const fault of pairing.faults) console.error(`${source}: ${fault}`);
  const p95 = (of: (seek: Seek) => number): number =>
    percentile(
      all.map(of).sort((a, b) => a - b),
      0.95,
    ) ?? NaN;
  const p50 = (of: (seek: Seek) => number): number =>
    percentile(
      all.map(of).sort((a, b) => a - b),
      0.5,
    ) ?? NaN;
  const name = `keyframes ${keyframeS} s apart`;
  return [
    { figure: `${name}: a picture of the group, p50`, value: p50(({ keyframeMs }) => keyframeMs), unit: 'ms' },
    { figure: `${name}: a picture of the group, p95`, value: p95(({ keyframeMs }) => keyframeMs), unit: 'ms', limit: 150 },
    { figure: `${name}: the frame, p50`, value: p50(({ exactMs }) => exactMs), unit: 'ms' },
    { figure: `${name}: the frame, p95`, value: p95(({ exactMs }) => exactMs), unit: 'ms', limit: limitMs },
    {
      figure: `${name}: the very frame is shown, not the next`,
      value: (100 * all.filter(({ isExact }) => isExact).length) / all.length,
      unit: '%',
    },
    { figure: `${name}: decoding a frame`, value: (decodeMs - before.decodeMs) / Math.max(1, frames - before.frames), unit: 'ms' },
    { figure: `${name}: freezes`, value: freezes - before.freezes, unit: '', limit: 0 },
    { figure: `${name}: box of another picture by at most`, value: pairing.maxErrorFrames, unit: 'frames', limit: 0 },
  ];
}

/** @param shown since the command was sent */
function judge(
  shown: readonly NumberedFrame[],
  { frame, sentMs, gop }: { readonly frame: number; readonly sentMs: number; readonly gop: number },
): Seek {
  const clip = CLIP_S * FPS;
  /** How far behind the frame that was asked for; numbers come again. */
  const behind = ({ number }: NumberedFrame): number => {
    const ahead = ((number ?? NaN) - (frame % clip) + clip) % clip;
    return ahead > clip / 2 ? ahead - clip : ahead;
  };
  const ofGroup = shown.find((each) => behind(each) >= -(frame % gop) && behind(each) < FPS);
  const reached = shown.find((each) => behind(each) >= 0 && behind(each) < FPS);
  return {
    keyframeMs: (ofGroup?.now ?? Infinity) - sentMs,
    exactMs: (reached?.now ?? Infinity) - sentMs,
    isExact: reached !== undefined && behind(reached) === 0,
  };
}

async function decoding(viewer: BrowserViewer): Promise<{ readonly freezes: number; readonly frames: number; readonly decodeMs: number }> {
  const video = (await viewer.stats()).find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  const number = (name: string): number => Number(video?.[name] ?? 0);
  return { freezes: number('freezeCount'), frames: number('framesDecoded'), decodeMs: 1000 * number('totalDecodeTime') };
}
