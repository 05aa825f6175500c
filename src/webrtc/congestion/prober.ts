/**
 * Finds out whether more would fit, before anybody depends on it: for a moment packets of no use are sent beside the media,
 * so that both together have the rate that is asked for. A target is reached in steps of at most twice what is known to fit,
 * each after clean feedback of the one before, and counts as found when it was clean twice.
 */
import type { PacketResult } from './packet-result.js';
import { probeResult, type ProbeResult } from './probe-result.js';

/** Longer tell more where delay varies, and make a longer queue where they do not fit. */
const MAX_DURATION_MS = 100;
const MIN_DURATION_MS = 40;
/** Of a step on the way to the target. */
const STEP_BYTES = 15_000;
/** Fewer and longer packets tell too little. */
const ENOUGH_PACKETS = 8;
const MAX_PACKETS = 1_024;
/** A longer queue ends a probe, or lets none begin. */
const MAX_QUEUE_MS = 30;
/** Feedback tells of so much of what was sent at least. */
const TOLD = 0.8;
/** A rate counts as reached from here. */
const REACHED = 0.96;
/** Of what a probe carried that did not fit: it may have been measured too high. */
const UNCONFIRMED = 0.95;
/** Feedback is waited for so long, beside the round trip. */
const PATIENCE_MS = 250;
const [MIN_BACKOFF_MS, MAX_BACKOFF_MS] = [500, 5_000];
/** A rate that was found counts so long. */
const FOUND_MS = 5_000;
/** The next step is begun by then. */
const CLIMB_MS = 100;
/** Where next to nothing is sent. */
const MIN_KNOWN_BPS = 60_000;

/** A probe that is under way. */
interface Running {
  readonly rateBps: number;
  /** It has the rate of the target. */
  readonly isLast: boolean;
  readonly startedMs: number;
  endsMs: number;
  /** When its newest feedback came. */
  heardMs: number;
  /** A queue has ended it early. */
  isCut: boolean;
  /** Bytes of everything that was sent meanwhile. */
  sentBytes: number;
  readonly packets: PacketResult[];
}

/** Packets of no use that are to be sent now. */
export interface ProbeDemand {
  /** All of them together, as UDP payload; the last packet may go beyond. */
  readonly bytes: number;
  /** Of one packet, about: fewer and longer ones would not tell enough. */
  readonly maxPacketBytes: number;
}

/** Undefined where it tells nothing, or too little was told of it, as where feedback was lost. */
function resultOf({ packets, sentBytes }: Running): ProbeResult | undefined {
  const toldBytes = packets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return toldBytes >= TOLD * sentBytes ? probeResult(packets) : undefined;
}

function cut(running: Running, nowMs: number): void {
  running.isCut = true;
  running.endsMs = Math.min(running.endsMs, nowMs);
}

/** Probes one way. */
export class Prober {
  /** What the caller would like to know to fit, bits a second; undefined: nothing. */
  targetBps: number | undefined;
  /** What was found before is to be found again, ms. */
  foundSinceMs = -Infinity;
  #running: Running | undefined;
  #earliestMs = 0;
  /** When the last one ended that fitted. */
  #cleanMs = -Infinity;
  #backoffMs = MIN_BACKOFF_MS;
  /** The target was reached once. */
  #isConfirming = false;
  #foundBps = 0;
  #foundMs = -Infinity;

  /** Rate that everything is to be sent with now, bits a second; undefined while nothing is probed. */
  get rateBps(): number | undefined {
    return this.#running?.rateBps;
  }

