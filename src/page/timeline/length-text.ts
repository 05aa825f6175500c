/** Lengths of time in words for a person. */
import { words } from '../strings/index.js';

/** Such as `1 min 38 s`. @param seconds told in tenths below ten, else in whole ones */
export function lengthText(seconds: number): string {
  const { timeline } = words.value;
  if (seconds < 9.95) return timeline.seconds(Math.round(seconds * 10) / 10);
  const whole = Math.round(seconds);
  if (whole < 60) return timeline.seconds(whole);
  if (whole < 3600) return timeline.minutes(Math.floor(whole / 60), whole % 60);
  const minutes = Math.round(whole / 60);
  return timeline.hours(Math.floor(minutes / 60), minutes % 60);
}
