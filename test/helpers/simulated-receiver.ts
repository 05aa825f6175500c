/**
 * A viewer's browser in fake time: it acknowledges every 50 to 100 ms, asks again for what is missing (NACK), and shows a
 * frame when that and all before it since a keyframe are whole. Its clock has an origin and a drift of its own.
 */
import type { PacketResult } from '../../src/webrtc/congestion/index.js';
import { seededRandom } from './random.js';

export interface SentPacket {
  /** Transport-wide number. */
  readonly number: number;
  readonly sizeBytes: number;
  readonly sentMs: number;
  /** Part of a frame; undefined for sound and probes. */
  readonly frame?: SentFrame;
  /** Index of the packet in it. */
  readonly part?: number;
}

export interface SentFrame {
  readonly index: number;
  readonly keyframe: boolean;
  readonly capturedMs: number;
  readonly packets: number;
  /** Which of its packets are there: a repaired one may come twice. */
  readonly arrived: Set<number>;
}

export interface ReceiverInit {
  /** The way back, ms. Default: 20. */
  readonly delayMs?: number;
  /** Between two feedbacks, ms. Default: 50 to 100. */
  readonly feedbackMs?: readonly [number, number];
  /** 0..1, of feedbacks. Default: none. */
  readonly feedbackLoss?: number;
  /** The receiver's clock runs so much faster, in parts of a million. Default: 0. */
  readonly driftPpm?: number;
  /** A frame is shown so long after it could be at the earliest: room for repairs. Default: 0. */
  readonly bufferMs?: number;
  readonly seed?: number;
}

/** A frame that was shown. */
export interface Shown {
  readonly atMs: number;
  readonly latencyMs: number;
}

const CLOCK_ORIGIN_MS = 5_000_000;
const NACK_AFTER_MS = 10;
const PLI_AFTER_MS = 600;

export class SimulatedReceiver {
  readonly shown: Shown[] = [];
  keyframeRequests = 0;
  readonly #init: ReceiverInit;
  readonly #random: () => number;
  readonly #arrivals = new Map<number, number>();
  #highest = -1;
  #reported = -1;
  #nextFeedbackMs = 0;
  #nextFrame = 0;
  #lastShownMs = 0;
  #shortestMs = Infinity;
  readonly #whole = new Map<number, SentFrame>();
  readonly #missing = new Map<number, number>();

  constructor(init: ReceiverInit = {}) {
    this.#init = init;
    this.#random = seededRandom((init.seed ?? 1) + 77);
  }

  arrive(packet: SentPacket, atMs: number): void {
    this.#arrivals.set(packet.number, atMs * (1 + (this.#init.driftPpm ?? 0) / 1e6) + CLOCK_ORIGIN_MS);
    for (let number = this.#highest + 1; number < packet.number; number++) this.#missing.set(number, atMs + NACK_AFTER_MS);
    this.#missing.delete(packet.number);
    this.#highest = Math.max(this.#highest, packet.number);
    const { frame, part = 0 } = packet;
    if (!frame || frame.arrived.has(part)) return;
    frame.arrived.add(part);
    if (frame.arrived.size < frame.packets) return;
    this.#whole.set(frame.index, frame);
    this.#show(atMs);
  }

  /** Numbers that are asked for again now. */
  nacks(nowMs: number): number[] {
    const due = [...this.#missing].filter(([, atMs]) => atMs <= nowMs).map(([number]) => number);
    for (const number of due) this.#missing.delete(number);
    return due;
  }

  /** True once in a while when no frame can be shown. */
  wantsKeyframe(nowMs: number): boolean {
    if (nowMs - this.#lastShownMs < PLI_AFTER_MS) return false;
    this.#lastShownMs = nowMs;
    this.keyframeRequests++;
    return true;
  }

  /** The feedback that leaves now, with what it says of each packet since the one before; undefined: none is due, or it is lost. */
  feedback(ledger: ReadonlyMap<number, SentPacket>, nowMs: number): PacketResult[] | undefined {
    if (nowMs < this.#nextFeedbackMs || this.#highest === this.#reported) return undefined;
    const [shortest, longest] = this.#init.feedbackMs ?? [50, 100];
    this.#nextFeedbackMs = nowMs + shortest + this.#random() * (longest - shortest);
    const results: PacketResult[] = [];
    for (let number = this.#reported + 1; number <= this.#highest; number++) {
      const { sizeBytes, sentMs } = ledger.get(number)!;
      const arrivedMs = this.#arrivals.get(number);
      results.push({ sizeBytes, sentMs, arrivedMs: arrivedMs === undefined ? undefined : Math.round(arrivedMs * 4) / 4 });
      this.#arrivals.delete(number);
    }
    this.#reported = this.#highest;
    return this.#random() < (this.#init.feedbackLoss ?? 0) ? undefined : results;
  }

  #show(atMs: number): void {
    const keyframes = [...this.#whole.values()].filter(({ keyframe, index }) => keyframe && index > this.#nextFrame);
    if (!this.#whole.has(this.#nextFrame) && keyframes.length > 0) this.#nextFrame = Math.max(...keyframes.map(({ index }) => index));
    for (let frame = this.#whole.get(this.#nextFrame); frame; frame = this.#whole.get(this.#nextFrame)) {
      this.#shortestMs = Math.min(this.#shortestMs, atMs - frame.capturedMs);
      const shownMs = Math.max(atMs, frame.capturedMs + this.#shortestMs + (this.#init.bufferMs ?? 0));
      this.shown.push({ atMs: shownMs, latencyMs: shownMs - frame.capturedMs });
      this.#lastShownMs = atMs;
      this.#whole.delete(frame.index);
      this.#nextFrame++;
    }
    for (const index of this.#whole.keys()) if (index < this.#nextFrame) this.#whole.delete(index);
  }
}
