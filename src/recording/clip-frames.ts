/** The frames of a clip on a timeline of its own, which begins with 0: gaps are left out, and what follows goes on at once. */
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { EncodedFrame } from '../media/index.js';
import { ROUNDING_MS, type ClipPlan, type ClipSegment } from './clip-plan.js';
import type { RecordingArchive } from './recorded.js';

/** What lies between two frames is no gap up to here. */
const GAP_MS = 1000;
/** Between frames, where nothing tells. */
const USUAL_STEP_MS = 40;
const MAX_STEP_MS = 200;

/** One frame of a clip. */
export interface ClipFrame {
  /** Picture or sound. */
  readonly kind: 'video' | 'audio';
  /** Its media time counts from the clip's first frame. */
  readonly frame: EncodedFrame;
  /** When it was captured, Unix milliseconds. */
  readonly wallMs: number;
  /** That it was recorded in. */
  readonly run: number;
}

/** Where the clip's frames come from. */
export interface ClipFramesInit {
  /** What is read. */
  readonly archive: RecordingArchive;
  /** Of the clip. */
  readonly plan: ClipPlan;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Reads as far as it is asked. What is damaged is left out, as a gap is. @throws the signal's reason; MediaPeerError RECORDING_DAMAGED where nothing can be read */
export async function* clipFrames({ archive, plan, signal, logger }: ClipFramesInit): AsyncGenerator<ClipFrame> {
  const timeline = new ClipTimeline();
  let hasFrames = false;
  let damage: MediaPeerError | undefined;
  for (const segment of plan.segments) {
    signal.throwIfAborted();
    const isFirst = segment === plan.segments[0];
    timeline.begin(isFirst ? plan.startMs : segment.fromMs);
    try {
      const frames = segmentFrames(
        archive,
        segment,
        { fromMs: isFirst ? plan.startMs : segment.fromMs, toMs: plan.request.toMs - ROUNDING_MS },
        timeline,
        signal,
      );
      for await (const each of frames) {
        hasFrames = true;
        yield each;
      }
    } catch (error) {
      if (!(error instanceof MediaPeerError) || error.code !== 'RECORDING_DAMAGED') throw error;
      damage = error;
      logger.warn({ file: segment.file, err: error }, 'a part of a recording cannot be read and is left out of a clip');
    }
  }
  if (!hasFrames && damage) throw damage;
}

async function* segmentFrames(
  archive: RecordingArchive,
  segment: ClipSegment,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  timeline: ClipTimeline,
  signal: AbortSignal,
): AsyncGenerator<ClipFrame> {
  const reader = await archive.openSegment(segment);
  try {
    for await (const { kind, frame, wallMs } of reader.frames(fromMs, signal)) {
      signal.throwIfAborted();
      // Sound and picture are not in step to the frame: only the picture tells that the end is reached.
      if (wallMs >= toMs && kind === 'video') return;
      const mediaTimeMs = timeline.place(kind, wallMs);
      if (wallMs >= toMs || mediaTimeMs === undefined) continue;
      yield { kind, wallMs, run: segment.run, frame: { ...frame, mediaTimeMs } };
    }
  } finally {
    await reader.close();
  }
}

/** From UTC to the time of the clip. */
class ClipTimeline {
  #offsetMs = 0;
  /** Of the clip. */
  readonly #newest = { video: -Infinity, audio: -Infinity };
  #stepMs = USUAL_STEP_MS;
  #isBegun = false;

  /** A segment begins, in UTC: behind a gap or a step of the clock it follows at once. */
  begin(firstMs: number): void {
    const dueMs = this.#isBegun ? Math.max(this.#newest.video, -this.#stepMs) + this.#stepMs : 0;
    const lateMs = firstMs + this.#offsetMs - dueMs;
    if (!this.#isBegun || lateMs > GAP_MS || lateMs < -this.#stepMs / 2) this.#offsetMs = dueMs - firstMs;
    this.#isBegun = true;
  }

  /** When a frame is shown or heard; undefined: it has no place, for another one is there. */
  place(kind: 'video' | 'audio', wallMs: number): number | undefined {
    const timeMs = wallMs + this.#offsetMs;
    const newest = this.#newest[kind];
    // Rounded, the first frame may lie before the time it begins with.
    if (timeMs <= newest || timeMs < -USUAL_STEP_MS) return undefined;
    if (kind === 'video' && newest >= 0) this.#stepMs = Math.min(timeMs - newest, MAX_STEP_MS);
    this.#newest[kind] = timeMs;
    return Math.max(0, timeMs);
  }
}
