/** Viewers on simulated links for a while, and what they saw. */
import { SimulatedLink, type LinkInit } from './simulated-link.js';
import { SimulatedViewer, type ViewerInit } from './simulated-viewer.js';

interface Sample {
  readonly atMs: number;
  readonly queueMs: number;
}

/** A gap in which the picture stands still counts from here, as browsers count it: three frames of 33 ms and 50 ms more. */
const FREEZE_MS = 183;

export class NetworkRun {
  readonly link: SimulatedLink;
  readonly viewers: readonly SimulatedViewer[];
  readonly #queue: Sample[] = [];
  #nowMs = 0;

  constructor(link: LinkInit, viewers: readonly ViewerInit[] = [{}]) {
    this.link = new SimulatedLink(link);
    this.viewers = viewers.map((viewer, index) => new SimulatedViewer(this.link, { seed: (link.seed ?? 1) * 100 + index, ...viewer }));
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets time pass. @param onStep called each millisecond */
  runTo(endMs: number, onStep?: (nowMs: number) => void): this {
    for (; this.#nowMs < endMs; this.#nowMs++) {
      for (const viewer of this.viewers) viewer.step(this.#nowMs);
      this.link.step(this.#nowMs);
      if (this.#nowMs % 10 === 0) this.#queue.push({ atMs: this.#nowMs, queueMs: this.link.queueMs(this.#nowMs) });
      onStep?.(this.#nowMs);
    }
    return this;
  }

  /** 95th percentile of the queue of the link, ms. */
  queueP95(fromMs: number, toMs = this.#nowMs): number {
    const values = this.#queue.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ queueMs }) => queueMs);
    return values.sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;
  }

  /** Pictures a second. */
  fps(fromMs: number, toMs = this.#nowMs, viewer = 0): number {
    return (this.#shown(fromMs, toMs, viewer).length * 1_000) / (toMs - fromMs);
  }

  /** Lengths of the gaps in which the picture stood still, ms. */
  freezes(fromMs: number, toMs = this.#nowMs, viewer = 0): number[] {
    const times = [fromMs, ...this.#shown(fromMs, toMs, viewer), toMs];
    return times.slice(1).flatMap((atMs, index) => (atMs - times[index]! > FREEZE_MS ? [atMs - times[index]!] : []));
  }

  /** The longest of them, 0 where there is none, ms. */
  longestFreeze(fromMs: number, toMs = this.#nowMs, viewer = 0): number {
    return Math.max(0, ...this.freezes(fromMs, toMs, viewer));
  }

  /** How often what is sent changed. */
  switches(fromMs: number, toMs = this.#nowMs, viewer = 0): number {
    return this.viewers[viewer]!.sent.slice(1).filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length;
  }

  /** Share of the time in which a rung was selected, 0..1. */
  shareOf(rung: string, fromMs: number, toMs = this.#nowMs, viewer = 0): number {
    const changes = [...this.viewers[viewer]!.changes, { atMs: toMs, selection: undefined }];
    const parts = changes.slice(1).map(({ atMs }, index) => {
      const { atMs: since, selection } = changes[index]!;
      const isIt = selection?.rung === rung && selection.delivery === 'frames';
      return isIt ? Math.max(0, Math.min(atMs, toMs) - Math.max(since, fromMs)) : 0;
    });
    return parts.reduce((sum, part) => sum + part, 0) / (toMs - fromMs);
  }

  #shown(fromMs: number, toMs: number, viewer: number): number[] {
    return this.viewers[viewer]!.receiver.shown.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs && atMs < toMs);
  }
}

/** Jain's fairness index of rates: 1 where all are the same, 1 / n where one has all. */
export function jainIndex(rates: readonly number[]): number {
  const sum = rates.reduce((total, rate) => total + rate, 0);
  return sum ** 2 / (rates.length * rates.reduce((total, rate) => total + rate ** 2, 0));
}
