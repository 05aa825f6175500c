/**
 * What is ours of a processed picture: everything but decoding, the net and encoding, at 720p30 with YOLOX-nano on
 * every third picture. Stage by stage, and as a whole: processor time of the threads of a running pipeline without
 * the net's. Then how long the main thread keeps others waiting while a large model runs.
 */
import { setTimeout as wait } from 'node:timers/promises';
import path from 'node:path';
import { loadModelDescription } from '../../src/detection/index.js';
import type { PacketizedFrame } from '../../src/media/index.js';
import { packetize } from '../../src/media/packetizer.js';
import { pictureAt } from '../../test/helpers/pictures.js';
import { percentile } from '../load-test/statistics.js';
import { withFolder, type BenchOptions, type Row } from './bench.js';
import { makeStreet, openPipeline } from './glue-pipeline.js';
import { cpuOfThreads } from './glue-threads.js';
import { stalls } from './stalls.js';
import { annotateStage, medianCpuMs, netStages, trackerStage } from './vision-stages.js';

const DEFAULT_SECONDS = 20;
/** Measurements, of which the median counts. */
const ROUNDS = 3;
const DETECT_FPS = 10;
/** The net looks at every third picture. */
const DETECTED_SHARE = 1 / 3;
const UNIT = 'CPU ms a picture';

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  return withFolder(async (folder) => {
    const model = makeStreet(folder);
    if (model === undefined) throw new Error('this bench needs YOLOX-nano and a street: ../shared/assets is absent');
    const { rows, perDetectionMs } = await stages(folder, model);
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await wholePipeline(folder, model, seconds));
    const threadsMs = percentile(rounds, 0.5) ?? NaN;
    return [
      ...rows,
      { figure: 'all threads of the process but the net’s', value: threadsMs, unit: UNIT },
      {
        figure: 'glue: that, and letterbox and decoding on every third picture',
        value: threadsMs + DETECTED_SHARE * perDetectionMs,
        unit: UNIT,
        limit: 3.5,
      },
      ...(await stalls(seconds)),
    ];
  });
}

/** Each stage alone. */
async function stages(folder: string, model: string): Promise<{ rows: Row[]; perDetectionMs: number }> {
  const picture = await pictureAt(path.join(folder, 'clip.mp4'), 5, 1280, 720);
  const copy = Buffer.alloc(picture.data.length);
  const frame = await encodedFrame(folder);
  const net = await netStages(loadModelDescription(model), picture);
  const rows: Row[] = [
    { figure: 'copy of a picture', value: await medianCpuMs(() => picture.data.copy(copy)), unit: UNIT },
    ...net,
    await trackerStage(),
    await annotateStage(picture),
    { figure: 'packing into RTP payloads', value: await medianCpuMs(() => packetize('h264', frame)), unit: UNIT },
  ];
  const perDetectionMs = net.filter(({ figure }) => !figure.startsWith('net ')).reduce((sum, { value }) => sum + value, 0);
  return { rows, perDetectionMs };
}

/** A frame of usual size, length-prefixed. */
async function encodedFrame(folder: string): Promise<Buffer> {
  const pipeline = await openPipeline(folder, 'none', DETECT_FPS);
  try {
    const frames: PacketizedFrame[] = [];
    pipeline.read('raw', (frame) => frames.push(frame));
    await wait(2000);
    const bytes = frames.filter(({ keyframe }) => !keyframe).map(({ sizeBytes }) => sizeBytes);
    const nal = Buffer.alloc(percentile(bytes, 0.5) ?? 10_000, 0x41);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(nal.length);
    return Buffer.concat([length, nal]);
  } finally {
    await pipeline.close();
  }
}

/** CPU a picture of the threads of this process, but the net's, while one reader takes `processed`. */
async function wholePipeline(folder: string, model: string, seconds: number): Promise<number> {
  const pipeline = await openPipeline(folder, model, DETECT_FPS);
  try {
    let frames = 0;
    pipeline.read('processed', () => frames++);
    await wait(4000);
    const before = cpuOfThreads();
    const [framesBefore, detectedBefore] = [frames, pipeline.framesDetected()];
    await wait(seconds * 1000);
    const spent = [...cpuOfThreads()].map(([tid, cpuS]) => ({ tid, cpuS: cpuS - (before.get(tid) ?? 0) }));
    const [shown, detected] = [frames - framesBefore, pipeline.framesDetected() - detectedBefore];
    const net = spent.filter(({ tid }) => tid !== process.pid).reduce((most, thread) => (thread.cpuS > most.cpuS ? thread : most));
    const others = spent.reduce((sum, { cpuS }) => sum + cpuS, 0) - net.cpuS;
    console.error(
      `${shown} pictures in ${seconds} s, ${detected} detections; net's thread ${((net.cpuS * 1000) / detected).toFixed(2)} ms a detection, the others ${((others * 1000) / shown).toFixed(2)} ms a picture`,
    );
    return (others * 1000) / shown;
  } finally {
    await pipeline.close();
  }
}
