/** A recording in memory, for whoever plays one: segments of numbered frames, with gaps, damage and growth as a test wants them. */
import { MediaPeerError } from '../../src/base/errors.js';
import type { FrameDetections, TrackedObject, VideoCodec } from '../../src/media/index.js';
import type {
  GroupPlace,
  RecordedDetections,
  RecordedFrame,
  RecordedGroup,
  RecordedSegment,
  RecordingArchive,
  SegmentChange,
  SegmentReader,
  TimeRange,
} from '../../src/recording/index.js';

/** A segment to make. */
export interface FakeSegment {
  readonly fromMs: number;
  readonly frames: number;
  /** Default 30. */
  readonly fps?: number;
  /** Frames from keyframe to keyframe. Default 30. */
  readonly gop?: number;
  readonly codec?: VideoCodec;
  readonly widthPx?: number;
  readonly hasSound?: boolean;
  /** `gone`: cannot be opened. A number: cannot be read from that frame on. */
  readonly damage?: 'gone' | number;
  /** The file holds so many frames, while the index knows all. */
  readonly cutTo?: number;
  /** Default 1. */
  readonly run?: number;
  /** Numbers of its frames begin here. Default 0. */
  readonly first?: number;
  readonly isOpen?: boolean;
  /** A detector looked at every so many frames. Default: none. */
  readonly seenEvery?: number;
}

interface Made extends FakeSegment {
  readonly segment: RecordedSegment;
  readonly all: RecordedFrame[];
}

/** The number in a frame of the fake. */
export function numberOf(data: Buffer): number {
  return data.readUInt32BE(data.length - 4);
}

/** The object that is seen in a frame: where it is tells which frame that is. */
export function objectIn(number: number): TrackedObject {
  return { objectId: 1, classId: 0, label: 'car', score: 0.9, box: [number, 10, 20, 20], velocity: [30, 0], isObserved: true };
}

export class FakeArchive implements RecordingArchive {
  opened = 0;
  #made: Made[] = [];
  readonly #listeners = new Set<(change: SegmentChange) => void>();
  readonly sourceId: string;

  constructor(sourceId = 'street', segments: readonly FakeSegment[] = []) {
    this.sourceId = sourceId;
    for (const each of segments) this.add(each);
  }

  add(of: FakeSegment): RecordedSegment {
    const { fromMs, frames, codec = 'h264', widthPx = 640, hasSound = false, isOpen = false, run = 1 } = of;
    const id = this.#made.length + 1;
    const segment: RecordedSegment = {
      sourceId: this.sourceId,
      id,
      run,
      file: `/${id}.mp4`,
      bytes: frames * 100,
      fromMs,
      toMs: fromMs + frames * stepOf(of),
      format: { video: { codec, widthPx, heightPx: 360, codecs: 'avc1.42e01f' }, hasSound },
      isTranscoded: false,
      isOpen,
    };
    this.#made.push({ ...of, segment, all: framesOf(of, 0, frames) });
    return segment;
  }

