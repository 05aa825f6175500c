/**
 * What one transport's way to its peer carries: whether a queue builds, what really arrives, and whether more would fit.
 * One for each transport, over all its streams. It owns no timer and no socket; whoever sends calls, with one monotonic
 * clock for all times:
 *
 * - `onSent` for every RTP packet, in the order in which they leave, RTX and probes too;
 * - `onFeedback`, `onRemb`, `onReport` when they come;
 * - `onTick` and then `probeDue` every 5 to 20 ms while it sends, and reads `pacingBps` and `isVideoHeld` after them.
 *
 * Nothing that a receiver claims makes it do more work than the claims are long, or keep more than the last seconds.
 */
import { AcknowledgedRate } from './acknowledged-rate.js';
import { LossDetector } from './loss-detector.js';
import type { CongestionCause, CongestionState, PacketResult, ReceptionSummary } from './packet-result.js';
import { Prober, type ProbeDemand } from './prober.js';
import { QueueDetector, type QueueVerdict } from './queue-detector.js';
import { ReceiverReports } from './receiver-reports.js';
import { SentBytes } from './sent-bytes.js';

/** On the way to a nearer peer nothing is paced before congestion is seen. */
const NEAR_ROUND_TRIP_MS = 5;
/** What a way carries of which nothing is known. */
const ASSUMED_BPS = 1_000_000;
const [MIN_BPS, MAX_BPS] = [20_000, 1_000_000_000];
/** Of what arrived when there was congestion. */
const BACK_OFF = 0.85;
/** Without a probe the estimate is at most that much of what arrives, and comes nearer to it by that a second. */
const UNPROVEN = 1.5;
const GROWTH_PER_S = 0.15;
/** Frames leave in less time than they play, and a group of pictures is caught up with. */
const PACE = 2.5;
/** A queue of our own making grows no further: the pace falls to the estimate between these, ms. */
const [FULL_PACE_QUEUE_MS, LOW_PACE_QUEUE_MS] = [30, 80];
/** Video is held until the queue is shorter, and congestion is over when it was shorter for a while, ms. */
const HOLD_QUEUE_MS = 50;
const CLEAR_QUEUE_MS = 20;
const CLEAR_FOR_MS = 300;
/** A queue that has not drained by then is none: the way became longer. */
const MAX_HOLD_MS = 2_000;
/** The windows of what arrived: while there is congestion, and else. */
const [BUSY_WINDOW_MS, WINDOW_MS] = [200, 500];
/** Feedback comes several times a second: it fails to come when it is that late, beside three round trips. */
const SILENCE_MS = 700;
/** What asks for a sign of life meanwhile. */
const PING_EVERY_MS = 250;
const PING_BYTES = 100;
/** Receiver's reports count where there was no transport-wide feedback for so long. */
const FEEDBACK_VALID_MS = 5_000;
const REPORT_VALID_MS = 15_000;
/** On a near way the noise of two machines is more likely than a queue. */
const NEAR_PATIENCE = 1.5;

/** The controller of one transport. */
export class CongestionController {
  #detector = new QueueDetector();
  readonly #loss = new LossDetector();
  readonly #rate = new AcknowledgedRate();
  readonly #sent = new SentBytes();
  readonly #prober = new Prober();
  readonly #reports = new ReceiverReports();
  #isPaced = false;
  #state: CongestionState = 'clear';
  #cause: CongestionCause | undefined;
  #estimateBps: number | undefined;
  #roundTripMs: number | undefined;
  #overuses = 0;
  #overuseMs = -Infinity;
  #heldSinceMs: number | undefined;
  #heldQueueMs = 0;
  #clearSinceMs: number | undefined;
  #feedbackMs: number | undefined;
  #feedbackSentMs = -Infinity;
  #queueMs = 0;
  #pingMs = -Infinity;
  #reportMs = -Infinity;
  #nowMs = -Infinity;

  /**
   * The way is a new one: of another nominated pair, or the first.
   * @param roundTripMs by the connectivity checks; undefined where they did not tell it: as for a near peer
   */
  setPath(roundTripMs: number | undefined): void {
    const isNear = roundTripMs === undefined || roundTripMs < NEAR_ROUND_TRIP_MS;
    this.#isPaced ||= !isNear;
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
    return this.#heldSinceMs !== undefined;
  }

  /** What the way carries as far as is known, bits a second; undefined before anything is. */
  get estimateBps(): number | undefined {
    return this.#estimateBps;
  }

  /** What can be counted on now, bits a second: the estimate, or what is assumed; undefined on a near way of which nothing is known. */
  get usableBps(): number | undefined {
    return this.#estimateBps ?? (this.#isPaced ? ASSUMED_BPS : undefined);
  }

