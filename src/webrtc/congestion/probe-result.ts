/** What a probe tells: how the delay of its packets grew with the time of sending. */
import type { PacketResult } from './packet-result.js';
import { slopeOf } from './slope.js';

const MIN_PACKETS = 5;
/** More than that is lost for want of room. */
const MAX_LOST = 0.15;
/** Growth of the delay that is an error of measurement, ms/ms. */
const FLAT = 0.04;
/** Of the measurement, where the delay does not vary: packets are not equally long. */
const USUAL_ERROR = 0.03;
/** Packets are not as long as to make the rate exactly. */
const UNEVEN = 1.05;

/** What a probe tells. */
export interface ProbeResult {
  /** What the way carries, bits a second. */
  readonly bps: number;
  /** Nothing was lost, and delay varied by no more than packets of different lengths make it. */
  readonly isCertain: boolean;
}

/**
 * What the way carries by packets that were sent evenly, bits a second; undefined where they tell nothing, or too many were
 * lost. Where nothing waited, it is the rate that they were sent with, though more may fit.
 */
export function probeResult(packets: readonly PacketResult[]): ProbeResult | undefined {
  const arrived = packets.flatMap(({ sentMs, arrivedMs }) => (arrivedMs === undefined ? [] : [{ x: sentMs, y: arrivedMs - sentMs }]));
  const [first, last] = [packets[0], packets.at(-1)];
  if (!first || !last || arrived.length < MIN_PACKETS) return undefined;
  const spanMs = last.sentMs - first.sentMs;
  if (spanMs <= 0) return undefined;
  if (arrived.length < packets.length * (1 - MAX_LOST)) return { bps: arrivedBps(packets, spanMs), isCertain: false };
  // What was sent last takes until after the span.
  const bytes = packets.reduce((sum, { sizeBytes, sentMs }) => (sentMs < last.sentMs ? sum + sizeBytes : sum), 0);
  const sentBps = (bytes * 8_000) / spanMs;
  const { slope, error } = slopeOf(arrived);
  // Delay that varies by itself says little of the rate: it counts as far as it is certain.
  const certain = slope - Math.max(0, error - USUAL_ERROR);
  return {
    bps: certain > FLAT ? sentBps / (1 + certain) : sentBps * UNEVEN,
    isCertain: error <= USUAL_ERROR && arrived.length === packets.length,
  };
}

/** What came through, where the rest found no room: as fast as it arrived, or was sent. */
function arrivedBps(packets: readonly PacketResult[], spanMs: number): number {
  const arrived = packets.flatMap(({ sizeBytes, arrivedMs }) => (arrivedMs === undefined ? [] : [{ sizeBytes, arrivedMs }]));
  const bytes = arrived.slice(1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (bytes * 8_000) / Math.max(spanMs, (arrived.at(-1)?.arrivedMs ?? 0) - (arrived[0]?.arrivedMs ?? 0));
}
