/** How fast packets may leave: faster than they play, unless a queue of our own making would grow further. */

/** Frames leave in less time than they play, and a group of pictures is caught up with. */
const PACE = 2.5;
/** So that a queue drains, even where the estimate is too high. */
const LOW_PACE = 0.85;
/** The pace falls between these, ms. */
const [FULL_PACE_QUEUE_MS, LOW_PACE_QUEUE_MS] = [30, 80];

/** Bits a second for everything together, where a queue is so long. */
export function paceBps(estimateBps: number, queueMs: number): number {
  const share = Math.min(1, Math.max(0, (LOW_PACE_QUEUE_MS - queueMs) / (LOW_PACE_QUEUE_MS - FULL_PACE_QUEUE_MS)));
  return estimateBps * (LOW_PACE + (PACE - LOW_PACE) * share);
}
