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
import { CheckJudge } from './check-judge.js';
import { FeedbackJudge } from './feedback-judge.js';
import type { CongestionCause, CongestionState, PacketResult, ReceptionSummary } from './packet-result.js';
import type { ProbeDemand } from './prober.js';
import { ReportJudge } from './report-judge.js';
import { TimeJudge } from './time-judge.js';
import { WINDOW_MS } from './traffic.js';
import { Way } from './way.js';

/** The controller of one transport. */
export class CongestionController {
  readonly #way = new Way();
  readonly #feedback = new FeedbackJudge(this.#way);
  readonly #said = new ReportJudge(this.#way);
  readonly #checks = new CheckJudge(this.#way);
  readonly #time = new TimeJudge(this.#way);

  /**
   * The way is a new one: of another nominated pair, or the first.
   * @param roundTripMs by the connectivity checks; undefined where they did not tell it: as for a near peer
   */
  setPath(roundTripMs: number | undefined): void {
    this.#way.begin(roundTripMs);
  }

  /** `warning`: start what will be needed; `congested`: until the queue is gone. */
  get state(): CongestionState {
    return this.#way.status.state;
  }

  /** What the newest congestion was seen by; undefined before any. */
  get cause(): CongestionCause | undefined {
    return this.#way.status.cause;
  }

  /** How often congestion became certain: each time less is to be sent. */
  get overuses(): number {
    return this.#way.status.overuses;
  }

  /** How often the newest congestion turned out to be none: what was sent before it fits. */
  get withdrawals(): number {
    return this.#way.withdrawals;
  }

  /** Only sound is sent, until the queue has drained. What waits of the video is dropped, since it is late. */
  get isVideoHeld(): boolean {
    return this.#way.hold.isHeld;
  }

  /** What the way carries as far as is known, bits a second: 1 Mbit/s before anything is; undefined until then on a near way. */
  get estimateBps(): number | undefined {
    return this.#way.estimate.bps;
  }

  /** What arrived lately, bits a second; 0 before feedback. */
  get acknowledgedBps(): number {
    return this.#way.traffic.arrivedBps(WINDOW_MS);
  }

  /** How long a packet waits on the way now, beyond the delay of the empty way, ms. */
  get queueMs(): number {
    return this.#way.queueMs;
  }

  /** Everything together is to be sent no faster, bits a second, sound excepted; undefined: as it comes. */
  get pacingBps(): number | undefined {
    if (!this.#way.isPaced) return undefined;
    return this.#way.probing.rateBps ?? this.#feedback.pacingBps;
  }

  /** Of the newest report or feedback, else of the connectivity checks, ms. */
  get roundTripMs(): number | undefined {
    return this.#way.roundTripMs;
  }

  /** The receiver acknowledges each packet, so probes tell something. */
  get hasFeedback(): boolean {
    return this.#way.hasFeedback;
  }

  /** Reports come of a receiver that acknowledges nothing by itself, though there was enough to be acknowledged. */
  get hasReports(): boolean {
    return this.#way.traffic.isUnacknowledged && this.#way.reports.areComing(this.#way.nowMs);
  }

  /**
   * Whoever would send more says what would have to fit, everything together; again and again, or it is probed for 1 s alone.
   * @param bps bits a second; undefined: nothing
   * @param sinceMs what was found before then is to be found again; default: it counts as long as for anybody
   */
  want(bps: number | undefined, sinceMs = -Infinity): void {
    this.#way.probing.want(bps, sinceMs, this.#way.nowMs);
  }

  /** What a probe carried in the last seconds, bits a second; 0: nothing is known. */
  get foundBps(): number {
    return this.#way.probing.foundBps(this.#way.nowMs);
  }

  /** A probe is under way, or its next step is due: what it finds may be more. */
  get isProbing(): boolean {
    return this.#way.probing.isClimbing(this.#way.nowMs);
  }

  /** What the receiver itself says that it can get (REMB), bits a second; undefined where it says nothing. */
  get receiverBps(): number | undefined {
    return this.#way.reports.hasEstimate(this.#way.nowMs) ? this.#way.estimate.bps : undefined;
  }

  /** Checks tell of a queue within a moment: what is sent more, without proof, does no harm for long. */
  get isPathWatched(): boolean {
    return this.#way.isPathWatched;
  }

  /** This process is late itself: what takes long, or does not come, tells of that; what comes soon is true all the same. */
  excuse(nowMs: number): void {
    this.#way.lateMs = this.#way.advance(nowMs);
    this.#way.path.forget(this.#way.lateMs);
  }

  /** Counts what leaves: every RTP packet of the transport. */
  onSent(sizeBytes: number, nowMs: number): void {
    const now = this.#way.advance(nowMs);
    this.#way.traffic.onSent(sizeBytes, now);
    this.#way.probing.onSent(sizeBytes, now);
  }

  /** @param claims of one transport-wide feedback, each packet once, in the order in which they were sent */
  onFeedback(claims: readonly PacketResult[], nowMs: number): void {
    this.#feedback.onFeedback(claims, nowMs);
  }

  /** The receiver's own estimate (REMB), for clients without transport-wide feedback. @param bps as received, whatever it is */
  onRemb(bps: number, nowMs: number): void {
    this.#said.onRemb(bps, nowMs);
  }

  /** Receiver Reports, once for each compound packet. Clients with transport-wide feedback tell the round trip by it. */
  onReport(report: ReceptionSummary, nowMs: number): void {
    this.#said.onReport(report, nowMs);
  }

  /**
   * A check of the way that is to be sent now: where no feedback comes while somebody watches, some times a second.
   * @returns its id; undefined: none is
   */
  checkDue(nowMs: number): number | undefined {
    return this.#checks.checkDue(nowMs);
  }

  /** A check was answered. @param roundTripMs of this one; undefined: it is not known */
  onChecked(id: number, roundTripMs: number | undefined, nowMs: number): void {
    this.#checks.onChecked(id, roundTripMs, nowMs);
  }

  /**
   * Lets time pass: silence, probes without an answer, the queue that drains meanwhile.
   * @param waitingBytes of video that the pace keeps back
   */
  onTick(nowMs: number, waitingBytes = 0): void {
    this.#time.onTick(nowMs, waitingBytes, this.pacingBps);
  }

  /** What is to be sent as probe packets now, after everything else; undefined: nothing. */
  probeDue(nowMs: number): ProbeDemand | undefined {
    return this.#time.probeDue(nowMs);
  }
}
