/**
 * Tells a sender which packets of a transport came, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
 * From the gaps between them it learns what the network carries; without it Chromium stays at 300 kbit/s for long.
 */
import { ExtendedSequence } from './extended-sequence.js';
import { startFeedback } from './feedback-packets.js';

const TRANSPORT_FEEDBACK = 205;
const FORMAT = 15;
/** Arrivals are told in units of 250 us, the reference time in 64 ms. */
const UNITS_PER_MS = 4;
const UNITS_PER_REFERENCE = 256;
/** What one packet tells of; a longer gap starts again behind it. */
const MAX_STATUSES = 2000;
/** Packets that were told of are told of again when one between them comes late. */
const MEMORY = 500;
const LONGEST_RUN = 0x1fff;
/** A shorter run is cheaper as a vector of 7 symbols. */
const SHORTEST_RUN = 8;
const SYMBOLS_IN_VECTOR = 7;

const enum Status {
  notReceived = 0,
  smallDelta = 1,
  largeDelta = 2,
}

/** Notes the arrivals of one transport. */
export class TransportFeedback {
  readonly #senderSsrc: number;
  readonly #sequence = new ExtendedSequence();
  /** In units, by extended sequence number. */
  readonly #arrivals = new Map<number, number>();
  /** The first number that was not told of yet. */
  #next: number | undefined;
  /** The oldest and newest that came since the last packet. */
  #oldest = Infinity;
  #newest = -Infinity;
  #packets = 0;

  constructor(senderSsrc: number) {
    this.#senderSsrc = senderSsrc;
  }

  /** @param sequenceNumber of the header extension. */
  arrived(sequenceNumber: number, nowMs: number): void {
    const index = this.#sequence.extend(sequenceNumber);
    if (this.#arrivals.has(index) || (this.#next !== undefined && index < this.#next - MEMORY)) return;
    this.#arrivals.set(index, Math.round(nowMs * UNITS_PER_MS));
    this.#oldest = Math.min(this.#oldest, index);
    this.#newest = Math.max(this.#newest, index);
  }

  /** What came since the last call; empty where nothing did. */
  take(mediaSsrc: number): Buffer[] {
    const packets: Buffer[] = [];
    let from = Math.min(this.#oldest, this.#next ?? this.#oldest);
    while (from <= this.#newest) {
      if (this.#newest - from >= MAX_STATUSES) from = this.#firstArrivalFrom(Math.max(from, this.#oldest));
      const { packet, end } = this.#write(from, mediaSsrc);
      packets.push(packet);
      from = this.#firstArrivalFrom(end);
    }
    if (packets.length > 0) {
      this.#next = this.#newest + 1;
      this.#oldest = Infinity;
      this.#newest = -Infinity;
      for (const index of this.#arrivals.keys()) if (index < this.#next - MEMORY) this.#arrivals.delete(index);
    }
    return packets;
  }

  /** Beyond the newest where none is left. */
  #firstArrivalFrom(index: number): number {
    let first = Infinity;
    for (const arrived of this.#arrivals.keys()) if (arrived >= index && arrived < first) first = arrived;
    return first;
  }

  /** One packet from this number on; `end` is the first number that it does not tell of. */
  #write(from: number, mediaSsrc: number): { packet: Buffer; end: number } {
    const statuses: Status[] = [];
    const deltas: number[] = [];
    const firstUnits = this.#arrivals.get(this.#firstArrivalFrom(from)) ?? 0;
    const reference = Math.floor(firstUnits / UNITS_PER_REFERENCE);
    let units = reference * UNITS_PER_REFERENCE;
    let index = from;
    for (; index <= this.#newest && statuses.length < MAX_STATUSES; index++) {
      const arrival = this.#arrivals.get(index);
      if (arrival === undefined) {
        statuses.push(Status.notReceived);
        continue;
      }
      const delta = arrival - units;
      if (delta < -0x8000 || delta > 0x7fff) break;
      units = arrival;
      deltas.push(delta);
      statuses.push(delta >= 0 && delta <= 255 ? Status.smallDelta : Status.largeDelta);
    }
    return { packet: this.#serialize(from, mediaSsrc, reference, statuses, deltas), end: index };
  }

  #serialize(from: number, mediaSsrc: number, reference: number, statuses: readonly Status[], deltas: readonly number[]): Buffer {
    const chunks = writeChunks(statuses);
    const deltaBytes = deltas.reduce((bytes, delta) => bytes + (delta >= 0 && delta <= 255 ? 1 : 2), 0);
    const usedBytes = 20 + 2 * chunks.length + deltaBytes;
    const packet = startFeedback(FORMAT, TRANSPORT_FEEDBACK, Math.ceil(usedBytes / 4) * 4, this.#senderSsrc, mediaSsrc);
    packet.writeUInt16BE(from & 0xffff, 12);
    packet.writeUInt16BE(statuses.length, 14);
    packet.writeUIntBE(reference & 0xffffff, 16, 3);
    packet.writeUInt8(this.#packets++ & 0xff, 19);
    let at = 20;
    for (const chunk of chunks) at = packet.writeUInt16BE(chunk, at);
    for (const delta of deltas) at = delta >= 0 && delta <= 255 ? packet.writeUInt8(delta, at) : packet.writeInt16BE(delta, at);
    return packet;
  }
}

/** Run length chunks and vectors of two-bit symbols (§3.1.3 and §3.1.4). */
function writeChunks(statuses: readonly Status[]): number[] {
  const chunks: number[] = [];
  for (let at = 0; at < statuses.length;) {
    const status = statuses[at] ?? Status.notReceived;
    let run = 1;
    while (run < LONGEST_RUN && statuses[at + run] === status) run++;
    if (run >= SHORTEST_RUN || at + run === statuses.length) {
      chunks.push((status << 13) | run);
      at += run;
      continue;
    }
    let chunk = 0xc000;
    for (let i = 0; i < SYMBOLS_IN_VECTOR; i++) chunk |= (statuses[at + i] ?? 0) << (12 - 2 * i);
    chunks.push(chunk);
    at += SYMBOLS_IN_VECTOR;
  }
  return chunks;
}
