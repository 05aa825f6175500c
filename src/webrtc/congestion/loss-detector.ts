/**
 * Sees heavy loss, which tells of a full queue too short to be seen as delay. Light loss says nothing: wireless links lose
 * packets with empty queues.
 */
import type { PacketResult } from './packet-result.js';

const HEAVY = 0.25;
const LIGHT = 0.1;
/** Over so much of what was sent. */
const WINDOW_MS = 500;
const MIN_PACKETS = 20;
const MAX_FEEDBACKS = 64;

interface Tally {
  readonly sentMs: number;
  readonly packets: number;
  readonly lost: number;
}

/** Watches how much is lost. */
export class LossDetector {
  #tallies: Tally[] = [];
  #isHeavy = false;

  /** Heavy loss, from 25 % on until less than 10 % are lost. */
  get isHeavy(): boolean {
    return this.#isHeavy;
  }

  /** Of what was sent in the last half second, 0..1. */
  get fractionLost(): number {
    const packets = this.#sum('packets');
    return packets === 0 ? 0 : this.#sum('lost') / packets;
  }

  /** Takes the packets of a feedback. */
  add(results: readonly PacketResult[]): void {
    const newest = results.at(-1);
    if (!newest) return;
    const lost = results.filter(({ arrivedMs }) => arrivedMs === undefined).length;
    this.#tallies.push({ sentMs: newest.sentMs, packets: results.length, lost });
    this.#trim(newest.sentMs);
    if (this.#sum('packets') < MIN_PACKETS) return;
    this.#isHeavy = this.#isHeavy ? this.fractionLost >= LIGHT : this.fractionLost >= HEAVY;
  }

  /** Forgets all. */
  clear(): void {
    this.#tallies = [];
    this.#isHeavy = false;
  }

  /** Keeps the window, and older feedbacks while they are needed for enough packets. */
  #trim(newestMs: number): void {
    let packets = this.#sum('packets');
    while (this.#tallies.length > 1) {
      const oldest = this.#tallies[0];
      if (!oldest) return;
      const isNeeded = newestMs - oldest.sentMs <= WINDOW_MS || packets - oldest.packets < MIN_PACKETS;
      if (isNeeded && this.#tallies.length <= MAX_FEEDBACKS) return;
      packets -= oldest.packets;
      this.#tallies.shift();
    }
  }

  #sum(count: 'packets' | 'lost'): number {
    return this.#tallies.reduce((sum, tally) => sum + tally[count], 0);
  }
}