  /** What arrived lately, bits a second; 0 before feedback. */
  get acknowledgedBps(): number {
    return Math.min(this.#rate.bps(WINDOW_MS), MAX_BPS);
  }

  /** How long a packet waits on the way now, beyond the delay of the empty way, ms. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Everything together is to be sent no faster, bits a second, sound excepted; undefined: as it comes. */
  get pacingBps(): number | undefined {
    if (!this.#isPaced) return undefined;
    const share = Math.min(1, Math.max(0, (LOW_PACE_QUEUE_MS - this.#queueMs) / (LOW_PACE_QUEUE_MS - FULL_PACE_QUEUE_MS)));
    return this.#prober.rateBps ?? (this.usableBps ?? ASSUMED_BPS) * (1 + (PACE - 1) * share);
  }

  /** Of the newest report or feedback, else of the connectivity checks, ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** The receiver acknowledges each packet, so probes tell something. */
  get hasFeedback(): boolean {
    return this.#feedbackMs !== undefined && this.#nowMs - this.#feedbackMs <= FEEDBACK_VALID_MS;
  }

  /** What would have to fit for more to be sent, bits a second, everything together; undefined: nothing. Probed until it is found. */
  set wantedBps(bps: number | undefined) {
    this.#prober.targetBps = bps;
  }

  /** What a probe carried in the last seconds, bits a second; 0: nothing is known. */
  get foundBps(): number {
    return this.#prober.foundBps(this.#nowMs);
  }

  /** A probe is under way, or its next step is due: what it finds may be more. */
  get isProbing(): boolean {
    return this.hasFeedback && this.#prober.isClimbing(this.#nowMs);
  }

  /** Reports of the receiver come, of whichever kind. */
  get hasReports(): boolean {
    return this.#nowMs - this.#reportMs <= REPORT_VALID_MS;
  }

  /** Counts what leaves: every RTP packet of the transport. */
  onSent(sizeBytes: number, nowMs: number): void {
    const now = this.#advance(nowMs);
    this.#sent.add(sizeBytes, now);
    this.#prober.onSent(sizeBytes);
  }

  /** @param results of one transport-wide feedback, each packet once, in the order in which they were sent */
  onFeedback(results: readonly PacketResult[], nowMs: number): void {
    const now = this.#advance(nowMs);
    const newest = results.at(-1);
    if (!newest) return;
    const sinceMs = Math.min(1_000, now - (this.#feedbackMs ?? now));
    this.#feedbackMs = now;
    this.#feedbackSentMs = Math.max(this.#feedbackSentMs, newest.sentMs);
    this.#roundTripMs = Math.max(0, now - newest.sentMs);
    for (const { sizeBytes, sentMs, arrivedMs } of results) if (arrivedMs !== undefined) this.#rate.add(sizeBytes, sentMs, arrivedMs);
    this.#loss.add(results.filter(({ sentMs }) => sentMs > this.#overuseMs));
    const verdict = this.#detector.add(results, now);
    this.#queueMs = this.#detector.queueMs;
    const isProbing = this.#prober.rateBps !== undefined;
    this.#prober.onFeedback(results, this.#queueMs, now);
    if (isProbing) this.#detector.excuse();
    this.#judge(isProbing ? 'clear' : verdict, newest.sentMs, now);
    this.#estimate(sinceMs / 1_000);
    this.#release(now);
  }

  /** The receiver's own estimate (REMB), for clients without transport-wide feedback. @param bps as received, whatever it is */
  onRemb(bps: number, nowMs: number): void {
    const now = this.#advance(nowMs);
    if (this.hasFeedback || !(bps > 0)) return;
    this.#reportMs = now;
    this.#estimateBps = clamp(bps);
    const cause = this.#reports.onRemb(this.#estimateBps, this.#sent.rateBps(1_000, now), now);
    if (cause && now - this.#overuseMs > 1_000) this.#overuse(cause, now);
  }

  /** Receiver Reports, once for each compound packet. Clients with transport-wide feedback tell the round trip by it. */
  onReport(report: ReceptionSummary, nowMs: number): void {
    const now = this.#advance(nowMs);
    if (report.roundTripMs !== undefined && report.roundTripMs >= 0) this.#roundTripMs = report.roundTripMs;
    if (this.hasFeedback || !(report.fractionLost >= 0 && report.fractionLost <= 1)) return;
    this.#reportMs = now;
    const cause = this.#reports.onReport(report, now);
    this.#queueMs = this.#reports.queueMs;
    const sentBps = this.#sent.rateBps(1_000, now);
    const isRemb = this.#reports.estimateBps(now) !== undefined;
    if (cause) {
      if (!isRemb) this.#estimateBps = clamp(BACK_OFF * sentBps * (1 - report.fractionLost));
      this.#overuse(cause, now);
      this.#reports.forget();
    } else if (this.#state !== 'clear') this.#state = 'clear';
    else if (!isRemb && report.fractionLost < 0.02) this.#estimateBps = clamp(Math.max(this.usableBps ?? 0, sentBps));
  }

  /** Lets time pass: silence, probes without an answer, the queue that drains meanwhile. */
  onTick(nowMs: number): void {
    const now = this.#advance(nowMs);
    this.#prober.onTick(now, this.#roundTripMs ?? 0);
    this.#listen(now);
    this.#release(now);
  }

  /** What is to be sent as probe packets now, after everything else; undefined: nothing. */
  probeDue(nowMs: number): ProbeDemand | undefined {
    const now = this.#advance(nowMs);
    if (this.#cause === 'silence' && this.#state === 'congested') return this.#ping(now);
    if (!this.hasFeedback || this.#state !== 'clear' || this.isVideoHeld) return undefined;
    return this.#prober.due(now, Math.max(this.acknowledgedBps, this.#estimateBps ?? 0), this.#queueMs);
  }

  #judge(verdict: QueueVerdict, sentMs: number, now: number): void {
    const isNew = sentMs > this.#overuseMs;
    if (isNew && verdict === 'certain') return this.#overuse('queue', now);
    if (isNew && this.#loss.isHeavy) return this.#overuse('loss', now);
    if (verdict === 'warning' && this.#state === 'clear') this.#state = 'warning';
    if (this.#queueMs >= CLEAR_QUEUE_MS || verdict !== 'clear') this.#clearSinceMs = undefined;
    else {
      this.#clearSinceMs ??= now;
      if (now - this.#clearSinceMs >= CLEAR_FOR_MS) this.#state = 'clear';
    }
  }

  #overuse(cause: CongestionCause, now: number): void {
    this.#state = 'congested';
    this.#cause = cause;
    this.#overuses++;
    this.#overuseMs = now;
    this.#isPaced = true;
    this.#clearSinceMs = undefined;
    if (this.hasFeedback) this.#estimateBps = clamp(BACK_OFF * this.#rate.bps(BUSY_WINDOW_MS));
    if (this.#queueMs >= HOLD_QUEUE_MS) this.#hold(now);
    this.#detector.forget();
    this.#loss.clear();
    this.#prober.abandon(now);
  }

  #hold(now: number): void {
    this.#heldSinceMs ??= now;
    this.#heldQueueMs = this.#queueMs;
  }

  #estimate(sinceS: number): void {
    // While the queue drains, what arrives is what the way carries.
    if (this.isVideoHeld && this.#queueMs > HOLD_QUEUE_MS) this.#estimateBps = clamp(BACK_OFF * this.#rate.bps(BUSY_WINDOW_MS));
    if (this.#state !== 'clear') return;
    const acknowledgedBps = Math.min(this.acknowledgedBps, 1.2 * this.#rate.sentBps(1_000));
    const known = Math.max(this.usableBps ?? acknowledgedBps, this.foundBps);
    this.#estimateBps = clamp(Math.max(known, Math.min(known * (1 + GROWTH_PER_S * sinceS), UNPROVEN * acknowledgedBps)));
  }

  /** Ends the hold when the queue has drained, by feedback or by what is known to be under way. */
  #release(now: number): void {
    if (this.#heldSinceMs === undefined) return;
    if (this.#cause !== 'silence') this.#queueMs = Math.min(this.#queueMs, this.#drainingMs(now));
    const isStuck = now - this.#heldSinceMs > MAX_HOLD_MS;
    if (this.#queueMs >= HOLD_QUEUE_MS && !isStuck) return;
    if (isStuck && this.#queueMs > this.#heldQueueMs / 2) this.#detector.rebase();
    this.#heldSinceMs = undefined;
  }

  /** What waits on the way by now: what did when the newest packet of which we know was sent, and what was sent since, at the rate of the way. */
  #drainingMs(now: number): number {
    const rateBps = (this.#estimateBps ?? ASSUMED_BPS) / BACK_OFF;
    const waitingMs = (this.#sent.after(this.#feedbackSentMs) * 8_000) / rateBps;
    return Math.max(0, this.#detector.queueMs + waitingMs - (now - this.#feedbackSentMs));
  }

  /** Takes note when feedback fails to come. A near peer that is busy may be late. */
  #listen(now: number): void {
    if (this.#feedbackMs === undefined || !this.#isPaced || this.#state === 'congested') return;
    const isSilent = now - this.#feedbackMs > SILENCE_MS + 3 * (this.#roundTripMs ?? 0);
    if (!isSilent || this.#sent.after(this.#feedbackMs) === 0) return;
    this.#state = 'congested';
    this.#cause = 'silence';
    this.#hold(now);
  }

  #ping(now: number): ProbeDemand | undefined {
    if (now - this.#pingMs < PING_EVERY_MS) return undefined;
    this.#pingMs = now;
    return { id: 0, bytes: PING_BYTES, maxPacketBytes: PING_BYTES };
  }

  #advance(nowMs: number): number {
    return (this.#nowMs = Math.max(this.#nowMs, nowMs));
  }
}

const clamp = (bps: number): number => Math.min(MAX_BPS, Math.max(MIN_BPS, bps));
