/**
 * One source while it is recorded: its frames on their way to segments, what is detected in them beside, and when neither is
 * wanted. Stand-ins for a camera that is away are no part of a recording: there it has a gap.
 */
import type { Clock } from '../base/clock.js';
import type { DetectionLease, EncodedFrame, EndReason, FrameDetections, RecordingLease, RecordingSink } from '../media/index.js';
import { ClockRuns, type Anchor } from './clock-runs.js';
import { PreRoll } from './pre-roll.js';
import type { RecordingSettings } from './settings.js';

/** Writes segments; see `SegmentWriter`. */
export interface RecordingWriter {
  /** Why nothing is written, in words. */
  readonly trouble?: string | undefined;
  /** The next frame; never waits, never throws. */
  write(kind: 'video' | 'audio', frame: EncodedFrame, codec: RecordingLease['codec'] | 'opus'): void;
  /** Of a frame that was written. */
  writeDetections(detections: FrameDetections): void;
  /** The segment ends; the next begins with the next keyframe. Resolves when it is whole. */
  cut(): Promise<void>;
  /** Everything is on disk when this resolves. */
  close(): Promise<void>;
}

/** A source that can be recorded. */
export interface RecordableSource {
  /** Its id. */
  readonly sourceId: string;
  /** Whether sound is expected. */
  readonly media: { readonly hasAudio: boolean };
  /** @throws MediaPeerError */
  openRecording(sink: RecordingSink): RecordingLease;
  /** The detector begins to look where it does not yet. @throws MediaPeerError DETECTION_OFF */
  openDetections(): DetectionLease;
  /** Undefined where no detector looks at it. */
  readonly labels: readonly string[] | undefined;
}

/** What a source is recorded with. */
export interface SourceRecorderInit {
  /** That is recorded. */
  readonly source: RecordableSource;
  /** As it is to be recorded now. */
  readonly settings: () => RecordingSettings & { readonly detections: NonNullable<RecordingSettings['detections']> };
  readonly clock: Clock;
  /** A number that no run has had. */
  readonly newRun: () => number;
  /** Opens the writer of its segments. */
  readonly openWriter: (placeOf: (mediaTimeMs: number) => Anchor, isTranscoded: () => boolean) => RecordingWriter;
  /** Told of what is seen in what is recorded. */
  readonly onDetections: (wallMs: number, detections: FrameDetections) => void;
}

/** The recording of one source. */
export class SourceRecorder {
  readonly #init: SourceRecorderInit;
  readonly #lease: RecordingLease;
  readonly #writer: RecordingWriter;
  readonly #runs: ClockRuns;
  readonly #preRoll = new PreRoll();
  readonly #stopReading: () => void;
  #detections: DetectionLease | undefined;
  /** Media time up to which events want frames; of `continuous` there is no end. */
  #untilMs = -Infinity;
  #isAway = false;
  #cutsAtKeyframe = false;
  #onOutdated: (() => void) | undefined;
  #isClosed = false;

