/**
 * Requests for a keyframe to whoever makes it: a publisher (PLI, RFC 4585 §6.3.1; FIR, RFC 5104 §4.3.1) or an encoder.
 * The one who sends them owns one of these. Everybody between a viewer and that owner passes the request on as it comes, so
 * that it is merged and delayed in one place.
 */
import type { Clock, Timer } from '../base/clock.js';

/** A keyframe costs as much as ten to twenty ordinary frames. */
const MIN_INTERVAL_MS = 500;
/** A camera that makes keyframes at its own pace is not helped by asking. */
const MAX_INTERVAL_MS = 4000;

/** Merged, at most one in 500 ms, and repeated after 0.5, 1, 2 and then every 4 s until a keyframe comes. */
export class KeyframeRequests {
  readonly #clock: Clock;
  readonly #send: () => void;
  #sentAtMs = -Infinity;
  /** From the next request to its repetition. */
  #intervalMs = MIN_INTERVAL_MS;
  /** Runs while a keyframe is waited for. */
  #timer: Timer | undefined;
  /** The one that was asked for last. */
  #hasBegun = false;
  #sent = 0;
  #isClosed = false;

  /** @param send sends one request: at once when a keyframe is wanted, or later from a timer of `clock` */
  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Requests that were sent, repetitions included. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Somebody needs a keyframe: call it as often as needed. Sends a request now, or as soon as 500 ms have passed since the
   * last one. Where a keyframe is waited for already, that one answers this, too. Ignored after `close`.
   */
  request(): void {
    if (!this.#timer && !this.#isClosed) this.#begin();
  }

  /** What was asked for until now cannot have arrived: where a keyframe is waited for, it is asked for again. */
  unheard(): void {
    if (this.#timer) this.#begin();
  }

  /** One is on its way: on a slow network it may take longer than the interval, and another one would make it later still. */
  begins(): void {
    if (!this.#timer || this.#hasBegun) return;
    this.#hasBegun = true;
    this.#timer.cancel();
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#ask());
  }

  /** A keyframe came: whoever has asked gets it. */
  answered(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Asks no more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.answered();
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#hasBegun = false;
    this.#intervalMs = MIN_INTERVAL_MS;
    const waitMs = this.#sentAtMs + MIN_INTERVAL_MS - this.#clock.now();
    if (waitMs <= 0) this.#ask();
    else this.#timer = this.#clock.after(waitMs, () => this.#ask());
  }

  #ask(): void {
    this.#sentAtMs = this.#clock.now();
    this.#sent++;
    this.#hasBegun = false;
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#ask());
    this.#intervalMs = Math.min(2 * this.#intervalMs, MAX_INTERVAL_MS);
    this.#send();
  }
}
