/** Stretches of time: cut to what was asked for, put together, and taken from each other. Pure. */
import type { TimeRange } from './recorded.js';

/** Whether two have a moment in common. */
export function overlaps(a: TimeRange, b: TimeRange): boolean {
  return a.fromMs < b.toMs && a.toMs > b.fromMs;
}

/** What of it lies within another; undefined: nothing. */
export function clipped({ fromMs, toMs }: TimeRange, within: TimeRange): TimeRange | undefined {
  const range = { fromMs: Math.max(fromMs, within.fromMs), toMs: Math.min(toMs, within.toMs) };
  return range.fromMs < range.toMs ? range : undefined;
}

/** Times that are in any of them: oldest first, none touches another. */
export function union(ranges: readonly TimeRange[]): TimeRange[] {
  const found: TimeRange[] = [];
  for (const { fromMs, toMs } of [...ranges].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = found.at(-1);
    if (last && fromMs <= last.toMs) found[found.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
    else found.push({ fromMs, toMs });
  }
  return found;
}

/**
 * Where the clock was set back, segments of two runs lie over one another: each run is one piece, in the order in which they begin.
 * @param segments oldest first; those that do not say their run are one
 */
export function runByRun<T extends { readonly run: number | undefined }>(segments: readonly T[]): T[] {
  const runs = new Map<number | undefined, T[]>();
  for (const segment of segments) {
    const run = runs.get(segment.run);
    if (run) run.push(segment);
    else runs.set(segment.run, [segment]);
  }
  return [...runs.values()].flat();
}

/** What is left of ranges without another one. */
export function without(ranges: readonly TimeRange[], taken: TimeRange): TimeRange[] {
  return ranges.flatMap((range) =>
    overlaps(range, taken)
      ? [
          { fromMs: range.fromMs, toMs: taken.fromMs },
          { fromMs: taken.toMs, toMs: range.toMs },
        ].filter(({ fromMs, toMs }) => fromMs < toMs)
      : [range],
  );
}
