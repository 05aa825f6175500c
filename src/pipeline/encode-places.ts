/**
 * How many lower rungs may be encoded at once, all sources together: an encoder that gets no time helps nobody. Each takes
 * as much as it costs. Renditions in the quality of their source do not count: without them a source could not be watched
 * at all, and they are bounded by the sources that run.
 */
import { availableParallelism } from 'node:os';
import { capacityReached } from '../base/refusals.js';
import type { PictureSize } from '../media/index.js';

/** A place is what 720p takes at 30 frames a second: 15 % of a core. */
const PLACE_PIXELS_A_SECOND = 1280 * 720 * 30;
/** The rest is for decoders and for what is sent. A whole ladder of a 1080p source takes 3.4. */
const PLACES_A_CORE = 4;
/** To read and scale a pixel of the source, of what it takes to encode one. */
const SOURCE_PIXEL_COST = 1 / 6;
/** What a process takes, however small its pictures are. */
const LEAST_COST = 1 / 4;
/** Sums of costs are not exact. */
const ROUNDING = 1e-6;

/** What the encoder of a rung takes, in places. @param source whose pictures it is given @param target what it makes of them */
export function encodeCost(source: PictureSize & { readonly fps: number }, target: PictureSize): number {
  const pixels = target.widthPx * target.heightPx + SOURCE_PIXEL_COST * source.widthPx * source.heightPx;
  return Math.max(LEAST_COST, (pixels * source.fps) / PLACE_PIXELS_A_SECOND);
}

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
  /** What each takes. */
  readonly #holders = new Map<EncodePlaceHolder, number>();

  /** @param count default: 4 for each core */
  constructor(count = PLACES_A_CORE * availableParallelism()) {
    this.#count = count;
  }

  /** Whether `take` would give them: who finds nobody else encoding gets as many as it takes. @param cost in places */
  hasRoom(cost: number): boolean {
    const watched = this.#sum((holder) => !holder.isIdle);
    return watched === 0 || watched + cost <= this.#count + ROUNDING;
  }

  /**
   * Takes places, those of encoders that nobody watches where too few are free. Call what it returns to give them back.
   * @param cost in places
   * @throws MediaPeerError CAPACITY_REACHED
   */
  take(holder: EncodePlaceHolder, cost: number): () => void {
    if (!this.hasRoom(cost)) throw this.refusal(cost);
    this.#makeRoom(cost);
    this.#holders.set(holder, cost);
    return () => void this.#holders.delete(holder);
  }

  /** What meets whoever finds too few free. @param cost in places */
  refusal(cost: number): Error {
    const free = Math.max(0, this.#count - this.#sum((holder) => !holder.isIdle));
    return capacityReached(
      `too few places for encoders of lower qualities: this one takes ${hundredths(Math.ceil, cost)}, ${hundredths(Math.floor, free)} of ` +
        `${this.#count} (${PLACES_A_CORE} a core, each for 720p at 30 frames a second) are free, choose a quality that runs`,
    );
  }

  #makeRoom(cost: number): void {
    for (const holder of [...this.#holders.keys()].filter(({ isIdle }) => isIdle)) {
      if (this.#sum() + cost <= this.#count + ROUNDING) return;
      this.#holders.delete(holder);
      holder.giveUp();
    }
  }

  #sum(counts: (holder: EncodePlaceHolder) => boolean = () => true): number {
    let sum = 0;
    for (const [holder, cost] of this.#holders) if (counts(holder)) sum += cost;
    return sum;
  }
}

/** Rounded so that what is too much looks so. */
function hundredths(round: (value: number) => number, places: number): number {
  return round(places * 100) / 100;
}
