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
/** A slow way lets no more through between two feedbacks. */
const FEW_PACKETS = 8;
/** Of what is sent: half of it goes where another flow has a moment of its own, so that less tells by few packets that it is the way. */
const DEEP = 0.5;
/** What few packets told otherwise is confirmed by the next feedback. */
const CONFIRMED_MS = 200;
/** Packets of two feedbacks that follow each other so soon are looked at together. */
const NEXT_MS = 150;
const MAX_PACKETS = 256;

/** What is known beside the packets. */
interface Moment {
  /** How long the newest of them waited, ms. */
  readonly newestMs: number;
  /** What media takes by the second, bits a second. */
  readonly mediaBps: number;
  /** Fewer tell nothing. Default: 8 */
  readonly minPackets?: number | undefined;
}

/** Watches one way. */
export class FallDetector {
  #before: readonly PacketResult[] = [];
  #beforeMs = -Infinity;
  /** What few packets told. */
  #suspected: { readonly atMs: number; readonly newestMs: number } | undefined;

  /**
   * Takes the packets of a feedback.
   * @returns what passes, bits a second, where that is less by far
   */
  add(results: readonly PacketResult[], { newestMs, mediaBps, minPackets = FEW_PACKETS }: Moment, nowMs: number): number | undefined {
    const together = nowMs - this.#beforeMs < NEXT_MS ? [...this.#before, ...results].slice(-MAX_PACKETS) : results;
    this.#before = results.slice(-MAX_PACKETS);
    this.#beforeMs = nowMs;
    const suspected = this.#suspected;
    this.#suspected = undefined;
    if (newestMs < FALLEN_QUEUE_MS || trainRateBps(together, minPackets) === undefined) return undefined;
    const bps = arrivedBps(together.slice(together.length >> 1));
    if (bps >= FALLEN * mediaBps) return undefined;
    if (bps < DEEP * mediaBps || trainRateBps(together) !== undefined) return bps;
    this.#suspected = { atMs: nowMs, newestMs };
    return suspected && nowMs - suspected.atMs < CONFIRMED_MS && newestMs > suspected.newestMs ? bps : undefined;
  }

  /** What was seen so far counts for nothing further. */
  forget(): void {
    this.#before = [];
    this.#suspected = undefined;
  }
}

/** The older packets may have arrived before it became slower. */
function arrivedBps(newer: readonly PacketResult[]): number {
  const arrived = newer.flatMap(({ sizeBytes, arrivedMs }) => (arrivedMs === undefined ? [] : [{ sizeBytes, arrivedMs }]));
  const bytes = arrived.slice(1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const spanMs = (arrived.at(-1)?.arrivedMs ?? 0) - (arrived[0]?.arrivedMs ?? 0);
  return spanMs > 0 ? (bytes * 8_000) / spanMs : Infinity;
}