  /** One is under way, or the next step is due at once. */
  isClimbing(nowMs: number): boolean {
    if (this.#running) return true;
    const isWanted = this.#isConfirming || this.#foundBps < (this.targetBps ?? 0) * REACHED;
    return this.targetBps !== undefined && this.#cleanMs === this.#earliestMs && nowMs - this.#cleanMs < CLIMB_MS && isWanted;
  }

  /** What a probe carried lately, bits a second; 0: nothing is known. */
  foundBps(nowMs: number): number {
    return nowMs - this.#foundMs <= FOUND_MS ? this.#foundBps : 0;
  }

  /** Counts a packet of any kind. */
  onSent(sizeBytes: number, nowMs: number): void {
    if (this.#running && nowMs <= this.#running.endsMs) this.#running.sentBytes += sizeBytes;
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
    return bytes > 0 ? { bytes, maxPacketBytes } : undefined;
  }

  /**
   * Takes the packets of a feedback.
   * @param queueMs what waits on the way by them
   * @returns what the way carries, bits a second, where it turned out to be less than was asked
   */
  onFeedback(results: readonly PacketResult[], queueMs: number, nowMs: number): number | undefined {
    const running = this.#running;
    if (!running) return undefined;
    for (const result of results) {
      if (result.sentMs < running.startedMs || result.sentMs > running.endsMs || running.packets.length >= MAX_PACKETS) continue;
      running.packets.push(result);
    }
    running.heardMs = nowMs;
    // What has left by then still tells what fits.
    if (queueMs > MAX_QUEUE_MS && running.packets.length > 0) cut(running, nowMs);
    const newest = results.at(-1);
    if (newest === undefined || newest.sentMs < running.endsMs - 5) return undefined;
    return running.isCut ? this.#abandon(running, nowMs) : this.#finish(running, nowMs);
  }

  /** Ends a probe whose feedback does not come. */
  onTick(nowMs: number, roundTripMs: number): void {
    const { endsMs = Infinity, heardMs = 0 } = this.#running ?? {};
    if (nowMs > Math.max(endsMs, heardMs) + roundTripMs + PATIENCE_MS) this.#fail(nowMs);
  }

  /** There is congestion: what is under way ends, and what was found is no longer true. */
  abandon(nowMs: number): void {
    if (this.#running) this.#fail(nowMs);
    this.#foundBps = 0;
  }

  #begin(nowMs: number, knownBps: number): Running | undefined {
    const { targetBps } = this;
    const foundBps = this.foundBps(nowMs);
    if (targetBps === undefined || nowMs < this.#earliestMs || (foundBps >= targetBps * REACHED && this.#foundMs >= this.foundSinceMs))
      return undefined;
    const rateBps = Math.min(targetBps, 2 * Math.max(knownBps, foundBps, MIN_KNOWN_BPS));
    const isLast = rateBps === targetBps;
    const durationMs = isLast ? MAX_DURATION_MS : Math.min(MAX_DURATION_MS, Math.max(MIN_DURATION_MS, (STEP_BYTES * 8_000) / rateBps));
    return { rateBps, isLast, startedMs: nowMs, endsMs: nowMs + durationMs, heardMs: nowMs, isCut: false, sentBytes: 0, packets: [] };
  }

  #finish(running: Running, nowMs: number): number | undefined {
    const result = resultOf(running);
    if (!result) return this.#fail(nowMs);
    if (result.bps < running.rateBps * REACHED) return this.#abandon(running, nowMs);
    this.#isConfirming = running.isLast && !result.isCertain && !this.#isConfirming;
    if (!this.#isConfirming) this.#found(Math.min(result.bps, running.rateBps), nowMs);
    this.#running = undefined;
    this.#backoffMs = MIN_BACKOFF_MS;
    this.#earliestMs = this.#cleanMs = nowMs;
    return undefined;
  }

  /** It does not fit; its packets may tell what does. */
  #abandon(running: Running, nowMs: number): number | undefined {
    const carried = resultOf(running)?.bps ?? Infinity;
    const isKnown = carried < running.rateBps * REACHED;
    if (isKnown) this.#found(carried * UNCONFIRMED, nowMs);
    this.#fail(nowMs);
    return isKnown ? carried : undefined;
  }

  #found(bps: number, nowMs: number): void {
    this.#foundBps = bps;
    this.#foundMs = nowMs;
  }

  #fail(nowMs: number): undefined {
    this.#running = undefined;
    this.#isConfirming = false;
    this.#earliestMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, this.#backoffMs * 2);
  }
}
