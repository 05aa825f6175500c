/** Real sources, real ffmpeg and no network: tracks as the peer room leases them, with a detector that tests control. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DetectionScheduler, LabelRenderer, type Detector } from '../../src/detection/index.js';
import {
  i420Size,
  type Detection,
  type EndReason,
  type LadderPlan,
  type PacketizedFrame,
  type VideoFrame,
  type TrackKey,
  type TrackLease,
  type VideoCodec,
} from '../../src/media/index.js';
import {
  Pipelines,
  slateCaption,
  SourceCounts,
  type PipelinesInit,
  type DetectionModel,
  type DetectionModels,
} from '../../src/pipeline/index.js';
import type { Logger } from '../../src/base/logger.js';
import { LiveRooms, PullSources, SourceCatalogue, SourceLibrary } from '../../src/source/index.js';
import { parseSources } from '../../src/source/pull/sources-file.js';
import { eventually } from './deadline.js';
import { assertNothingHeld, realDeps } from './ffmpeg-deps.js';
import { copyVideo, type VideoName } from './make-video.js';
import { processTree, type ProcessInfo } from './server-process.js';

/** A track under watch. */
export interface Watched {
  readonly lease: TrackLease;
  /** Resolves when the track ends. */
  readonly closed: Promise<EndReason>;
  readonly frames: readonly PacketizedFrame[];
  /** Waits for `count` more frames. */
  more(count: number, what: string): Promise<void>;
  /** Stops watching and gives the track back. */
  leave(): void;
}

/** A detector that finds the same thing in every picture, at once. */
export class FixedDetector implements Pick<Detector, 'detect' | 'isBusy' | 'state'> {
  readonly isBusy = false;
  state: Detector['state'] = 'ready';
  /** Called with each picture it looks at. */
  onPicture: (picture: VideoFrame) => void = () => undefined;
  looks = 0;
  readonly #found: readonly Detection[];

  constructor(found: readonly Detection[]) {
    this.#found = found;
  }

