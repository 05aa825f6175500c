/** Frames as sources deliver them, and segments made of them without waiting for their time to pass. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { FlvParser, OggOpusParser } from '../../src/ffmpeg/index.js';
import type { Codec, EncodedFrame, TrackKind } from '../../src/media/index.js';
import {
  DiskSync,
  SegmentWriter,
  sourceFolder,
  type SegmentFailure,
  type SegmentWriterInit,
  type WrittenSegment,
} from '../../src/recording/index.js';
import type { GroupPlace } from '../../src/recording/index.js';
import { FakeClock } from './fake-clock.js';

/** A frame on its way to a recording. */
export interface ClipFrame {
  readonly kind: TrackKind;
  readonly codec: Codec;
  readonly frame: EncodedFrame;
}

export interface LiveClipOptions {
  /** Default 4. */
  readonly seconds?: number;
  /** Default 30. */
  readonly fps?: number;
  /** Seconds from keyframe to keyframe. Default 2. */
  readonly gopSeconds?: number;
  /** Default `320x180`. */
  readonly size?: string;
  /** Default `high`. */
  readonly profile?: string;
  /** Default true. */
  readonly hasSound?: boolean;
}

/** H.264 and Opus from 0 ms on, in the order in which their times ascend. */
export function liveClip(options: LiveClipOptions = {}): ClipFrame[] {
  const { seconds = 4, fps = 30, gopSeconds = 2, size = '320x180', profile = 'high', hasSound = true } = options;
  const gop = String(Math.round(fps * gopSeconds));
  const pictures = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`, '-pix_fmt', 'yuv420p'];
  const encoder = ['-c:v', 'libx264', '-preset', 'superfast', '-tune', 'zerolatency', '-profile:v', profile, '-bf', '0'];
  const frames: ClipFrame[] = [];
  const video = run([...pictures, ...encoder, '-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-f', 'flv', 'pipe:1']);
  let count = 0;
  new FlvParser(
    ({ data, keyframe }) =>
      void frames.push({ kind: 'video', codec: 'h264', frame: { data, keyframe, mediaTimeMs: (count++ * 1000) / fps } }),
  ).push(video);
  if (hasSound) {
    const sound = [
      '-f',
      'lavfi',
      '-i',
      `sine=frequency=440:sample_rate=48000:duration=${seconds}`,
      '-c:a',
      'libopus',
      '-page_duration',
      '1',
    ];
    new OggOpusParser((frame) => void frames.push({ kind: 'audio', codec: 'opus', frame })).push(run([...sound, '-f', 'ogg', 'pipe:1']));
  }
  const isWithin = ({ frame: { mediaTimeMs } }: ClipFrame): boolean => mediaTimeMs >= 0 && mediaTimeMs < seconds * 1000;
  return frames.filter(isWithin).sort((a, b) => a.frame.mediaTimeMs - b.frame.mediaTimeMs);
}

/** The clip over and over, so many times, its media time going on. */
export function repeated(clip: readonly ClipFrame[], times: number, lengthMs: number): ClipFrame[] {
  return Array.from({ length: times }, (_, pass) =>
    clip.map((each) => ({ ...each, frame: { ...each.frame, mediaTimeMs: each.frame.mediaTimeMs + pass * lengthMs } })),
  ).flat();
}

/** What a writer told. */
export interface WriterRig {
  readonly writer: SegmentWriter;
  readonly clock: FakeClock;
  readonly folder: string;
  readonly begun: WrittenSegment[];
  readonly finished: WrittenSegment[];
  readonly failed: SegmentFailure[];
  readonly groups: (GroupPlace & { readonly file: string })[];
}

/** 2026-11-30T22:05:00.123Z. */
export const UTC_MS = Date.UTC(2026, 10, 30, 22, 5, 0, 123);

/** A writer for a source; media time 0 is `UTC_MS`. */
export function openWriter(recordDir: string, init: Partial<SegmentWriterInit> = {}): WriterRig {
  const clock = new FakeClock(UTC_MS);
  const sourceId = init.sourceId ?? 'cam1';
  const folder = sourceFolder(recordDir, sourceId);
  const rig = { clock, folder, begun: [] as WrittenSegment[], finished: [] as WrittenSegment[], failed: [] as SegmentFailure[] };
  const groups: WriterRig['groups'] = [];
  const writer = new SegmentWriter({
    ...{ sourceId, folder, clock, disk: new DiskSync(clock), isTranscoded: () => false, hasSound: true },
    placeOf: (mediaTimeMs) => ({ run: 7, wallMs: UTC_MS + mediaTimeMs }),
    onBegun: (segment) => void rig.begun.push(segment),
    onGrown: (segment, more) => void groups.push(...more.map((each) => ({ ...each, file: segment.file }))),
    onFinished: (segment) => void rig.finished.push(segment),
    onFailed: (failure) => void rig.failed.push(failure),
    ...init,
  });
  return { ...rig, writer, groups };
}

/** Everything of it. */
export function writeAll(writer: SegmentWriter, frames: readonly ClipFrame[]): void {
  for (const { kind, frame, codec } of frames) writer.write(kind, frame, codec);
}

/** A packet as ffprobe lists it. */
export interface ProbedPacket {
  readonly stream: number;
  readonly timeS: number;
  readonly durationS: number;
  readonly keyframe: boolean;
  readonly bytes: number;
}

/** What ffprobe makes of a file, which must not find anything wrong with it. */
export function probePackets(file: string): ProbedPacket[] {
  const fields = 'packet=stream_index,pts_time,duration_time,flags,size';
  const text = execFileSync('ffprobe', ['-v', 'warning', '-show_packets', '-show_entries', fields, '-of', 'json', file], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const { packets } = JSON.parse(text) as { readonly packets: readonly Record<string, string | number>[] };
  return packets.map((each) => ({
    stream: Number(each['stream_index']),
    timeS: Number(each['pts_time']),
    durationS: Number(each['duration_time']),
    keyframe: String(each['flags']).startsWith('K'),
    bytes: Number(each['size']),
  }));
}

/** What ffmpeg says while it decodes all of a file: nothing, where it is right. */
export function decodeWarnings(file: string): string {
  return execFileSync('sh', ['-c', 'ffmpeg -nostdin -v warning -i "$1" -f null - 2>&1', 'sh', file], { encoding: 'utf8' });
}

/** Name within the source's folder. */
export function nameOf(file: string): string {
  return path.join(path.basename(path.dirname(file)), path.basename(file));
}

function run(args: readonly string[]): Buffer {
  return execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...args], { maxBuffer: 256 << 20 });
}
