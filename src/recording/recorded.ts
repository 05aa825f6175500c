/** What a recording is made of, as its readers see it. All times are UTC in milliseconds since 1970. */
import type { EncodedFrame, FrameDetections, VideoCodec } from '../media/index.js';

/** A stretch of UTC, milliseconds since 1970, the end not in it. */
export interface TimeRange {
  /** Where it begins. */
  readonly fromMs: number;
  /** Where it ends. */
  readonly toMs: number;
}

/** What one segment's file holds. */
export interface SegmentFormat {
  /** Its picture; undefined: none. */
  readonly video: SegmentVideo | undefined;
  /** There is a track of sound, Opus. */
  readonly hasSound: boolean;
}

/** The picture of a segment. */
export interface SegmentVideo {
  /** As it was recorded. */
  readonly codec: VideoCodec;
  /** After cropping, in pixels. */
  readonly widthPx: number;
  /** After cropping, in pixels. */
  readonly heightPx: number;
  /** Codec, profile and level: `avc1.64001f` (RFC 6381). */
  readonly codecs: string;
}

/** One file of a recording. */
export interface RecordedSegment extends TimeRange {
  /** The source that was recorded. */
  readonly sourceId: string;
  /** Of its row in the index: ascending within a source, never used again. */
  readonly id: number;
  /** Segments of one run lie on one clock without a step; another run may overlap it in UTC. */
  readonly run: number;
  /** Absolute path. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** What is in it. */
  readonly format: SegmentFormat;
  /** It was encoded for viewers, not as it came. */
  readonly isTranscoded: boolean;
  /** It is still being written. */
  readonly isOpen: boolean;
}

/** A frame of the past. */
export interface RecordedFrame {
  /** Which track of the segment it is of. */
  readonly kind: 'video' | 'audio';
  /** Its media time counts from the segment's first frame; nothing is reordered, so frames are shown in the order of the file. */
  readonly frame: EncodedFrame;
  /** When it was captured: the segment's anchor and its media time. */
  readonly wallMs: number;
}

/** Where a keyframe of a segment stands. */
export interface GroupPlace {
  /** When it was captured. */
  readonly atMs: number;
  /** Of the fragment that holds it, in the file: its first byte. */
  readonly offset: number;
  /** Size of the keyframe; 0: unknown. */
  readonly bytes: number;
}

/** A keyframe's place among all segments. */
export interface RecordedGroup extends GroupPlace {
  /** That it is in. */
  readonly segment: RecordedSegment;
}

/** Reads one segment, also one that is being written. */
export interface SegmentReader {
  /** What is in it. */
  readonly format: SegmentFormat;
  /**
   * Frames from the last keyframe at or before `fromMs` on, sound from there too; from the first where there is none before. Ends at
   * the last whole fragment that is written by then, or when the signal is aborted. A fragment is read at a time.
   * @param begin that keyframe, where it is known: nothing has to be looked for
   * @throws MediaPeerError RECORDING_DAMAGED
   */
  frames(fromMs: number, signal?: AbortSignal, begin?: Pick<GroupPlace, 'atMs' | 'offset'>): AsyncIterable<RecordedFrame>;
  /** Its keyframes, found without reading what they hold. @throws MediaPeerError RECORDING_DAMAGED */
  groups(): Promise<GroupPlace[]>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Detections of the past. */
export interface RecordedDetections {
  /** When the frame was captured that they were found in. */
  readonly wallMs: number;
  /** As they were published then. */
  readonly detections: FrameDetections;
}

/** What happened to a segment. */
export interface SegmentChange {
  /** `grown` by a fragment. */
  readonly kind: 'begun' | 'grown' | 'finished' | 'removed';
  /** As it is now. */
  readonly segment: RecordedSegment;
}

/** What was recorded. All answers are bounded; all times are UTC in ms. */
export interface RecordingArchive {
  /** Stretches without a gap, oldest first: segments of one run that follow each other within 1 s are one. */
  ranges(sourceId: string, within: TimeRange): Promise<TimeRange[]>;
  /** Segments that overlap the range, oldest first; the one that is being written too. */
  segments(sourceId: string, within: TimeRange): Promise<RecordedSegment[]>;
  /** The last keyframe at or before; undefined: none. */
  groupBefore(sourceId: string, atMs: number): Promise<RecordedGroup | undefined>;
  /** The first keyframe after; undefined: none. @param run of this run alone. Default: of any */
  groupAfter(sourceId: string, atMs: number, run?: number): Promise<RecordedGroup | undefined>;
  /** Keyframes of the range, oldest first, `limit` at most. */
  groups(sourceId: string, within: TimeRange, limit: number): Promise<RecordedGroup[]>;
  /** Close the reader. @throws MediaPeerError RECORDING_DAMAGED */
  openSegment(segment: RecordedSegment): Promise<SegmentReader>;
  /** What was seen then; ascending within a run. @param run in this run alone. Default: in all, one after the other */
  detections(sourceId: string, within: TimeRange, run?: number): AsyncIterable<RecordedDetections>;
  /** Sources that something is recorded of. */
  sources(): Promise<string[]>;
  /** Calls the listener at each change; call the returned function to stop. */
  onChange(listener: (change: SegmentChange) => void): () => void;
}
