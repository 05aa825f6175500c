/**
 * The frames of a recording from some time on, one segment after the other, up to what is being written now. What cannot be
 * read is passed over up to the next keyframe that can be, and said.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { RecordedFrame, RecordedGroup, RecordedSegment, RecordingArchive } from '../../recording/index.js';
import { Growth } from './growth.js';

/** What comes of a recording. */
export type RecordedItem =
  /** Nothing more is written yet. */
  | { readonly kind: 'tail' }
  | { readonly kind: 'frame'; readonly frame: RecordedFrame; readonly segment: RecordedSegment }
  | {
      readonly kind: 'gap';
      /** The last time of which there is something. */
      readonly fromMs: number;
      /** The next. */
      readonly toMs: number;
      /** Why there is nothing, where it is known. */
      readonly reason: string | undefined;
    };

/** What is read. */
export interface RecordedFramesInit {
  /** What was recorded. */
  readonly archive: RecordingArchive;
  /** Whose recording it is. */
  readonly sourceId: string;
  readonly clock: Clock;
}

/** Less is no gap: segments follow each other within that. */
const MAX_STEP_MS = 1_000;
/** The index and the files round times in their own ways; frames are further apart. */
const ROUNDING_MS = 1;
/** A recording that goes on brings a fragment twice a second. */
const GROWS_WITHIN_MS = 3_000;

/** A keyframe has the same time in the index and in its file, but for what is rounded. */
const SAME_MS = 2;

/** How the reading of a segment ended. */
interface SegmentEnd {
  /** The newest frame of it, or where it began. */
  readonly reachedMs: number;
  /** What can be read comes after that. */
  readonly skipToMs: number;
  /** Why it could not be read to its end. */
  readonly fault: string | undefined;
}

/** Frames from the last keyframe at or before `atMs` on; from the first after it where there is none. Ends where nothing more is recorded. @param begin that keyframe, where it is known */
export async function* recordedFrames(
  { archive, sourceId, clock }: RecordedFramesInit,
  atMs: number,
  signal: AbortSignal,
  begin?: RecordedGroup,
): AsyncGenerator<RecordedItem, void, undefined> {
  const growth = new Growth(archive, sourceId, clock);
  try {
    let group = begin ?? (await groupAt(archive, sourceId, atMs));
    let reachedMs = atMs;
    let reason: string | undefined;
    while (group && !signal.aborted) {
      if (reason !== undefined || group.atMs - reachedMs > MAX_STEP_MS)
        yield { kind: 'gap', fromMs: Math.min(reachedMs, group.atMs), toMs: group.atMs, reason };
      const end: SegmentEnd = yield* segmentFrames(archive, group, growth, signal);
      reachedMs = end.reachedMs;
      reason = end.fault;
      group = await nextGroup({ archive, sourceId, clock }, { afterMs: end.skipToMs, run: group.segment.run }, growth, signal);
    }
  } finally {
    growth.close();
  }
}

/** Where the frames for a time begin; undefined behind the end of all. */
export async function groupAt(archive: RecordingArchive, sourceId: string, atMs: number): Promise<RecordedGroup | undefined> {
  const before = await archive.groupBefore(sourceId, atMs);
  if (before && (before.segment.isOpen || atMs < before.segment.toMs + MAX_STEP_MS)) return before;
  return archive.groupAfter(sourceId, atMs);
}

/** The next segment of a recording that goes on is there a moment after the last one has ended. Where runs lie over one another, it goes on in its own. */
async function nextGroup(
  { archive, sourceId, clock }: RecordedFramesInit,
  { afterMs, run }: { readonly afterMs: number; readonly run: number },
  growth: Growth,
  signal: AbortSignal,
): Promise<RecordedGroup | undefined> {
  for (;;) {
    const { count } = growth;
    const own = await archive.groupAfter(sourceId, afterMs, run);
    if (own && own.atMs - afterMs <= MAX_STEP_MS) return own;
    const next = await archive.groupAfter(sourceId, afterMs);
    // An older one lies behind where the clock was set back while this one is being recorded.
    if ((next && next.segment.run >= run) || Math.abs(clock.wallClock() - afterMs) > GROWS_WITHIN_MS) return next;
    if (!(await growth.after(count, GROWS_WITHIN_MS, signal))) return next;
  }
}

async function* segmentFrames(
  archive: RecordingArchive,
  group: RecordedGroup,
  growth: Growth,
  signal: AbortSignal,
): AsyncGenerator<RecordedItem, SegmentEnd, undefined> {
  const { segment, atMs } = group;
  const reached = { video: -Infinity, audio: -Infinity };
  let reader;
  try {
    reader = await archive.openSegment(segment);
  } catch (error) {
    return { reachedMs: atMs, skipToMs: Math.max(atMs, segment.toMs - 1), fault: messageOf(error) };
  }
  let fault: string | undefined;
  try {
    for (;;) {
      const { count } = growth;
      const wasOpen = growth.isOpen(segment);
      for await (const frame of reader.frames(Math.max(atMs, reached.video), signal, reached.video === -Infinity ? group : undefined)) {
        if (reached.video === -Infinity && frame.kind === 'video' && frame.wallMs < atMs - SAME_MS) return cutOff(group);
        if (frame.wallMs <= reached[frame.kind]) continue;
        reached[frame.kind] = frame.wallMs;
        yield { kind: 'frame', frame, segment };
      }
      if (signal.aborted || !wasOpen) break;
      // What was finished meanwhile is read to its end once more.
      if (growth.isOpen(segment)) yield { kind: 'tail' };
      if (growth.isOpen(segment) && !(await growth.after(count, GROWS_WITHIN_MS, signal))) break;
    }
  } catch (error) {
    fault = messageOf(error);
  } finally {
    await reader.close();
  }
  const reachedMs = Math.max(atMs, reached.video);
  return { reachedMs, skipToMs: reachedMs + ROUNDING_MS, fault };
}

/** Its file is shorter than the index has it: what comes before is no part of what is played. */
function cutOff({ segment, atMs }: RecordedGroup): SegmentEnd {
  const fault = `${segment.file} was cut: there is nothing of ${new Date(atMs).toISOString()} in it`;
  return { reachedMs: atMs, skipToMs: Math.max(atMs, segment.toMs - 1), fault };
}
