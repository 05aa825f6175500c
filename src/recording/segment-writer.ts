/**
 * Writes what a source sends as segments: files of about a minute, each of which begins with a keyframe. One ends early where the
 * picture's parameters change, where sound is added, and where whoever records says so.
 *
 * A segment ends only before a keyframe: one that begins in the middle of a group could not be played. Where none comes for an hour
 * or 2 GiB, the segment ends all the same, and what follows up to the next keyframe is not recorded.
 */
import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import {
  isSameConfig,
  videoConfig,
  type Codec,
  type EncodedFrame,
  type FrameDetections,
  type TrackKind,
  type VideoConfig,
} from '../media/index.js';
import type { DiskSync } from './disk-sync.js';
import { EndedSegments } from './ended-segments.js';
import { makeSourceFolder, segmentFile } from './layout.js';
import { OpenSegment, type WrittenSegment } from './open-segment.js';
import type { GroupPlace } from './recorded.js';
import type { OpenFile } from './segment-file.js';

/** What a writer tells; listeners must not wait, and must not throw. */
export interface SegmentWriterEvents {
  /** A segment's first fragment is in its file. */
  readonly onBegun: (segment: WrittenSegment) => void;
  /** A fragment is in the file. @param groups the keyframes in it */
  readonly onGrown: (segment: WrittenSegment, groups: readonly GroupPlace[]) => void;
  /** A segment is whole, and on the disk. */
  readonly onFinished: (segment: WrittenSegment) => void;
  /** A segment ended because it could not be written on; or what was seen could not be, or no segment can begin, without one. Another try is made 10 s later. */
  readonly onFailed: (failure: SegmentFailure) => void;
  /** The source's folder was gone, and has been made anew. */
  readonly onFolderLost?: (() => void) | undefined;
}

/** Why a segment could not be written on. */
export interface SegmentFailure {
  /** The system's: `ENOSPC`, `EIO`; `EBUSY` where the disk is too slow for what comes, `EILSEQ` where its keyframes cannot be read. */
  readonly code: string;
  /** In words. */
  readonly message: string;
  /** What of it is whole; undefined: nothing is. */
  readonly segment: WrittenSegment | undefined;
}

/** What is written, and where. */
export interface SegmentWriterInit extends SegmentWriterEvents {
  /** That is recorded. */
  readonly sourceId: string;
  /** Absolute path of the source's own folder; it is made. */
  readonly folder: string;
  /** Paces what waits to be written. */
  readonly clock: Clock;
  /** Shared by all that is recorded. */
  readonly disk: DiskSync;
  /** Asked when a segment begins. */
  readonly isTranscoded: () => boolean;
  /** Asked when a segment begins: UTC of its first frame, and the run that it belongs to. */
  readonly placeOf: (mediaTimeMs: number) => { readonly run: number; readonly wallMs: number };
  /** Sound is expected, so the first segment has a track for it. Default false. */
  readonly hasSound?: boolean;
  /** False: sound alone. Default true. */
  readonly hasVideo?: boolean;
  /** Default: that of `fs/promises`. */
  readonly openFile?: OpenFile;
}

/** A fragment that is not ended by the frame that follows. */
const FLUSH_MS = 600;
const SEGMENT_MS = 60_000;
const MAX_SEGMENT_MS = 3_600_000;
const MAX_SEGMENT_BYTES = 2 ** 31;
/** What the disk has not taken of one source. */
const MAX_WAITING_BYTES = 32 << 20;
/** Sound may come so much later than the picture that it belongs to. */
const LATE_SOUND_MS = 1000;
/** A source has sound that had some so shortly before. */
const RECENT_SOUND_MS = 5000;
const RETRY_MS = 10_000;
/** Keyframes without parameter sets may come between others; so many in a row are how the source is. */
const UNREADABLE_KEYFRAMES = 3;

/** Writes the segments of one source. */
export class SegmentWriter {
  readonly #init: SegmentWriterInit;
  #current: OpenSegment | undefined;
  /** The one before, while sound of it may still come. */
  #closing: { readonly segment: OpenSegment; readonly endMs: number } | undefined;
  readonly #ended: EndedSegments;
  #flushing: Timer | undefined;
  #ending: Timer | undefined;
  /** Media time of the newest sound. */
  #soundMs = -Infinity;
  #retryAtMs = -Infinity;
  #dropped = 0;
  /** In a row. */
  #unreadable = 0;
  #trouble: string | undefined;
  /** The last look at the source's folder, true once it was made. Never rejects. */
  #folder: Promise<boolean> = Promise.resolve(false);
  #isClosed = false;

