/** A recording in memory, of real frames, for tests of what looks at recordings. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { FlvParser, NutH265Parser, OggOpusParser } from '../../src/ffmpeg/index.js';
import { IvfParser } from '../../src/ffmpeg/ivf.js';
import { FragmentWriter, videoConfig, type EncodedFrame, type VideoCodec } from '../../src/media/index.js';
import type {
  RecordedDetections,
  RecordedFrame,
  RecordedGroup,
  RecordedSegment,
  RecordingArchive,
  SegmentChange,
  TimeRange,
} from '../../src/recording/index.js';
import { MediaPeerError } from '../../src/base/errors.js';

/** A segment with its frames. */
export interface MemorySegment {
  readonly segment: RecordedSegment;
  readonly frames: readonly RecordedFrame[];
}

/** What a video holds. */
export interface Content {
  readonly codec: VideoCodec;
  readonly video: readonly EncodedFrame[];
  readonly audio: readonly EncodedFrame[];
}

function run(...args: readonly string[]): Buffer {
  return execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...args, 'pipe:1'], { maxBuffer: 64 << 20 });
}

/** How a codec comes out of ffmpeg frame by frame. */
const COPIED: Readonly<Record<VideoCodec, readonly string[]>> = {
  h264: ['-f', 'flv'],
  h265: ['-write_index', '0', '-f', 'nut'],
  vp8: ['-f', 'ivf'],
};
const PARSERS: Readonly<Record<VideoCodec, (onFrame: (frame: EncodedFrame) => void) => { push(chunk: Buffer): void }>> = {
  h264: (onFrame) => new FlvParser(onFrame),
  h265: (onFrame) => new NutH265Parser(onFrame),
  vp8: (onFrame) => new IvfParser(onFrame),
};

/** The frames of a file in that codec, its sound as Opus. @param hasSound false: without it */
export function contentOf(file: string, codec: VideoCodec, hasSound: boolean): Content {
  const video: EncodedFrame[] = [];
  const audio: EncodedFrame[] = [];
  PARSERS[codec]((frame) => video.push(frame)).push(run('-i', file, '-an', '-c:v', 'copy', ...COPIED[codec]));
  if (hasSound)
    new OggOpusParser((frame) => audio.push(frame)).push(run('-i', file, '-vn', '-c:a', 'libopus', '-page_duration', '20000', '-f', 'ogg'));
  return { codec, video, audio };
}

/** A segment of that content, which begins then. @param more what differs */
export function segmentOf(content: Content, id: number, fromMs: number, more: Partial<RecordedSegment> = {}): MemorySegment {
  const { codec, video, audio } = content;
  const config = videoConfig(codec, (video[0] as EncodedFrame).data);
  if (!config) throw new Error('a segment begins with a keyframe');
  const { widthPx, heightPx, codecs } = config;
  const startMs = (video[0] as EncodedFrame).mediaTimeMs;
  const placed = (kind: 'video' | 'audio', frame: EncodedFrame): RecordedFrame => {
    const mediaTimeMs = frame.mediaTimeMs - startMs;
    return { kind, frame: { ...frame, mediaTimeMs }, wallMs: fromMs + mediaTimeMs };
  };
  const frames = [...video.map((frame) => placed('video', frame)), ...audio.map((frame) => placed('audio', frame))]
    .filter(({ wallMs }) => wallMs >= fromMs)
    .sort((a, b) => a.wallMs - b.wallMs || (a.kind === 'video' ? -1 : 1));
  const lastMs = Math.max(...frames.map(({ wallMs }) => wallMs));
  const segment: RecordedSegment = {
    ...{ id, run: 1, sourceId: 'gate', file: `/nowhere/${id}.mp4`, bytes: 1, isTranscoded: false, isOpen: false },
    ...{ fromMs, toMs: lastMs + 1000 / 30 },
    format: { video: { codec, widthPx, heightPx, codecs }, hasSound: audio.length > 0 },
    ...more,
  };
  return { segment, frames };
}

/** Writes it as an MP4 that ffmpeg reads. */
export function writeSegment({ segment, frames }: MemorySegment): void {
  const { format, fromMs: anchorMs, file } = segment;
  const first = frames.find(({ kind }) => kind === 'video') as RecordedFrame;
  const video = videoConfig(format.video?.codec ?? 'h264', first.frame.data);
  const writer = new FragmentWriter({ video, hasSound: format.hasSound, anchorMs, provenance: undefined, startMs: 0 });
  const bytes = [writer.initialization()];
  for (const { kind, frame } of frames) {
    if (kind === 'video' && frame.mediaTimeMs - (writer.pendingFromMs ?? frame.mediaTimeMs) >= 500)
      bytes.push(writer.take(frame.mediaTimeMs)?.data ?? Buffer.alloc(0));
    writer.add(kind, frame);
  }
  writeFileSync(file, Buffer.concat([...bytes, writer.take()?.data ?? Buffer.alloc(0)]));
}

