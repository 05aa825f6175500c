/**
 * Which packets of a stream are missing, and when each is asked for (RFC 4585 §6.2.1): not at once, since packets
 * overtake each other; again when an answer should have come, less and less often; and not without end.
 */

/** A packet is missing, and not only late, when this many newer ones are there or this much time has passed. */
const REORDERED_PACKETS = 3;
const REORDERED_MS = 10;
const MAX_ASKS = 10;
/** Between two asks: a round trip and what it varies by, then half as long again each time. */
const MIN_INTERVAL_MS = 20;
const MAX_INTERVAL_MS = 250;
const BACKOFF = 1.5;
/**
 * What is asked for beyond that has to have been earned by what arrived. A sender that obeys every request would fill a way
 * that is full already with repairs, and nothing else came through.
 */
const MAX_CREDIT = 200;
const CREDIT_OF_PACKET = 0.5;
/** Before one was measured. */
const DEFAULT_ROUND_TRIP_MS = 100;

interface MissingPacket {
  readonly sinceMs: number;
  asks: number;
  askedAtMs: number;
  dueMs: number;
}

/** The gaps of one stream. */
export class MissingPackets {
  /** Their indexes ascend. */
  readonly #packets = new Map<number, MissingPacket>();
  readonly #networkRoundTripMs: () => number | undefined;
  #roundTripMs: number | undefined;
  /** Packets that may be asked for. */
  #credit = MAX_CREDIT;

  /** @param networkRoundTripMs what is known before a repair has told it. */
  constructor(networkRoundTripMs: () => number | undefined) {
    this.#networkRoundTripMs = networkRoundTripMs;
  }

  /** Packets that are missing and not given up. */
  get size(): number {
    return this.#packets.size;
  }

  /** From asking to the arrival of what was asked for, smoothed; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** A packet came, whichever. */
  arrived(): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + CREDIT_OF_PACKET);
  }

  /** A newer packet came before this one. */
  add(index: number, nowMs: number): void {
    this.#packets.set(index, { sinceMs: nowMs, asks: 0, askedAtMs: 0, dueMs: nowMs + REORDERED_MS });
  }

  /** It came, or does not matter any more. True where it had been asked for. */
  remove(index: number, nowMs: number): boolean {
    const packet = this.#packets.get(index);
    if (!packet) return false;
    this.#packets.delete(index);
    // After a second ask nobody knows which of them was answered.
    if (packet.asks === 1) this.#measure(nowMs - packet.askedAtMs);
    return packet.asks > 0;
  }

  /** Forgets it without having seen it. */
  forget(index: number): void {
    this.#packets.delete(index);
  }

  /** Forgets all. */
  clear(): void {
    this.#packets.clear();
  }

  /** Those to ask for now; they count as asked for. */
  takeDue(nowMs: number, newestIndex: number): number[] {
    const due: number[] = [];
    for (const [index, packet] of this.#packets) {
      const isDue = nowMs >= packet.dueMs || (packet.asks === 0 && newestIndex - index >= REORDERED_PACKETS);
      if (!isDue || packet.asks >= MAX_ASKS) continue;
      if (this.#credit < 1) break;
      this.#credit--;
      packet.asks++;
      packet.askedAtMs = nowMs;
      packet.dueMs = nowMs + this.#intervalMs(packet.asks);
      due.push(index);
    }
    return due;
  }

  /** The newest of those that are missing for longer than `giveUpMs`. */
  newestExpired(nowMs: number, giveUpMs: number): number | undefined {
    let expired: number | undefined;
    for (const [index, { sinceMs }] of this.#packets) {
      if (nowMs - sinceMs < giveUpMs) break;
      expired = index;
    }
    return expired;
  }

  #intervalMs(asks: number): number {
    const roundTripMs = 1.2 * (this.#roundTripMs ?? this.#networkRoundTripMs() ?? DEFAULT_ROUND_TRIP_MS);
    const firstMs = Math.max(MIN_INTERVAL_MS, roundTripMs + 5);
    return Math.min(firstMs * BACKOFF ** (asks - 1), Math.max(MAX_INTERVAL_MS, roundTripMs));
  }

  #measure(sampleMs: number): void {
    this.#roundTripMs = this.#roundTripMs === undefined ? sampleMs : 0.75 * this.#roundTripMs + 0.25 * sampleMs;
  }
}
