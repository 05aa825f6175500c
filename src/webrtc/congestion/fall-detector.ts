/**
 * Sees that the way has become much slower at once, from the packets of a moment: they arrive one after another at a rate far
 * below the one that media has. A queue would have to be watched for longer before it told the same.
 */
import type { PacketResult } from './packet-result.js';
import { trainRateBps } from './train-rate.js';

/** Of what is sent, what arrives at most. */
const FALLEN = 0.7;
/** The newest packet has waited for so long at least: more than jitter makes, ms. */
const FALLEN_QUEUE_MS = 100;
/** Packets of two feedbacks that follow each other so soon are looked at together. */
const NEXT_MS = 150;
const MAX_PACKETS = 256;

/** Watches one way. */
export class FallDetector {
  #before: readonly PacketResult[] = [];
  #beforeMs = -Infinity;

  /**
   * Takes the packets of a feedback.
   * @param newestMs how long the newest of them waited
   * @param mediaBps what media takes by the second
   * @returns what passes, bits a second, where that is less by far
   */
  add(results: readonly PacketResult[], newestMs: number, mediaBps: number, nowMs: number): number | undefined {
    const together = nowMs - this.#beforeMs < NEXT_MS ? [...this.#before, ...results].slice(-MAX_PACKETS) : results;
    this.#before = results.slice(-MAX_PACKETS);
    this.#beforeMs = nowMs;
    if (newestMs < FALLEN_QUEUE_MS) return undefined;
    if (trainRateBps(together) === undefined) return undefined;
    const bps = arrivedBps(together.slice(together.length >> 1));
    return bps < FALLEN * mediaBps ? bps : undefined;
  }

  /** What was seen so far counts for nothing further. */
  forget(): void {
    this.#before = [];
  }
}

/** The older packets may have arrived before it became slower. */
function arrivedBps(newer: readonly PacketResult[]): number {
  const arrived = newer.flatMap(({ sizeBytes, arrivedMs }) => (arrivedMs === undefined ? [] : [{ sizeBytes, arrivedMs }]));
  const bytes = arrived.slice(1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const spanMs = (arrived.at(-1)?.arrivedMs ?? 0) - (arrived[0]?.arrivedMs ?? 0);
  return spanMs > 0 ? (bytes * 8_000) / spanMs : Infinity;
}
