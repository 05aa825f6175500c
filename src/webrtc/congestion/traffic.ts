/** What was sent on one transport, and what is known to have arrived of it. */
import { AcknowledgedRate } from './acknowledged-rate.js';
import type { PacketResult } from './packet-result.js';
import { SentBytes } from './sent-bytes.js';

/** What arrived lately while there is congestion, ms. */
export const BUSY_WINDOW_MS = 200;
/** What arrived lately, ms. */
export const WINDOW_MS = 500;
/** By the second, ms. */
const LONG_WINDOW_MS = 1_000;
/** Receiver Reports tell of that much and more, ms. */
const REPORT_WINDOW_MS = 3_000;
/** So much more is sent than arrives when a queue builds. */
const EXCESS = 1.1;
const EXCESS_BPS = 30_000;
/** Some 15 packets in the shorter window. */
const FEW_BPS = 400_000;
/** Above what arrives, what is told by a single frame; a factor. */
export const TRAIN_MARGIN = 1.2;
/** Sent at once, beside what arrives by the second: a large frame. */
const BURST = 1.3;
/** Of a receiver that acknowledged once, and is paused, no more is under way. */
const UNACKNOWLEDGED_BYTES = 200_000;
/** Transport-wide feedback that came so long ago has ended. */
const FEEDBACK_VALID_MS = 5_000;

/** Of one transport. Rates are bits a second. */
export class Traffic {
  readonly #arrived = new AcknowledgedRate();
  readonly #sent = new SentBytes();
  readonly #probes = new SentBytes();
  #feedbackMs: number | undefined;
  #acknowledgedMs: number | undefined;

  /** Everything that was sent. */
  get sent(): SentBytes {
    return this.#sent;
  }

  /** When the newest transport-wide feedback came; undefined before any. */
  get feedbackMs(): number | undefined {
    return this.#feedbackMs;
  }

  /** When the newest packet was sent of which feedback told; undefined before any. */
  get acknowledgedMs(): number | undefined {
    return this.#acknowledgedMs;
  }

  /** The receiver acknowledges each packet. */
  hasFeedback(nowMs: number): boolean {
    return this.#feedbackMs !== undefined && nowMs - this.#feedbackMs <= FEEDBACK_VALID_MS;
  }

  /** It does not, though there was enough to be acknowledged. */
  get isUnacknowledged(): boolean {
    return this.#feedbackMs === undefined || this.#sent.after(this.#feedbackMs) > UNACKNOWLEDGED_BYTES;
  }

  /** Adds a packet of any kind. */
  onSent(sizeBytes: number, nowMs: number): void {
    this.#sent.add(sizeBytes, nowMs);
  }

  /** So much of it is sent as a probe. */
  onProbe(sizeBytes: number, nowMs: number): void {
    this.#probes.add(sizeBytes, nowMs);
  }

  /** Takes the packets of a feedback. @returns how long after the one before it came, at most 1 s; 0: it is the first */
  onFeedback(results: readonly PacketResult[], nowMs: number): number {
    const elapsedMs = Math.min(1_000, nowMs - (this.#feedbackMs ?? nowMs));
    const newestMs = results.at(-1)?.sentMs ?? nowMs;
    this.#feedbackMs = nowMs;
    this.#acknowledgedMs = Math.max(this.#acknowledgedMs ?? newestMs, newestMs);
    for (const { sizeBytes, sentMs, arrivedMs } of results) if (arrivedMs !== undefined) this.#arrived.add(sizeBytes, sentMs, arrivedMs);
    return elapsedMs;
  }

  /** By the second. */
  sentBps(nowMs: number): number {
    return this.#sent.rateBps(LONG_WINDOW_MS, nowMs);
  }

  /** What was sent in the heaviest part of the last seconds: video may have been held since. */
  loadBps(nowMs: number): number {
    return Math.max(...[BUSY_WINDOW_MS, LONG_WINDOW_MS, REPORT_WINDOW_MS].map((ms) => this.#sent.rateBps(ms, nowMs)));
  }

  /** By the second, probes left out. */
  mediaBps(nowMs: number): number {
    return Math.max(0, this.sentBps(nowMs) - this.#probes.rateBps(LONG_WINDOW_MS, nowMs));
  }

  /** What arrived within `windowMs`; 0 before feedback. */
  arrivedBps(windowMs: number): number {
    return this.#arrived.bps(windowMs);
  }

  /** What passes while there is a queue: of few packets over a longer time, since single ones would make much of it. */
  busyBps(nowMs: number): number {
    return this.#arrived.bps(this.mediaBps(nowMs) < FEW_BPS ? WINDOW_MS : BUSY_WINDOW_MS);
  }

  /** What arrives all the time, by the second: no more than was sent, however it arrived. */
  get arrivingBps(): number {
    return Math.min(this.#arrived.bps(LONG_WINDOW_MS), TRAIN_MARGIN * this.#arrived.sentBps(LONG_WINDOW_MS));
  }

  /** More is sent, by the second, than arrives: the queue is not that of one large frame, which is over by itself. */
  exceeds(nowMs: number): boolean {
    return this.sentBps(nowMs) > EXCESS * this.#arrived.bps(BUSY_WINDOW_MS) + EXCESS_BPS;
  }

  /** A large frame leaves. @param leastBps what is usual, where less arrives */
  isBurst(leastBps: number, nowMs: number): boolean {
    return this.#sent.rateBps(BUSY_WINDOW_MS, nowMs) > BURST * Math.max(this.#arrived.bps(LONG_WINDOW_MS), leastBps);
  }

  /** What arrived so far was on another way. */
  forgetArrivals(): void {
    this.#arrived.clear();
  }
}
