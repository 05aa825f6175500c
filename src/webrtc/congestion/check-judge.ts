/** What checks of the way tell of it where no feedback comes: that it is cut, loses, or that a queue builds. */
import { CLEAR_FOR_MS } from './congestion-status.js';
import type { CongestionCause } from './packet-result.js';
import type { Way } from './way.js';

/** A shorter queue drains by itself. */
const BUSY_QUEUE_MS = 50;
/** Nothing to watch the way for: nothing was sent for longer. */
const IDLE_MS = 1_000;
/** What was sent before there was congestion counts no more. */
const SETTLED_MS = 1_000;

/** Asks for the checks of one transport, and hears their answers. */
export class CheckJudge {
  readonly #way: Way;

  /** @param way what is found is kept there */
  constructor(way: Way) {
    this.#way = way;
  }

  /**
   * A check of the way that is to be sent now: where no feedback comes while somebody watches, some times a second.
   * @returns its id; undefined: none is
   */
  checkDue(nowMs: number): number | undefined {
    const now = this.#way.advance(nowMs);
    const isIdle = !this.#way.hold.isHeld && now - (this.#way.traffic.sent.lastMs ?? -Infinity) > IDLE_MS;
    const isWatched = !isIdle || this.#way.probing.isWatched(now);
    if (!isWatched || this.#way.hasFeedback) return undefined;
    if (this.#way.status.state !== 'congested' && !isIdle && now > this.#way.lateMs) {
      if (this.#way.path.isSilent(now)) {
        this.#way.isCut = true;
        this.#way.fallSilent(now);
      } else if (this.#way.path.isLossy(now)) this.#yield('loss', now);
    }
    return this.#way.path.ask(isIdle, now);
  }

  /** A check was answered. @param roundTripMs of this one; undefined: it is not known */
  onChecked(id: number, roundTripMs: number | undefined, nowMs: number): void {
    const now = this.#way.advance(nowMs);
    const isHonest = now > this.#way.lateMs || roundTripMs === undefined || !this.#way.path.isLong(roundTripMs);
    const verdict = this.#way.path.add(id, isHonest ? roundTripMs : undefined, now);
    this.#way.heardMs = now;
    if (this.#way.hasFeedback) return this.#way.release(now);
    this.#way.roundTripMs = roundTripMs ?? this.#way.roundTripMs;
    this.#way.queueMs = this.#way.path.queueMs;
    if (this.#way.isCut) this.#heal(now);
    else if (verdict === 'longer') this.#way.withdraw();
    else if (verdict === 'congested') this.#yieldToQueue(now);
    else if (verdict === 'long') this.#way.status.warn();
    else if (this.#way.queueMs < BUSY_QUEUE_MS && now - this.#way.status.overuseMs > CLEAR_FOR_MS) {
      this.#way.status.clear();
      if (now - this.#way.status.overuseMs > SETTLED_MS)
        this.#way.estimate.set(Math.max(this.#way.estimate.assumedBps, this.#way.traffic.sentBps(now)));
    }
    this.#way.release(now);
  }

  /** Something passes again: soon after less is sent where that was too much, later where the way was cut. */
  #heal(now: number): void {
    this.#way.isCut = false;
    this.#way.cutMs = now;
    if (now - this.#way.silentMs < this.#way.path.drainsWithinMs && now > this.#way.lateMs) return this.#yield('loss', now);
    this.#way.path.forget(now);
    this.#way.status.clear();
  }

  /** Checks tell of congestion, and how much passes. */
  #yield(cause: CongestionCause, now: number): void {
    this.#way.estimate.backOff(this.#way.loadBps(now) * this.#way.path.passing);
    this.#way.overuse(cause, now);
  }

  #yieldToQueue(now: number): void {
    this.#way.yieldedBps = this.#way.estimate.bps;
    this.#way.path.yields(now);
    this.#yield('queue', now);
  }
}