  detect(picture: VideoFrame): ReturnType<Detector['detect']> {
    this.looks++;
    this.onPicture(picture);
    return Promise.resolve({ detections: this.#found, mediaTimeMs: picture.mediaTimeMs, inferenceMs: 1 });
  }
}

/** One model for all sources, for good. */
export function fixedModel(seeing: DetectionModel | undefined): DetectionModels {
  return { of: () => seeing, onChange: () => () => undefined };
}

export interface RigOptions {
  readonly idleGraceMs?: number;
  /** Default: detection is off. */
  readonly detector?: FixedDetector;
  readonly motionGate?: boolean;
  /** How long viewers wait for a publisher that was lost. Default 30000. */
  readonly publishGraceMs?: number;
  /** Instead of one detector for good. */
  readonly seeing?: DetectionModels;
  /** Default 100. */
  readonly maxRunning?: number;
  /** Default: none. */
  readonly neverRefused?: readonly string[];
  /** As in SOURCES_FILE. Default: none. */
  readonly cameras?: readonly object[];
  /** Default: nobody listens. */
  readonly logger?: Logger;
  /** Default `auto`. */
  readonly ladder?: LadderPlan;
  /** Places of encoders of lower rungs. Default: 4 a core. */
  readonly rungPlaces?: number;
  /** Default: no source has zones. */
  readonly sceneOf?: PipelinesInit['sceneOf'];
}

export class PipelineRig {
  readonly deps: ReturnType<typeof realDeps>;
  readonly library: SourceLibrary;
  readonly rooms: LiveRooms;
  readonly pulls: PullSources;
  readonly catalogue: SourceCatalogue;
  readonly pipelines: Pipelines;
  readonly seeing: DetectionModels;
  /** Of everything that has run. */
  readonly counts = new SourceCounts();
  readonly uploadDir: string;

  private constructor(deps: ReturnType<typeof realDeps>, library: SourceLibrary, uploadDir: string, options: RigOptions) {
    this.deps = deps;
    this.library = library;
    this.uploadDir = uploadDir;
    const { detector } = options;
    const labels = new LabelRenderer({ labels: ['thing'] });
    this.rooms = new LiveRooms({
      clock: deps.clock,
      logger: deps.logger,
      graceMs: options.publishGraceMs ?? 30_000,
      isTaken: (room) => library.get(room) && 'a file',
      caption: slateCaption(),
    });
    this.pulls = new PullSources({
      ...deps,
      entries: parseSources(JSON.stringify({ sources: options.cameras ?? [] }), { variables: {} }),
      caption: slateCaption(),
    });
    this.catalogue = new SourceCatalogue({ library, rooms: this.rooms, pulls: this.pulls });
    this.seeing =
      options.seeing ??
      fixedModel(
        detector && {
          modelName: 'fixed',
          scheduler: new DetectionScheduler({ detector, clock: deps.clock, logger: deps.logger }),
          labels,
          classNames: ['thing'],
          scoreThreshold: 0.4,
        },
      );
    this.pipelines = new Pipelines({
      clock: deps.clock,
      logger: deps.logger,
      ffmpeg: deps,
      models: this.seeing,
      counts: this.counts,
      ...(options.sceneOf && { sceneOf: options.sceneOf }),
      ...(options.ladder && { ladder: options.ladder }),
      ...(options.rungPlaces !== undefined && { rungPlaces: options.rungPlaces }),
      detectFps: 30,
      motionGate: options.motionGate ?? false,
      idleGraceMs: options.idleGraceMs ?? 0,
      find: (id) => this.catalogue.find(id),
      connect: (id) => this.pulls.prepare(id),
      playable: () => this.catalogue.playable(),
      maxRunning: options.maxRunning ?? 100,
      isNeverRefused: (id) => options.neverRefused?.includes(id) ?? false,
    });
  }

  /** Over a folder of its own with these videos, looked into. */
  static async open(videos: readonly VideoName[], options: RigOptions = {}): Promise<PipelineRig> {
    const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-upload-'));
    for (const video of videos) copyVideo(video, uploadDir);
    const deps = { ...realDeps(), ...(options.logger && { logger: options.logger }) };
    const library = await SourceLibrary.open({ ...deps, uploadDir });
    await library.ready;
    return new PipelineRig(deps, library, uploadDir, options);
  }

  /** Leases a track and records its frames: `raw/h264`, `processed/vp8/360p`, `audio/opus`. */
  async watch(sourceId: string, name: string): Promise<Watched> {
    const [kind, codec, rung] = name.split('/');
    const key = (kind === 'audio' ? { kind } : { kind: 'video', rendition: kind, codec, rung }) as TrackKey;
    const lease = (await this.pipelines.open(sourceId)).openTrack(key);
    const frames: PacketizedFrame[] = [];
    const subscription = lease.track.subscribe({ send: (frame) => void frames.push(frame), pendingBytes: 0 });
    return {
      lease,
      closed: new Promise((resolve) => lease.track.onClosed(resolve)),
      frames,
      more: async (count, what) => {
        const wanted = frames.length + count;
        await eventually(() => frames.length >= wanted, 15_000, `${count} more frames ${what}`);
      },
      leave: () => {
        subscription.close();
        lease.release();
      },
    };
  }

  /** The ffmpeg processes that work now, by what they do. */
  get processes(): { readonly feeds: ProcessInfo[]; readonly decoders: ProcessInfo[]; readonly encoders: ProcessInfo[] } {
    return ffmpegProcesses(process.pid);
  }

  /** Ends everything and fails when something is left. */
  async close(): Promise<void> {
    await this.pipelines.close();
    await this.pulls.close();
    this.rooms.close();
    await this.library.close();
    rmSync(this.uploadDir, { recursive: true, force: true });
    assertNothingHeld(this.deps);
  }
}

/** The ffmpeg processes below a process, by what they do for a pipeline. */
export function ffmpegProcesses(rootPid: number): {
  readonly feeds: ProcessInfo[];
  readonly decoders: ProcessInfo[];
  readonly encoders: ProcessInfo[];
} {
  const all = processTree(rootPid).filter(({ command }) => /^\S*ffmpeg\S* /.test(command));
  return {
    feeds: all.filter(({ command }) => command.includes('-f concat')),
    decoders: all.filter(({ command }) => /-i pipe:0 .*-c:v rawvideo/.test(command)),
    encoders: all.filter(({ command }) => /-f matroska -i pipe:0 (?!.*-c:v rawvideo)/.test(command)),
  };
}

/** The pictures that a viewer of these frames sees, from the first keyframe on. */
export function decodeFrames(codec: VideoCodec, frames: readonly PacketizedFrame[], widthPx: number, heightPx: number): Buffer[] {
  const from = frames.findIndex(({ keyframe }) => keyframe);
  if (from < 0) return [];
  const wanted = frames.slice(from);
  const input = codec === 'vp8' ? ivf(wanted, widthPx, heightPx) : Buffer.concat(wanted.flatMap(codec === 'h264' ? annexB : annexBOfH265));
  const all = execFileSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      { h264: 'h264', h265: 'hevc', vp8: 'ivf' }[codec],
      '-i',
      'pipe:0',
      '-vsync',
      'passthrough',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'yuv420p',
      'pipe:1',
    ],
    {
      input,
      maxBuffer: 512 << 20,
    },
  );
  const bytes = i420Size(widthPx, heightPx);
  return Array.from({ length: Math.floor(all.length / bytes) }, (_unused, i) => all.subarray(i * bytes, (i + 1) * bytes));
}

