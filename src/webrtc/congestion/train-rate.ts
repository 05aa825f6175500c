/**
 * What the way carries as large frames tell it: they are sent faster than it, so that their packets arrive as fast as it lets
 * them. A probe at no cost, which tells only what does not fit.
 */
import type { PacketResult } from './packet-result.js';
import { slopeOf } from './slope.js';

/** Fewer may be spread by jitter alone. */
const MIN_PACKETS = 15;
/** The delay grows by as much at least along them, ms/ms and ms. */
const MIN_SLOPE = 0.3;
const MIN_GROWTH_MS = 15;

/**
 * Bits a second at which the packets of a feedback arrived; undefined where they were not sent faster.
 * @param minPackets fewer tell nothing. Default: 15
 */
export function trainRateBps(results: readonly PacketResult[], minPackets = MIN_PACKETS): number | undefined {
  if (results.length < minPackets) return undefined;
  const points = results.flatMap(({ sentMs, arrivedMs }) => (arrivedMs === undefined ? [] : [{ x: sentMs, y: arrivedMs - sentMs }]));
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < minPackets || last.y - first.y < MIN_GROWTH_MS || slopeOf(points).slope < MIN_SLOPE)
    return undefined;
  const bytes = results.reduce((sum, { sizeBytes, arrivedMs }) => (arrivedMs === undefined ? sum : sum + sizeBytes), 0);
  const spanMs = last.x + last.y - (first.x + first.y);
  return spanMs > 0 ? (bytes * 8_000) / spanMs : undefined;
}
