/** What a receiver says by itself of the way: Receiver Reports, and its own estimate (REMB). */
import { CLEAR_FOR_MS } from './congestion-status.js';
import { isPossibleTrip } from './possible.js';
import type { CongestionCause, ReceptionSummary } from './packet-result.js';
import type { Way } from './way.js';

/** Reports without loss: what is sent fits. */
const NO_LOSS = 0.02;

/** Hears the reports of one transport. */
export class ReportJudge {
  readonly #way: Way;

  /** @param way what is found is kept there */
  constructor(way: Way) {
    this.#way = way;
  }

  /** The receiver's own estimate (REMB), for clients without transport-wide feedback. @param bps as received, whatever it is */
  onRemb(bps: number, nowMs: number): void {
    const now = this.#way.advance(nowMs);
    if (this.#way.hasFeedback || !(bps > 0)) return;
    const sentBps = this.#way.traffic.sentBps(now);
    const cause = this.#way.reports.onRemb(bps, sentBps, now);
    if (this.#isDoubtful(cause, bps, sentBps, now)) return;
    this.#way.estimate.set(bps);
    if (cause) this.#way.overuse(cause, now);
    else if (now - this.#way.status.overuseMs > CLEAR_FOR_MS) this.#way.status.clear();
  }

  /** A receiver that sees congestion while checks find the way empty is wrong, unless it goes on saying so. */
  #isDoubtful(cause: CongestionCause | undefined, bps: number, sentBps: number, now: number): boolean {
    if (this.#way.isOfCut(now)) return true;
    if (!cause || !this.#way.isPathWatched || !this.#way.path.isEmpty(now)) {
      this.#way.doubt.forget();
      return false;
    }
    return this.#way.doubt.holds(bps, sentBps, now);
  }

  /** Receiver Reports, once for each compound packet. Clients with transport-wide feedback tell the round trip by it. */
  onReport(report: ReceptionSummary, nowMs: number): void {
    const now = this.#way.advance(nowMs);
    const roundTripMs = isPossibleTrip(report.roundTripMs) ? report.roundTripMs : undefined;
    this.#way.roundTripMs = roundTripMs ?? this.#way.roundTripMs;
    if (this.#way.hasFeedback || this.#way.isOfCut(now) || !(report.fractionLost >= 0 && report.fractionLost <= 1)) return;
    const sentBps = this.#way.traffic.sentBps(now);
    const cause = this.#way.reports.onReport({ ...report, roundTripMs }, now);
    if (!this.#way.isPathWatched) this.#way.queueMs = this.#way.reports.queueMs;
    const isOurs = !this.#way.reports.hasEstimate(now) || this.#way.isPathWatched;
    if (cause === 'longer') this.#way.withdraw();
    else if (cause) {
      if (!this.#way.isPathWatched) this.#way.yieldedBps = this.#way.estimate.bps;
      const passing = Math.min(1 - report.fractionLost, this.#way.isPathWatched ? this.#way.path.passing : 1);
      if (isOurs) this.#way.estimate.backOff(this.#way.loadBps(now) * passing);
      this.#way.overuse(cause, now);
    } else if (this.#way.status.state !== 'clear') this.#way.status.clear();
    else if (isOurs && report.fractionLost < NO_LOSS) this.#way.estimate.set(Math.max(this.#way.estimate.assumedBps, sentBps));
    this.#way.heardMs = now;
    this.#way.release(now);
  }
}
