/**
 * The UTC of a source's frames. Media time is even but may run a little fast or slow against the clock of this server, and that
 * clock may be set. So each segment is anchored anew where the quickest arrivals of the last seconds say, moved by little at a
 * time; within a segment media time alone counts. A step of the server's clock, or of the mapping, begins another run.
 */
import type { Clock } from '../base/clock.js';

/** A step of the clock that is no correction. */
const MAX_STEP_MS = 1_000;
/** So long the quickest arrival is looked for. */
const WINDOW_MS = 10_000;
/** How far the anchor is moved for a window at most: 0.5 %, more than any clock is wrong. */
const MAX_CREEP_MS = 50;

/** What the clock needs. */
export interface ClockRunsInit {
  readonly clock: Clock;
  /** When a media time was captured, as the source says. */
  readonly capturedAt: (mediaTimeMs: number) => number | undefined;
  /** A number that no run has had. */
  readonly newRun: () => number;
}

/** Where a segment begins. */
export interface Anchor {
  /** Segments of the same run lie on one clock. */
  readonly run: number;
  /** UTC of its first frame, Unix milliseconds. */
  readonly wallMs: number;
}

interface Placed extends Anchor {
  readonly mediaTimeMs: number;
}

/** Maps media time to UTC. */
export class ClockRuns {
  readonly #init: ClockRunsInit;
  /** Of the server's clock against its monotonic one. */
  #skewMs: number;
  /** Of the quickest arrival in the first window, wall clock minus media time. */
  #firstLeastMs: number | undefined;
  #leastMs = Infinity;
  #windowStartMs: number;
  #correctionMs = 0;
  /** Those that are in use, the newest last. */
  #placed: Placed[] = [];
  #hasStepped = false;

  constructor(init: ClockRunsInit) {
    this.#init = init;
    this.#skewMs = skewOf(init.clock);
    this.#windowStartMs = init.clock.now();
  }

  /** A frame has come now. True where the clock has stepped: another run begins with the next segment. */
  arrived(mediaTimeMs: number): boolean {
    const { clock } = this.#init;
    const stepMs = skewOf(clock) - this.#skewMs;
    this.#skewMs += stepMs;
    const isStep = Math.abs(stepMs) > MAX_STEP_MS;
    if (isStep) this.#step(stepMs);
    this.#leastMs = Math.min(this.#leastMs, clock.wallClock() - mediaTimeMs);
    if (clock.now() - this.#windowStartMs < WINDOW_MS) return isStep;
    return this.#endWindow() || isStep;
  }

  /** Where a segment that begins with this media time lies. */
  placeOf(mediaTimeMs: number): Anchor {
    const { clock, capturedAt, newRun } = this.#init;
    const wallMs = (capturedAt(mediaTimeMs) ?? clock.wallClock()) + this.#correctionMs;
    const before = this.#placed.at(-1);
    const isSame = before && !this.#hasStepped && Math.abs(wallMs - at(before, mediaTimeMs)) <= MAX_STEP_MS;
    this.#hasStepped = false;
    const anchor = { run: isSame ? before.run : newRun(), wallMs };
    this.#placed = [...this.#placed.slice(-1), { ...anchor, mediaTimeMs }];
    return anchor;
  }

  /** The UTC of a media time, on the clock of the segment that it lies in; undefined before the first. Of the present and the one before. */
  wallMsAt(mediaTimeMs: number): number | undefined {
    const placed = this.#placed.findLast((each) => each.mediaTimeMs <= mediaTimeMs);
    return placed && at(placed, mediaTimeMs);
  }

  #step(byMs: number): void {
    this.#correctionMs += byMs;
    this.#beginWindow();
    this.#hasStepped = true;
  }

  /** True where media time has come away from the clock. */
  #endWindow(): boolean {
    const leastMs = this.#leastMs;
    this.#beginWindow();
    if (this.#firstLeastMs === undefined) {
      this.#firstLeastMs = leastMs - this.#correctionMs;
      return false;
    }
    const wrongMs = leastMs - this.#firstLeastMs - this.#correctionMs;
    const hasStepped = Math.abs(wrongMs) > MAX_STEP_MS;
    this.#correctionMs += hasStepped ? wrongMs : Math.max(-MAX_CREEP_MS, Math.min(MAX_CREEP_MS, wrongMs));
    this.#hasStepped ||= hasStepped;
    return hasStepped;
  }

  #beginWindow(): void {
    this.#leastMs = Infinity;
    this.#windowStartMs = this.#init.clock.now();
  }
}

function skewOf(clock: Clock): number {
  return clock.wallClock() - clock.now();
}

function at({ wallMs, mediaTimeMs }: Placed, otherMs: number): number {
  return wallMs + (otherMs - mediaTimeMs);
}