/** An archive of one source, `gate`. */
export class MemoryArchive implements RecordingArchive {
  /** Oldest first. */
  readonly all: MemorySegment[];
  /** Ascending. */
  readonly looks: RecordedDetections[] = [];
  /** Ids of segments that cannot be read. */
  readonly damaged = new Set<number>();
  /** Readers that are open. */
  openReaders = 0;
  /** Frames that were read. */
  readFrames = 0;
  readonly #listeners = new Set<(change: SegmentChange) => void>();

  constructor(all: readonly MemorySegment[]) {
    this.all = [...all];
  }

  async ranges(sourceId: string, within: TimeRange): Promise<TimeRange[]> {
    const ranges: TimeRange[] = [];
    for (const { fromMs, toMs } of await this.segments(sourceId, within)) {
      const last = ranges.at(-1);
      const clipped = { fromMs: Math.max(fromMs, within.fromMs), toMs: Math.min(toMs, within.toMs) };
      if (last && clipped.fromMs - last.toMs <= 1000) ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs: clipped.toMs };
      else ranges.push(clipped);
    }
    return ranges;
  }

  segments(sourceId: string, { fromMs, toMs }: TimeRange): Promise<RecordedSegment[]> {
    const found = this.all
      .map(({ segment }) => segment)
      .filter((each) => each.sourceId === sourceId && each.fromMs < toMs && each.toMs > fromMs);
    return Promise.resolve(found);
  }

  async groupBefore(sourceId: string, atMs: number): Promise<RecordedGroup | undefined> {
    return (await this.groups(sourceId, { fromMs: 0, toMs: atMs + 0.001 }, Infinity)).at(-1);
  }

  async groupAfter(sourceId: string, atMs: number): Promise<RecordedGroup | undefined> {
    return (await this.groups(sourceId, { fromMs: atMs + 0.001, toMs: Infinity }, 1))[0];
  }

  groups(sourceId: string, { fromMs, toMs }: TimeRange, limit: number): Promise<RecordedGroup[]> {
    const keyframes = this.all
      .filter(({ segment }) => segment.sourceId === sourceId)
      .flatMap(({ segment, frames }) =>
        frames.filter(({ kind, frame }) => kind === 'video' && frame.keyframe).map(({ wallMs }) => ({ segment, wallMs })),
      )
      .filter(({ wallMs }) => wallMs >= fromMs && wallMs < toMs);
    return Promise.resolve(keyframes.slice(0, limit).map(({ segment, wallMs }) => ({ segment, atMs: wallMs, offset: 0, bytes: 0 })));
  }

  openSegment(segment: RecordedSegment): ReturnType<RecordingArchive['openSegment']> {
    if (this.damaged.has(segment.id)) return Promise.reject(new MediaPeerError('RECORDING_DAMAGED', 'it is damaged'));
    this.openReaders++;
    const { frames } = this.all.find((each) => each.segment.id === segment.id) as MemorySegment;
    const begin = (fromMs: number): number =>
      Math.max(
        0,
        frames.findLastIndex(({ kind, frame, wallMs }) => kind === 'video' && frame.keyframe && wallMs <= fromMs + 0.001),
      );
    const read = async function* (this: MemoryArchive, fromMs: number): AsyncGenerator<RecordedFrame> {
      for (const frame of frames.slice(begin(fromMs))) {
        this.readFrames++;
        yield await Promise.resolve(frame);
      }
    }.bind(this);
    return Promise.resolve({
      format: segment.format,
      frames: read,
      groups: async () => (await this.groups(segment.sourceId, segment, Infinity)).filter((each) => each.segment.id === segment.id),
      close: () => {
        this.openReaders--;
        return Promise.resolve();
      },
    });
  }

  async *detections(_sourceId: string, { fromMs, toMs }: TimeRange): AsyncIterable<RecordedDetections> {
    for (const each of this.looks) if (each.wallMs >= fromMs && each.wallMs < toMs) yield await Promise.resolve(each);
  }

  sources(): Promise<string[]> {
    return Promise.resolve([...new Set(this.all.map(({ segment }) => segment.sourceId))]);
  }

  onChange(listener: (change: SegmentChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells of a change. */
  tell(change: SegmentChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
