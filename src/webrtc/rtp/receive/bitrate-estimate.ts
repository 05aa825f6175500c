/**
 * What a publisher may send where it offers nothing better than REMB: raised while little is lost, lowered when much
 * is (the loss-based control of draft-ietf-rmcat-gcc-02 §6, from the receiver's side).
 */

/** Enough for 720p at once: the sender's own estimate bounds it, too. */
const START_BPS = 2_500_000;
const MIN_BPS = 100_000;
const MAX_BPS = 10_000_000;
/** Below the first share of lost packets the bitrate rises, above the second it falls. */
const LITTLE_LOST = 0.02;
const MUCH_LOST = 0.1;
const RAISE = 1.08;

/** What one publisher may send. */
export class BitrateEstimate {
  #bps = START_BPS;

  /** Bits a second. */
  get bps(): number {
    return Math.round(this.#bps);
  }

  /** Once a second. @param fractionLost 0..1 since the previous call. @param receivedBps since the previous call. */
  update(fractionLost: number, receivedBps: number): void {
    if (fractionLost > MUCH_LOST) this.#bps = Math.max(MIN_BPS, Math.min(this.#bps, receivedBps) * (1 - fractionLost / 2));
    // A sender that has less to send than it may is no reason to allow more.
    else if (fractionLost < LITTLE_LOST && receivedBps > this.#bps / 2) this.#bps = Math.min(MAX_BPS, this.#bps * RAISE);
  }
}
