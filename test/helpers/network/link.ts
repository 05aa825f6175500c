/**
 * One direction of a network, as a value: a queue of limited length before a line of limited rate, then a delay. It is told
 * the time, so that it works with a fake clock as well; the same seed loses the same datagrams.
 */
import { seededRandom } from '../random.js';

/** What may change while datagrams are under way. */
export interface LinkShape {
  /** Bits a second, headers of UDP and IP left out. Default: any number. */
  readonly rateBps?: number;
  /** A datagram that would wait longer than this is dropped, ms. Default 300. */
  readonly queueMs?: number;
  /** Of each datagram, ms. Default 0. */
  readonly delayMs?: number;
  /** Added to the delay: evenly between 0 and this, ms; datagrams stay in order. Default 0. */
  readonly jitterMs?: number;
  /** Lost at random, of all datagrams, 0..1. Default 0. */
  readonly loss?: number;
  /** Lost in a row, on average so many; `loss` stays the share of all. Default 1. */
  readonly burst?: number;
}

/** How long one datagram was in the queue and on the line. */
export interface QueueSample {
  /** When it came, on the clock of the link. */
  readonly atMs: number;
  readonly queueMs: number;
  readonly bytes: number;
}

interface Queued<T> {
  readonly item: T;
  readonly bytes: number;
  readonly atMs: number;
  bitsLeft: number;
}

/** Queue samples that are kept. */
const MAX_SAMPLES = 200_000;

export class Link<T> {
  /** Lost at random. */
  lost = 0;
  /** Found the queue full. */
  dropped = 0;
  passed = 0;
  /** Of all that passed, in order; the oldest are given up. */
  readonly samples: QueueSample[] = [];
  #shape: LinkShape;
  readonly #random: () => number;
  readonly #queue: Queued<T>[] = [];
  readonly #flying: { readonly item: T; readonly arrivesMs: number }[] = [];
  /** The line has worked until then. */
  #workedMs = -Infinity;
  #lastArrivalMs = -Infinity;
  #isInBurst = false;

  constructor(shape: LinkShape = {}, seed = 1) {
    this.#shape = shape;
    this.#random = seededRandom(seed);
  }

  get shape(): LinkShape {
    return this.#shape;
  }

  /** What waits is sent at the new rate. */
  reshape(shape: LinkShape, nowMs: number): void {
    this.#work(nowMs);
    this.#shape = shape;
  }

  /** Of what waits, ms. */
  queueMs(nowMs: number): number {
    this.#work(nowMs);
    const { rateBps = Infinity } = this.#shape;
    return (this.#queue.reduce((bits, { bitsLeft }) => bits + bitsLeft, 0) / rateBps) * 1000;
  }

  offer(item: T, bytes: number, nowMs: number): void {
    const { queueMs = 300 } = this.#shape;
    if (this.#isLost()) this.lost++;
    else if (this.queueMs(nowMs) > queueMs) this.dropped++;
    else this.#queue.push({ item, bytes, atMs: nowMs, bitsLeft: bytes * 8 });
    this.#work(nowMs);
  }

  /** What has arrived by then, in order. */
  take(nowMs: number): T[] {
    this.#work(nowMs);
    const arrived = this.#flying.findIndex(({ arrivesMs }) => arrivesMs > nowMs);
    return this.#flying.splice(0, arrived < 0 ? this.#flying.length : arrived).map(({ item }) => item);
  }

  /** When `take` has something next; undefined while nothing is under way. */
  get nextMs(): number | undefined {
    const [head] = this.#queue;
    const served = head && Math.max(this.#workedMs, head.atMs) + this.#lineMs(head.bitsLeft);
    const arrives = this.#flying[0]?.arrivesMs;
    return served === undefined ? arrives : Math.min(served, arrives ?? Infinity);
  }

  #work(nowMs: number): void {
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      const startMs = Math.max(this.#workedMs, head.atMs);
      const endMs = startMs + this.#lineMs(head.bitsLeft);
      if (endMs > nowMs) {
        head.bitsLeft -= (Math.max(0, nowMs - startMs) / 1000) * (this.#shape.rateBps ?? 0);
        break;
      }
      this.#queue.shift();
      this.#workedMs = endMs;
      this.#leave(head, endMs);
    }
    this.#workedMs = Math.max(this.#workedMs, nowMs);
  }

  #lineMs(bits: number): number {
    const { rateBps } = this.#shape;
    return rateBps === undefined ? 0 : (bits / rateBps) * 1000;
  }

  #leave({ item, bytes, atMs }: Queued<T>, endMs: number): void {
    const { delayMs = 0, jitterMs = 0 } = this.#shape;
    this.passed++;
    if (this.samples.push({ atMs, queueMs: endMs - atMs, bytes }) > MAX_SAMPLES) this.samples.shift();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, endMs + delayMs + this.#random() * jitterMs);
    this.#flying.push({ item, arrivesMs: this.#lastArrivalMs });
  }

  /** In bursts, whether one is lost depends on whether the one before was (Gilbert). */
  #isLost(): boolean {
    const { loss = 0, burst = 1 } = this.#shape;
    if (loss === 0) return false;
    const begins = burst > 1 ? loss / (burst * (1 - loss)) : loss;
    this.#isInBurst = this.#random() < (this.#isInBurst && burst > 1 ? 1 - 1 / burst : begins);
    return this.#isInBurst;
  }
}
