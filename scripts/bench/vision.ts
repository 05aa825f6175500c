/**
 * What seeing costs: CPU per picture of each stage, and the whole pipeline (server and its ffmpeg children)
 * while one viewer watches `processed` at 720p30.
 */
import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { projectRoot } from '../../test/helpers/assets.js';
import { processTree, startServerProcess } from '../../test/helpers/server-process.js';
import { Fleet } from '../load-test/fleet.js';
import { readHealth } from '../load-test/server-figures.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';
import { run as delay } from './delay.js';
import { run as stages } from './vision-stages.js';

const DEFAULT_SECONDS = 20;

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  return [...(await stages()), ...(await wholePipeline(seconds)), ...(await delay(seconds))];
}

async function wholePipeline(seconds: number): Promise<Row[]> {
  return withFolder(async (folder) => {
    const demo = path.join(projectRoot, 'upload/demo.mp4');
    // The demo clip holds objects to find; a test picture stands in where it is absent.
    if (existsSync(demo)) await copyFile(demo, path.join(folder, 'clip.mp4'));
    else await makeClip(path.join(folder, 'clip.mp4'));
    const server = await startServerProcess({ UPLOAD_DIR: folder, LOG_LEVEL: 'warn,http=info' });
    const fleet = new Fleet([{ index: 0, url: server.url, source: 'clip', tracks: ['processed'], codec: 'h264', audio: true, delayMs: 0, connectTimeoutMs: 20_000, countOnly: true }], 1);
    try {
      if ((await fleet.settled()).failed > 0) throw new Error(`the viewer got no processed rendition:\n${server.log.slice(-5).join('\n')}`);
      await wait(4000);
      const cpuS = (): number => processTree(server.pid).reduce((sum, process) => sum + process.cpuS, 0);
      const own = (await readHealth(server.url)).process?.cpu_s ?? NaN;
      const before = cpuS();
      const startMs = performance.now();
      await wait(seconds * 1000);
      const percent = (spent: number): number => (spent / ((performance.now() - startMs) / 1000)) * 100;
      const whole = percent(cpuS() - before);
      const end = await readHealth(server.url);
      return [
        { figure: 'processed 720p30, one viewer: all processes', value: whole, unit: '% of a core', limit: 55 },
        { figure: 'processed 720p30, one viewer: server process', value: percent((end.process?.cpu_s ?? NaN) - own), unit: '% of a core' },
        { figure: 'processed 720p30, one viewer: server memory', value: (end.process?.rss_bytes ?? NaN) / 2 ** 20, unit: 'MiB', limit: 220 },
      ];
    } finally {
      await fleet.stop();
      await server.close();
    }
  });
}
