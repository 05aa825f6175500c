/** One segment while it is written: its frames gather to fragments, which go to its file; what is seen lies beside. */
import { FragmentWriter, type EncodedFrame, type FrameDetections, type TrackKind, type VideoConfig } from '../media/index.js';
import { DetectionsLog } from './detections-log.js';
import type { GroupPlace, RecordedSegment } from './recorded.js';
import { SegmentFile, type SegmentFileInit } from './segment-file.js';

/** A segment without its place in the index. */
export type WrittenSegment = Omit<RecordedSegment, 'id'>;

/** What a segment is. */
export interface OpenSegmentInit extends SegmentFileInit, Pick<RecordedSegment, 'sourceId' | 'run' | 'isTranscoded'> {
  /** Its picture; undefined: sound alone. */
  readonly video: VideoConfig | undefined;
  /** It has a track of sound. */
  readonly hasSound: boolean;
  /** Media time of its first frame. */
  readonly startMs: number;
  /** UTC of its first frame. */
  readonly anchorMs: number;
  /** A fragment is whole. Of the first one `isFirst`. */
  readonly onGrown: (segment: WrittenSegment, groups: readonly GroupPlace[], isFirst: boolean) => void;
  /** A file cannot be written on: the segment's own, or that of what was seen. */
  readonly onError: (error: unknown, isSegment: boolean) => void;
}

/** Length of a fragment: what is lost when the process is killed is at most this and what is under way. */
const FRAGMENT_MS = 500;

/** One segment. */
export class OpenSegment {
  readonly #init: OpenSegmentInit;
  readonly #fragments: FragmentWriter;
  readonly #file: SegmentFile;
  readonly #log: DetectionsLog;
  #toMs: number;
  #isOpen = true;
  #hasBegun = false;
  #detectionsFailed = false;
  #hasFailed = false;
  #waitingBytes = 0;
  /** Writes of fragments that are under way; never rejects. */
  #writing: Promise<void> = Promise.resolve();

  constructor(init: OpenSegmentInit) {
    const { video, hasSound, startMs, anchorMs, sourceId, run, isTranscoded, disk, openFile } = init;
    this.#init = init;
    this.#toMs = anchorMs;
    this.#fragments = new FragmentWriter({ video, hasSound, startMs, anchorMs, provenance: { sourceId, run, isTranscoded } });
    this.#file = new SegmentFile(init);
    this.#log = new DetectionsLog({ segmentFile: () => this.#file.file, disk, openFile });
  }

  /** Its picture; undefined: sound alone. */
  get video(): VideoConfig | undefined {
    return this.#init.video;
  }

  /** It has a track of sound. */
  get hasSound(): boolean {
    return this.#init.hasSound;
  }

  /** Media time of its first frame. */
  get startMs(): number {
    return this.#init.startMs;
  }

  /** Media time of the oldest frame that is not written; undefined: there is none. */
  get pendingFromMs(): number | undefined {
    return this.#fragments.pendingFromMs;
  }

  /** Whether what waits is to be written before a frame of this media time is added. */
  isFull(mediaTimeMs: number): boolean {
    return this.#fragments.wouldExceed(FRAGMENT_MS, mediaTimeMs);
  }

  /** Size of the file, and of what the disk has not taken yet. */
  get bytes(): number {
    return this.#file.bytes + this.#waitingBytes;
  }

  /** Bytes that the disk has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Media time at which its newest frame ends that was written. */
  get endMs(): number {
    return this.#fragments.endMs;
  }

  /** It could not be written on. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Nothing more is written to it, and that is known already. */
  fail(): void {
    this.#hasFailed = true;
  }

  /** Something of it is on the disk. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** As it is now. */
  get written(): WrittenSegment {
    const { sourceId, run, isTranscoded, anchorMs, video, hasSound } = this.#init;
    const picture = video && { codec: video.codec, widthPx: video.widthPx, heightPx: video.heightPx, codecs: video.codecs };
    return {
      ...{ sourceId, run, isTranscoded, fromMs: anchorMs, toMs: this.#toMs, isOpen: this.#isOpen },
      ...{ file: this.#file.file, bytes: this.#file.bytes, format: { video: picture, hasSound } },
    };
  }

  /** False where it was not taken. */
  add(kind: TrackKind, frame: EncodedFrame): boolean {
    return this.#fragments.add(kind, frame);
  }

  /** Sound that belongs to the segment that begins there. */
  withdrawAudio(fromMs: number): EncodedFrame[] {
    return this.#fragments.withdrawAudio(fromMs);
  }

  /** What was seen in one of its frames. @param mediaTimeMs of that frame */
  see(detections: FrameDetections, mediaTimeMs: number): void {
    const { anchorMs, startMs } = this.#init;
    this.#log.add({ wallMs: anchorMs + mediaTimeMs - startMs, detections });
  }

  /** Writes that are under way have ended; never rejects. */
  drained(): Promise<void> {
    return this.#writing;
  }

  /** Writes what waits. @param nextVideoMs media time of the picture that follows, where it is known */
  flush(nextVideoMs?: number): void {
    const isFirst = this.#fragments.endMs === this.#init.startMs;
    const fragment = this.#fragments.take(nextVideoMs);
    if (fragment) {
      const head = isFirst ? this.#fragments.initialization() : Buffer.alloc(0);
      const { anchorMs, startMs } = this.#init;
      const utcOf = (mediaTimeMs: number): number => anchorMs + mediaTimeMs - startMs;
      const whole = isFirst ? Buffer.concat([head, fragment.data]) : fragment.data;
      this.#waitingBytes += whole.length;
      this.#inTurn(async () => {
        const offset = (await this.#file.append(whole)) + head.length;
        // It was said to have ended before the disk took this.
        if (this.#hasFailed) return;
        this.#toMs = utcOf(fragment.endMs);
        this.#hasBegun = true;
        const groups = fragment.groups.map(({ mediaTimeMs, bytes }) => ({ atMs: utcOf(mediaTimeMs), offset, bytes }));
        this.#init.onGrown(this.written, groups, isFirst);
      }, whole.length);
    }
    this.#flushDetections();
  }

  /** It is whole and on the disk when this resolves; what is seen may still be added. Never rejects. */
  async finish(): Promise<void> {
    this.flush();
    this.#inTurn(async () => {
      if (this.#hasBegun) await this.#file.rewriteBeginning(this.#fragments.initialization(true));
    });
    await this.#writing;
    this.#isOpen = false;
    await this.#file.close();
    this.#tellFailure();
  }

  /** Nothing is seen in it any more. Never rejects. */
  async finishDetections(): Promise<void> {
    if (!this.#hasBegun) return;
    try {
      await this.#log.finish();
    } catch (error) {
      this.#init.onError(error, false);
    }
  }

  /** @param bytes that wait for it */
  #inTurn(task: () => Promise<void>, bytes = 0): void {
    this.#writing = this.#writing.then(async () => {
      try {
        if (this.#file.error === undefined && !this.#hasFailed) await task();
      } catch {
        // It is the file's, and told below.
      } finally {
        this.#waitingBytes -= bytes;
      }
      this.#tellFailure();
    });
  }

  #tellFailure(): void {
    if (this.#file.error === undefined || this.#hasFailed) return;
    this.#hasFailed = true;
    this.#init.onError(this.#file.error, true);
  }

  #flushDetections(): void {
    this.#writing = this.#writing.then(async () => {
      if (!this.#hasBegun || this.#detectionsFailed) return;
      try {
        await this.#log.flush();
      } catch (error) {
        this.#detectionsFailed = true;
        this.#init.onError(error, false);
      }
    });
  }
}
