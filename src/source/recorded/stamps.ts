/**
 * Media times of a playback. A frame's is the moment at which it is due, so time goes on over seeks, pauses and gaps and never steps
 * back. Frames that lead from a keyframe to the one that is wanted are squeezed in right before that one.
 */
import type { Clock } from '../../base/clock.js';
import { PAIRING_TOLERANCE_TICKS, type Timeline } from '../../media/index.js';

/** So far from a frame's own time no message is paired with it. */
const CLEAR_MS = (PAIRING_TOLERANCE_TICKS + 9) / 90;
/** Between two frames that are shown. */
const MIN_STEP_MS = 2;
/** Between frames that lead to another: as on joining where there is room, and never less than ten ticks. */
const SQUEEZED_MS = { most: 100 / 90, least: 10 / 90 } as const;
/** Where a timeline begins, so that there is room before its first frame. */
const BEGIN_MS = 1_000;

/** Gives media times. */
export class PlaybackStamps {
  readonly #clock: Clock;
  readonly #timeline: Timeline;
  readonly #originMs: number;
  #newestVideoMs: number;
  #newestAudioMs: number;
  #squeezedMs: number = SQUEEZED_MS.least;

  /** @param timeline is tied to the wall clock by its first playback, and continued by others */
  constructor(clock: Clock, timeline: Timeline) {
    this.#clock = clock;
    this.#timeline = timeline;
    timeline.anchor(BEGIN_MS, clock.wallClock());
    this.#originMs = clock.now() - (timeline.mediaTimeAt(clock.wallClock()) ?? BEGIN_MS);
    this.#newestVideoMs = this.#newestAudioMs = timeline.newestMs;
  }

  /** Media time of now. */
  get nowMs(): number {
    return this.#clock.now() - this.#originMs;
  }

  /** About so many frames follow that only lead to another. */
  beginLead(count: number): void {
    const first = Math.max(this.#newestVideoMs + CLEAR_MS, this.nowMs - count * SQUEEZED_MS.most);
    const room = (this.nowMs - CLEAR_MS - first) / Math.max(1, count);
    this.#squeezedMs = Math.min(SQUEEZED_MS.most, Math.max(SQUEEZED_MS.least, room));
    this.#newestVideoMs = first - this.#squeezedMs;
  }

  /** Of the next frame that leads to another. */
  lead(): number {
    return this.#video(this.#newestVideoMs + this.#squeezedMs);
  }

  /** Of a frame that is shown. @param afterLead frames led to it */
  shown(dueMs: number, afterLead: boolean): number {
    return this.#video(Math.max(dueMs, this.#newestVideoMs + (afterLead ? CLEAR_MS : MIN_STEP_MS)));
  }

  /** Of a packet of sound; undefined where it would step back. */
  sound(dueMs: number): number | undefined {
    if (dueMs <= this.#newestAudioMs) return undefined;
    this.#newestAudioMs = dueMs;
    this.#timeline.delivered(dueMs);
    return dueMs;
  }

  #video(mediaTimeMs: number): number {
    this.#newestVideoMs = mediaTimeMs;
    this.#timeline.delivered(mediaTimeMs);
    return mediaTimeMs;
  }
}
