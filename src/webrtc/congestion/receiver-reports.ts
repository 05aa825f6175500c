/**
 * Congestion as clients tell it that have no transport-wide feedback: by their own estimate (REMB,
 * draft-alvestrand-rmcat-remb-03), or by Receiver Reports alone. Slow, since these come once a second and less.
 */
import { MinimumWindow } from './minimum-window.js';
import type { CongestionCause, ReceptionSummary } from './packet-result.js';

/** The smallest round trip is that of the empty way. */
const BASE_WINDOW_MS = 60_000;
/** Lost in one report, or in two that follow each other. */
const HEAVY = 0.25;
const MUCH = 0.1;
/** Round trips longer than the base by more, in two reports. */
const LONG_QUEUE_MS = 100;
/** They are as long as before where they are shorter by less; and no queue is full where less is lost. */
const [STEADY_MS, NO_LOSS] = [10, 0.02];
/** An estimate is repeated once a second by those who send them. */
const REMB_VALID_MS = 8_000;
/** Its receiver sees a queue: less than what is sent. */
const TOO_MUCH = 1.05;
/** What was sent before less was sent is still reported so long, and in the first report. */
const AFTERMATH_MS = 1_500;
/** Reports come every 5 s at the latest (RFC 3550 §6.2). */
const VALID_MS = 15_000;

/** What the reports of one receiver tell. */
export class ReceiverReports {
  readonly #roundTrips = new MinimumWindow(BASE_WINDOW_MS);
  #rembBps: number | undefined;
  #rembMs = -Infinity;
  #newestMs = -Infinity;
  #overuseMs = -Infinity;
  #isFirstAfter = false;
  #queueMs = 0;
  #lossy = 0;
  #queueing = 0;
  /** The shortest queue of the reports that count now, and of those for which less was sent last. */
  #shortestMs = Infinity;
  #yieldedMs: number | undefined;

  /** They come, of whichever kind. */
  areComing(nowMs: number): boolean {
    return nowMs - this.#newestMs <= VALID_MS;
  }

  /** The receiver sends estimates of its own. */
  hasEstimate(nowMs: number): boolean {
    return this.#rembBps !== undefined && nowMs - this.#rembMs <= REMB_VALID_MS;
  }

  /** What waits on the way by the newest round trip, ms. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** @param sentBps what is sent now. @returns the cause, where it tells of congestion */
  onRemb(bps: number, sentBps: number, nowMs: number): CongestionCause | undefined {
    this.#rembBps = bps;
    this.#rembMs = this.#newestMs = nowMs;
    return bps * TOO_MUCH < sentBps && nowMs - this.#overuseMs > AFTERMATH_MS ? 'receiver' : undefined;
  }

  /** @returns the cause, where it tells of congestion; `longer`: the newest queue was none, the way is longer than before */
  onReport(report: ReceptionSummary, nowMs: number): CongestionCause | 'longer' | undefined {
    this.#newestMs = nowMs;
    if (report.roundTripMs !== undefined) {
      this.#roundTrips.add(report.roundTripMs, nowMs);
      this.#queueMs = report.roundTripMs - (this.#roundTrips.minimum ?? report.roundTripMs);
    }
    if (this.#queueMs < (this.#yieldedMs ?? 0) - STEADY_MS) this.#yieldedMs = undefined;
    const isOfBefore = this.#isFirstAfter || nowMs - this.#overuseMs <= AFTERMATH_MS;
    this.#isFirstAfter = false;
    if (isOfBefore) return undefined;
    this.#lossy = report.fractionLost >= MUCH ? this.#lossy + 1 : 0;
    this.#queueing = this.#queueMs > LONG_QUEUE_MS ? this.#queueing + 1 : 0;
    this.#shortestMs = this.#queueing > 1 ? Math.min(this.#shortestMs, this.#queueMs) : this.#queueMs;
    if (report.fractionLost >= HEAVY || this.#lossy >= 2) return 'loss';
    if (this.#queueing < 2) return undefined;
    if (report.fractionLost < NO_LOSS && this.#shortestMs <= (this.#yieldedMs ?? -Infinity) + STEADY_MS) {
      this.rebase();
      return 'longer';
    }
    this.#yieldedMs = this.#shortestMs;
    return 'queue';
  }

  /** The way is another one: its length is not known yet. */
  rebase(): void {
    this.#roundTrips.clear();
    this.#queueMs = this.#queueing = 0;
    this.#yieldedMs = undefined;
  }

  /** Less is sent from now on. */
  onOveruse(nowMs: number): void {
    this.#overuseMs = nowMs;
    this.#isFirstAfter = true;
    this.#lossy = 0;
    this.#queueing = 0;
  }
}
