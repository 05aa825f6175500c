/**
 * What one transport's way to its peer carries: whether a queue builds, what really arrives, and whether more would fit.
 * One for each transport, over all its streams. It owns no timer and no socket; whoever sends calls, with one monotonic
 * clock for all times:
 *
 * - `onSent` for every RTP packet that is acknowledged, or for all where none is, in the order in which they leave, RTX and
 *   probes too;
 * - `onFeedback`, `onRemb`, `onReport` when they come;
 * - `onTick` and then `probeDue` every 5 to 20 ms while it sends, and reads `pacingBps` and `isVideoHeld` after them.
 *
 * Nothing that a receiver claims makes it do more work than the claims are long, or keep more than the last seconds.
 */
import { AcknowledgedRate } from './acknowledged-rate.js';
import { Backlog } from './backlog.js';
import { LossDetector } from './loss-detector.js';
import type { CongestionCause, CongestionState, PacketResult, ReceptionSummary } from './packet-result.js';
import { Prober, type ProbeDemand } from './prober.js';
import { QueueDetector, type QueueVerdict } from './queue-detector.js';
import { RateEstimate } from './rate-estimate.js';
import { ReceiverReports } from './receiver-reports.js';
import { SentBytes } from './sent-bytes.js';
import { SilenceWatch } from './silence-watch.js';
import { trainRateBps } from './train-rate.js';
import { VideoHold } from './video-hold.js';

/** On the way to a nearer peer nothing is paced before congestion is seen. */
const NEAR_ROUND_TRIP_MS = 5;
/** There, the noise of two machines is more likely than a queue. */
const NEAR_PATIENCE = 1.5;
/** Frames leave in less time than they play, and a group of pictures is caught up with. */
const PACE = 2.5;
/** So that a queue drains, even where the estimate is too high. */
const LOW_PACE = 0.85;
/** The pace falls between these, so that a queue of our own making grows no further, ms. */
const [FULL_PACE_QUEUE_MS, LOW_PACE_QUEUE_MS] = [30, 80];
/** Congestion is over when the queue was shorter for a while, ms. */
const CLEAR_QUEUE_MS = 20;
const CLEAR_FOR_MS = 300;
/** While it drains, what arrives is what the way carries. */
const BUSY_QUEUE_MS = 50;
/** The windows of what arrived: while there is congestion, to be shown, and by the second. */
const [BUSY_WINDOW_MS, WINDOW_MS, LONG_WINDOW_MS] = [200, 500, 1_000];
/** So much more is sent than arrives when a queue builds. */
const EXCESS = 1.1;
const EXCESS_BPS = 30_000;
/** Sent at once, beside what arrives by the second: a large frame. */
const BURST = 1.3;
/** Above what arrives, what is told by a single frame. */
const TRAIN_MARGIN = 1.2;
/** A probe makes no longer queue, even beside a large frame, ms. */
const MAX_PROBE_QUEUE_MS = 200;
/** Without feedback for longer nothing is known: of sound alone, or of nothing, a receiver may say nothing. */
const QUIET_MS = 500;
/** Of somebody who has not said again that more is wanted. */
const WANTED_MS = 1_000;
/** Of a receiver that acknowledged once, and is paused, no more is under way. */
const UNACKNOWLEDGED_BYTES = 200_000;
/** What a UDP packet may carry. */
const MAX_UDP_BYTES = 65_535;
/** Nobody reports of what was sent so long ago, ms. */
const OLD_MS = 60_000;
/** Reports without loss: what is sent fits. */
const NO_LOSS = 0.02;
/** Transport-wide feedback that came so long ago has ended. */
const FEEDBACK_VALID_MS = 5_000;

