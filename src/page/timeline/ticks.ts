/** Marks of a scale of time, at times that people count in, in a named zone. Knows no DOM. */
import { lengthOf, type Span } from './scale.js';
import { dayStart, offsetOf, wallTime } from './zone.js';

/** A mark. */
export interface Tick {
  /** Unix seconds. */
  readonly atS: number;
  /** What its label says: a day begins, minutes are enough, or seconds are needed. */
  readonly unit: 'day' | 'minute' | 'second';
}

const SHORT_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];
const LONG_STEPS_H = [1, 2, 3, 6, 12, 24, 48, 168];
/** Zones change by no less, and begin their days at no other times. */
const HALF_HOUR_S = 1800;

/** The marks of a stretch. @param most of them, as far as their labels have room */
export function ticksOf(span: Span, zone: string, most: number): readonly Tick[] {
  const wanted = lengthOf(span) / Math.max(1, most);
  const short = SHORT_STEPS_S.find((step) => step >= wanted);
  if (short !== undefined) return shortTicks(span, zone, short);
  const hours = LONG_STEPS_H.find((step) => step * 3600 >= wanted) ?? 168;
  return hours < 24 ? hourTicks(span, zone, hours) : dayTicks(span, zone, hours / 24);
}

/** Of clocks there: some zones are half an hour off. */
function shortTicks(span: Span, zone: string, stepS: number): Tick[] {
  const ticks: Tick[] = [];
  const offset = offsetOf(zone, span.fromS);
  for (let atS = Math.ceil((span.fromS + offset) / stepS) * stepS - offset; atS <= span.toS; atS += stepS) {
    const isDay = atS % HALF_HOUR_S === 0 && isMidnight(zone, atS);
    ticks.push({ atS, unit: isDay ? 'day' : stepS < 60 ? 'second' : 'minute' });
  }
  return ticks;
}

/** An hour that comes twice has one mark, unless every hour has one. */
function hourTicks(span: Span, zone: string, hours: number): Tick[] {
  const ticks: Tick[] = [];
  let last = -1;
  for (let atS = dayStart(zone, span.fromS); atS <= span.toS; atS += HALF_HOUR_S) {
    const { hour, minute } = wallTime(zone, atS);
    if (minute !== 0 || hour % hours !== 0 || (hours > 1 && hour === last)) continue;
    last = hour;
    if (atS >= span.fromS) ticks.push({ atS, unit: isMidnight(zone, atS) ? 'day' : 'minute' });
  }
  return ticks;
}

function dayTicks(span: Span, zone: string, days: number): Tick[] {
  const ticks: Tick[] = [];
  for (let atS = dayStart(zone, span.fromS); atS <= span.toS; atS = dayStart(zone, atS, days))
    if (atS >= span.fromS) ticks.push({ atS, unit: 'day' });
  return ticks;
}

function isMidnight(zone: string, atS: number): boolean {
  return dayStart(zone, atS) === atS;
}
