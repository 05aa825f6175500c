/**
 * How much arrived, bits a second: the bytes of what was acknowledged over the time of their arrival.
 * Beside it, the rate with which the same bytes were sent, since a receiver may claim to have got them in no time.
 */

/** Counts are kept in parts of this length, of the last second. */
const PART_MS = 25;
const PARTS = 40;
/** No packet is late by so many: the clock was set back. */
const FOREIGN_PARTS = 400;

/** Parts before the origin of the receiver's clock are negative. */
const slotOf = (part: number): number => ((part % PARTS) + PARTS) % PARTS;

/** Bytes by time, in a ring of parts. */
class ByteRing {
  readonly #bytes = new Float64Array(PARTS);
  #newest: number | undefined;

  /** Index of the newest part. */
  get newest(): number | undefined {
    return this.#newest;
  }

  add(sizeBytes: number, atMs: number): void {
    const part = Math.floor(atMs / PART_MS);
    this.#newest ??= part;
    const steps = part - this.#newest;
    if (steps <= -PARTS && steps > -FOREIGN_PARTS) return;
    if (Math.abs(steps) >= PARTS) this.#bytes.fill(0);
    else for (let step = 1; step <= steps; step++) this.#bytes[slotOf(this.#newest + step)] = 0;
    this.#newest = steps <= -FOREIGN_PARTS ? part : Math.max(this.#newest, part);
    const slot = slotOf(part);
    this.#bytes[slot] = (this.#bytes[slot] ?? 0) + sizeBytes;
  }

  /** Bytes of the `parts` before part `end`. */
  before(end: number, parts: number): number {
    let sum = 0;
    for (let part = end - parts; part < end; part++) sum += this.#bytes[slotOf(part)] ?? 0;
    return sum;
  }
}

/** The rate at which packets arrived. */
export class AcknowledgedRate {
  #arrived = new ByteRing();
  #sent = new ByteRing();

  /** Adds a packet that arrived. Packets come in the order in which they were sent, more or less. */
  add(sizeBytes: number, sentMs: number, arrivedMs: number): void {
    this.#arrived.add(sizeBytes, arrivedMs);
    this.#sent.add(sizeBytes, sentMs);
  }

  /** Of the last whole parts within `windowMs`, at most 1 s. 0 before anything arrived. */
  bps(windowMs: number): number {
    const parts = Math.min(PARTS - 1, Math.max(1, Math.floor(windowMs / PART_MS)));
    return (bytesOf(this.#arrived, parts) * 8_000) / (parts * PART_MS);
  }

  /** What arrived was sent at this rate, likewise. */
  sentBps(windowMs: number): number {
    const parts = Math.min(PARTS - 1, Math.max(1, Math.floor(windowMs / PART_MS)));
    return (bytesOf(this.#sent, parts) * 8_000) / (parts * PART_MS);
  }

  /** Forgets all. */
  clear(): void {
    this.#arrived = new ByteRing();
    this.#sent = new ByteRing();
  }
}

/** The newest part is not whole yet. */
const bytesOf = (ring: ByteRing, parts: number): number => (ring.newest === undefined ? 0 : ring.before(ring.newest, parts));