  /** Begins with the open group of the source. @throws MediaPeerError where the source cannot be had */
  constructor(init: SourceRecorderInit) {
    this.#init = init;
    const { source, clock, newRun } = init;
    // Those of the open group come before the lease is known.
    const early: (() => void)[] = [];
    let take = (frame: () => void): void => void early.push(frame);
    this.#lease = source.openRecording({
      video: (frame) => take(() => this.#video(frame)),
      audio: (frame) => take(() => this.#audio(frame)),
    });
    this.#runs = new ClockRuns({ clock, newRun, capturedAt: (mediaTimeMs) => this.#lease.timeline.capturedAt(mediaTimeMs) });
    this.#writer = init.openWriter(
      (mediaTimeMs) => this.#runs.placeOf(mediaTimeMs),
      () => this.#lease.isTranscoded(),
    );
    this.#stopReading = this.#lease.feed.subscribe((detections) => this.#see(detections));
    take = (frame) => frame();
    for (const frame of early) frame();
  }

  /** Bytes that wait for an event. */
  get waitingBytes(): number {
    return this.#preRoll.bytes;
  }

  /** True while frames are written; false while an event, or the source, is waited for. */
  get isWriting(): boolean {
    return !this.#isAway && this.#isWanted(this.#lease.timeline.newestMs);
  }

  /** Why nothing is written although frames come, in words. */
  get trouble(): string | undefined {
    return this.isWriting ? this.#writer.trouble : undefined;
  }

  /** Settings, zones or models are others now; to be called once at the beginning. @throws MediaPeerError where the detector cannot be had: the recording goes on without */
  sync(): void {
    if (this.#isClosed) return;
    const { mode, detections } = this.#init.settings();
    const isWanted = (mode === 'events' || detections === 'always') && this.#init.source.labels !== undefined;
    if (isWanted) this.#detections ??= this.#init.source.openDetections();
    else this.#releaseDetections();
    if (mode === 'events') return;
    for (const { kind, frame } of this.#preRoll.take().frames) this.#write(kind, frame);
  }

  /** Calls `listener` once, when the source ends or is to be opened anew. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void {
    // Who is told gives the lease back, and with its last lease a track ends.
    let isTold = false;
    const tell = (reason: EndReason): void => {
      if (isTold) return;
      isTold = true;
      listener(reason);
    };
    this.#onOutdated = () => tell('source-changed');
    const stop = this.#lease.onClosed(tell);
    return () => {
      this.#onOutdated = undefined;
      stop();
    };
  }

  /** The segment ends, and is whole when this resolves; the next begins with the next keyframe. */
  async cut(): Promise<void> {
    if (this.#isClosed) return;
    this.#lease.requestKeyframe();
    await this.#writer.cut();
  }

  /** Everything that came is on disk when this resolves. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#stopReading();
      this.#releaseDetections();
      this.#lease.release();
      this.#preRoll.clear();
    }
    await this.#writer.close();
  }

  #releaseDetections(): void {
    this.#detections?.release();
    this.#detections = undefined;
  }

  #video(frame: EncodedFrame): void {
    if (this.#isClosed) return;
    if (this.#lease.isStandIn(frame.mediaTimeMs)) return this.#away();
    this.#isAway = false;
    if (this.#runs.arrived(frame.mediaTimeMs)) {
      this.#cutsAtKeyframe = true;
      this.#lease.requestKeyframe();
    }
    if (frame.keyframe && this.#lease.isOutdated()) return this.#onOutdated?.();
    this.#take('video', frame);
  }

  #audio(frame: EncodedFrame): void {
    if (!this.#isClosed && !this.#isAway) this.#take('audio', frame);
  }

  /** Sound alone says little of a camera that shows nothing. */
  #away(): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#preRoll.clear();
    void this.#writer.cut();
  }

  #take(kind: 'video' | 'audio', frame: EncodedFrame): void {
    if (this.#isWanted(frame.mediaTimeMs)) return this.#write(kind, frame);
    if (this.#untilMs > -Infinity) {
      // The event is over.
      this.#untilMs = -Infinity;
      void this.#writer.cut();
    }
    this.#preRoll.push(kind, frame, this.#init.settings().preS * 1000);
  }

  #isWanted(mediaTimeMs: number): boolean {
    return this.#init.settings().mode !== 'events' || mediaTimeMs <= this.#untilMs;
  }

  #write(kind: 'video' | 'audio', frame: EncodedFrame): void {
    if (kind === 'video' && frame.keyframe && this.#cutsAtKeyframe) {
      this.#cutsAtKeyframe = false;
      void this.#writer.cut();
    }
    this.#writer.write(kind, frame, kind === 'audio' ? 'opus' : this.#lease.codec);
  }

  #see(detections: FrameDetections): void {
    const { mode, postS, detections: kept } = this.#init.settings();
    if (mode === 'events' && (detections.scene?.events.length ?? 0) > 0) this.#happened(detections.mediaTimeMs + postS * 1000);
    if (kept === 'off') return;
    if (mode === 'events' && this.#untilMs === -Infinity) this.#preRoll.see(detections);
    else this.#keep(detections);
  }

  /** An event begins, or goes on. */
  #happened(untilMs: number): void {
    const isFirst = this.#untilMs === -Infinity;
    this.#untilMs = Math.max(this.#untilMs, untilMs);
    if (!isFirst) return;
    const { frames, detections } = this.#preRoll.take();
    for (const { kind, frame } of frames) this.#write(kind, frame);
    for (const each of detections) this.#keep(each);
  }

  #keep(detections: FrameDetections): void {
    const wallMs = this.#runs.wallMsAt(detections.mediaTimeMs);
    if (wallMs === undefined || this.#isAway) return;
    this.#writer.writeDetections(detections);
    this.#init.onDetections(wallMs, detections);
  }
}
