/** All sources that are recorded now: each with its writer, and the rows of its segments. */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { EndReason } from '../media/index.js';
import type { Archive } from './archive.js';
import type { Anchor } from './clock-runs.js';
import type { WrittenSegment } from './open-segment.js';
import type { RecordedSegment } from './recorded.js';
import type { SeenLog } from './seen-log.js';
import type { SegmentFailure, SegmentWriterEvents } from './segment-writer.js';
import { SourceRecorder, type RecordableSource, type RecordingWriter, type SourceRecorderInit } from './source-recorder.js';

/** Which writer is opened. */
interface WriterRequest extends SegmentWriterEvents {
  /** That is recorded. */
  readonly sourceId: string;
  /** Where a segment that begins with this media time lies in UTC. */
  readonly placeOf: (mediaTimeMs: number) => Anchor;
  /** Sound is expected: the first segment has a track for it. */
  readonly hasSound: boolean;
  /** Whether what is written is encoded for viewers. */
  readonly isTranscoded: () => boolean;
}

/** What recordings are made with. */
export interface RecorderInit {
  /** Where segments are entered. */
  readonly archive: Archive;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How a source is recorded now. */
  readonly settingsOf: (sourceId: string) => ReturnType<SourceRecorderInit['settings']>;
  /** Opens what writes the segments of a source. */
  readonly openWriter: (request: WriterRequest) => RecordingWriter;
  /** Begins to follow what is seen in a source. Default: nobody does. */
  readonly openSeen?: ((sourceId: string) => SeenLog) | undefined;
  /** A segment is whole. */
  readonly onSegment: (segment: RecordedSegment) => void;
  /** The disk takes no more. */
  readonly onFull: () => void;
  /** The folder of a source was gone, and has been made anew: what lay in it beside segments is lost. */
  readonly onFolderLost: (sourceId: string) => void;
}

/** What was recorded since the start. */
export interface RecorderCounts {
  /** Bytes of segments. */
  readonly bytes: number;
  /** Segments that were finished. */
  readonly segments: number;
  /** Times at which a source that is recorded has none of a second or more. */
  readonly gaps: number;
  /** Segments that ended because they could not be written. */
  readonly errors: number;
}

/** A gap is longer than that, ms. */
const MIN_GAP_MS = 1_000;
const WARN_MS = 60_000;

/** Records sources for as long as somebody holds them. */
export class Recorder {
  readonly #init: RecorderInit;
  readonly #recorders = new Map<string, SourceRecorder>();
  /** Of recordings that end: their last bytes are on their way to the disk. */
  readonly #closing = new Map<Promise<void>, string>();
  /** UTC of the end of the last segment of each source that is recorded. */
  readonly #lastMs = new Map<string, number>();
  readonly #counts = { bytes: 0, segments: 0, gaps: 0, errors: 0 };
  #warnedMs = -Infinity;
  #lastError: string | undefined;

  constructor(init: RecorderInit) {
    this.#init = init;
  }

