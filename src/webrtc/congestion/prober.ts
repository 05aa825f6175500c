/**
 * Finds out whether more would fit, before anybody depends on it: for a moment packets of no use are sent beside the media,
 * so that both together have the rate that is asked for. What the way carries is told by how the delay of these packets
 * grows: by nothing where they fit, by (rate / capacity - 1) where they do not.
 *
 * A target is reached in steps of at most twice what has been acknowledged, each after clean feedback of the one before.
 */
import type { PacketResult } from './packet-result.js';
import { slopeOf } from './slope.js';

/** Longer tell more where delay varies, and make a longer queue where they do not fit. */
const MAX_DURATION_MS = 100;
const MIN_DURATION_MS = 40;
/** Of a step on the way to the target. */
const STEP_BYTES = 15_000;
/** A longer queue than before the probe ends it. */
const MAX_QUEUE_MS = 30;
const MIN_PACKETS = 5;
const ENOUGH_PACKETS = 8;
/** The target counts as reached from here: delay is measured with an error. */
const REACHED = 0.96;
/** More than that is lost for want of room. */
const MAX_LOST = 0.15;
/** Feedback is waited for so long, beside the round trip. */
const PATIENCE_MS = 250;
const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 5_000;
/** A rate that was found counts so long. */
const FOUND_MS = 5_000;
/** The next step is begun by then. */
const CLIMB_MS = 100;
const MAX_PACKETS = 1_024;
/** Where next to nothing is sent. */
const MIN_KNOWN_BPS = 60_000;

/** A probe that is under way. */
interface Running {
  readonly id: number;
  readonly rateBps: number;
  readonly startedMs: number;
  readonly endsMs: number;
  /** Bytes of everything that was sent since. */
  sentBytes: number;
  readonly packets: PacketResult[];
}

/** Packets of no use that are to be sent now. */
export interface ProbeDemand {
  /** Goes into the `probe` of their results. */
  readonly id: number;
  /** All of them together, as UDP payload; the last packet may go beyond. */
  readonly bytes: number;
  /** Of one packet, about: fewer and longer ones would not tell enough. */
  readonly maxPacketBytes: number;
}

/** Probes one path. */
export class Prober {
  #targetBps: number | undefined;
  #running: Running | undefined;
  #nextId = 1;
  #earliestMs = 0;
  #backoffMs = MIN_BACKOFF_MS;
  #foundBps = 0;
  #foundMs = -Infinity;

  /** What the caller would like to know to fit, bits a second; undefined: nothing. */
  set targetBps(bps: number | undefined) {
    this.#targetBps = bps;
  }

  get targetBps(): number | undefined {
    return this.#targetBps;
  }

  /** Rate that everything is to be sent with now, bits a second; undefined while nothing is probed. */
  get rateBps(): number | undefined {
    return this.#running?.rateBps;
  }

