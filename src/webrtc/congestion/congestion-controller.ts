/**
 * What one transport's way to its peer carries: whether a queue builds, what really arrives, and whether more would fit.
 * One for each transport, over all its streams. It owns no timer and no socket; whoever sends calls, with one monotonic
 * clock for all times:
 *
 * - `onSent` for every RTP packet that is acknowledged, or for all where none is, in the order in which they leave, RTX and
 *   probes too;
 * - `onFeedback`, `onRemb`, `onReport` when they come;
 * - `checkDue` every 50 ms or so, and `onChecked` when the check that it asked for is answered;
 * - `onTick` and then `probeDue` every 5 to 20 ms while it sends, and reads `pacingBps` and `isVideoHeld` after them.
 *
 * Nothing that a receiver claims makes it do more work than the claims are long, or keep more than the last seconds.
 */
import { Backlog } from './backlog.js';
import { CLEAR_FOR_MS, CongestionStatus } from './congestion-status.js';
import { FallDetector } from './fall-detector.js';
import { LossDetector } from './loss-detector.js';
import { Pace } from './pace.js';
import { PathWatch } from './path-watch.js';
import { isPossible, isPossibleTrip } from './possible.js';
import type { CongestionCause, CongestionState, PacketResult, ReceptionSummary } from './packet-result.js';
import type { ProbeDemand } from './prober.js';
import { Probing } from './probing.js';
import { QueueDetector, type QueueVerdict } from './queue-detector.js';
import { RateEstimate } from './rate-estimate.js';
import { ReceiverReports } from './receiver-reports.js';
import { SilenceWatch } from './silence-watch.js';
import { BUSY_WINDOW_MS, TRAIN_MARGIN, Traffic, WINDOW_MS } from './traffic.js';
import { trainRateBps } from './train-rate.js';
import { VideoHold } from './video-hold.js';

/** On the way to a nearer peer nothing is paced before congestion is seen. */
const NEAR_ROUND_TRIP_MS = 5;
/** There, the noise of two machines is more likely than a queue. */
const NEAR_PATIENCE = 1.5;
/** Fewer, as what comes late after a pause, tell no rate. */
const TELLING_PACKETS = 3;
/** Of the estimate. */
const SMALL = 0.5;
/** While it drains, what arrives is what the way carries. */
const BUSY_QUEUE_MS = 50;
/** Without feedback for longer nothing is known: of sound alone, or of nothing, a receiver may say nothing. */
const QUIET_MS = 500;
/** Reports without loss: what is sent fits. */
const NO_LOSS = 0.02;
/** A receiver's estimate that the way itself contradicts is believed after so long, where it is far below what is sent. */
const [DOUBTED_MS, DOUBTED_SHARE] = [5_000, 0.5];
/** Reports of what was lost while the way was cut come until then. */
const AFTERMATH_MS = 2_000;
/** Nothing to watch the way for: nothing was sent for longer. */
const IDLE_MS = 1_000;
/** So long after congestion only so many packets tell of more. */
const [UNSETTLED_MS, MANY_PACKETS] = [2_000, 15];
/** What was sent before there was congestion counts no more. */
const SETTLED_MS = 1_000;

/** The controller of one transport. */
export class CongestionController {
  #detector = new QueueDetector();
  readonly #fall = new FallDetector();
  readonly #loss = new LossDetector();
  readonly #traffic = new Traffic();
  readonly #estimate = new RateEstimate();
  readonly #probing = new Probing(this.#traffic, this.#estimate);
  readonly #reports = new ReceiverReports();
  readonly #status = new CongestionStatus();
  readonly #hold = new VideoHold();
  readonly #silence = new SilenceWatch();
  readonly #backlog = new Backlog();
  readonly #path = new PathWatch();
  readonly #pace = new Pace();
  #isPaced = false;
  #roundTripMs: number | undefined;
  #queueMs = 0;
  /** By the newest feedback. */
  #measuredMs = 0;
  /** Since when the receiver's estimate has been below what is sent, though the way is empty. */
  #doubtedSinceMs: number | undefined;
  /** When nothing was heard any more. */
  #silentMs = -Infinity;
  /** Checks found the way cut; and when it ended. */
  #isCut = false;
  #cutMs = -Infinity;
  /** When the newest check was answered, or report came. */
  #heardMs = -Infinity;
  #nowMs = -Infinity;
  /** Until then this process was late itself. */
  #lateMs = -Infinity;
  #withdrawals = 0;
  /** The estimate before less was sent for a queue that checks or reports told of. */
  #yieldedBps: number | undefined;
  /** When it was seen last that the way has become much slower. */
  #fellMs = -Infinity;

