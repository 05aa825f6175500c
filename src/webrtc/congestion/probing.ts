/** When one transport is probed, for whom, and what the feedback of a probe says of the queue that it made itself. */
import type { PacketResult } from './packet-result.js';
import { Prober, type ProbeDemand } from './prober.js';
import type { QueueVerdict } from './queue-detector.js';
import type { RateEstimate } from './rate-estimate.js';
import { WINDOW_MS, type Traffic } from './traffic.js';

/** A probe makes no longer queue, even beside a large frame, ms; nor one of which it is known that it alone made it. */
const [MAX_QUEUE_MS, MAX_OWN_QUEUE_MS] = [200, 500];
/** Of a receiver that may acknowledge nothing, no more probes are expected to be. */
const MAX_UNHEARD = 2;
/** Of somebody who has not said again that more is wanted. */
const WANTED_MS = 1_000;

/** Of one transport. */
export class Probing {
  readonly #prober = new Prober();
  readonly #traffic: Traffic;
  readonly #estimate: RateEstimate;
  #wantedMs = -Infinity;
  /** Until when probe packets may have been sent. */
  #probedMs = -Infinity;
  /** What the last one told, where it did not fit, bits a second. */
  #toldBps: number | undefined;
  /** Begun before any feedback came. */
  #unheard = 0;

  /** @param estimate of the same transport as `traffic`: learns what does not fit */
  constructor(traffic: Traffic, estimate: RateEstimate) {
    this.#traffic = traffic;
    this.#estimate = estimate;
  }

  /** Rate that everything is to be sent with now, bits a second; undefined while nothing is probed. */
  get rateBps(): number | undefined {
    return this.#prober.rateBps;
  }

  /** What somebody would like to know to fit, bits a second; undefined: nothing. @param sinceMs what was found before then is to be found again */
  want(bps: number | undefined, sinceMs: number, nowMs: number): void {
    this.#prober.targetBps = bps;
    this.#prober.foundSinceMs = sinceMs;
    this.#wantedMs = nowMs;
  }

  /** Somebody said lately whether more is wanted. */
  isWatched(nowMs: number): boolean {
    return nowMs - this.#wantedMs <= WANTED_MS;
  }

  /** What a probe carried lately, bits a second; 0: nothing is known. */
  foundBps(nowMs: number): number {
    return this.#prober.foundBps(nowMs);
  }

  /** One is under way, or its next step is due. */
  isClimbing(nowMs: number): boolean {
    return (this.#traffic.hasFeedback(nowMs) || this.rateBps !== undefined) && this.#prober.isClimbing(nowMs);
  }

  /** Counts a packet of any kind. */
  onSent(sizeBytes: number, nowMs: number): void {
    this.#prober.onSent(sizeBytes, nowMs);
  }

  /** Lets time pass. */
  onTick(nowMs: number, roundTripMs: number): void {
    this.#prober.onTick(nowMs, roundTripMs);
  }

  /** There is congestion. */
  abandon(nowMs: number): void {
    this.#prober.abandon(nowMs);
  }

  /** What is to be sent now, where nothing is in the way; undefined: nothing. */
  due(queueMs: number, nowMs: number): ProbeDemand | undefined {
    const { feedbackMs } = this.#traffic;
    const isUnheard = feedbackMs === undefined;
    const isIdle = this.rateBps === undefined;
    if (isUnheard ? isIdle && this.#unheard >= MAX_UNHEARD : !this.#traffic.hasFeedback(nowMs)) return undefined;
    if (!this.isWatched(nowMs)) this.#prober.targetBps = undefined;
    const { assumedBps } = this.#estimate;
    // A probe beside a large frame would measure that.
    if (isIdle && this.#traffic.isBurst(assumedBps / 2, nowMs)) return undefined;
    const due = this.#prober.due(nowMs, Math.max(this.#traffic.arrivedBps(WINDOW_MS), assumedBps), queueMs);
    if (isUnheard && isIdle && this.#prober.rateBps !== undefined) this.#unheard++;
    if (due) this.#traffic.onProbe(due.bytes, nowMs);
    return due;
  }

  /** Takes the packets of a feedback, and what they say of the queue. @returns what that says of media: what a probe makes of it tells of the probe alone */
  onFeedback(results: readonly PacketResult[], queueMs: number, verdict: QueueVerdict, nowMs: number): QueueVerdict {
    if (this.rateBps !== undefined) {
      this.#probedMs = nowMs;
      this.#toldBps = this.#prober.onFeedback(results, queueMs, nowMs);
      if (this.#toldBps !== undefined) this.#estimate.limit(this.#toldBps, nowMs);
    }
    if ((results.at(-1)?.sentMs ?? nowMs) > this.#probedMs) return verdict;
    const isTold = this.#toldBps !== undefined;
    const fits = this.#traffic.mediaBps(nowMs) < (this.#toldBps ?? Infinity);
    if (isTold && !fits) return 'certain';
    return queueMs < (isTold || this.#estimate.isAssumed ? MAX_OWN_QUEUE_MS : MAX_QUEUE_MS) ? 'clear' : verdict;
  }
}
