/** What a receiver may claim: the rest is for those who judge queues and rates. */
import type { PacketResult } from './packet-result.js';

/** What a UDP packet may carry. */
const MAX_UDP_BYTES = 65_535;
/** Nobody reports of what was sent so long ago, ms. */
const OLD_MS = 60_000;

/** A packet that was sent, and a number for when it came. */
export const isPossible = ({ sizeBytes, sentMs, arrivedMs }: PacketResult, nowMs: number): boolean =>
  sizeBytes > 0 &&
  sizeBytes <= MAX_UDP_BYTES &&
  sentMs <= nowMs &&
  sentMs > nowMs - OLD_MS &&
  (arrivedMs === undefined || Math.abs(arrivedMs) < Number.MAX_SAFE_INTEGER);

/** A round trip, ms. */
export const isPossibleTrip = (ms: number | undefined): ms is number => ms !== undefined && ms >= 0 && ms < OLD_MS;
