/** What was seen of one viewer on a bad network, and the figures that are read from it. All moments are Unix ms. */
import type { QueueSample } from '../../../test/helpers/network/link.js';
import { percentile } from '../../load-test/statistics.js';

/** Presented pictures before it, too, are counted: a callback may have been skipped, the picture was shown. */
export type Picture = readonly [atMs: number, heightPx: number, count: number];

/** What the server says of the viewer. */
export interface ServerSample {
  readonly atMs: number;
  readonly quality: string | undefined;
  readonly estimateKbps: number | undefined;
  readonly queueMs: number | undefined;
  readonly switches: number;
  readonly reason: string | undefined;
}

export interface Trace {
  /** The offer was sent. */
  readonly joinedMs: number;
  readonly pictures: readonly Picture[];
  /** Empty for a peer. */
  readonly server: readonly ServerSample[];
  /** At the link's entrance. */
  readonly queue: readonly QueueSample[];
  /** Datagrams that found the queue full. */
  readonly dropped: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** At 30 a second, as browsers count it: three times the usual, or 150 ms more than that. */
const FREEZE_MS = 183;

/** From picture to picture, the ends of the span counted. */
function gaps({ pictures }: Trace, { fromMs, toMs }: Span): number[] {
  const times = [fromMs, ...pictures.map(([atMs]) => atMs).filter((atMs) => atMs > fromMs && atMs < toMs), toMs];
  return times.slice(1).map((atMs, i) => atMs - (times[i] ?? atMs));
}

export function longestGapMs(trace: Trace, span: Span): number {
  return Math.max(...gaps(trace, span));
}

export function frozenPercent(trace: Trace, span: Span): number {
  const frozenMs = gaps(trace, span)
    .filter((gap) => gap > FREEZE_MS)
    .reduce((sum, gap) => sum + gap, 0);
  return (frozenMs / (span.toMs - span.fromMs)) * 100;
}

/** Pictures a second. */
export function fps({ pictures }: Trace, { fromMs, toMs }: Span): number {
  const within = pictures.filter(([atMs]) => atMs >= fromMs && atMs < toMs);
  const shown = (within.at(-1)?.[2] ?? 0) - (within[0]?.[2] ?? 1) + 1;
  return shown / ((toMs - fromMs) / 1000);
}

export function queueP95Ms({ queue }: Trace, { fromMs, toMs }: Span): number {
  const within = queue.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ queueMs }) => queueMs);
  return percentile(within, 0.95) ?? 0;
}

/** Changes of quality, as the server says; of the height of pictures where it says nothing. */
export function switches({ server, pictures }: Trace, { fromMs, toMs }: Span): number {
  const said = server.filter(({ atMs, quality }) => atMs >= fromMs && atMs < toMs && quality !== undefined);
  if (said.length > 0) return (said.at(-1)?.switches ?? 0) - (said[0]?.switches ?? 0);
  const heights = pictures.filter(([atMs]) => atMs >= fromMs && atMs < toMs).map(([, height]) => height);
  return heights.filter((height, i) => i > 0 && height !== heights[i - 1]).length;
}

/** Of the span, in percent: pictures that were as high as that, or their successor was not there yet. */
export function sharePercent({ pictures }: Trace, { fromMs, toMs }: Span, heightPx: number): number {
  let shareMs = 0;
  pictures.forEach(([atMs, height], i) => {
    const endMs = Math.min(pictures[i + 1]?.[0] ?? toMs, toMs);
    if (height >= heightPx && endMs > fromMs && atMs < toMs) shareMs += endMs - Math.max(atMs, fromMs);
  });
  return (shareMs / (toMs - fromMs)) * 100;
}

/** From which moment on no picture was smaller, until the end of the span; Infinity where the last one was. */
export function stablyFromMs({ pictures }: Trace, { fromMs, toMs }: Span, heightPx: number): number {
  const within = pictures.filter(([atMs]) => atMs >= fromMs && atMs < toMs);
  const lastSmall = within.findLastIndex(([, height]) => height < heightPx);
  return within[lastSmall + 1]?.[0] ?? Infinity;
}

/** When the server first said another quality than at the beginning of the span, or a smaller picture came. */
export function lowerRungMs({ server, pictures }: Trace, { fromMs, toMs }: Span): number {
  const before = server.findLast(({ atMs }) => atMs < fromMs)?.quality;
  const said = server.find(({ atMs, quality }) => atMs >= fromMs && atMs < toMs && quality !== before);
  const height = pictures.findLast(([atMs]) => atMs < fromMs)?.[1] ?? 0;
  const seen = pictures.find(([atMs, lower]) => atMs >= fromMs && atMs < toMs && lower < height);
  return Math.min(said?.atMs ?? Infinity, seen?.[0] ?? Infinity);
}

export function bestEstimateKbps({ server }: Trace, { fromMs, toMs }: Span): number {
  return Math.max(0, ...server.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ estimateKbps }) => estimateKbps ?? 0));
}

/** A line each half second: what passed, what waited, what was shown, what the server says. */
export function story(trace: Trace, stepMs = 500): string[] {
  const { joinedMs, pictures, queue, server } = trace;
  const endMs = Math.max(joinedMs, pictures.at(-1)?.[0] ?? 0, queue.at(-1)?.atMs ?? 0);
  const lines: string[] = [];
  for (let fromMs = joinedMs; fromMs < endMs; fromMs += stepMs) {
    const span = { fromMs, toMs: fromMs + stepMs };
    const passed = queue.filter(({ atMs }) => atMs >= span.fromMs && atMs < span.toMs);
    const said = server.findLast(({ atMs }) => atMs < span.toMs);
    const height = pictures.findLast(([atMs]) => atMs < span.toMs)?.[1] ?? 0;
    const kbps = (passed.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / stepMs;
    const figures = [
      `${((fromMs - joinedMs) / 1000).toFixed(1)} s`.padStart(7),
      `${kbps.toFixed(0)} kbit/s`.padStart(12),
      `queue ${Math.max(0, ...passed.map(({ queueMs }) => queueMs)).toFixed(0)} ms`.padStart(13),
      `${fps(trace, span).toFixed(0)} fps`.padStart(7),
      `gap ${longestGapMs(trace, span).toFixed(0)}`.padStart(8),
      `${height}p`.padStart(6),
      said ? `  ${said.quality ?? '?'} estimate ${said.estimateKbps ?? '?'} queue ${said.queueMs ?? '?'} ${said.reason ?? ''}` : '',
    ];
    lines.push(figures.join(' '));
  }
  return lines;
}
