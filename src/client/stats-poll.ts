/** Reads a connection's statistics: often until media flows, then once a second. Works in pages that nobody sees, too. */
import type { Clock, Timer } from './clock.js';
import type { PeerLink } from './peer-link.js';

const FIRST_LOOK_MS = 100;
const LOOK_MS = 1_000;

/** What is polled, and whom it tells. */
export interface StatsPollInit {
  /** Time of its waits. */
  readonly clock: Clock;
  /** The present connection; undefined where there is none. */
  readonly link: () => PeerLink | undefined;
  /** Whether media flows: then it looks less often. */
  readonly isPlaying: () => boolean;
  /** Once a second. */
  readonly onStats: (report: RTCStatsReport) => void;
  /** Called with each report. `nowMs`: on the clock. */
  readonly onReport: (report: RTCStatsReport, nowMs: number) => void;
}

/** Polls until it is closed. */
export class StatsPoll {
  readonly #init: StatsPollInit;
  #toldAtMs = -Infinity;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(init: StatsPollInit) {
    this.#init = init;
    this.#again();
  }

  /** Something has changed: looks soon, not after the second. */
  hurry(): void {
    this.#timer?.cancel();
    this.#again(FIRST_LOOK_MS);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #again(waitMs = this.#init.isPlaying() ? LOOK_MS : FIRST_LOOK_MS): void {
    if (this.#isClosed) return;
    const timer = this.#init.clock.after(waitMs, () => void this.#look().finally(() => this.#timer === timer && this.#again()));
    this.#timer = timer;
  }

  async #look(): Promise<void> {
    const { clock, link, onStats, onReport } = this.#init;
    const present = link();
    if (this.#isClosed || present?.pc.connectionState !== 'connected') return;
    const report = await present.pc.getStats().catch(() => undefined);
    if (!report || present !== link()) return;
    const now = clock.now();
    // A look may come a little early.
    if (now - this.#toldAtMs >= LOOK_MS - FIRST_LOOK_MS / 2) {
      this.#toldAtMs = now;
      onStats(report);
    }
    onReport(report, now);
  }
}
