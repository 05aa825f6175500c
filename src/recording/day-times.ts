/** Hours of certain days, "Tuesdays between 7 and 9", as stretches of UTC, in the zone where people look at the clock. */
import { MediaPeerError } from '../base/errors.js';
import type { TimeRange } from './recorded.js';
import { clipped, union } from './stretches.js';

/** As they are named, in the order in which they are numbered from 0. */
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** A day of the week. */
export type Weekday = (typeof WEEKDAYS)[number];

/** Which hours of which days. */
export interface DayTimes {
  /** Minutes since midnight. */
  readonly fromMinute: number;
  /** Minutes since midnight, not in it; at most 1440. One that is not later than `fromMinute` is on the next day. */
  readonly toMinute: number;
  /** Those on which the hours begin; undefined: every day. */
  readonly weekdays: readonly Weekday[] | undefined;
  /** Name of the IANA database: `Europe/Berlin`. */
  readonly timeZone: string;
}

/** Days of one search. */
const MAX_DAYS = 366;
const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 1440;

/** `07:00-09:30` in minutes. @throws MediaPeerError QUERY_INVALID */
export function readHours(text: string): Pick<DayTimes, 'fromMinute' | 'toMinute'> {
  const [, ...parts] = /^(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  const [fromHour = NaN, fromMinute = NaN, toHour = NaN, toMinute = NaN] = parts.map(Number);
  const hours = { fromMinute: 60 * fromHour + fromMinute, toMinute: 60 * toHour + toMinute };
  const isValid = fromMinute < 60 && toMinute < 60 && hours.fromMinute < MINUTES_A_DAY && hours.toMinute <= MINUTES_A_DAY;
  if (!isValid) throw new MediaPeerError('QUERY_INVALID', `hours '${text.slice(0, 40)}' are not hours of a day; write them as 07:00-09:30`);
  return hours;
}

/** Whether there is a time zone of that name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The stretches of a range that lie in the hours, oldest first. @throws MediaPeerError QUERY_INVALID where the range has more than 366 days */
export function stretchesOf(range: TimeRange, { fromMinute, toMinute, weekdays, timeZone }: DayTimes): TimeRange[] {
  const { fromMs, toMs } = range;
  if (toMs - fromMs > MAX_DAYS * DAY_MS)
    throw new MediaPeerError(
      'QUERY_INVALID',
      `hours and weekdays are looked for in at most ${MAX_DAYS} days; name a shorter range with from and to`,
    );
  const wallOf = wallTimes(timeZone);
  const found: TimeRange[] = [];
  // Days as they are counted there, as if they were days of UTC; hours of the day before may reach into the range.
  const firstDay = Math.floor(wallOf(fromMs) / DAY_MS) - 1;
  const lastDay = Math.floor(wallOf(toMs) / DAY_MS);
  for (let day = firstDay; day <= lastDay; day++) {
    // The first day of 1970 was a Thursday.
    const weekday = WEEKDAYS[(day + 4) % 7];
    if (weekdays && weekday && !weekdays.includes(weekday)) continue;
    const until = toMinute > fromMinute ? toMinute : toMinute + MINUTES_A_DAY;
    const wall = { fromMs: day * DAY_MS + fromMinute * MINUTE_MS, toMs: day * DAY_MS + until * MINUTE_MS };
    found.push(...utcOf(wall, wallOf).flatMap((stretch) => clipped(stretch, range) ?? []));
  }
  return found;
}

/** What the clock on the wall shows at a time, in milliseconds, as if it showed UTC. */
function wallTimes(timeZone: string): (utcMs: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (utcMs) => {
    const parts = Object.fromEntries(format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

/**
 * When the wall shows a stretch of its time. Once, save where clocks are changed: what they are set forward over is never, what they
 * are set back over is twice.
 */
function utcOf({ fromMs, toMs }: TimeRange, wallOf: (utcMs: number) => number): TimeRange[] {
  const [aheadBefore, aheadAfter] = [fromMs - DAY_MS, toMs + DAY_MS].map((utcMs) => wallOf(utcMs) - utcMs) as [number, number];
  if (aheadBefore === aheadAfter) return [{ fromMs: fromMs - aheadBefore, toMs: toMs - aheadBefore }];
  const changeMs = changeBetween(fromMs - DAY_MS, toMs + DAY_MS, wallOf);
  const before = { fromMs: fromMs - aheadBefore, toMs: Math.min(toMs - aheadBefore, changeMs) };
  const after = { fromMs: Math.max(fromMs - aheadAfter, changeMs), toMs: toMs - aheadAfter };
  return union([before, after].filter((stretch) => stretch.fromMs < stretch.toMs));
}

/** When the clock on the wall is changed, to the second. */
function changeBetween(fromMs: number, toMs: number, wallOf: (utcMs: number) => number): number {
  const ahead = wallOf(fromMs) - fromMs;
  let [before, after] = [fromMs, toMs];
  while (after - before > SECOND_MS) {
    const middle = before + Math.floor((after - before) / (2 * SECOND_MS)) * SECOND_MS || before + SECOND_MS;
    if (wallOf(middle) - middle === ahead) before = middle;
    else after = middle;
  }
  return after;
}