  /**
   * The way is a new one: of another nominated pair, or the first.
   * @param roundTripMs by the connectivity checks; undefined where they did not tell it: as for a near peer
   */
  setPath(roundTripMs: number | undefined): void {
    const isNear = roundTripMs === undefined || roundTripMs < NEAR_ROUND_TRIP_MS;
    this.#isPaced ||= !isNear;
    if (this.#isPaced) this.#estimate.assume();
    this.#roundTripMs = roundTripMs;
    this.#detector = new QueueDetector(isNear ? NEAR_PATIENCE : 1);
    this.#traffic.forgetArrivals();
    this.#loss.clear();
    this.#path.clear();
    this.#reports.rebase();
    this.#isCut = false;
  }

  /** `warning`: start what will be needed; `congested`: until the queue is gone. */
  get state(): CongestionState {
    return this.#status.state;
  }

  /** What the newest congestion was seen by; undefined before any. */
  get cause(): CongestionCause | undefined {
    return this.#status.cause;
  }

  /** How often congestion became certain: each time less is to be sent. */
  get overuses(): number {
    return this.#status.overuses;
  }

  /** How often the newest congestion turned out to be none: what was sent before it fits. */
  get withdrawals(): number {
    return this.#withdrawals;
  }

  /** Only sound is sent, until the queue has drained. What waits of the video is dropped, since it is late. */
  get isVideoHeld(): boolean {
    return this.#hold.isHeld;
  }

  /** What the way carries as far as is known, bits a second: 1 Mbit/s before anything is; undefined until then on a near way. */
  get estimateBps(): number | undefined {
    return this.#estimate.bps;
  }

  /** What arrived lately, bits a second; 0 before feedback. */
  get acknowledgedBps(): number {
    return this.#traffic.arrivedBps(WINDOW_MS);
  }

  /** How long a packet waits on the way now, beyond the delay of the empty way, ms. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Everything together is to be sent no faster, bits a second, sound excepted; undefined: as it comes. */
  get pacingBps(): number | undefined {
    if (!this.#isPaced) return undefined;
    return this.#probing.rateBps ?? this.#pace.bps(this.#estimate.assumedBps, this.#queueMs);
  }

  /** Of the newest report or feedback, else of the connectivity checks, ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** The receiver acknowledges each packet, so probes tell something. */
  get hasFeedback(): boolean {
    return this.#traffic.hasFeedback(this.#nowMs);
  }

  /** Reports come of a receiver that acknowledges nothing by itself, though there was enough to be acknowledged. */
  get hasReports(): boolean {
    return this.#traffic.isUnacknowledged && this.#reports.areComing(this.#nowMs);
  }

  /**
   * Whoever would send more says what would have to fit, everything together; again and again, or it is probed for 1 s alone.
   * @param bps bits a second; undefined: nothing
   * @param sinceMs what was found before then is to be found again; default: it counts as long as for anybody
   */
  want(bps: number | undefined, sinceMs = -Infinity): void {
    this.#probing.want(bps, sinceMs, this.#nowMs);
  }

  /** What a probe carried in the last seconds, bits a second; 0: nothing is known. */
  get foundBps(): number {
    return this.#probing.foundBps(this.#nowMs);
  }

  /** A probe is under way, or its next step is due: what it finds may be more. */
  get isProbing(): boolean {
    return this.#probing.isClimbing(this.#nowMs);
  }

  /** What the receiver itself says that it can get (REMB), bits a second; undefined where it says nothing. */
  get receiverBps(): number | undefined {
    return this.#reports.hasEstimate(this.#nowMs) ? this.#estimate.bps : undefined;
  }

  /** Checks tell of a queue within a moment: what is sent more, without proof, does no harm for long. */
  get isPathWatched(): boolean {
    return !this.hasFeedback && this.#path.isAnswered(this.#nowMs);
  }

  /** This process is late itself: what takes long, or does not come, tells of that; what comes soon is true all the same. */
  excuse(nowMs: number): void {
    this.#lateMs = this.#advance(nowMs);
    this.#path.forget(this.#lateMs);
  }

  /** Counts what leaves: every RTP packet of the transport. */
  onSent(sizeBytes: number, nowMs: number): void {
    const now = this.#advance(nowMs);
    this.#traffic.onSent(sizeBytes, now);
    this.#probing.onSent(sizeBytes, now);
  }

  /** @param claims of one transport-wide feedback, each packet once, in the order in which they were sent */
  onFeedback(claims: readonly PacketResult[], nowMs: number): void {
    const now = this.#advance(nowMs);
    const results = claims.filter((claim) => isPossible(claim, now));
    const newest = results.at(-1);
    if (!newest) return;
    const elapsedMs = this.#traffic.onFeedback(results, now);
    this.#isCut = false;
    this.#roundTripMs = Math.max(0, now - newest.sentMs);
    const verdict = this.#watch(results, now);
    const fallenBps = this.#fallenBps(results, now);
    if (fallenBps !== undefined && newest.sentMs > this.#status.overuseMs) this.#fell(fallenBps, now);
    else this.#judge(verdict, newest.sentMs, now);
    this.#learn(results, elapsedMs, now);
    if (this.#probing.rateBps === undefined && this.#pace.onFeedback(results, elapsedMs, now))
      this.#estimate.limit(TRAIN_MARGIN * this.#traffic.arrivingBps, now);
    this.#release(now);
  }

  /** The receiver's own estimate (REMB), for clients without transport-wide feedback. @param bps as received, whatever it is */
  onRemb(bps: number, nowMs: number): void {
    const now = this.#advance(nowMs);
    if (this.hasFeedback || !(bps > 0)) return;
    const sentBps = this.#traffic.sentBps(now);
    const cause = this.#reports.onRemb(bps, sentBps, now);
    if (this.#isDoubtful(cause, bps, sentBps, now)) return;
    this.#estimate.set(bps);
    if (cause) this.#overuse(cause, now);
    else if (now - this.#status.overuseMs > CLEAR_FOR_MS) this.#status.clear();
  }

  /** A receiver that sees congestion while checks find the way empty is wrong, unless it goes on saying so. */
  #isDoubtful(cause: CongestionCause | undefined, bps: number, sentBps: number, now: number): boolean {
    if (this.#isOfCut(now)) return true;
    if (!cause || !this.isPathWatched || !this.#path.isEmpty(now)) {
      this.#doubtedSinceMs = undefined;
      return false;
    }
    this.#doubtedSinceMs ??= now;
    return bps >= DOUBTED_SHARE * sentBps || now - this.#doubtedSinceMs < DOUBTED_MS;
  }

  /** What reports tell now is of a time in which the way was cut, or this process late. */
  #isOfCut(now: number): boolean {
    return this.#isCut || now - this.#cutMs < AFTERMATH_MS || now <= this.#lateMs;
  }

  /** Receiver Reports, once for each compound packet. Clients with transport-wide feedback tell the round trip by it. */
  onReport(report: ReceptionSummary, nowMs: number): void {
    const now = this.#advance(nowMs);
    const roundTripMs = isPossibleTrip(report.roundTripMs) ? report.roundTripMs : undefined;
    this.#roundTripMs = roundTripMs ?? this.#roundTripMs;
    if (this.hasFeedback || this.#isOfCut(now) || !(report.fractionLost >= 0 && report.fractionLost <= 1)) return;
    const sentBps = this.#traffic.sentBps(now);
    const cause = this.#reports.onReport({ ...report, roundTripMs }, now);
    if (!this.isPathWatched) this.#queueMs = this.#reports.queueMs;
    const isOurs = !this.#reports.hasEstimate(now) || this.isPathWatched;
    if (cause === 'longer') this.#withdraw();
    else if (cause) {
      if (!this.isPathWatched) this.#yieldedBps = this.#estimate.bps;
      const passing = Math.min(1 - report.fractionLost, this.isPathWatched ? this.#path.passing : 1);
      if (isOurs) this.#estimate.backOff(this.#loadBps(now) * passing);
      this.#overuse(cause, now);
    } else if (this.state !== 'clear') this.#status.clear();
    else if (isOurs && report.fractionLost < NO_LOSS) this.#estimate.set(Math.max(this.#estimate.assumedBps, sentBps));
    this.#heardMs = now;
    this.#release(now);
  }

  /**
   * A check of the way that is to be sent now: where no feedback comes while somebody watches, some times a second.
   * @returns its id; undefined: none is
   */
  checkDue(nowMs: number): number | undefined {
    const now = this.#advance(nowMs);
    const isIdle = !this.isVideoHeld && now - (this.#traffic.sent.lastMs ?? -Infinity) > IDLE_MS;
    const isWatched = !isIdle || this.#probing.isWatched(now);
    if (!isWatched || this.hasFeedback) return undefined;
    if (this.state !== 'congested' && !isIdle && now > this.#lateMs) {
      if (this.#path.isSilent(now)) {
        this.#isCut = true;
        this.#fallSilent(now);
      } else if (this.#path.isLossy(now)) this.#yield('loss', now);
    }
    return this.#path.ask(isIdle, now);
  }

  /** A check was answered. @param roundTripMs of this one; undefined: it is not known */
  onChecked(id: number, roundTripMs: number | undefined, nowMs: number): void {
    const now = this.#advance(nowMs);
    const isHonest = now > this.#lateMs || roundTripMs === undefined || !this.#path.isLong(roundTripMs);
    const verdict = this.#path.add(id, isHonest ? roundTripMs : undefined, now);
    this.#heardMs = now;
    if (this.hasFeedback) return this.#release(now);
    this.#roundTripMs = roundTripMs ?? this.#roundTripMs;
    this.#queueMs = this.#path.queueMs;
    if (this.#isCut) this.#heal(now);
    else if (verdict === 'longer') this.#withdraw();
    else if (verdict === 'congested') this.#yieldToQueue(now);
    else if (verdict === 'long') this.#status.warn();
    else if (this.#queueMs < BUSY_QUEUE_MS && now - this.#status.overuseMs > CLEAR_FOR_MS) {
      this.#status.clear();
      if (now - this.#status.overuseMs > SETTLED_MS) this.#estimate.set(Math.max(this.#estimate.assumedBps, this.#traffic.sentBps(now)));
    }
    this.#release(now);
  }

  /** Something passes again: soon after less is sent where that was too much, later where the way was cut. */
  #heal(now: number): void {
    this.#isCut = false;
    this.#cutMs = now;
    if (now - this.#silentMs < this.#path.drainsWithinMs && now > this.#lateMs) return this.#yield('loss', now);
    this.#path.forget(now);
    this.#status.clear();
  }

  /** Checks tell of congestion, and how much passes. */
  #yield(cause: CongestionCause, now: number): void {
    this.#estimate.backOff(this.#loadBps(now) * this.#path.passing);
    this.#overuse(cause, now);
  }

  #yieldToQueue(now: number): void {
    this.#yieldedBps = this.#estimate.bps;
    this.#path.yields(now);
    this.#yield('queue', now);
  }

  /** The newest congestion was none: the way is longer than before. */
  #withdraw(): void {
    this.#withdrawals++;
    if (this.#yieldedBps !== undefined) this.#estimate.set(Math.max(this.#yieldedBps, this.#estimate.assumedBps));
    this.#queueMs = this.#measuredMs = 0;
    this.#reports.rebase();
    this.#status.clear();
  }

  /** What was sent lately; where that is little, as while a rung starts, who knows whose congestion it is. */
  #loadBps(now: number): number {
    return Math.max(this.#estimate.assumedBps * SMALL, this.#traffic.loadBps(now));
  }

  /**
   * Lets time pass: silence, probes without an answer, the queue that drains meanwhile.
   * @param waitingBytes of video that the pace keeps back
   */
  onTick(nowMs: number, waitingBytes = 0): void {
    const now = this.#advance(nowMs);
    if (this.#backlog.isLasting(waitingBytes, this.pacingBps, now) && now > this.#lateMs) {
      const arrivingBps = this.hasFeedback ? this.acknowledgedBps : this.#traffic.sentBps(now);
      this.#estimate.backOff(Math.min(arrivingBps, this.#estimate.carriedBps));
      // Late already, it is held as for a queue.
      this.#overuse('queue', now, waitingBytes > 0 ? BUSY_QUEUE_MS : 0);
    }
    this.#probing.onTick(now, this.#roundTripMs ?? 0);
    const isListening = this.#isPaced && this.state !== 'congested' && this.hasFeedback && now > this.#lateMs;
    if (isListening && this.#silence.isSilent(this.#traffic.feedbackMs ?? now, this.#traffic.sent, this.#roundTripMs ?? 0, now)) {
      this.#fallSilent(now);
    }
    this.#release(now);
  }

  #fallSilent(now: number): void {
    this.#silentMs = now;
    this.#status.silence();
    this.#hold.begin(Infinity, now);
  }

  /** What is to be sent as probe packets now, after everything else; undefined: nothing. */
  probeDue(nowMs: number): ProbeDemand | undefined {
    const now = this.#advance(nowMs);
    if (!this.#isPaced) return undefined;
    const isQuiet = now - (this.#traffic.feedbackMs ?? now) > QUIET_MS;
    if (isQuiet && (this.#probing.isWatched(now) || this.state === 'congested')) return this.#silence.ping(now);
    return this.state !== 'clear' || this.isVideoHeld ? undefined : this.#probing.due(this.#queueMs, now);
  }

  /** What the packets tell of the queue that media makes. */
  #watch(results: readonly PacketResult[], now: number): QueueVerdict {
    const seen = this.#detector.add(results, now);
    this.#queueMs = this.#measuredMs = this.#detector.queueMs;
    const isProbed = this.#probing.rateBps !== undefined;
    // What a probe loses for want of room is its own.
    if (!isProbed) this.#loss.add(results.filter(({ sentMs }) => sentMs > this.#status.overuseMs));
    const verdict = this.#probing.onFeedback(results, this.#queueMs, seen, now);
    if (verdict === 'clear' && seen !== 'clear') this.#detector.excuse();
    return verdict;
  }

  /** What passes of a sudden, where that is much less than what is sent, and neither a probe nor the noise of near machines. */
  #fallenBps(results: readonly PacketResult[], now: number): number | undefined {
    // Who was held lately sends little, of which little arrives.
    const minPackets = now - this.#status.overuseMs < UNSETTLED_MS ? MANY_PACKETS : undefined;
    const bps = this.#fall.add(results, { newestMs: this.#detector.newestMs, mediaBps: this.#traffic.mediaBps(now), minPackets }, now);
    return this.#isPaced && this.#probing.rateBps === undefined ? bps : undefined;
  }

  /** What arrived a moment ago says nothing of what passes now. */
  #fell(toBps: number, now: number): void {
    this.#queueMs = this.#measuredMs = Math.max(this.#queueMs, this.#detector.newestMs);
    this.#estimate.backOff(toBps);
    this.#overuse('queue', now);
    this.#fellMs = now;
  }

  #judge(verdict: QueueVerdict, sentMs: number, now: number): void {
    const isNew = sentMs > this.#status.overuseMs;
    const isQueue = verdict === 'certain' || (verdict === 'steep' && !this.#isSmall(now) && this.#traffic.exceeds(now));
    if (isNew && (isQueue || this.#loss.isHeavy)) {
      this.#estimate.backOff(this.#traffic.busyBps(now));
      return this.#overuse(isQueue ? 'queue' : 'loss', now);
    }
    this.#status.observe(this.#queueMs, verdict !== 'clear', now);
  }

  /** What is sent is far less than what was known to fit: the queue is somebody else's, and may be over soon. */
  #isSmall(now: number): boolean {
    return this.#traffic.mediaBps(now) < SMALL * (this.#estimate.bps ?? 0);
  }

  /** @param leastQueueMs for which video is held, where the queue is shorter */
  #overuse(cause: CongestionCause, now: number, leastQueueMs = 0): void {
    this.#status.overuse(cause, now);
    this.#isPaced = true;
    this.#hold.begin(Math.max(this.#queueMs, leastQueueMs), now);
    this.#backlog.forget();
    this.#detector.forget();
    this.#fall.forget();
    this.#loss.clear();
    this.#reports.onOveruse(now);
    this.#path.forget(now);
    this.#doubtedSinceMs = undefined;
    this.#probing.abandon(now);
  }

  #learn(results: readonly PacketResult[], elapsedMs: number, now: number): void {
    // What was sent before there was congestion arrives as fast as the way lets it: better known with each feedback.
    const busyBps = this.#traffic.busyBps(now);
    const isOfBefore =
      this.state === 'congested' && results.length >= TELLING_PACKETS && (results.at(-1)?.sentMs ?? now) <= this.#status.overuseMs;
    const isKnown = now - this.#fellMs < BUSY_WINDOW_MS;
    if (
      isOfBefore &&
      (!isKnown || busyBps < this.#estimate.carriedBps) &&
      (this.#measuredMs > BUSY_QUEUE_MS || busyBps > this.#estimate.carriedBps)
    )
      this.#estimate.backOff(busyBps);
    // Large frames tell what does not fit. What arrives all the time fits, however they arrived.
    const { arrivingBps } = this.#traffic;
    const trainBps = trainRateBps(results);
    if (trainBps !== undefined) this.#estimate.limit(Math.max(trainBps, TRAIN_MARGIN * arrivingBps), now);
    if (this.state === 'clear') this.#estimate.grow(this.foundBps, arrivingBps, elapsedMs, now);
  }

  #release(now: number): void {
    if (!this.#hold.isHeld) return;
    const { feedbackMs, acknowledgedMs, sent } = this.#traffic;
    const isSilent = this.cause === 'silence' && feedbackMs !== now && this.#heardMs !== now;
    if (!isSilent) {
      const queue = {
        acknowledgedMs: this.hasFeedback ? acknowledgedMs : undefined,
        queueMs: this.#measuredMs,
        bytesSince: sent.after(acknowledgedMs ?? now),
        rateBps: this.#estimate.carriedBps,
      };
      this.#queueMs = Math.min(this.#queueMs, this.#hold.drainingMs(queue, now));
    }
    // A way that is cut is heard of when it is not any more.
    const maxMs = this.#isCut ? Infinity : undefined;
    if (this.#hold.update(isSilent ? Infinity : this.#queueMs, now, maxMs) === 'stuck') this.#detector.rebase();
  }

  #advance(nowMs: number): number {
    return (this.#nowMs = Math.max(this.#nowMs, nowMs));
  }
}
