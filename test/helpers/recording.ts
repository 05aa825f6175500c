/** Recordings for tests, written by the product's own writer with times that a test chooses: nobody has to wait for them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { FlvParser } from '../../src/ffmpeg/flv.js';
import { IvfParser } from '../../src/ffmpeg/ivf.js';
import type { EncodedFrame, FrameDetections, TrackedObject } from '../../src/media/index.js';
import { DiskSync } from '../../src/recording/disk-sync.js';
import { sourceFolder } from '../../src/recording/layout.js';
import { SegmentWriter } from '../../src/recording/segment-writer.js';
import { boxOfNumber } from './frame-number-model.js';

/** The frames of an H.264 file, in order; encoded as VP8 where that is asked for. @throws Error when ffmpeg fails */
export async function framesOfClip(file: string, codec: 'h264' | 'vp8' = 'h264'): Promise<EncodedFrame[]> {
  const frames: EncodedFrame[] = [];
  const take = ({ data, mediaTimeMs, keyframe }: EncodedFrame): unknown => frames.push({ data: Buffer.from(data), mediaTimeMs, keyframe });
  const parser = codec === 'h264' ? new FlvParser(take) : new IvfParser(take);
  const output = codec === 'h264' ? ['-c', 'copy', '-f', 'flv'] : ['-c:v', 'libvpx', '-deadline', 'realtime', '-g', '60', '-f', 'ivf'];
  const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-v', 'error', '-i', file, '-an', ...output, 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Buffer) => parser.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg could not read ${file}: exit code ${String(code)}`);
  return frames;
}

/** What is recorded. */
export interface RecordingToMake {
  /** For `RECORD_DIR`. */
  readonly recordDir: string;
  readonly sourceId: string;
  /** Of a numbered clip, from number 0 on; played over and over. Its first is a keyframe. */
  readonly frames: readonly EncodedFrame[];
  /** Default h264. */
  readonly codec?: 'h264' | 'vp8';
  /** UTC of the first frame. */
  readonly fromMs: number;
  /** Default: as long as the clip. */
  readonly count?: number;
  readonly fps?: number;
  /** Frames that are left out, from the first to the one before the last: gaps. They end before a keyframe. */
  readonly gaps?: readonly (readonly [number, number])[];
  /** Segments end before these frames. */
  readonly cuts?: readonly number[];
  /** Number of its run: the clock was set in between. Default 1. */
  readonly run?: number;
  /** The detector looked at every so many frames. Default 1; 0: at none. */
  readonly seenEvery?: number;
}

/** Writes a recording of a numbered clip; what was seen says the number of its frame. */
export async function makeRecording(recording: RecordingToMake): Promise<void> {
  const {
    recordDir,
    sourceId,
    frames,
    fromMs,
    count = frames.length,
    fps = 30,
    gaps = [],
    cuts = [],
    seenEvery = 1,
    codec = 'h264',
    run = 1,
  } = recording;
  const clock = systemClock(new ResourceLedger());
  const folder = sourceFolder(recordDir, sourceId);
  mkdirSync(folder, { recursive: true });
  const failures: string[] = [];
  const writer = new SegmentWriter({
    sourceId,
    folder,
    clock,
    disk: new DiskSync(clock),
    isTranscoded: () => false,
    placeOf: (mediaTimeMs) => ({ run, wallMs: fromMs + mediaTimeMs }),
    onBegun: () => undefined,
    onGrown: () => undefined,
    onFinished: () => undefined,
    onFailed: ({ message }) => failures.push(message),
  });
  for (let i = 0; i < count; i++) {
    if (gaps.some(([from, to]) => i >= from && i < to)) continue;
    // What waits to be written is bounded: each minute, all of it has to be on the disk.
    if (cuts.includes(i) || gaps.some(([, to]) => i === to) || (i > 0 && i % (60 * fps) === 0)) await writer.cut();
    const number = i % frames.length;
    const mediaTimeMs = (i * 1000) / fps;
    const { data, keyframe } = frames[number]!;
    writer.write('video', { data, keyframe, mediaTimeMs }, codec);
    if (seenEvery > 0 && i % seenEvery === 0) writer.writeDetections(seenNumber(sourceId, number, i, mediaTimeMs));
  }
  await writer.close();
  if (failures.length > 0) throw new Error(`the recording could not be written: ${failures.join('; ')}`);
}

function seenNumber(sourceId: string, number: number, frame: number, mediaTimeMs: number): FrameDetections {
  const object: TrackedObject = {
    objectId: 1 + frame,
    classId: 0,
    label: 'number',
    score: 0.9,
    box: boxOfNumber(number),
    velocity: [0, 0],
    isObserved: true,
  };
  return { sourceId, frame, mediaTimeMs, widthPx: 640, heightPx: 360, inferenceMs: 1, objects: [object], scene: undefined };
}
