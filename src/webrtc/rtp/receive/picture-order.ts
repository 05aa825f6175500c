/**
 * Notices B-frames: pictures that are sent after one that is shown later, so that RTP timestamps step back. Receivers
 * of WebRTC show pictures in the order of sending, and such a picture shakes.
 */

/** What a clock that jumps, another encoder or a lost picture leaves is less. */
const STEPS_BACK = 5;
/** A picture comes this much too late at most; what goes back further is another clock. */
const MAX_STEP_TICKS = 90_000;

/** Watches the timestamps of one stream. */
export class PictureOrder {
  #newest: number | undefined;
  #stepsBack = 0;

  /** Takes the next picture's RTP timestamp. True for the one picture that makes it certain. */
  makesCertain(rtpTimestamp: number): boolean {
    const step = this.#newest === undefined ? 0 : (rtpTimestamp - this.#newest) | 0;
    if (step < 0 && step > -MAX_STEP_TICKS) return ++this.#stepsBack === STEPS_BACK;
    this.#newest = rtpTimestamp;
    return false;
  }
}