  /** The newest segment is written on. */
  grow(frames: number, isFinished = false): void {
    const last = this.#made.pop()!;
    const all = [...last.all, ...framesOf(last, last.frames, last.frames + frames)];
    const segment = { ...last.segment, toMs: last.segment.toMs + frames * stepOf(last), isOpen: !isFinished };
    this.#made.push({ ...last, frames: last.frames + frames, segment, all });
    for (const listener of this.#listeners) listener({ kind: isFinished ? 'finished' : 'grown', segment });
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  ranges(): Promise<TimeRange[]> {
    return Promise.resolve(this.#made.map(({ segment }) => segment));
  }

  segments(): Promise<RecordedSegment[]> {
    return Promise.resolve(this.#made.map(({ segment }) => segment));
  }

  groupAt(atMs: number): RecordedGroup {
    return this.#groups(this.sourceId).findLast((group) => group.atMs <= atMs)!;
  }

  groupBefore(sourceId: string, atMs: number): Promise<RecordedGroup | undefined> {
    return Promise.resolve(this.#groups(sourceId).findLast((group) => group.atMs <= atMs));
  }

  groupAfter(sourceId: string, atMs: number, run?: number): Promise<RecordedGroup | undefined> {
    const isWanted = (group: RecordedGroup): boolean => group.atMs > atMs && (run === undefined || group.segment.run === run);
    return Promise.resolve(this.#groups(sourceId).find(isWanted));
  }

  groups(sourceId: string): Promise<RecordedGroup[]> {
    return Promise.resolve(this.#groups(sourceId));
  }

  openSegment({ id }: RecordedSegment): Promise<SegmentReader> {
    const find = (): Made => this.#made.find(({ segment }) => segment.id === id)!;
    if (find().damage === 'gone') return Promise.reject(new MediaPeerError('RECORDING_DAMAGED', 'the file is gone'));
    this.opened++;
    return Promise.resolve({
      format: find().segment.format,
      frames: (fromMs: number, signal?: AbortSignal) => readFrames(find(), fromMs, signal),
      groups: () => Promise.resolve<GroupPlace[]>([]),
      close: () => {
        this.opened--;
        return Promise.resolve();
      },
    });
  }

  async *detections(sourceId: string, { fromMs, toMs }: TimeRange, run?: number): AsyncGenerator<RecordedDetections> {
    const isWanted = ({ segment }: Made): boolean => segment.sourceId === sourceId && (run === undefined || segment.run === run);
    for (const { all, seenEvery, first = 0 } of this.#made.filter(isWanted)) {
      const video = all.filter(({ kind }) => kind === 'video');
      for (const [i, { wallMs }] of video.entries()) {
        if (seenEvery === undefined || i % seenEvery !== 0 || wallMs < fromMs || wallMs >= toMs) continue;
        await Promise.resolve();
        yield { wallMs, detections: seenIn(sourceId, first + i) };
      }
    }
  }

  sources(): Promise<string[]> {
    return Promise.resolve([this.sourceId]);
  }

  onChange(listener: (change: SegmentChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #groups(sourceId: string): RecordedGroup[] {
    const groups = this.#made
      .filter(({ segment }) => segment.sourceId === sourceId)
      .flatMap(({ segment, all }) =>
        all
          .filter(({ kind, frame }) => kind === 'video' && frame.keyframe)
          .map(({ wallMs, frame }) => ({ segment, atMs: wallMs, offset: 0, bytes: frame.data.length })),
      );
    return groups.sort((a, b) => a.atMs - b.atMs);
  }
}

function stepOf({ fps = 30 }: FakeSegment): number {
  return 1000 / fps;
}

function seenIn(sourceId: string, number: number): FrameDetections {
  const size = { widthPx: 640, heightPx: 360 };
  return { sourceId, frame: number, mediaTimeMs: 0, ...size, inferenceMs: 5, objects: [objectIn(number)], scene: undefined };
}

async function* readFrames(made: Made, fromMs: number, signal?: AbortSignal): AsyncGenerator<RecordedFrame> {
  const there =
    made.cutTo === undefined ? made.all : made.all.filter(({ wallMs }) => wallMs < made.fromMs + made.cutTo! * stepOf(made) - 0.5);
  const begin = there.findLastIndex(({ kind, frame, wallMs }) => kind === 'video' && frame.keyframe && wallMs <= fromMs);
  let pictures = made.all.slice(0, Math.max(0, begin)).filter(({ kind }) => kind === 'video').length;
  for (const frame of made.all.slice(Math.max(0, begin))) {
    await Promise.resolve();
    if (signal?.aborted) return;
    if (made.cutTo !== undefined && pictures >= made.cutTo) return;
    if (typeof made.damage === 'number' && pictures >= made.damage) throw new MediaPeerError('RECORDING_DAMAGED', 'the file is cut');
    if (frame.kind === 'video') pictures++;
    yield frame;
  }
}

/** A slice of H.264 that carries a number. */
function h264(number: number, keyframe: boolean): Buffer {
  const data = Buffer.alloc(9);
  data.writeUInt32BE(5, 0);
  data[4] = keyframe ? 0x65 : 0x41;
  data.writeUInt32BE(number, 5);
  return data;
}

function framesOf(of: FakeSegment, from: number, to: number): RecordedFrame[] {
  const { fromMs, gop = 30, first = 0, hasSound = false } = of;
  const step = stepOf(of);
  const frames: RecordedFrame[] = [];
  for (let i = from; i < to; i++) {
    const mediaTimeMs = i * step;
    const keyframe = i % gop === 0;
    frames.push({ kind: 'video', frame: { data: h264(first + i, keyframe), mediaTimeMs, keyframe }, wallMs: fromMs + mediaTimeMs });
    if (hasSound)
      frames.push({ kind: 'audio', frame: { data: Buffer.from([first + i]), mediaTimeMs, keyframe: true }, wallMs: fromMs + mediaTimeMs });
  }
  return frames;
}
