/**
 * Frames of a source in fake time, which comes in groups of pictures as it pleases: nobody can ask it for a keyframe. What its
 * group has so far can be sent again, as long as that is not too much.
 */
import { seededRandom } from './random.js';

export const FRAME_MS = 1000 / 30;
const KEYFRAME_FACTOR = 5;

export interface SimulatedFrame {
  readonly bytes: number;
  readonly keyframe: boolean;
}

/** Bytes of a frame, where keyframes are five times as large as the rest. */
export function frameBytes(bitrateBps: number, keyframe: boolean, everyFrames: number, random: () => number): number {
  const meanBytes = ((bitrateBps / 8_000) * FRAME_MS * everyFrames) / (everyFrames + KEYFRAME_FACTOR - 1);
  return Math.round(meanBytes * (keyframe ? KEYFRAME_FACTOR : 0.7 + 0.6 * random()));
}

export class SimulatedSource {
  readonly #groupFrames: number;
  readonly #random: () => number;
  readonly #bitrateBps: number;
  #index = 0;
  #group: SimulatedFrame[] = [];

  /** Begins anywhere in a group. */
  constructor(bitrateBps: number, groupFrames: number, seed: number) {
    this.#bitrateBps = bitrateBps;
    this.#groupFrames = groupFrames;
    this.#random = seededRandom(seed);
    for (let frames = Math.floor(this.#random() * groupFrames) + 1; frames > 0; frames--) this.next();
  }

  /** Since the newest keyframe. */
  get group(): readonly SimulatedFrame[] {
    return this.#group;
  }

  get groupBytes(): number {
    return this.#group.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  next(): SimulatedFrame {
    const keyframe = this.#index++ % this.#groupFrames === 0;
    const frame = { bytes: frameBytes(this.#bitrateBps, keyframe, this.#groupFrames, this.#random), keyframe };
    if (keyframe) this.#group = [];
    this.#group.push(frame);
    return frame;
  }
}