  /** Sources that are recorded now. */
  get sources(): readonly string[] {
    return [...this.#recorders.keys()];
  }

  /** Since the start. */
  get counts(): RecorderCounts {
    return { ...this.#counts };
  }

  /** Why the last segment that could not be written was not; undefined since one was finished. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** `recording`: frames are written; `waiting`: for an event, or for the source; `stopped`: they cannot be written; undefined: it is not recorded. */
  stateOf(sourceId: string): 'recording' | 'waiting' | 'stopped' | undefined {
    const recorder = this.#recorders.get(sourceId);
    if (recorder?.trouble !== undefined) return 'stopped';
    return recorder && (recorder.isWriting ? 'recording' : 'waiting');
  }

  /** Why a source, or any of them, is not recorded although it should be, in words. */
  troubleOf(sourceId?: string): string | undefined {
    if (sourceId !== undefined) return this.#recorders.get(sourceId)?.trouble;
    return [...this.#recorders.values()].map(({ trouble }) => trouble).find((trouble) => trouble !== undefined);
  }

  /** Bytes that wait in memory for events, of all sources. */
  get waitingBytes(): number {
    return [...this.#recorders.values()].reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
  }

  /** Records a source until that is released, or the source ends. @throws MediaPeerError where the source cannot be had */
  record(source: RecordableSource): { onClosed(listener: (reason: EndReason) => void): () => void; release(): void } {
    const { sourceId } = source;
    const { archive, clock, settingsOf, openWriter, openSeen } = this.#init;
    /** Once there is something to follow. */
    let seen: SeenLog | undefined;
    const recorder = new SourceRecorder({
      source,
      settings: () => settingsOf(sourceId),
      clock,
      newRun: () => archive.nextId(),
      openWriter: (placeOf, isTranscoded) =>
        openWriter({ sourceId, placeOf, isTranscoded, hasSound: source.media.hasAudio, ...this.#eventsOf(sourceId) }),
      onDetections: (wallMs, detections) => (seen ??= openSeen?.(sourceId))?.take(wallMs, detections),
    });
    this.#recorders.set(sourceId, recorder);
    this.#sync(sourceId, recorder);
    return {
      onClosed: (listener) => recorder.onClosed(listener),
      release: () => {
        if (this.#recorders.get(sourceId) !== recorder) return;
        this.#recorders.delete(sourceId);
        seen?.close();
        const closing = recorder.close().finally(() => this.#closing.delete(closing));
        this.#closing.set(closing, sourceId);
      },
    };
  }

  /** Settings, zones or models are others now. */
  sync(): void {
    for (const [sourceId, recorder] of this.#recorders) this.#sync(sourceId, recorder);
  }

  #sync(sourceId: string, recorder: SourceRecorder): void {
    try {
      recorder.sync();
    } catch (error) {
      // The recording goes on; what is seen is asked for again with the next change.
      this.#init.logger.warn({ sourceId, reason: messageOf(error) }, 'nothing is detected for a recording');
    }
  }

  /** Ends the segment that a source is written to, and resolves when it is whole. What follows begins with the next keyframe. */
  async cut(sourceId: string): Promise<void> {
    const ending = [...this.#closing].flatMap(([closing, id]) => (id === sourceId ? [closing] : []));
    await Promise.all([this.#recorders.get(sourceId)?.cut(), ...ending]);
  }

  /** Resolves when everything of what was released is on disk. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing.keys());
  }

  #eventsOf(sourceId: string): SegmentWriterEvents {
    const { archive, logger, onSegment, onFull, onFolderLost } = this.#init;
    /** The writer has one open segment at a time, and may finish the one before later. */
    const known = new Map<string, RecordedSegment>();
    const asKnown = (written: WrittenSegment): RecordedSegment | undefined => {
      const segment = known.get(written.file);
      return segment && { ...written, id: segment.id };
    };
    const finish = (written: WrittenSegment): void => {
      const segment = asKnown({ ...written, isOpen: false });
      if (!segment) return;
      known.delete(written.file);
      if (segment.toMs <= segment.fromMs) return archive.forget([segment]);
      this.#counts.segments++;
      this.#counts.bytes += segment.bytes;
      this.#lastMs.set(segment.sourceId, segment.toMs);
      archive.finish(segment);
      onSegment(segment);
    };
    return {
      onBegun: (written) => {
        this.#countGap(written);
        known.set(written.file, archive.begin(written));
      },
      onGrown: (written, groups) => {
        const segment = asKnown(written);
        if (segment) archive.grow(segment, groups);
      },
      onFinished: (written) => {
        this.#lastError = undefined;
        finish(written);
      },
      onFailed: (failure) => {
        this.#counts.errors++;
        this.#lastError = failure.message;
        this.#warn(failure);
        if (failure.segment) finish(failure.segment);
        if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(failure.code)) onFull();
      },
      onFolderLost: () => {
        this.#lastError = `the folder of recordings of '${sourceId}' was gone while the server ran, and was made anew: see whether its disk is mounted`;
        logger.error({ sourceId }, this.#lastError);
        onFolderLost(sourceId);
      },
    };
  }

  #countGap({ sourceId, fromMs }: WrittenSegment): void {
    const lastMs = this.#lastMs.get(sourceId);
    if (lastMs !== undefined && fromMs - lastMs > MIN_GAP_MS) this.#counts.gaps++;
  }

  #warn({ code, message, segment }: SegmentFailure): void {
    const { clock, logger } = this.#init;
    if (clock.now() - this.#warnedMs < WARN_MS) return;
    this.#warnedMs = clock.now();
    logger.error({ code, reason: message, file: segment?.file, errors: this.#counts.errors }, 'a recording cannot be written');
  }
}
