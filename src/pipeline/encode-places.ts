/**
 * How many lower rungs may be encoded at once, all sources together: an encoder that gets no time helps nobody. Renditions
 * in the quality of their source do not count: without them a source could not be watched at all, and they are bounded by
 * the sources that run.
 */
import { availableParallelism } from 'node:os';
import { capacityReached } from '../base/refusals.js';

/** A whole ladder of a 1080p source a core: at 30 frames a second about half of its time. */
const PLACES_A_CORE = 4;

/** Who encodes a rung. */
export interface EncodePlaceHolder {
  /** Nobody watches it any more. */
  readonly isIdle: boolean;
  /** Somebody else needs the place now. */
  giveUp(): void;
}

/** The places of encoders of lower rungs. */
export class EncodePlaces {
  readonly #count: number;
  readonly #holders = new Set<EncodePlaceHolder>();

  /** @param count default: 4 for each core */
  constructor(count = PLACES_A_CORE * availableParallelism()) {
    this.#count = count;
  }

  /** Whether `take` would give one. */
  get isFree(): boolean {
    return this.#holders.size < this.#count || [...this.#holders].some(({ isIdle }) => isIdle);
  }

  /** Takes a place, that of an encoder which nobody watches where all are taken. Call what it returns to give it back. @throws MediaPeerError CAPACITY_REACHED */
  take(holder: EncodePlaceHolder): () => void {
    if (!this.isFree) throw this.refusal();
    if (this.#holders.size >= this.#count) this.#evict();
    this.#holders.add(holder);
    return () => void this.#holders.delete(holder);
  }

  /** What meets whoever finds none free. */
  refusal(): Error {
    return capacityReached(
      `all ${this.#count} places of encoders of lower qualities (${PLACES_A_CORE} a core) are taken, choose a quality that runs`,
    );
  }

  #evict(): void {
    const idle = [...this.#holders].find(({ isIdle }) => isIdle);
    if (!idle) return;
    this.#holders.delete(idle);
    idle.giveUp();
  }
}
