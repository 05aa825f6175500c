/**
 * How long the pipeline holds a picture: from a frame's arrival in the server to the arrival of the same frame,
 * seen, drawn and encoded, at the processed track. Both tracks of the running pipeline are read in this process.
 */
import { setTimeout as wait } from 'node:timers/promises';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { DetectorPool } from '../../src/detection/index.js';
import { findFfmpeg } from '../../src/ffmpeg/index.js';
import { silentLogger } from '../../src/base/logger.js';
import type { FrameSink } from '../../src/media/index.js';
import { Pipelines, SourceModels } from '../../src/pipeline/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { SourceLibrary } from '../../src/source/index.js';
import { projectRoot } from '../../test/helpers/assets.js';
import type { Row } from './bench.js';

/** @param seconds how long to measure, after 3 s of warm-up */
export async function run(seconds: number): Promise<Row[]> {
  const ledger = new ResourceLedger();
  const clock = systemClock(ledger);
  const deps = { clock, ledger, logger: silentLogger };
  const ffmpeg = { ...deps, tools: await findFfmpeg({}) };
  const library = await SourceLibrary.open({ ...ffmpeg, uploadDir: path.join(projectRoot, 'upload') });
  await library.ready;
  const seeing = await SourceModels.open({
    ...deps,
    pool: new DetectorPool(deps),
    defaultModel: path.join(projectRoot, 'models/sightline-demo.json'),
  });
  const pipelines = new Pipelines({
    ...deps,
    ffmpeg,
    models: seeing,
    detectFps: 15,
    idleGraceMs: 0,
    find: (id) => library.source(id),
    playable: () => library.list().map(({ id }) => id),
    maxRunning: 1,
    isNeverRefused: () => false,
  });
  try {
    const arrivals = new Map<number, number>();
    const delaysMs: number[] = [];
    let isWarm = false;
    const sink = (onFrame: (mediaTimeMs: number) => void): FrameSink => ({
      pendingBytes: 0,
      send: ({ mediaTimeMs }) => onFrame(mediaTimeMs),
    });
    const source = await pipelines.open('demo');
    const raw = source.openTrack({ kind: 'video', codec: 'h264', rendition: 'raw' });
    const processed = source.openTrack({ kind: 'video', codec: 'h264', rendition: 'processed' });
    raw.track.subscribe(sink((mediaTimeMs) => arrivals.set(mediaTimeMs, clock.now())));
    processed.track.subscribe(
      sink((mediaTimeMs) => {
        const arrivedMs = arrivals.get(mediaTimeMs);
        arrivals.delete(mediaTimeMs);
        if (isWarm && arrivedMs !== undefined) delaysMs.push(clock.now() - arrivedMs);
      }),
    );
    await wait(3000);
    isWarm = true;
    await wait(seconds * 1000);
    raw.release();
    processed.release();
    delaysMs.sort((a, b) => a - b);
    const percentile = (share: number): number => delaysMs[Math.floor(delaysMs.length * share)] ?? NaN;
    return [
      { figure: 'frame in to encoded frame out, p50', value: percentile(0.5), unit: 'ms' },
      { figure: 'frame in to encoded frame out, p95', value: percentile(0.95), unit: 'ms', limit: 25 },
    ];
  } finally {
    await pipelines.close();
    await seeing.close();
    await library.close();
  }
}
