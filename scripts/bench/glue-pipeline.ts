/** The pipeline of the server in this process, from a file to tracks that are read and thrown away. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { DetectorPool } from '../../src/detection/index.js';
import { findFfmpeg } from '../../src/ffmpeg/index.js';
import { silentLogger } from '../../src/base/logger.js';
import type { PacketizedFrame, Rendition } from '../../src/media/index.js';
import { Pipelines, SourceModels } from '../../src/pipeline/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { SourceLibrary } from '../../src/source/index.js';
import { assetPath } from '../../test/helpers/assets.js';

export interface RunningPipeline {
  /** Reads a rendition of `clip`; the frames are not kept. */
  read(rendition: Rendition, onFrame: (frame: PacketizedFrame) => void): void;
  /** Pictures that the detector has looked at. */
  framesDetected(): number;
  close(): Promise<void>;
}

/** @param folder holds clip.mp4. @param model for `MODEL` */
export async function openPipeline(folder: string, model: string, detectFps: number): Promise<RunningPipeline> {
  const ledger = new ResourceLedger();
  const deps = { clock: systemClock(ledger), ledger, logger: silentLogger };
  const ffmpeg = { ...deps, tools: await findFfmpeg({}) };
  const library = await SourceLibrary.open({ ...ffmpeg, uploadDir: folder });
  await library.ready;
  const seeing = await SourceModels.open({ ...deps, pool: new DetectorPool(deps), defaultModel: model });
  const pipelines = new Pipelines({
    ...deps,
    ffmpeg,
    models: seeing,
    detectFps,
    idleGraceMs: 0,
    find: (id) => library.source(id),
    playable: () => library.list().map(({ id }) => id),
    maxRunning: 1,
    isNeverRefused: () => false,
  });
  const clip = await pipelines.open('clip');
  return {
    read: (rendition, onFrame) => {
      clip.openTrack({ kind: 'video', codec: 'h264', rendition }).track.subscribe({ pendingBytes: 0, send: onFrame });
    },
    framesDetected: () => pipelines.activity()[0]?.detection?.framesDetected ?? 0,
    close: async () => {
      await pipelines.close();
      await seeing.close();
      await library.close();
    },
  };
}

/**
 * Puts YOLOX-nano's description into the folder and a street at 720p30, 2.5 Mbit/s, without B-frames, as clip.mp4.
 * @returns path of the model; undefined where the assets are absent
 */
export function makeStreet(folder: string): string | undefined {
  const onnx = assetPath('models/yolox_nano_416.onnx');
  const video = assetPath('videos/car-detection.mp4');
  if (onnx === undefined || video === undefined) return undefined;
  const model = path.join(folder, 'yolox-nano.json');
  writeFileSync(
    model,
    JSON.stringify({ family: 'yolox', file: onnx, input: { width: 416, height: 416 }, labels: 'coco', score_threshold: 0.3 }),
  );
  const args = [
    '-i',
    video,
    '-t',
    '20',
    '-vf',
    'scale=1280:720,fps=30',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-profile:v',
    'high',
    '-bf',
    '0',
    '-g',
    '60',
    '-b:v',
    '2500k',
    '-an',
  ];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, path.join(folder, 'clip.mp4')], { stdio: 'inherit' });
  return model;
}
