/**
 * Gives the packets of a transport their numbers, and keeps when each left and how large it was until the receiver tells
 * what became of it. Bounded: what was sent so many packets ago is not told of any more.
 */
import { randomInt } from 'node:crypto';
import type { PacketResult } from '../congestion/index.js';
import { REFERENCE_WRAP_MS, type Arrivals } from './arrivals.js';

/** A second of 20 Mbit/s; feedback comes several times a second. A power of two. */
const PACKETS = 2048;
/** Marks in `sizes` beside the size itself: it was told that the packet did not arrive. */
const TOLD_LOST = 0x8000;
const SIZE_MASK = 0x7fff;

/** What is remembered, each packet in the place of its number modulo `PACKETS`. */
interface Ring {
  readonly sentMs: Float64Array;
  /** 0: it was told that the packet arrived. */
  readonly sizes: Uint16Array;
}

/** Packets of one transport under way. */
export class SentPackets {
  /** Since the first packet: most transports of publishers send none. */
  #ring: Ring | undefined;
  #next = randomInt(2 ** 15);
  #referenceMs: number | undefined;

  /** A packet leaves. @returns its number, 16 bits */
  add(nowMs: number, sizeBytes: number): number {
    const { sentMs, sizes } = (this.#ring ??= newRing());
    const number = this.#next++;
    const place = number % PACKETS;
    sentMs[place] = nowMs;
    sizes[place] = Math.min(sizeBytes, SIZE_MASK);
    return number & 0xffff;
  }

  /**
   * What became of packets by what the receiver tells, in the order in which they were sent. Each counts as arrived once,
   * and as lost once, if at all before it has arrived; those that were never sent, or too long ago, are passed over.
   */
  resolve({ firstNumber, referenceMs, offsetsMs }: Arrivals): PacketResult[] {
    const ring = this.#ring;
    if (!ring) return [];
    const originMs = this.#unwrap(referenceMs);
    const newest = this.#next - 1;
    const first = newest - ((newest - firstNumber) & 0xffff);
    const end = Math.min(newest + 1, first + offsetsMs.length);
    const results: PacketResult[] = [];
    for (let number = Math.max(first, newest + 1 - PACKETS, 0); number < end; number++) {
      const result = take(ring, number % PACKETS, originMs + (offsetsMs[number - first] ?? NaN));
      if (result) results.push(result);
    }
    return results;
  }

  /** The time nearest to the one before that ends in these bits. */
  #unwrap(referenceMs: number): number {
    const before = this.#referenceMs ?? referenceMs;
    const ahead = (((referenceMs - before) % REFERENCE_WRAP_MS) + REFERENCE_WRAP_MS) % REFERENCE_WRAP_MS;
    this.#referenceMs = before + (ahead < REFERENCE_WRAP_MS / 2 ? ahead : ahead - REFERENCE_WRAP_MS);
    return this.#referenceMs;
  }
}

function newRing(): Ring {
  return { sentMs: new Float64Array(PACKETS), sizes: new Uint16Array(PACKETS) };
}

function take({ sentMs, sizes }: Ring, place: number, arrivedMs: number): PacketResult | undefined {
  const size = sizes[place] as number;
  const isLost = Number.isNaN(arrivedMs);
  if (size === 0 || (isLost && size > SIZE_MASK)) return undefined;
  sizes[place] = isLost ? size | TOLD_LOST : 0;
  return {
    sizeBytes: size & SIZE_MASK,
    sentMs: sentMs[place] as number,
    arrivedMs: isLost ? undefined : arrivedMs,
  };
}
