/**
 * Asks a publisher for keyframes (PLI, RFC 4585 §6.3.1; FIR, RFC 5104 §4.3.1): merged, however many ask, and repeated,
 * less and less often, until one comes.
 */
import type { Clock, Timer } from '../../../base/clock.js';

/** At most one request in this time: an encoder that is asked more often spends its bitrate on keyframes. */
const MIN_INTERVAL_MS = 500;
/** A camera that makes keyframes at its own pace is not helped by asking. */
const MAX_INTERVAL_MS = 4000;

export class KeyframeRequester {
  readonly #clock: Clock;
  readonly #send: () => void;
  #sentAtMs = -Infinity;
  /** Until the next repetition. */
  #intervalMs = MIN_INTERVAL_MS;
  #timer: Timer | undefined;
  #sent = 0;

  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Requests that left. */
  get sent(): number {
    return this.#sent;
  }

  /** Somebody needs a keyframe. One that is already waited for answers this, too, unless `isUrgent`: that request got lost. */
  need(isUrgent = false): void {
    if (this.#timer && !isUrgent) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#intervalMs = MIN_INTERVAL_MS;
    const waitMs = this.#sentAtMs + MIN_INTERVAL_MS - this.#clock.now();
    if (waitMs <= 0) this.#ask();
    else this.#timer = this.#clock.after(waitMs, () => this.#ask());
  }

  /** A keyframe came. */
  satisfied(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Asks no more. Idempotent. */
  close(): void {
    this.satisfied();
  }

  #ask(): void {
    this.#sentAtMs = this.#clock.now();
    this.#sent++;
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#ask());
    this.#intervalMs = Math.min(2 * this.#intervalMs, MAX_INTERVAL_MS);
    this.#send();
  }
}
