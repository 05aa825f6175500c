/** Times of day that a person writes at a terminal. */
import { UsageError } from './errors.js';

/** UTC in ms of an ISO 8601 time, which is local where it names no zone, or of Unix seconds; undefined of undefined. @throws UsageError */
export function readTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const isSeconds = /^\d{9,11}(\.\d+)?$/.test(text);
  const utcMs = isSeconds ? Number(text) * 1000 : /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(utcMs)) return utcMs;
  throw new UsageError(`invalid --${option}: '${text}' is neither a time such as 2026-11-30T22:05:00Z nor Unix seconds`);
}

/** To the second, UTC. */
export function timeText(utcMs: number): string {
  return new Date(utcMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
