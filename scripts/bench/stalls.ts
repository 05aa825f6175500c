/**
 * Does the net keep the main thread from its work? The real server with a viewer of `processed`, without a detector and
 * with a model of 640 pixels, which runs for 50 ms and more; a probe inside tells how late timers are.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Rendition } from '../../src/media/index.js';
import { assetPath, projectRoot } from '../../test/helpers/assets.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { Fleet } from '../load-test/fleet.js';
import { percentile } from '../load-test/statistics.js';
import { makeClip, withFolder, type Row } from './bench.js';
import type { Stalls } from './stalls-probe.js';

/** Measurements of each, taken in turns; the median counts. */
const ROUNDS = 3;
/** Loading, joining and the first encoded pictures. */
const WARM_UP_MS = 8000;
const LIMIT_MS = 12;

/** @param seconds of each measurement */
export async function stalls(seconds: number): Promise<Row[]> {
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    const onnx = assetPath('models/AGPL_testonly_yolov8n_640_int8.onnx');
    if (onnx === undefined) throw new Error('this bench needs a model of 640 pixels: ../shared/assets is absent');
    const model = path.join(folder, 'large.json');
    writeFileSync(model, JSON.stringify({ family: 'yolov8', file: onnx, input: { width: 640, height: 640 }, labels: 'coco' }));
    const bundled = path.join(projectRoot, 'models/sightline-demo.json');
    const servers: readonly {
      readonly name: string;
      readonly model: string;
      readonly rendition: Rendition;
      readonly rounds: Stalls[];
      readonly limit?: number;
    }[] = [
      { name: 'main thread late, raw without a detector', model: 'none', rendition: 'raw', rounds: [] },
      { name: 'main thread late, processed by the bundled model', model: bundled, rendition: 'processed', rounds: [] },
      { name: 'main thread late, processed by a 640-pixel model', model, rendition: 'processed', rounds: [], limit: LIMIT_MS },
    ];
    for (let round = 0; round < ROUNDS; round++)
      for (const { rounds, ...server } of servers) rounds.push(await measure(folder, server.model, server.rendition, seconds));
    return servers.flatMap(({ name, rounds, limit }) => figures(name, rounds, limit));
  });
}

async function measure(folder: string, model: string, rendition: Rendition, seconds: number): Promise<Stalls> {
  const file = path.join(folder, 'stalls.json');
  const probe = new URL('./stalls-probe.js', import.meta.url).href;
  const server = await startServerProcess({
    ...{ UPLOAD_DIR: folder, MODEL: model, DETECT_FPS: '15', LOG_LEVEL: 'warn,http=info' },
    ...{ NODE_OPTIONS: `--import ${probe}`, STALLS_FILE: file, STALLS_AFTER_MS: String(WARM_UP_MS) },
  });
  const fleet = new Fleet(
    [
      {
        index: 0,
        url: server.url,
        source: 'clip',
        tracks: [rendition],
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
    if ((await fleet.settled()).failed > 0) throw new Error(`the viewer did not connect:\n${server.log.slice(-5).join('\n')}`);
    await wait(WARM_UP_MS + seconds * 1000);
    return JSON.parse(readFileSync(file, 'utf8')) as Stalls;
  } finally {
    await fleet.stop();
    await server.close();
  }
}

function figures(name: string, rounds: readonly Stalls[], limit?: number): Row[] {
  const median = (of: (stalls: Stalls) => number): number => percentile(rounds.map(of), 0.5) ?? NaN;
  return [
    { figure: `${name}: p50`, value: median(({ p50Ms }) => p50Ms), unit: 'ms' },
    { figure: `${name}: p99`, value: median(({ p99Ms }) => p99Ms), unit: 'ms', ...(limit !== undefined && { limit }) },
    { figure: `${name}: max`, value: Math.max(...rounds.map(({ maxMs }) => maxMs)), unit: 'ms' },
  ];
}
