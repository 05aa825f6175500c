/**
 * How fast packets may leave: faster than they play, unless a queue of our own making would grow further, or there is no room
 * for a large frame in a queue that is too short to be seen as delay.
 */
import type { PacketResult } from './packet-result.js';

/** Frames leave in less time than they play, and a group of pictures is caught up with. */
const PACE = 2.5;
/** Where frames lose packets for want of room: hardly faster than they play. */
const LEAST_PACE = 1.15;
/** After each loss of that kind, and by the second without one. */
const SLOWER = 0.7;
const FASTER_PER_S = 0.01;
/** So that a queue drains, even where the estimate is too high. */
const LOW_PACE = 0.85;
/** The pace falls between these, ms. */
const [FULL_PACE_QUEUE_MS, LOW_PACE_QUEUE_MS] = [30, 80];
/** Of the packets of a feedback, lost together: more than wireless links lose with empty queues. */
const MUCH_LOST = 0.15;
const MIN_LOST = 4;
/** What was sent before it was slowed down is told of so long, ms. */
const AFTERMATH_MS = 300;

/** The pace of one transport. */
export class Pace {
  #factor = PACE;
  #slowedMs = -Infinity;

  /** Bits a second for everything together, where a queue is so long. */
  bps(estimateBps: number, queueMs: number): number {
    const share = Math.min(1, Math.max(0, (LOW_PACE_QUEUE_MS - queueMs) / (LOW_PACE_QUEUE_MS - FULL_PACE_QUEUE_MS)));
    return estimateBps * (LOW_PACE + (this.#factor - LOW_PACE) * share);
  }

  /** Takes the packets of a feedback. @param elapsedMs since the one before. @returns true where it was slowed down */
  onFeedback(results: readonly PacketResult[], elapsedMs: number, nowMs: number): boolean {
    this.#factor = Math.min(PACE, this.#factor * (1 + (FASTER_PER_S * elapsedMs) / 1_000));
    const lost = results.reduce((count, { arrivedMs }) => (arrivedMs === undefined ? count + 1 : count), 0);
    const isMuch = lost >= MIN_LOST && lost >= MUCH_LOST * results.length;
    if (!isMuch || nowMs - this.#slowedMs < AFTERMATH_MS) return false;
    this.#slowedMs = nowMs;
    this.#factor = Math.max(LEAST_PACE, this.#factor * SLOWER);
    return true;
  }
}
