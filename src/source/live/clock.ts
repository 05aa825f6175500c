/**
 * Puts the times of publishers, which begin anywhere and may jump, on the one timeline of a source, which never steps
 * back. Pictures and sound of a publisher are moved by the same amount, so they stay together.
 */
import type { Clock } from '../../base/clock.js';
import type { Timeline } from '../../media/index.js';

/** Between a frame and the one before, at least: so far apart that messages are paired with the right one. */
const MIN_STEP_MS = 2;
/** A publisher's clock that differs by more from the time that passed here has jumped. */
const MAX_JUMP_MS = 5_000;
/** A picture that was captured before a stand-in, and came after it, is older by no more; one that is has a clock that stood still. */
const MAX_OVERTAKEN_MS = 500;

/** Maps the times of one publisher after the other to the timeline of one source. */
export class LiveClock {
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  /** Whose times `#offsetMs` moves. */
  #publication: object | undefined;
  #offsetMs = 0;
  /** The publisher's time of the newest frame, and when it came. */
  #publishedMs = 0;
  #arrivedMs = 0;
  /** When the newest media time was delivered. */
  #newestAtMs: number;
  #newestVideoMs = -Infinity;
  #newestAudioMs = -Infinity;

  constructor(timeline: Timeline, clock: Clock) {
    this.#timeline = timeline;
    this.#clock = clock;
    this.#newestAtMs = clock.now();
  }

  /** What the media time is now: it continues while nothing comes. */
  get presentMs(): number {
    const { newestMs, isAnchored } = this.#timeline;
    if (!isAnchored) this.#timeline.anchor(0, this.#clock.wallClock());
    return newestMs === -Infinity ? 0 : newestMs + (this.#clock.now() - this.#newestAtMs);
  }

  /** Media time of the next picture of a publication. */
  video(publication: object, timeMs: number): number {
    const mediaTimeMs = Math.max(this.#place(publication, timeMs), this.#newestVideoMs + MIN_STEP_MS);
    this.#newestVideoMs = mediaTimeMs;
    return this.#delivered(mediaTimeMs);
  }

  /** Media time of a frame of another layer of a publication: the same frame has the same one in each. */
  layer(publication: object, timeMs: number): number {
    return this.#delivered(this.#place(publication, timeMs));
  }

  /** Media time of a frame that came before, in whatever layer; undefined of a publication that has no place yet. */
  before(publication: object, timeMs: number): number | undefined {
    return publication === this.#publication ? timeMs + this.#offsetMs : undefined;
  }

  /** As `video`, for the first picture after a stand-in: what follows, sound too, is moved by as much as it is, where that is little. */
  videoAfterStandIn(publication: object, timeMs: number): number {
    const early = this.#newestVideoMs + MIN_STEP_MS - this.#place(publication, timeMs);
    if (early > 0 && early <= MAX_OVERTAKEN_MS) this.#offsetMs += early;
    return this.video(publication, timeMs);
  }

  /** Media time of the next packet of sound; undefined where it came too late. */
  audio(publication: object, timeMs: number): number | undefined {
    const mediaTimeMs = this.#place(publication, timeMs);
    if (mediaTimeMs <= this.#newestAudioMs) return undefined;
    this.#newestAudioMs = mediaTimeMs;
    return this.#delivered(mediaTimeMs);
  }

  /** Media time of a picture that is made here, now. */
  standIn(): number {
    const mediaTimeMs = Math.max(this.presentMs, this.#newestVideoMs + MIN_STEP_MS);
    this.#newestVideoMs = mediaTimeMs;
    return this.#delivered(mediaTimeMs);
  }

  #delivered(mediaTimeMs: number): number {
    // Time counts from the newest of all kinds, which may be a little ahead of this one.
    if (mediaTimeMs >= this.#timeline.newestMs) this.#newestAtMs = this.#clock.now();
    this.#timeline.delivered(mediaTimeMs);
    return mediaTimeMs;
  }

  /** Another publication, or one whose clock jumped, goes on at the present. */
  #place(publication: object, timeMs: number): number {
    const nowMs = this.#clock.now();
    const hasJumped = Math.abs(timeMs - this.#publishedMs - (nowMs - this.#arrivedMs)) > MAX_JUMP_MS;
    if (publication !== this.#publication || hasJumped)
      this.#offsetMs = Math.max(this.presentMs, this.#timeline.newestMs + MIN_STEP_MS) - timeMs;
    this.#publication = publication;
    this.#publishedMs = timeMs;
    this.#arrivedMs = nowMs;
    return timeMs + this.#offsetMs;
  }
}
