/** What a clip is made of: which segments, from which frame on, and whether they have to be encoded. */
import { MediaPeerError } from '../base/errors.js';
import { inGap, soundAlone, throwNotRecorded } from './not-recorded.js';
import type { RecordedSegment, RecordingArchive, SegmentVideo, TimeRange } from './recorded.js';
import { runByRun } from './stretches.js';

/** The longest clip. */
const MAX_CLIP_MS = 6 * 3_600_000;

/** Whoever asks for the time of a frame means that frame: both were rounded. So a clip that ends with it and one that begins with it share none. */
export const ROUNDING_MS = 1;

/** What somebody wants. */
export interface ClipRequest extends TimeRange {
  /** The source that was recorded. */
  readonly sourceId: string;
  /** It begins with the very frame; else with the keyframe at or before it. */
  readonly isExact: boolean;
  /** What was seen then is drawn into it. */
  readonly isAnnotated: boolean;
}

/** A segment with pictures. */
export type ClipSegment = RecordedSegment & { readonly format: { readonly video: SegmentVideo } };

/** How a clip is made. */
export interface ClipPlan {
  /** What was asked for. */
  readonly request: ClipRequest;
  /** In the order in which they are shown: oldest first, and one run after the other where they overlap; at least one. */
  readonly segments: readonly ClipSegment[];
  /** Its first frame, a keyframe, Unix milliseconds. */
  readonly startMs: number;
  /** What of its beginning is not shown. */
  readonly trimMs: number;
  /** About how long it is; gaps are left out. */
  readonly durationMs: number;
  /** It has sound somewhere. */
  readonly hasSound: boolean;
  /** Of its first segment. */
  readonly video: SegmentVideo;
  /** Pictures are decoded and encoded; else they are copied. */
  readonly isEncoded: boolean;
}

/** @param nowMs Unix milliseconds @throws MediaPeerError QUERY_INVALID, RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, RECORDING_DAMAGED, CLIP_FORMAT_CHANGES */
export async function planClip(archive: RecordingArchive, request: ClipRequest, nowMs: number): Promise<ClipPlan> {
  const { sourceId, fromMs, toMs, isExact, isAnnotated } = request;
  if (fromMs >= toMs)
    throw new MediaPeerError('QUERY_INVALID', `from (${fromMs / 1000}) is not earlier than to (${toMs / 1000}); both are Unix seconds`);
  if (toMs - fromMs > MAX_CLIP_MS)
    throw new MediaPeerError('QUERY_INVALID', `a clip has at most ${MAX_CLIP_MS / 3_600_000} hours; ask for the rest in another one`);
  const found = (await archive.segments(sourceId, request)).filter((each): each is ClipSegment => each.format.video !== undefined);
  const segments = await fromFirstReadable(archive, runByRun(found));
  const [first] = segments;
  if (!first) return nothingThere(archive, request, nowMs);
  const startMs = await keyframeBefore(archive, first, fromMs + ROUNDING_MS);
  const isEncoded = isExact || isAnnotated || first.format.video.codec !== 'h264';
  throwIfItChanges(segments, isEncoded);
  const trimMs = isExact ? Math.max(0, fromMs - startMs - ROUNDING_MS) : 0;
  const lengths = segments.map((each) => Math.max(0, Math.min(each.toMs, toMs) - Math.max(each.fromMs, startMs)));
  return {
    request,
    segments,
    startMs,
    trimMs,
    durationMs: Math.max(0, lengths.reduce((sum, length) => sum + length, 0) - trimMs),
    hasSound: segments.some(({ format }) => format.hasSound),
    video: first.format.video,
    isEncoded,
  };
}

/** The last keyframe of a segment at or before; else its first. */
async function keyframeBefore(archive: RecordingArchive, segment: RecordedSegment, atMs: number): Promise<number> {
  const group = await archive.groupBefore(segment.sourceId, Math.max(atMs, segment.fromMs));
  if (group?.segment.id === segment.id) return group.atMs;
  // Another run has one that is nearer.
  const reader = await archive.openSegment(segment);
  try {
    return (await reader.groups()).findLast((each) => each.atMs <= atMs)?.atMs ?? segment.fromMs;
  } finally {
    await reader.close();
  }
}

/** A clip begins with what can be read. @throws MediaPeerError RECORDING_DAMAGED where nothing can */
async function fromFirstReadable(archive: RecordingArchive, segments: readonly ClipSegment[]): Promise<readonly ClipSegment[]> {
  let damage: MediaPeerError | undefined;
  for (const [at, segment] of segments.entries()) {
    try {
      await (await archive.openSegment(segment)).close();
      return segments.slice(at);
    } catch (error) {
      if (!(error instanceof MediaPeerError) || error.code !== 'RECORDING_DAMAGED') throw error;
      damage = error;
    }
  }
  if (damage) throw damage;
  return [];
}

async function nothingThere(archive: RecordingArchive, { sourceId, fromMs, toMs }: ClipRequest, nowMs: number): Promise<never> {
  if ((await archive.segments(sourceId, { fromMs, toMs })).length > 0) throw soundAlone(sourceId, fromMs);
  const ranges = await archive.ranges(sourceId, { fromMs: 0, toMs: nowMs });
  const before = ranges.findLast((range) => range.toMs <= fromMs);
  const after = ranges.find((range) => range.fromMs >= toMs);
  if (before && after) throw inGap(sourceId, `${fromMs / 1000} to ${toMs / 1000}`, { fromMs: before.toMs, toMs: after.fromMs });
  return throwNotRecorded(archive, sourceId, fromMs, nowMs);
}

/** Pictures that are encoded may change their size, for they are scaled; one decoder reads one codec. */
function throwIfItChanges(segments: readonly ClipSegment[], isEncoded: boolean): void {
  const [first] = segments;
  const other = segments.find(({ format: { video } }) => first && !isAlike(video, first.format.video, isEncoded));
  if (!first || !other) return;
  const [was, is] = [inWords(first.format.video), inWords(other.format.video)];
  const at = other.fromMs / 1000;
  const hint =
    isEncoded || other.format.video.codec !== first.format.video.codec ? '' : ', or with exact=1, which brings all of it to one size';
  throw new MediaPeerError(
    'CLIP_FORMAT_CHANGES',
    `at ${at} the picture changes from ${was} to ${is}; ask for a clip before and one after that${hint}`,
    {
      facts: { at },
    },
  );
}

function isAlike(a: SegmentVideo, b: SegmentVideo, isEncoded: boolean): boolean {
  return a.codec === b.codec && (isEncoded || (a.widthPx === b.widthPx && a.heightPx === b.heightPx && a.codecs === b.codecs));
}

function inWords({ codecs, widthPx, heightPx }: SegmentVideo): string {
  return `${widthPx}x${heightPx} (${codecs})`;
}
