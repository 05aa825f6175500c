/**
 * A link in fake time: a bottleneck of some rate with a queue in front of it, then a way of some length that may lose, delay
 * and reorder. The same seed gives the same packets. Several flows may share it.
 */
import { seededRandom } from './random.js';

export interface LinkInit {
  /** Bits a second, by the time in ms. */
  readonly rateBps: number | ((nowMs: number) => number);
  /** What waits longer would not fit: it is dropped. Default: 300 ms. */
  readonly queueLimitMs?: number;
  /** One way, beyond the queue, by the time in ms. Default: 20 ms. */
  readonly delayMs?: number | ((nowMs: number) => number);
  /** Up to so much is added to each packet; their order stays. Default: none. */
  readonly jitterMs?: number;
  /** 0..1, of single packets. Default: none. */
  readonly loss?: number;
  /** Packets lost together, on average; 1: each for itself. Default: 1. */
  readonly lossBurst?: number;
  /** 0..1, of packets that arrive 10 ms after others that were sent later. Default: none. */
  readonly reordered?: number;
  /** Now and then nothing arrives for a while, up to so many ms, then all of it at once: a busy receiver, a sleeping radio. Default: never. */
  readonly stallMs?: number;
  /** Between two stalls, on average. Default: 1 s. */
  readonly stallEveryMs?: number;
  readonly seed?: number;
}

export interface LinkPacket {
  readonly sizeBytes: number;
  /** Called when it arrives. */
  readonly arrive: (atMs: number) => void;
}

const LATE_MS = 10;

export class SimulatedLink {
  dropped = 0;
  lost = 0;
  passed = 0;
  readonly #init: LinkInit;
  readonly #random: () => number;
  readonly #queue: LinkPacket[] = [];
  #queuedBytes = 0;
  /** Bytes that may leave: what was not used for want of packets is gone. */
  #credit = 0;
  #isLosing = false;
  #lastArrivalMs = 0;
  #stalledUntilMs = 0;
  #underway: { readonly atMs: number; readonly packet: LinkPacket }[] = [];

  constructor(init: LinkInit) {
    this.#init = init;
    this.#random = seededRandom(init.seed ?? 1);
  }

  rateBps(nowMs: number): number {
    const { rateBps } = this.#init;
    return typeof rateBps === 'number' ? rateBps : rateBps(nowMs);
  }

  /** One way, beyond the queue, ms. */
  delayMs(nowMs: number): number {
    const { delayMs = 20 } = this.#init;
    return typeof delayMs === 'number' ? delayMs : delayMs(nowMs);
  }

  /** What a packet that is sent now waits for, ms. */
  queueMs(nowMs: number): number {
    return (this.#queuedBytes * 8_000) / this.rateBps(nowMs);
  }

  send(packet: LinkPacket, nowMs: number): void {
    if (this.queueMs(nowMs) > (this.#init.queueLimitMs ?? 300)) {
      this.dropped++;
      return;
    }
    this.#queue.push(packet);
    this.#queuedBytes += packet.sizeBytes;
  }

  /** Lets one millisecond pass, up to `nowMs`. */
  step(nowMs: number): void {
    this.#credit = this.#queue.length === 0 ? 0 : this.#credit + this.rateBps(nowMs) / 8_000;
    while (this.#queue.length > 0 && this.#credit >= this.#queue[0]!.sizeBytes) {
      const packet = this.#queue.shift()!;
      this.#credit -= packet.sizeBytes;
      this.#queuedBytes -= packet.sizeBytes;
      this.#travel(packet, nowMs);
    }
    if (this.#isStalled(nowMs)) return;
    const due = this.#underway.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#underway = this.#underway.filter(({ atMs }) => atMs > nowMs);
    for (const { packet, atMs } of due.sort((a, b) => a.atMs - b.atMs)) packet.arrive(Math.max(atMs, this.#stalledUntilMs));
  }

  #travel(packet: LinkPacket, nowMs: number): void {
    if (this.#isLost()) {
      this.lost++;
      return;
    }
    this.passed++;
    const { jitterMs = 0, reordered = 0 } = this.#init;
    const delayMs = this.delayMs(nowMs);
    if (reordered > 0 && this.#random() < reordered) {
      this.#underway.push({ atMs: nowMs + delayMs + jitterMs + LATE_MS, packet });
      return;
    }
    const atMs = Math.max(this.#lastArrivalMs, nowMs + delayMs + this.#random() * jitterMs);
    this.#lastArrivalMs = atMs;
    this.#underway.push({ atMs, packet });
  }

  #isStalled(nowMs: number): boolean {
    const { stallMs = 0, stallEveryMs = 1_000 } = this.#init;
    if (stallMs === 0 || nowMs < this.#stalledUntilMs) return stallMs > 0;
    if (this.#random() < 1 / stallEveryMs) this.#stalledUntilMs = nowMs + this.#random() * stallMs;
    return false;
  }

  #isLost(): boolean {
    const { loss = 0, lossBurst = 1 } = this.#init;
    if (loss === 0) return false;
    const random = this.#random();
    if (lossBurst === 1) return random < loss;
    this.#isLosing = this.#isLosing ? random >= 1 / lossBurst : random < loss / lossBurst / (1 - loss);
    return this.#isLosing;
  }
}