const START_CODE = Buffer.from([0, 0, 0, 1]);

/** RFC 6184 payloads back to a byte stream. */
function annexB({ payloads }: PacketizedFrame): Buffer[] {
  return payloads.flatMap((payload) => {
    const type = payload[0]! & 0x1f;
    if (type === 28)
      return payload[1]! & 0x80
        ? [START_CODE, Buffer.from([(payload[0]! & 0xe0) | (payload[1]! & 0x1f)]), payload.subarray(2)]
        : [payload.subarray(2)];
    if (type !== 24) return [START_CODE, payload];
    const units: Buffer[] = [];
    for (let at = 1; at < payload.length; at += 2 + payload.readUInt16BE(at))
      units.push(START_CODE, payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
    return units;
  });
}

/** RFC 7798 payloads back to a byte stream. */
function annexBOfH265({ payloads }: PacketizedFrame): Buffer[] {
  return payloads.flatMap((payload) => {
    const type = (payload[0]! >> 1) & 0x3f;
    if (type === 49)
      return payload[2]! & 0x80
        ? [START_CODE, Buffer.from([(payload[0]! & 0x81) | ((payload[2]! & 0x3f) << 1), payload[1]!]), payload.subarray(3)]
        : [payload.subarray(3)];
    if (type !== 48) return [START_CODE, payload];
    const units: Buffer[] = [];
    for (let at = 2; at < payload.length; at += 2 + payload.readUInt16BE(at))
      units.push(START_CODE, payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
    return units;
  });
}

/** RFC 7741 payloads with a descriptor of one byte back to a file. */
function ivf(frames: readonly PacketizedFrame[], widthPx: number, heightPx: number): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(32, 6);
  header.write('VP80', 8, 'latin1');
  header.writeUInt16LE(widthPx, 12);
  header.writeUInt16LE(heightPx, 14);
  header.writeUInt32LE(1000, 16);
  header.writeUInt32LE(1, 20);
  return Buffer.concat([
    header,
    ...frames.flatMap(({ payloads }, i) => {
      const data = Buffer.concat(payloads.map((payload) => payload.subarray(1)));
      const head = Buffer.alloc(12);
      head.writeUInt32LE(data.length, 0);
      head.writeUInt32LE(i * 33, 4);
      return [head, data];
    }),
  ]);
}
