/**
 * What a publisher may send where it offers nothing better than REMB: lowered as soon as a queue builds on the way or much
 * is lost, raised while neither is (the receiver's side of draft-ietf-rmcat-gcc-02).
 */
import { AcknowledgedRate, QueueDetector, type PacketResult } from '../../congestion/index.js';

/** Enough for 720p at once: the sender's own estimate bounds it, too. */
const START_BPS = 2_500_000;
const MIN_BPS = 100_000;
const MAX_BPS = 10_000_000;
/** Below the first share of lost packets the bitrate rises, above the second it falls. */
const LITTLE_LOST = 0.02;
const MUCH_LOST = 0.1;
/** In a second; near what the way has carried when a queue was there, a careful step. */
const RAISE = 1.08;
const NEAR_RAISE = 1.04;
const NEAR = [0.9, 1.15] as const;
/** Without a queue for as long, the way may carry more than it did then. */
const CALM_MS = 5_000;
/** Of what arrives while there is a queue; a long one has to drain before it is too late for what waits in it. */
const BACK_OFF = 0.85;
const LONG_QUEUE_BACK_OFF = 0.7;
const LONG_QUEUE_MS = 150;
/** A single keyframe makes no such queue. */
const STEEP_QUEUE_MS = 200;
/** An encoder obeys after a round trip and some pictures: only then is it asked for less again. */
const PATIENCE_MS = 600;
const RATE_WINDOW_MS = 500;
/** Packets of one look; those beyond tell nothing more. */
const MAX_PACKETS = 2048;
/** What was sent again tells when it was sent first. */
const MAX_BEHIND_MS = 5;
/** The sender's clock was set, or another sender has taken its place. */
const MAX_STEP_MS = 10_000;

/** What one publisher may send. */
export class BitrateEstimate {
  readonly #queue = new QueueDetector();
  readonly #rate = new AcknowledgedRate();
  #packets: PacketResult[] = [];
  #newestSentMs = -Infinity;
  #bps = START_BPS;
  #loweredMs = -Infinity;
  #hasQueue = false;
  /** What arrived when there was a queue. */
  #carriedBps: number | undefined;

  /** Bits a second. */
  get bps(): number {
    return Math.round(this.#bps);
  }

  /** @param sentMs by the sender's clock, whatever its origin; undefined where it does not tell it */
  arrived(sizeBytes: number, sentMs: number | undefined, nowMs: number): void {
    this.#rate.add(sizeBytes, nowMs, nowMs);
    if (sentMs === undefined || this.#packets.length >= MAX_PACKETS) return;
    const stepMs = sentMs - this.#newestSentMs;
    if (Math.abs(stepMs) > MAX_STEP_MS) {
      this.#queue.rebase();
      this.#packets = [];
    } else if (stepMs < -MAX_BEHIND_MS) return;
    this.#newestSentMs = Math.abs(stepMs) > MAX_STEP_MS ? sentMs : Math.max(sentMs, this.#newestSentMs);
    this.#packets.push({ sizeBytes, sentMs, arrivedMs: nowMs });
  }

  /** About ten times a second. @returns true where it was lowered: the sender is to know at once */
  look(nowMs: number): boolean {
    const verdict = this.#queue.add(this.#packets, nowMs);
    this.#packets = [];
    const { queueMs } = this.#queue;
    this.#hasQueue = verdict === 'certain' || (verdict === 'steep' && queueMs > STEEP_QUEUE_MS);
    if (!this.#hasQueue || nowMs - this.#loweredMs < PATIENCE_MS) return false;
    this.#carriedBps = this.#rate.bps(RATE_WINDOW_MS);
    return this.#lower(this.#carriedBps * (queueMs > LONG_QUEUE_MS ? LONG_QUEUE_BACK_OFF : BACK_OFF), nowMs);
  }

  /** Once a second. @param fractionLost 0..1 since the previous call. @param receivedBps since the previous call. */
  update(fractionLost: number, receivedBps: number, nowMs: number): void {
    if (fractionLost > MUCH_LOST) this.#lower(Math.min(this.#bps, receivedBps) * (1 - fractionLost / 2), nowMs);
    // A sender that has less to send than it may is no reason to allow more.
    else if (fractionLost < LITTLE_LOST && !this.#hasQueue && receivedBps > this.#bps / 2) this.#raise(nowMs);
  }

  #lower(bps: number, nowMs: number): boolean {
    const lowered = Math.max(MIN_BPS, Math.min(this.#bps, bps));
    const isLower = lowered < this.#bps;
    this.#bps = lowered;
    this.#loweredMs = nowMs;
    return isLower;
  }

  #raise(nowMs: number): void {
    if (nowMs - this.#loweredMs > CALM_MS) this.#carriedBps = undefined;
    const share = this.#bps / (this.#carriedBps ?? Infinity);
    const isNear = share > NEAR[0] && share < NEAR[1];
    this.#bps = Math.min(MAX_BPS, this.#bps * (isNear ? NEAR_RAISE : RAISE));
  }
}
