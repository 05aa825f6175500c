/** Takes note when feedback fails to come: the link is gone for a while, or stands still. */
import type { ProbeDemand } from './prober.js';
import type { SentBytes } from './sent-bytes.js';

/** Feedback comes several times a second: it fails to come when it is that late, beside three round trips of any credible length. */
const LATE_MS = 700;
const LATE_ROUND_TRIPS = 3;
const MAX_ROUND_TRIPS_MS = 4_000;
/** What asks for a sign of life meanwhile. */
const PING_EVERY_MS = 250;
const PING_BYTES = 100;

/** Watches for feedback. */
export class SilenceWatch {
  #pingMs = -Infinity;

  /** Something was sent, long enough ago, of which nothing is said. @param feedbackMs when the newest came */
  isSilent(feedbackMs: number, sent: SentBytes, roundTripMs: number, nowMs: number): boolean {
    const sinceMs = sent.firstAfterMs(feedbackMs);
    return sinceMs !== undefined && nowMs - sinceMs > LATE_MS + Math.min(MAX_ROUND_TRIPS_MS, LATE_ROUND_TRIPS * roundTripMs);
  }

  /** A packet now and then, so that there is something to be acknowledged. */
  ping(nowMs: number): ProbeDemand | undefined {
    if (nowMs - this.#pingMs < PING_EVERY_MS) return undefined;
    this.#pingMs = nowMs;
    return { bytes: PING_BYTES, maxPacketBytes: PING_BYTES };
  }
}
