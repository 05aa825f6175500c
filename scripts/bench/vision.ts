/**
 * What seeing costs: CPU per picture of each stage, and the whole pipeline (server and its ffmpeg children)
 * while one viewer watches `processed` at 720p30, beside an ffmpeg that only decodes and encodes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { projectRoot } from '../../test/helpers/assets.js';
import { processTree, startServerProcess } from '../../test/helpers/server-process.js';
import { Fleet } from '../load-test/fleet.js';
import { readHealth } from '../load-test/server-figures.js';
import { percentile } from '../load-test/statistics.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';
import { run as delay } from './delay.js';
import { run as stages } from './vision-stages.js';

const DEFAULT_SECONDS = 20;
/** Measurements of the server and of its peer, taken in turns; the median counts. */
const ROUNDS = 3;
/** With a model that is named: detections a second, as with YOLOX-nano in the figures. */
const DETECT_FPS = 10;

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  const { model } = options;
  if (model === undefined)
    return [...(await stages()), ...(await withClip((folder) => comparePipelines(folder, seconds))), ...(await delay(seconds))];
  return [...(await stages({ modelPath: model })), ...(await withClip((folder) => comparePipelines(folder, seconds, path.resolve(model))))];
}

/** The demo clip holds objects to find; a test picture stands in where it is absent. */
function withClip<T>(job: (folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const demo = path.join(projectRoot, 'upload/demo.mp4');
    if (existsSync(demo)) await copyFile(demo, path.join(folder, 'clip.mp4'));
    else await makeClip(path.join(folder, 'clip.mp4'));
    return job(folder);
  });
}

interface Measurement {
  readonly wholePercent: number;
  readonly serverPercent: number;
  readonly rssBytes: number;
}

/** The server and an ffmpeg that decodes and encodes the same clip with the same settings take turns. */
async function comparePipelines(folder: string, seconds: number, model?: string): Promise<Row[]> {
  const servers: Measurement[] = [];
  const peers: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    servers.push(await measureServer(folder, seconds, model));
    peers.push(await measureTranscoder(folder, seconds));
  }
  const median = (values: readonly number[]): number => percentile(values, 0.5) ?? NaN;
  const whole = median(servers.map(({ wholePercent }) => wholePercent));
  const name =
    model === undefined ? 'processed 720p30, one viewer' : `processed 720p30, ${path.basename(model)}, ${DETECT_FPS} detections a second`;
  return [
    { figure: `${name}: all processes`, value: whole, unit: '% of a core', limit: model === undefined ? 55 : 48 },
    { figure: `${name}: server process`, value: median(servers.map(({ serverPercent }) => serverPercent)), unit: '% of a core' },
    {
      figure: `${name}: server memory`,
      value: median(servers.map(({ rssBytes }) => rssBytes)) / 2 ** 20,
      unit: 'MiB',
      ...(model === undefined && { limit: 220 }),
    },
    { figure: 'ffmpeg alone, decodes and encodes the same', value: median(peers), unit: '% of a core' },
    { figure: `${name}: all processes / ffmpeg alone`, value: whole / median(peers), unit: '×' },
  ];
}

async function measureServer(folder: string, seconds: number, model?: string): Promise<Measurement> {
  const server = await startServerProcess({
    UPLOAD_DIR: folder,
    LOG_LEVEL: 'warn,http=info',
    ...(model !== undefined && { MODEL: model, DETECT_FPS: String(DETECT_FPS) }),
  });
  const fleet = new Fleet(
    [
      {
        index: 0,
        url: server.url,
        source: 'clip',
        tracks: ['processed'],
        codec: 'h264',
        audio: true,
        delayMs: 0,
        connectTimeoutMs: 20_000,
        countOnly: true,
      },
    ],
    1,
  );
  try {
    if ((await fleet.settled()).failed > 0) throw new Error(`the viewer got no processed rendition:\n${server.log.slice(-5).join('\n')}`);
    const own = async (): Promise<number> => (await readHealth(server.url)).process?.cpu_s ?? NaN;
    await wait(4000);
    const ownBefore = await own();
    const wholePercent = await percentOfCore(server.pid, seconds);
    return {
      wholePercent,
      serverPercent: (((await own()) - ownBefore) / seconds) * 100,
      rssBytes: (await readHealth(server.url)).process?.rss_bytes ?? NaN,
    };
  } finally {
    await fleet.stop();
    await server.close();
  }
}

/** In real time, with the settings of the server's encoder. */
async function measureTranscoder(folder: string, seconds: number): Promise<number> {
  const encoder = [
    '-c:v',
    'libx264',
    '-preset',
    'superfast',
    '-tune',
    'zerolatency',
    '-profile:v',
    'baseline',
    '-threads',
    '1',
    '-g',
    '60',
    '-sc_threshold',
    '0',
    '-b:v',
    '2500k',
    '-maxrate',
    '2500k',
    '-bufsize',
    '1250k',
    '-pix_fmt',
    'yuv420p',
  ];
  const ffmpeg = spawn(
    process.env['FFMPEG_PATH'] ?? 'ffmpeg',
    [
      '-v',
      'error',
      '-nostdin',
      '-threads',
      '1',
      '-re',
      '-stream_loop',
      '-1',
      '-i',
      path.join(folder, 'clip.mp4'),
      '-an',
      ...encoder,
      '-f',
      'flv',
      '-y',
      '/dev/null',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const exited = once(ffmpeg, 'exit');
  try {
    await wait(4000);
    return await percentOfCore(ffmpeg.pid ?? 0, seconds);
  } finally {
    ffmpeg.kill();
    await exited;
  }
}

/** What a process and its descendants take of one core. */
async function percentOfCore(pid: number, seconds: number): Promise<number> {
  const cpuS = (): number => processTree(pid).reduce((sum, info) => sum + info.cpuS, 0);
  const before = cpuS();
  const startMs = performance.now();
  await wait(seconds * 1000);
  return ((cpuS() - before) / ((performance.now() - startMs) / 1000)) * 100;
}
