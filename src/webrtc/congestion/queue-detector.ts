/**
 * Sees a queue build on the way: the one-way delay of what arrives, above the smallest of the last half minute, and
 * whether it grows. Both clocks may have any origin and drift a little.
 *
 * Of a feedback only the newer half of the packets counts, and of these the quickest: jitter, a receiver that was busy
 * (packets wait in its socket and are read at once) and the bursts of our own frames make others slow, never that one.
 */
import { MinimumWindow } from './minimum-window.js';
import type { PacketResult } from './packet-result.js';
import { slopeOf } from './slope.js';

/** Clocks drift by less than 3 ms in it; a standing queue is longer ended than it lasts. */
const BASE_WINDOW_MS = 30_000;
/** Below, no queue is of interest; above, one that grows. */
const QUEUE_MS = 50;
const LONG_QUEUE_MS = 100;
/** So long a queue must grow. */
const WARNING_MS = 200;
const CERTAIN_MS = 400;
/** A long one that does not grow any more, since packets are dropped or we send just what passes. */
const STANDING_MS = 1_000;
/** The trend is that of the last samples within this time. */
const TREND_MS = 500;
const MAX_SAMPLES = 32;
/** Growth of the queue by time, ms/ms, which is no noise. */
const RISING = 0.02;
/** A moment ago. */
const RECENT_MS = 200;
/** From one feedback to the next: grown by more, ms. */
const STEP_MS = 8;
/** Between two feedbacks: the receiver's clock was set, or nothing was sent for long. */
const MAX_STEP_MS = 30_000;

/** Feedbacks that come more often are read together. */
const MIN_SPAN_MS = 40;
const MAX_PENDING = 512;

interface Sample {
  /** When the newest of its packets arrived: growth is told by the receiver's clock, since feedback may be late. */
  readonly arrivedMs: number;
  readonly queueMs: number;
}

/** What a feedback tells of the queue. `steep`: a long one, after so short a time that it may be of a single large frame. */
export type QueueVerdict = 'clear' | 'warning' | 'steep' | 'certain';

/** Watches the queue of one way. */
export class QueueDetector {
  readonly #patience: number;
  readonly #base = new MinimumWindow(BASE_WINDOW_MS);
  #pending: Arrived[] = [];
  #samples: Sample[] = [];
  /** Since when, by the receiver's clock, the queue is above its limit and does not shrink. */
  #growingSinceMs: number | undefined;
  #growths = 0;
  #newestMs = 0;
  #verdict: QueueVerdict = 'clear';

  /** @param patience factor of the times that a queue must last: more than 1 where the machines' own noise is more likely than a queue */
  constructor(patience = 1) {
    this.#patience = patience;
  }

  /** Of the newest feedback, ms; 0 before any. */
  get queueMs(): number {
    return this.#samples.at(-1)?.queueMs ?? 0;
  }

  /** Of the newest packet, ms: jitter and receivers that are busy count, too. 0 before any. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Whether the queue grows (1), shrinks (-1) or neither (0), by the last half second. */
  get trend(): -1 | 0 | 1 {
    if (this.#samples.length < 3) return 0;
    const { slope } = slopeOf(this.#samples.map(({ arrivedMs, queueMs }) => ({ x: arrivedMs, y: queueMs })));
    return slope > RISING ? 1 : slope < -RISING ? -1 : 0;
  }

  /** Takes the packets of a feedback, in the order in which they were sent. @returns what it makes of the queue */
  add(results: readonly PacketResult[], nowMs: number): QueueVerdict {
    const previous = this.#samples.at(-1);
    for (const result of results.filter(hasArrived)) {
      this.#base.add(result.arrivedMs - result.sentMs, nowMs);
      this.#pending.push(result);
    }
    const newest = this.#pending.at(-1);
    if (!newest) return this.#verdict;
    this.#newestMs = newest.arrivedMs - newest.sentMs - (this.#base.minimum ?? 0);
    if (previous && Math.abs(newest.arrivedMs - previous.arrivedMs) > MAX_STEP_MS) this.rebase();
    else if (previous && newest.arrivedMs - previous.arrivedMs < MIN_SPAN_MS && this.#pending.length < MAX_PENDING) return this.#verdict;
    else this.#verdict = this.#judge(this.#take(newest), previous);
    return this.#verdict;
  }

  /** The queue is one of our own making, which says nothing further. */
  excuse(): void {
    this.#growingSinceMs = undefined;
    this.#growths = 0;
    this.#verdict = 'clear';
  }

  /** The delay of now is that of the empty way: nothing of before is known. */
  rebase(): void {
    this.#base.clear();
    this.forget();
  }

  /** What was seen so far counts for nothing further; the base stays. */
  forget(): void {
    this.#samples = [];
    this.#pending = [];
    this.excuse();
  }

  #take({ arrivedMs }: Arrived): Sample {
    const newer = this.#pending.slice(this.#pending.length >> 1);
    const quickestMs = newer.reduce((least, packet) => Math.min(least, packet.arrivedMs - packet.sentMs), Infinity);
    const sample = { arrivedMs, queueMs: Math.max(0, quickestMs - (this.#base.minimum ?? 0)) };
    this.#pending = [];
    this.#samples.push(sample);
    this.#samples = this.#samples.filter((other) => Math.abs(arrivedMs - other.arrivedMs) <= TREND_MS).slice(-MAX_SAMPLES);
    return sample;
  }

  #judge(sample: Sample, previous: Sample | undefined): QueueVerdict {
    const trend = sample.queueMs < QUEUE_MS ? -1 : this.trend;
    if (trend === -1) {
      this.excuse();
      return 'clear';
    }
    this.#growths = previous && sample.queueMs > previous.queueMs + STEP_MS ? this.#growths + 1 : 0;
    if (trend === 1) this.#growingSinceMs ??= previous?.arrivedMs ?? sample.arrivedMs;
    const lastedMs = (sample.arrivedMs - (this.#growingSinceMs ?? sample.arrivedMs)) / this.#patience;
    const isGrowing = trend === 1 && this.#isGrowing(sample);
    if (lastedMs >= (isGrowing || sample.queueMs > 2 * LONG_QUEUE_MS ? CERTAIN_MS : STANDING_MS)) return 'certain';
    if (sample.queueMs > LONG_QUEUE_MS && this.#growths >= 2 * this.#patience) return 'steep';
    return lastedMs >= WARNING_MS ? 'warning' : 'clear';
  }

  /** It still does: it is the longest, and longer than a moment ago. */
  #isGrowing({ queueMs, arrivedMs }: Sample): boolean {
    const ago = this.#samples.findLast((sample) => arrivedMs - sample.arrivedMs >= RECENT_MS) ?? this.#samples[0];
    const longest = Math.max(...this.#samples.map((sample) => sample.queueMs));
    return queueMs >= longest - STEP_MS && ago !== undefined && queueMs > ago.queueMs + STEP_MS / 2;
  }
}

type Arrived = PacketResult & { readonly arrivedMs: number };

const hasArrived = (result: PacketResult): result is Arrived => result.arrivedMs !== undefined;
