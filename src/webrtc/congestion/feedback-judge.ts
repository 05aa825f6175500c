/** What transport-wide feedback tells of the way: a queue that builds, loss, and what really arrives. */
import { Pace } from './pace.js';
import { isPossible } from './possible.js';
import type { PacketResult } from './packet-result.js';
import type { QueueVerdict } from './queue-detector.js';
import { BUSY_WINDOW_MS, TRAIN_MARGIN } from './traffic.js';
import { trainRateBps } from './train-rate.js';
import type { Way } from './way.js';

/** Fewer, as what comes late after a pause, tell no rate. */
const TELLING_PACKETS = 3;
/** Of the estimate: far less than what was known to fit. */
const SMALL = 0.5;
/** While it drains, what arrives is what the way carries. */
const BUSY_QUEUE_MS = 50;
/** So long after congestion only so many packets tell of more. */
const [UNSETTLED_MS, MANY_PACKETS] = [2_000, 15];

/** Hears the feedback of one transport. */
export class FeedbackJudge {
  readonly #way: Way;
  readonly #pace = new Pace();
  /** When it was seen last that the way has become much slower. */
  #fellMs = -Infinity;

  /** @param way what is found is kept there */
  constructor(way: Way) {
    this.#way = way;
  }

  /** How fast everything together is to be sent where no probe is under way, bits a second. */
  get pacingBps(): number {
    return this.#pace.bps(this.#way.estimate.assumedBps, this.#way.queueMs);
  }

  /** @param claims of one transport-wide feedback, each packet once, in the order in which they were sent */
  onFeedback(claims: readonly PacketResult[], nowMs: number): void {
    const now = this.#way.advance(nowMs);
    const results = claims.filter((claim) => isPossible(claim, now));
    const newest = results.at(-1);
    if (!newest) return;
    const elapsedMs = this.#way.traffic.onFeedback(results, now);
    this.#way.isCut = false;
    this.#way.roundTripMs = Math.max(0, now - newest.sentMs);
    const verdict = this.#watch(results, now);
    const fallenBps = this.#fallenBps(results, now);
    if (fallenBps !== undefined && newest.sentMs > this.#way.status.overuseMs) this.#fell(fallenBps, now);
    else this.#judge(verdict, newest.sentMs, now);
    this.#learn(results, elapsedMs, now);
    if (this.#way.probing.rateBps === undefined && this.#pace.onFeedback(results, elapsedMs, now))
      this.#way.estimate.limit(TRAIN_MARGIN * this.#way.traffic.arrivingBps, now);
    this.#way.release(now);
  }

  /** What the packets tell of the queue that media makes. */
  #watch(results: readonly PacketResult[], now: number): QueueVerdict {
    const seen = this.#way.detector.add(results, now);
    this.#way.queueMs = this.#way.measuredMs = this.#way.detector.queueMs;
    const isProbed = this.#way.probing.rateBps !== undefined;
    // What a probe loses for want of room is its own.
    if (!isProbed) this.#way.loss.add(results.filter(({ sentMs }) => sentMs > this.#way.status.overuseMs));
    const verdict = this.#way.probing.onFeedback(results, this.#way.queueMs, seen, now);
    if (verdict === 'clear' && seen !== 'clear') this.#way.detector.excuse();
    return verdict;
  }

  /** What passes of a sudden, where that is much less than what is sent, and neither a probe nor the noise of near machines. */
  #fallenBps(results: readonly PacketResult[], now: number): number | undefined {
    // Who was held lately sends little, of which little arrives.
    const minPackets = now - this.#way.status.overuseMs < UNSETTLED_MS ? MANY_PACKETS : undefined;
    const bps = this.#way.fall.add(
      results,
      { newestMs: this.#way.detector.newestMs, mediaBps: this.#way.traffic.mediaBps(now), minPackets },
      now,
    );
    return this.#way.isPaced && this.#way.probing.rateBps === undefined ? bps : undefined;
  }

  /** What arrived a moment ago says nothing of what passes now. */
  #fell(toBps: number, now: number): void {
    this.#way.queueMs = this.#way.measuredMs = Math.max(this.#way.queueMs, this.#way.detector.newestMs);
    this.#way.estimate.backOff(toBps);
    this.#way.overuse('queue', now);
    this.#fellMs = now;
  }

  #judge(verdict: QueueVerdict, sentMs: number, now: number): void {
    const isNew = sentMs > this.#way.status.overuseMs;
    const isQueue = verdict === 'certain' || (verdict === 'steep' && !this.#isSmall(now) && this.#way.traffic.exceeds(now));
    if (isNew && (isQueue || this.#way.loss.isHeavy)) {
      this.#way.estimate.backOff(this.#way.traffic.busyBps(now));
      return this.#way.overuse(isQueue ? 'queue' : 'loss', now);
    }
    this.#way.status.observe(this.#way.queueMs, verdict !== 'clear', now);
  }

  /** What is sent is far less than what was known to fit: the queue is somebody else's, and may be over soon. */
  #isSmall(now: number): boolean {
    return this.#way.traffic.mediaBps(now) < SMALL * (this.#way.estimate.bps ?? 0);
  }

  /** What the way carries, as far as this tells it. */
  #learn(results: readonly PacketResult[], elapsedMs: number, now: number): void {
    // What was sent before there was congestion arrives as fast as the way lets it: better known with each feedback.
    const busyBps = this.#way.traffic.busyBps(now);
    const isOfBefore =
      this.#way.status.state === 'congested' &&
      results.length >= TELLING_PACKETS &&
      (results.at(-1)?.sentMs ?? now) <= this.#way.status.overuseMs;
    const isKnown = now - this.#fellMs < BUSY_WINDOW_MS;
    if (
      isOfBefore &&
      (!isKnown || busyBps < this.#way.estimate.carriedBps) &&
      (this.#way.measuredMs > BUSY_QUEUE_MS || busyBps > this.#way.estimate.carriedBps)
    )
      this.#way.estimate.backOff(busyBps);
    // Large frames tell what does not fit. What arrives all the time fits, however they arrived.
    const { arrivingBps } = this.#way.traffic;
    const trainBps = trainRateBps(results);
    if (trainBps !== undefined) this.#way.estimate.limit(Math.max(trainBps, TRAIN_MARGIN * arrivingBps), now);
    if (this.#way.status.state === 'clear')
      this.#way.estimate.grow(this.#way.probing.foundBps(this.#way.nowMs), arrivingBps, elapsedMs, now);
  }
}