/** The controller of one transport. */
export class CongestionController {
  #detector = new QueueDetector();
  readonly #loss = new LossDetector();
  readonly #rate = new AcknowledgedRate();
  readonly #sent = new SentBytes();
  readonly #prober = new Prober();
  readonly #reports = new ReceiverReports();
  readonly #estimate = new RateEstimate();
  readonly #hold = new VideoHold();
  readonly #silence = new SilenceWatch();
  readonly #backlog = new Backlog();
  #isPaced = false;
  #state: CongestionState = 'clear';
  #cause: CongestionCause | undefined;
  #roundTripMs: number | undefined;
  #overuses = 0;
  #overuseMs = -Infinity;
  #clearSinceMs: number | undefined;
  /** Until when probe packets may have been sent. */
  #probedMs = -Infinity;
  #feedbackMs: number | undefined;
  /** When the newest packet was sent of which feedback told. */
  #acknowledgedMs: number | undefined;
  #queueMs = 0;
  /** By the newest feedback. */
  #measuredMs = 0;
  #wantedMs = -Infinity;
  #nowMs = -Infinity;

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
    this.#rate.clear();
    this.#loss.clear();
  }

  /** `warning`: start what will be needed; `congested`: until the queue is gone. */
  get state(): CongestionState {
    return this.#state;
  }

  /** What the newest congestion was seen by; undefined before any. */
  get cause(): CongestionCause | undefined {
    return this.#cause;
  }

  /** How often congestion became certain: each time less is to be sent. */
  get overuses(): number {
    return this.#overuses;
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
    return this.#rate.bps(WINDOW_MS);
  }

  /** How long a packet waits on the way now, beyond the delay of the empty way, ms. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Everything together is to be sent no faster, bits a second, sound excepted; undefined: as it comes. */
  get pacingBps(): number | undefined {
    if (!this.#isPaced) return undefined;
    const share = Math.min(1, Math.max(0, (LOW_PACE_QUEUE_MS - this.#queueMs) / (LOW_PACE_QUEUE_MS - FULL_PACE_QUEUE_MS)));
    return this.#prober.rateBps ?? this.#estimate.assumedBps * (LOW_PACE + (PACE - LOW_PACE) * share);
  }

  /** Of the newest report or feedback, else of the connectivity checks, ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** The receiver acknowledges each packet, so probes tell something. */
  get hasFeedback(): boolean {
    return this.#feedbackMs !== undefined && this.#nowMs - this.#feedbackMs <= FEEDBACK_VALID_MS;
  }

  /** Reports come of a receiver that acknowledges nothing by itself, though there was enough to be acknowledged. */
  get hasReports(): boolean {
    const isUnacknowledged = this.#feedbackMs === undefined || this.#sent.after(this.#feedbackMs) > UNACKNOWLEDGED_BYTES;
    return isUnacknowledged && this.#reports.areComing(this.#nowMs);
  }

  /**
   * What would have to fit for more to be sent, bits a second, everything together; undefined: nothing. Probed until it is
   * found, or for 1 s: whoever still wants to know says so again.
   */
  set wantedBps(bps: number | undefined) {
    this.#prober.targetBps = bps;
    this.#wantedMs = this.#nowMs;
  }

  /** What a probe carried in the last seconds, bits a second; 0: nothing is known. */
  get foundBps(): number {
    return this.#prober.foundBps(this.#nowMs);
  }

  /** A probe is under way, or its next step is due: what it finds may be more. */
  get isProbing(): boolean {
    return this.hasFeedback && this.#prober.isClimbing(this.#nowMs);
  }

  /** What the receiver itself says that it can get (REMB), bits a second; undefined where it says nothing. */
  get receiverBps(): number | undefined {
    return this.#reports.hasEstimate(this.#nowMs) ? this.#estimate.bps : undefined;
  }

  /** Counts what leaves: every RTP packet of the transport. */
  onSent(sizeBytes: number, nowMs: number): void {
    this.#sent.add(sizeBytes, this.#advance(nowMs));
    this.#prober.onSent(sizeBytes);
  }

  /** @param claims of one transport-wide feedback, each packet once, in the order in which they were sent */
  onFeedback(claims: readonly PacketResult[], nowMs: number): void {
    const now = this.#advance(nowMs);
    const results = claims.filter((claim) => isPossible(claim, now));
    const newest = results.at(-1);
    if (!newest) return;
    const elapsedMs = Math.min(1_000, now - (this.#feedbackMs ?? now));
    this.#feedbackMs = now;
    this.#acknowledgedMs = Math.max(this.#acknowledgedMs ?? newest.sentMs, newest.sentMs);
    this.#roundTripMs = Math.max(0, now - newest.sentMs);
    for (const { sizeBytes, sentMs, arrivedMs } of results) if (arrivedMs !== undefined) this.#rate.add(sizeBytes, sentMs, arrivedMs);
    this.#loss.add(results.filter(({ sentMs }) => sentMs > this.#overuseMs));
    const verdict = this.#watch(results, now);
    this.#judge(verdict, newest.sentMs, now);
    this.#learn(results, elapsedMs, now);
    this.#release(now);
  }

  /** The receiver's own estimate (REMB), for clients without transport-wide feedback. @param bps as received, whatever it is */
  onRemb(bps: number, nowMs: number): void {
    const now = this.#advance(nowMs);
    if (this.hasFeedback || !(bps > 0)) return;
    this.#estimate.set(bps);
    const cause = this.#reports.onRemb(this.#estimate.assumedBps, this.#sent.rateBps(LONG_WINDOW_MS, now), now);
    if (cause) this.#overuse(cause, now);
    else if (now - this.#overuseMs > CLEAR_FOR_MS) this.#state = 'clear';
  }

  /** Receiver Reports, once for each compound packet. Clients with transport-wide feedback tell the round trip by it. */
  onReport(report: ReceptionSummary, nowMs: number): void {
    const now = this.#advance(nowMs);
    const isPossibleTrip = report.roundTripMs !== undefined && report.roundTripMs >= 0 && report.roundTripMs < OLD_MS;
    if (isPossibleTrip) this.#roundTripMs = report.roundTripMs;
    if (this.hasFeedback || !(report.fractionLost >= 0 && report.fractionLost <= 1)) return;
    const sentBps = this.#sent.rateBps(LONG_WINDOW_MS, now);
    const cause = this.#reports.onReport(isPossibleTrip ? report : { ...report, roundTripMs: undefined }, now);
    this.#queueMs = this.#reports.queueMs;
    const isOurs = !this.#reports.hasEstimate(now);
    if (cause) {
      if (isOurs) this.#estimate.backOff(sentBps * (1 - report.fractionLost));
      this.#overuse(cause, now);
    } else if (this.#state !== 'clear') this.#state = 'clear';
    else if (isOurs && report.fractionLost < NO_LOSS) this.#estimate.set(Math.max(this.#estimate.assumedBps, sentBps));
  }

  /**
   * Lets time pass: silence, probes without an answer, the queue that drains meanwhile.
   * @param waitingBytes of video that the pace keeps back
   */
  onTick(nowMs: number, waitingBytes = 0): void {
    const now = this.#advance(nowMs);
    if (this.#backlog.isLasting(waitingBytes, this.pacingBps, now)) {
      const arrivingBps = this.hasFeedback ? this.acknowledgedBps : this.#sent.rateBps(LONG_WINDOW_MS, now);
      this.#estimate.backOff(Math.min(arrivingBps, this.#estimate.carriedBps));
      this.#overuse('queue', now, waitingBytes);
    }
    this.#prober.onTick(now, this.#roundTripMs ?? 0);
    const isListening = this.#isPaced && this.#state !== 'congested' && this.hasFeedback;
    if (isListening && this.#silence.isSilent(this.#feedbackMs ?? now, this.#sent, this.#roundTripMs ?? 0, now)) {
      this.#state = 'congested';
      this.#cause = 'silence';
      this.#hold.begin(Infinity, now);
    }
    this.#release(now);
  }

  /** What is to be sent as probe packets now, after everything else; undefined: nothing. */
  probeDue(nowMs: number): ProbeDemand | undefined {
    const now = this.#advance(nowMs);
    const isWatched = now - this.#wantedMs <= WANTED_MS;
    const isQuiet = this.#isPaced && this.#feedbackMs !== undefined && now - this.#feedbackMs > QUIET_MS;
    if (isQuiet && (isWatched || this.#state === 'congested')) return this.#silence.ping(now);
    if (!this.hasFeedback || this.#state !== 'clear' || this.isVideoHeld) return undefined;
    if (!isWatched) this.#prober.targetBps = undefined;
    // A probe beside a large frame would measure that.
    const usualBps = Math.max(this.#rate.bps(LONG_WINDOW_MS), this.#estimate.assumedBps / 2);
    if (this.#prober.rateBps === undefined && this.#sent.rateBps(BUSY_WINDOW_MS, now) > BURST * usualBps) return undefined;
    return this.#prober.due(now, Math.max(this.acknowledgedBps, this.#estimate.assumedBps), this.#queueMs);
  }

  /** What the packets tell of the queue. What a probe makes of it tells of the probe alone. */
  #watch(results: readonly PacketResult[], now: number): QueueVerdict {
    const verdict = this.#detector.add(results, now);
    this.#queueMs = this.#measuredMs = this.#detector.queueMs;
    if (this.#prober.rateBps !== undefined) {
      this.#probedMs = now;
      const carriedBps = this.#prober.onFeedback(results, this.#queueMs, now);
      if (carriedBps !== undefined) this.#estimate.limit(carriedBps, now);
    }
    const isOfProbe = (results.at(-1)?.sentMs ?? now) <= this.#probedMs && this.#queueMs < MAX_PROBE_QUEUE_MS;
    if (!isOfProbe) return verdict;
    this.#detector.excuse();
    return 'clear';
  }

  #judge(verdict: QueueVerdict, sentMs: number, now: number): void {
    const isNew = sentMs > this.#overuseMs;
    const isQueue = verdict === 'certain' || (verdict === 'steep' && this.#exceeds(now));
    if (isNew && (isQueue || this.#loss.isHeavy)) {
      this.#estimate.backOff(this.#rate.bps(BUSY_WINDOW_MS));
      return this.#overuse(isQueue ? 'queue' : 'loss', now);
    }
    if (verdict !== 'clear' && this.#state === 'clear') this.#state = 'warning';
    this.#clearSinceMs = this.#queueMs < CLEAR_QUEUE_MS && verdict === 'clear' ? (this.#clearSinceMs ?? now) : undefined;
    if (this.#clearSinceMs !== undefined && now - this.#clearSinceMs >= CLEAR_FOR_MS) this.#state = 'clear';
  }

  /** More is sent, by the second, than arrives: the queue is not that of one large frame, which is over by itself. */
  #exceeds(now: number): boolean {
    return this.#sent.rateBps(LONG_WINDOW_MS, now) > EXCESS * this.#rate.bps(BUSY_WINDOW_MS) + EXCESS_BPS;
  }

  /** @param waitingBytes late already, for which video is held as for a queue */
  #overuse(cause: CongestionCause, now: number, waitingBytes = 0): void {
    this.#state = 'congested';
    this.#cause = cause;
    this.#overuses++;
    this.#overuseMs = now;
    this.#isPaced = true;
    this.#clearSinceMs = undefined;
    this.#hold.begin(waitingBytes > 0 ? Math.max(this.#queueMs, BUSY_QUEUE_MS) : this.#queueMs, now);
    this.#backlog.forget();
    this.#detector.forget();
    this.#loss.clear();
    this.#reports.onOveruse(now);
    this.#prober.abandon(now);
  }

  #learn(results: readonly PacketResult[], elapsedMs: number, now: number): void {
    // What was sent before there was congestion arrives as fast as the way lets it: better known with each feedback.
    const busyBps = this.#rate.bps(BUSY_WINDOW_MS);
    const isOfBefore = this.#state === 'congested' && (results.at(-1)?.sentMs ?? now) <= this.#overuseMs;
    if (isOfBefore && (this.#measuredMs > BUSY_QUEUE_MS || busyBps > this.#estimate.carriedBps)) this.#estimate.backOff(busyBps);
    // Large frames tell what does not fit. What arrives all the time fits, however they arrived.
    const arrivingBps = Math.min(this.#rate.bps(LONG_WINDOW_MS), TRAIN_MARGIN * this.#rate.sentBps(LONG_WINDOW_MS));
    const trainBps = trainRateBps(results);
    if (trainBps !== undefined) this.#estimate.limit(Math.max(trainBps, TRAIN_MARGIN * arrivingBps), now);
    if (this.#state === 'clear') this.#estimate.grow(this.foundBps, arrivingBps, elapsedMs, now);
  }

  #release(now: number): void {
    if (!this.#hold.isHeld) return;
    if (this.#cause !== 'silence' || this.#feedbackMs === now) {
      const bytesSince = this.#sent.after(this.#acknowledgedMs ?? now);
      const acknowledgedMs = this.hasFeedback ? this.#acknowledgedMs : undefined;
      const rateBps = this.#estimate.carriedBps;
      this.#queueMs = Math.min(
        this.#queueMs,
        this.#hold.drainingMs({ acknowledgedMs, queueMs: this.#measuredMs, bytesSince, rateBps }, now),
      );
    }
    if (this.#hold.update(this.#cause === 'silence' && this.#feedbackMs !== now ? Infinity : this.#queueMs, now) === 'stuck')
      this.#detector.rebase();
  }

  #advance(nowMs: number): number {
    return (this.#nowMs = Math.max(this.#nowMs, nowMs));
  }
}

/** A packet that was sent, and a number for when it came: the rest is for those who judge queues and rates. */
const isPossible = ({ sizeBytes, sentMs, arrivedMs }: PacketResult, nowMs: number): boolean =>
  sizeBytes > 0 &&
  sizeBytes <= MAX_UDP_BYTES &&
  sentMs <= nowMs &&
  sentMs > nowMs - OLD_MS &&
  (arrivedMs === undefined || Math.abs(arrivedMs) < Number.MAX_SAFE_INTEGER);
