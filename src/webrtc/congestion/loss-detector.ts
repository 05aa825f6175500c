/**
 * Sees heavy loss, which tells of a full queue too short to be seen as delay. Light loss says nothing: wireless links lose
 * packets with empty queues.
 */
import type { PacketResult } from './packet-result.js';

const HEAVY = 0.25;
const LIGHT = 0.1;
/** Over so much of what was sent: a burst of a wireless link is shorter. */
const WINDOW_MS = 1_000;
const MIN_SPAN_MS = 400;
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

  /** Heavy loss, from 25 % on until less than 10 % are lost, of what was sent in the last second. */
  get isHeavy(): boolean {
    return this.#isHeavy;
  }

  /** Takes the packets of a feedback. */
  add(results: readonly PacketResult[]): void {
    const newest = results.at(-1);
    if (!newest) return;
    const lost = results.reduce((count, { arrivedMs }) => (arrivedMs === undefined ? count + 1 : count), 0);
    this.#tallies.push({ sentMs: newest.sentMs, packets: results.length, lost });
    this.#tallies = this.#tallies.filter(({ sentMs }) => newest.sentMs - sentMs <= WINDOW_MS).slice(-MAX_FEEDBACKS);
    const packets = this.#tallies.reduce((sum, tally) => sum + tally.packets, 0);
    const fraction = this.#tallies.reduce((sum, tally) => sum + tally.lost, 0) / packets;
    const spanMs = newest.sentMs - (this.#tallies[0]?.sentMs ?? newest.sentMs);
    if (packets >= MIN_PACKETS && spanMs >= MIN_SPAN_MS) this.#isHeavy = this.#isHeavy ? fraction >= LIGHT : fraction >= HEAVY;
  }

  /** Forgets all. */
  clear(): void {
    this.#tallies = [];
    this.#isHeavy = false;
  }
}
