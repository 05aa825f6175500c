/** The reports of sessions that have ended, for a while: a client asks why only after it has failed. */
import type { Clock } from '../../base/clock.js';
import type { SessionReport } from '../api/report.js';

const KEPT_MS = 10 * 60_000;
/** About 4 KiB each. */
const MAX_REPORTS = 500;

export class EndedReports {
  readonly #clock: Clock;
  readonly #reports = new Map<string, { readonly report: SessionReport; readonly endedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(sessionId: string, report: SessionReport): void {
    this.#reports.set(sessionId, { report, endedMs: this.#clock.now() });
    for (const [id, { endedMs }] of this.#reports) {
      if (this.#reports.size <= MAX_REPORTS && this.#clock.now() - endedMs < KEPT_MS) break;
      this.#reports.delete(id);
    }
  }

  get(sessionId: string): SessionReport | undefined {
    const kept = this.#reports.get(sessionId);
    return kept && this.#clock.now() - kept.endedMs < KEPT_MS ? kept.report : undefined;
  }
}