  /** One is under way, or the next step is due at once. */
  isClimbing(nowMs: number): boolean {
    const { targetBps } = this;
    if (this.#running) return true;
    return (
      targetBps !== undefined &&
      this.#foundMs === this.#earliestMs &&
      nowMs - this.#foundMs < CLIMB_MS &&
      this.#foundBps < targetBps * REACHED
    );
  }

  /** What a probe carried lately, bits a second; 0: nothing is known. */
  foundBps(nowMs: number): number {
    return nowMs - this.#foundMs <= FOUND_MS ? this.#foundBps : 0;
  }

  /** Counts a packet of any kind. */
  onSent(sizeBytes: number): void {
    if (this.#running) this.#running.sentBytes += sizeBytes;
  }

  /**
   * What is to be sent now. Begins a probe where it is time for one.
   * @param knownBps what is known to fit
   * @param queueMs what waits on the way
   */
  due(nowMs: number, knownBps: number, queueMs: number): ProbeDemand | undefined {
    const running = (this.#running ??= queueMs < MAX_QUEUE_MS ? this.#begin(nowMs, knownBps) : undefined);
    if (!running || nowMs >= running.endsMs) return undefined;
    const bytes = Math.ceil((running.rateBps * (nowMs - running.startedMs)) / 8_000) - running.sentBytes;
    const maxPacketBytes = Math.floor((running.rateBps * (running.endsMs - running.startedMs)) / 8_000 / ENOUGH_PACKETS);
    return bytes > 0 ? { id: running.id, bytes, maxPacketBytes } : undefined;
  }

  /** Takes the packets of a feedback. @param queueMs what waits on the way by them */
  onFeedback(results: readonly PacketResult[], queueMs: number, nowMs: number): void {
    const running = this.#running;
    if (!running) return;
    for (const result of results) {
      if (result.sentMs < running.startedMs || result.sentMs > running.endsMs || running.packets.length >= MAX_PACKETS) continue;
      running.packets.push(result);
    }
    if (queueMs > MAX_QUEUE_MS && running.packets.length > 0) return this.#fail(nowMs);
    const newest = results.at(-1);
    if (newest && newest.sentMs >= running.endsMs - 5) this.#finish(running, nowMs);
  }

  /** Ends a probe whose feedback does not come. */
  onTick(nowMs: number, roundTripMs: number): void {
    const running = this.#running;
    if (running && nowMs > running.endsMs + roundTripMs + PATIENCE_MS) this.#finish(running, nowMs);
  }

  /** There is congestion: what is under way ends, and what was found is no longer true. */
  abandon(nowMs: number): void {
    if (this.#running) this.#fail(nowMs);
    this.#foundBps = 0;
  }

  #begin(nowMs: number, knownBps: number): Running | undefined {
    const targetBps = this.#targetBps;
    const fitsBps = Math.max(knownBps, this.foundBps(nowMs), MIN_KNOWN_BPS);
    if (targetBps === undefined || nowMs < this.#earliestMs || this.foundBps(nowMs) >= targetBps * REACHED) return undefined;
    const rateBps = Math.min(targetBps, 2 * fitsBps);
    const isLast = rateBps === targetBps;
    const durationMs = isLast ? MAX_DURATION_MS : Math.min(MAX_DURATION_MS, Math.max(MIN_DURATION_MS, (STEP_BYTES * 8_000) / rateBps));
    return { id: this.#nextId++, rateBps, startedMs: nowMs, endsMs: nowMs + durationMs, sentBytes: 0, packets: [] };
  }

  #finish(running: Running, nowMs: number): void {
    const carriedBps = carried(running.packets);
    if (carriedBps === undefined) return this.#fail(nowMs);
    this.#foundBps = Math.min(carriedBps, running.rateBps);
    this.#foundMs = nowMs;
    if (this.#foundBps < running.rateBps * REACHED) return this.#fail(nowMs);
    this.#running = undefined;
    this.#backoffMs = MIN_BACKOFF_MS;
    this.#earliestMs = nowMs;
  }

  #fail(nowMs: number): void {
    this.#running = undefined;
    this.#earliestMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, this.#backoffMs * 2);
  }
}

/** What the way carries by packets that were sent evenly, bits a second; undefined where they tell nothing, or too many were lost. */
function carried(packets: readonly PacketResult[]): number | undefined {
  const arrived = packets.flatMap(({ sentMs, arrivedMs }) => (arrivedMs === undefined ? [] : [{ x: sentMs, y: arrivedMs - sentMs }]));
  const [first, last] = [packets[0], packets.at(-1)];
  if (!first || !last || arrived.length < MIN_PACKETS || arrived.length < packets.length * (1 - MAX_LOST)) return undefined;
  const spanMs = last.sentMs - first.sentMs;
  if (spanMs <= 0) return undefined;
  const bytes = packets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - last.sizeBytes;
  return (bytes * 8_000) / spanMs / (1 + Math.max(0, slopeOf(arrived)));
}
