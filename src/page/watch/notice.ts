/** What the person is told over the video: a title, what to do, and how long until the next attempt. Knows no DOM. */
import { words } from '../strings/index.js';
import { age } from './trouble.js';

/** A failed switch is told for this long over the video that goes on, ms. */
export const KEPT_MS = 8_000;

/** One notice. Default of each flag: false. */
export interface NoticeContent {
  /** One short line. */
  readonly title: string;
  /** What to do; may be empty. */
  readonly text?: string;
  /** In a corner, beside a video that plays. */
  readonly small?: boolean;
  /** For screen readers only. */
  readonly hidden?: boolean;
  /** With a spinner. */
  readonly busy?: boolean;
  /** With a button. */
  readonly retry?: boolean;
  /** Goes by itself. */
  readonly passing?: boolean;
  /** With the form that asks who somebody is. */
  readonly asksLogin?: boolean;
  /** Counted beside it. */
  readonly countdown?: Countdown;
}

/** Down to the next attempt, and up from the last frame. */
export interface Countdown {
  /** Of the next attempt, on `performance.now()`; undefined where it is unknown, or is at once. */
  readonly endMs?: number | undefined;
  /** Of the last frame, on `performance.now()`; undefined where there was none. */
  readonly frameAtMs?: number | undefined;
}

/** A countdown to an attempt. @param seconds until then */
export function countdownOf(seconds = 0, frameAtMs: number | undefined, nowMs: number): Countdown {
  return { endMs: seconds < 2 ? undefined : nowMs + seconds * 1000, frameAtMs };
}

/** What a countdown says now; empty where there is nothing to count. */
export function countdownText({ endMs, frameAtMs }: Countdown, nowMs: number): string {
  const { nextAttempt, lastPicture } = words.value.watch;
  const next = endMs === undefined ? [] : [nextAttempt(Math.max(0, Math.ceil((endMs - nowMs) / 1000)))];
  const last = frameAtMs === undefined ? [] : [lastPicture(age(nowMs - frameAtMs))];
  return [...next, ...last].join(' · ');
}
