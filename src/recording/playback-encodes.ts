/** How many encodes of the past may run at once: processed playbacks, and clips that are encoded. What is live goes first. */
import { capacityReached } from '../base/refusals.js';

/** The places of such encodes. */
export class PlaybackEncodes {
  readonly #max: number;
  #running = 0;

  /** @param max at the same time, at least 1 */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  /** Takes a place; call what it returns to give it back, which may be done again. @throws MediaPeerError CAPACITY_REACHED */
  take(): () => void {
    if (this.#running >= this.#max)
      throw capacityReached(`all ${this.#max} places for encodes of recordings are taken (MAX_PLAYBACK_ENCODES)`);
    this.#running++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running--;
    };
  }
}
