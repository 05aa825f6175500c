/**
 * What is known of one transport's way to its peer, and what follows where it is congested. Feedback, reports and checks
 * each tell of it in their own manner; what they find comes together here.
 */
import { Backlog } from './backlog.js';
import { CongestionStatus } from './congestion-status.js';
import { Doubt } from './doubt.js';
import { FallDetector } from './fall-detector.js';
import { LossDetector } from './loss-detector.js';
import { PathWatch } from './path-watch.js';
import type { CongestionCause } from './packet-result.js';
import { Probing } from './probing.js';
import { QueueDetector } from './queue-detector.js';
import { RateEstimate } from './rate-estimate.js';
import { ReceiverReports } from './receiver-reports.js';
import { Traffic } from './traffic.js';
import { VideoHold } from './video-hold.js';

/** On the way to a nearer peer nothing is paced before congestion is seen. */
const NEAR_ROUND_TRIP_MS = 5;
/** There, the noise of two machines is more likely than a queue. */
const NEAR_PATIENCE = 1.5;
/** Of the estimate: what is sent counts as no less. */
const LEAST_LOAD = 0.5;
/** Reports of what was lost while the way was cut come until then. */
const AFTERMATH_MS = 2_000;

/** Of one transport; all times are of one monotonic clock, ms. */
export class Way {
  /** What is sent, and what of it arrives. */
  readonly traffic = new Traffic();
  /** What the way carries. */
  readonly estimate = new RateEstimate();
  /** Whether more would fit. */
  readonly probing = new Probing(this.traffic, this.estimate);
  /** What a receiver says by itself. */
  readonly reports = new ReceiverReports();
  /** Whether it is congested. */
  readonly status = new CongestionStatus();
  /** Whether video waits until a queue has drained. */
  readonly hold = new VideoHold();
  /** What checks tell. */
  readonly path = new PathWatch();
  /** What feedback tells of a way that becomes slower of a sudden. */
  readonly fall = new FallDetector();
  /** What feedback tells of loss. */
  readonly loss = new LossDetector();
  /** What the pace keeps back. */
  readonly backlog = new Backlog();
  /** Whether to believe what the receiver says. */
  readonly doubt = new Doubt();
  /** What feedback tells of a queue; another one for another path. */
  detector = new QueueDetector();
  /** It is no near one, or was congested once. */
  isPaced = false;
  /** Of the newest report or feedback, else of the connectivity checks; undefined: not known. */
  roundTripMs: number | undefined;
  /** How long a packet waits, beyond the delay of the empty way. */
  queueMs = 0;
  /** The same by the newest feedback. */
  measuredMs = 0;
  /** Checks found it cut. */
  isCut = false;
  /** When that ended. */
  cutMs = -Infinity;
  /** When nothing was heard any more. */
  silentMs = -Infinity;
  /** When the newest check was answered, or report came. */
  heardMs = -Infinity;
  /** The latest time that anybody named. */
  nowMs = -Infinity;
  /** Until then this process was late itself. */
  lateMs = -Infinity;
  /** How often congestion turned out to be none. */
  withdrawals = 0;
  /** The estimate, bits a second, before less was sent for a queue that checks or reports told of. */
  yieldedBps: number | undefined;

  /** @param roundTripMs of another path, by the connectivity checks; undefined where they did not tell it */
  begin(roundTripMs: number | undefined): void {
    const isNear = roundTripMs === undefined || roundTripMs < NEAR_ROUND_TRIP_MS;
    this.isPaced ||= !isNear;
    if (this.isPaced) this.estimate.assume();
    this.roundTripMs = roundTripMs;
    this.detector = new QueueDetector(isNear ? NEAR_PATIENCE : 1);
    this.traffic.forgetArrivals();
    this.loss.clear();
    this.path.clear();
    this.reports.rebase();
    this.isCut = false;
  }

  /** The receiver acknowledges each packet. */
  get hasFeedback(): boolean {
    return this.traffic.hasFeedback(this.nowMs);
  }

  /** Checks tell of a queue within a moment. */
  get isPathWatched(): boolean {
    return !this.hasFeedback && this.path.isAnswered(this.nowMs);
  }

  /** Time goes on, and never back. @returns the time it is */
  advance(nowMs: number): number {
    return (this.nowMs = Math.max(this.nowMs, nowMs));
  }

  /** What reports tell now is of a time in which the way was cut, or this process late. */
  isOfCut(now: number): boolean {
    return this.isCut || now - this.cutMs < AFTERMATH_MS || now <= this.lateMs;
  }

  /** What was sent lately; where that is little, as while a rung starts, who knows whose congestion it is. */
  loadBps(now: number): number {
    return Math.max(this.estimate.assumedBps * LEAST_LOAD, this.traffic.loadBps(now));
  }

  /** It is congested: less is to be sent. @param leastQueueMs for which video is held, where the queue is shorter */
  overuse(cause: CongestionCause, now: number, leastQueueMs = 0): void {
    this.status.overuse(cause, now);
    this.isPaced = true;
    this.hold.begin(Math.max(this.queueMs, leastQueueMs), now);
    this.backlog.forget();
    this.detector.forget();
    this.fall.forget();
    this.loss.clear();
    this.reports.onOveruse(now);
    this.path.forget(now);
    this.doubt.forget();
    this.probing.abandon(now);
  }

  /** The newest congestion was none: the way is longer than before. */
  withdraw(): void {
    this.withdrawals++;
    if (this.yieldedBps !== undefined) this.estimate.set(Math.max(this.yieldedBps, this.estimate.assumedBps));
    this.queueMs = this.measuredMs = 0;
    this.reports.rebase();
    this.status.clear();
  }

  /** Nothing is heard any more: video is held until something is. */
  fallSilent(now: number): void {
    this.silentMs = now;
    this.status.silence();
    this.hold.begin(Infinity, now);
  }

  /** Video goes on once the queue has drained. */
  release(now: number): void {
    if (!this.hold.isHeld) return;
    const { feedbackMs, acknowledgedMs, sent } = this.traffic;
    const isSilent = this.status.cause === 'silence' && feedbackMs !== now && this.heardMs !== now;
    if (!isSilent) {
      const queue = {
        acknowledgedMs: this.hasFeedback ? acknowledgedMs : undefined,
        queueMs: this.measuredMs,
        bytesSince: sent.after(acknowledgedMs ?? now),
        rateBps: this.estimate.carriedBps,
      };
      this.queueMs = Math.min(this.queueMs, this.hold.drainingMs(queue, now));
    }
    // A way that is cut is heard of when it is not any more.
    const maxMs = this.isCut ? Infinity : undefined;
    if (this.hold.update(isSilent ? Infinity : this.queueMs, now, maxMs) === 'stuck') this.detector.rebase();
  }
}
