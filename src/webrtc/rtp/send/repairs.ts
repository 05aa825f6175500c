/** Sends packets of one stream again that the viewer has lost (RFC 4585 §6.2.1), those still remembered and within bounds. */
import type { Clock } from '../../../base/clock.js';
import type { PacketTransport, RtpPacket } from '../../transport/packet-transport.js';
import { RepairBudget } from './repair-budget.js';
import type { RtxStream } from './rtx-stream.js';
import type { SentHistory, SentPacket } from './sent-history.js';

/** A packet is sent again at most once in this time, or in most of a round trip where that is longer. */
const MIN_REPAIR_INTERVAL_MS = 20;
/** A viewer that asks again after a round trip has not got the repair; its round trip may be shorter than the one measured here. */
const SAME_REQUEST = 0.7;

/** What is repaired, and how. */
export interface RepairsInit {
  /** The packets that can be sent again. */
  readonly history: SentHistory;
  /** Undefined where retransmission (RFC 4588) was not negotiated: then the very packets are repeated. */
  readonly rtx: RtxStream | undefined;
  /** Carries the stream, and its repairs. */
  readonly transport: PacketTransport;
  readonly clock: Clock;
}

/** Of one stream. */
export class Repairs {
  readonly #init: RepairsInit;
  readonly #budget = new RepairBudget();
  /** Indexes of packets that are to be sent again, each once: no more than are remembered. */
  #waiting: number[] = [];
  #waitingBytes = 0;
  #repaired = 0;
  #notRepaired = 0;
  #requests = 0;

  constructor(init: RepairsInit) {
    this.#init = init;
  }

  /** Packets that were sent once more because the viewer asked. */
  get repaired(): number {
    return this.#repaired;
  }

  /** Asked for, but no longer remembered or beyond the budget. */
  get notRepaired(): number {
    return this.#notRepaired;
  }

  /** NACKs. */
  get requests(): number {
    return this.#requests;
  }

  /** Bytes of what was asked for and not sent yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** The stream sent this much of its own. */
  count(bytes: number): void {
    this.#budget.count(bytes, this.#init.clock.now());
  }

  /** The viewer asks. `send` sends what it gets. @param roundTripMs undefined where it is not known */
  request(sequenceNumbers: readonly number[], roundTripMs: number | undefined): void {
    this.#requests++;
    const { clock, transport } = this.#init;
    const now = clock.now();
    const networkBps = transport.pacing?.isPaced === true ? transport.congestion?.controller.estimateBps : undefined;
    const intervalMs = Math.max(MIN_REPAIR_INTERVAL_MS, (roundTripMs ?? 0) * SAME_REQUEST);
    for (const sequenceNumber of sequenceNumbers) {
      const packet = this.#init.history.bySequenceNumber(sequenceNumber);
      if (packet && now - packet.lastRepairMs < intervalMs) continue;
      if (packet && this.#budget.take(packet.payload.length, now, networkBps)) this.#add(packet);
      else this.#notRepaired++;
    }
  }

  /** Sends what waits until that many bytes have left; the last packet may go beyond. @returns bytes sent */
  send(maxBytes: number): number {
    const { history, rtx, transport, clock } = this.#init;
    const now = clock.now();
    const repaired: RtpPacket[] = [];
    const repeated: RtpPacket[] = [];
    let bytes = 0;
    let taken = 0;
    for (; taken < this.#waiting.length && bytes < maxBytes; taken++) {
      const packet = history.at(this.#waiting[taken] as number);
      if (!packet) continue; // Forgotten while it waited.
      packet.lastRepairMs = now;
      bytes += packet.payload.length;
      const repair = rtx?.repeat(packet);
      if (repair) repaired.push(repair);
      else repeated.push(packet);
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    this.#waitingBytes = this.#waiting.length === 0 ? 0 : Math.max(0, this.#waitingBytes - bytes);
    this.#repaired += repaired.length + repeated.length;
    if (repaired.length > 0) transport.sendRtp(repaired);
    if (repeated.length > 0) transport.repeatRtp(repeated);
    return bytes;
  }

  /** What waits is needed no more. */
  clear(): void {
    for (const index of this.#waiting) {
      const packet = this.#init.history.at(index);
      if (packet) packet.lastRepairMs = -Infinity;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** It is not asked for once more while it waits. */
  #add(packet: SentPacket): void {
    packet.lastRepairMs = Infinity;
    this.#waiting.push(packet.index);
    this.#waitingBytes += packet.payload.length;
  }
}