  constructor(init: SegmentWriterInit) {
    this.#init = init;
    this.#ended = new EndedSegments(init.clock, (segment) => this.#finished(segment));
  }

  /** Frames that were not written: before the first keyframe, stepping back in time, or no frames of their codec. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why nothing is written, in words; undefined: something is, or nothing has come. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Takes the next frame; never waits, never throws. */
  write(kind: TrackKind, frame: EncodedFrame, codec: Codec): void {
    if (this.#isClosed) return;
    if (kind === 'audio') this.#audio(frame);
    else if (codec !== 'opus') this.#video(frame, codec);
    this.#checkBounds();
    if (this.#current?.pendingFromMs !== undefined) this.#flushing ??= this.#init.clock.after(FLUSH_MS, () => this.#flush());
  }

  /** Takes what was seen in a frame of the last seconds; never waits, never throws. @param mediaTimeMs of that frame as it was written, where it is another than the detections tell */
  writeDetections(detections: FrameDetections, mediaTimeMs = detections.mediaTimeMs): void {
    const holders = [this.#current, this.#closing?.segment];
    const segment = holders.find((each) => each && mediaTimeMs >= each.startMs) ?? this.#ended.find(mediaTimeMs);
    segment?.see(detections, mediaTimeMs);
  }

  /** What was taken so far is written, for those who read faster than a disk writes. Never rejects. */
  async drained(): Promise<void> {
    await Promise.all([this.#current?.drained(), this.#ended.drained()]);
  }

  /** The segment ends; the next one begins with the next keyframe. Resolves when all is whole and told; never rejects. */
  async cut(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    this.#endClosing();
    if (current) this.#ended.add(current, Infinity);
    this.#stopFlushing();
    await this.#ended.settle();
  }

  /** Ends everything; it is on the disk when this resolves. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.cut();
  }

  #video(frame: EncodedFrame, codec: Exclude<Codec, 'opus'>): void {
    const config = frame.keyframe ? videoConfig(codec, frame.data) : undefined;
    if (config && this.#mustBegin(config, frame.mediaTimeMs)) this.#begin(config, frame.mediaTimeMs);
    if (frame.keyframe && !this.#current) this.#cannotBegin(config, codec);
    this.#add('video', frame);
  }

  #cannotBegin(config: VideoConfig | undefined, codec: string): void {
    this.#unreadable = config ? 0 : this.#unreadable + 1;
    if (this.#unreadable !== UNREADABLE_KEYFRAMES) return;
    const message = `keyframes of '${this.#init.sourceId}' (${codec}) have no parameter sets, or such as cannot be read: nothing can be recorded of it`;
    this.#trouble = message;
    this.#init.onFailed({ code: 'EILSEQ', message, segment: undefined });
  }

  #audio(frame: EncodedFrame): void {
    this.#soundMs = Math.max(this.#soundMs, frame.mediaTimeMs);
    if (this.#closing) {
      if (frame.mediaTimeMs < this.#closing.endMs) return void this.#closing.segment.add('audio', frame);
      this.#endClosing();
    }
    if (this.#init.hasVideo === false && this.#mustBegin(undefined, frame.mediaTimeMs)) this.#begin(undefined, frame.mediaTimeMs);
    this.#add('audio', frame);
  }

  #add(kind: TrackKind, frame: EncodedFrame): void {
    const current = this.#current;
    if (current?.isFull(frame.mediaTimeMs)) {
      current.flush(kind === 'video' ? frame.mediaTimeMs : undefined);
      this.#stopFlushing();
    }
    if (!current?.add(kind, frame)) this.#dropped++;
  }

  #mustBegin(config: VideoConfig | undefined, mediaTimeMs: number): boolean {
    const current = this.#current;
    if (!current) return this.#init.clock.now() >= this.#retryAtMs && this.#waitingBytes <= MAX_WAITING_BYTES / 2;
    if (mediaTimeMs - current.startMs >= SEGMENT_MS) return true;
    if (config && current.video && !isSameConfig(config, current.video)) return true;
    return !current.hasSound && this.#hasSound(mediaTimeMs);
  }

  /** There was some in the last seconds; a source may be silent for a while and still have a track for it. */
  #hasSound(mediaTimeMs: number): boolean {
    return this.#init.hasVideo === false || Math.abs(mediaTimeMs - this.#soundMs) < RECENT_SOUND_MS;
  }

  #begin(video: VideoConfig | undefined, startMs: number): void {
    const { sourceId, folder, disk, isTranscoded, placeOf, hasSound = false } = this.#init;
    this.#endClosing();
    const before = this.#current;
    const { run, wallMs } = placeOf(startMs);
    const segment: OpenSegment = new OpenSegment({
      ...{ sourceId, run, disk, video, startMs, anchorMs: wallMs, isTranscoded: isTranscoded() },
      hasSound: this.#hasSound(startMs) || (before?.hasSound ?? hasSound),
      place: (attempt) => segmentFile(folder, wallMs, attempt),
      openFile: (...file) => this.#open(...file),
      onGrown: (written, groups, isFirstFragment) => this.#grown(written, groups, isFirstFragment),
      onError: (error, isSegment) => this.#failed(segment, error, isSegment),
    });
    const sound = before?.withdrawAudio(startMs) ?? [];
    before?.flush(startMs);
    this.#closing = before && { segment: before, endMs: startMs };
    this.#current = segment;
    for (const each of sound) segment.add('audio', each);
    // Without sound that comes late there is nothing to wait for.
    if (before && !before.hasSound) this.#endClosing();
    else if (before) this.#ending = this.#init.clock.after(LATE_SOUND_MS, () => this.#endClosing());
  }

  /** Bytes of all its segments that the disk has not taken yet. */
  get #waitingBytes(): number {
    return (this.#current?.waitingBytes ?? 0) + (this.#closing?.segment.waitingBytes ?? 0) + this.#ended.waitingBytes;
  }

  #checkBounds(): void {
    const current = this.#current;
    if (!current) return;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      const message = `the disk does not take ${MAX_WAITING_BYTES >> 20} MiB of '${this.#init.sourceId}' as fast as they come`;
      return this.#failed(current, Object.assign(new Error(message), { code: 'EBUSY' }), true);
    }
    const isTooLong = (current.endMs - current.startMs > MAX_SEGMENT_MS || current.bytes > MAX_SEGMENT_BYTES) && current.video;
    if (isTooLong) void this.cut();
  }

  #flush(): void {
    this.#flushing = undefined;
    this.#current?.flush();
  }

  #stopFlushing(): void {
    this.#flushing?.cancel();
    this.#flushing = undefined;
  }

  #endClosing(): void {
    this.#ending?.cancel();
    this.#ending = undefined;
    const closing = this.#closing;
    this.#closing = undefined;
    if (closing) this.#ended.add(closing.segment, closing.endMs);
  }

  #grown(written: WrittenSegment, groups: readonly GroupPlace[], isFirst: boolean): void {
    this.#trouble = undefined;
    this.#unreadable = 0;
    if (isFirst) this.#init.onBegun(written);
    this.#init.onGrown(written, groups);
  }

  #finished(segment: OpenSegment): void {
    if (segment.hasBegun && !segment.hasFailed) this.#init.onFinished(segment.written);
  }

  #failed(segment: OpenSegment, error: unknown, isSegment: boolean): void {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    const message = messageOf(error);
    if (!isSegment) return this.#init.onFailed({ code, message, segment: undefined });
    this.#trouble = message;
    this.#retryAtMs = this.#init.clock.now() + RETRY_MS;
    const wasCurrent = this.#current === segment;
    if (wasCurrent) this.#current = undefined;
    segment.fail();
    if (wasCurrent) this.#ended.add(segment, Infinity);
    this.#init.onFailed({ code, message, segment: segment.hasBegun ? { ...segment.written, isOpen: false } : undefined });
  }

  /** The source's folder is made when there is something to write, and made anew where somebody removed it or what it is mounted from went. */
  async #open(...file: Parameters<OpenFile>): ReturnType<OpenFile> {
    const { folder, sourceId, openFile, onFolderLost } = this.#init;
    const before = this.#folder;
    const looked = before.then(() => makeSourceFolder(folder, sourceId));
    this.#folder = looked.then(
      () => true,
      () => before,
    );
    if ((await looked) && (await before)) onFolderLost?.();
    return (openFile ?? open)(...file);
  }
}
