/** The sessions that live, by their ids, and their common clock tick; and for a while what became of those that have ended. */
import type { Clock, Timer } from '../../base/clock.js';
import { sessionNotFound } from '../../base/refusals.js';
import type { EndReason } from '../../media/index.js';
import type { SessionReport } from '../api/report.js';
import type { DescribedSession } from './described.js';
import type { PeerSession } from './session.js';

const TICK_MS = 1000;
/** A client asks why only after it has failed. */
const REPORT_KEPT_MS = 10 * 60_000;
/** About 4 KiB each. */
const MAX_REPORTS = 500;

interface Entry {
  readonly session: PeerSession;
  readonly ended: Promise<EndReason>;
}

/** The sessions of the server. */
export class SessionRegistry {
  readonly #clock: Clock;
  readonly #live = new Map<string, Entry>();
  readonly #reports = new Map<string, { readonly report: SessionReport; readonly endedMs: number }>();
  #tick: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps a session that has begun until it has ended. @returns what resolves when it is forgotten */
  add(session: PeerSession, ended: Promise<EndReason>): Promise<EndReason> {
    const { sessionId } = session.identity;
    const forgotten = ended.finally(() => this.#forget(sessionId, session));
    this.#live.set(sessionId, { session, ended: forgotten });
    this.#tick ??= this.#clock.every(TICK_MS, () => {
      for (const { session: each } of this.#live.values()) each.tick();
    });
    return forgotten;
  }

  /** How many live. */
  get count(): number {
    return this.#live.size;
  }

  /** The oldest first. */
  get all(): readonly PeerSession[] {
    return [...this.#live.values()].map(({ session }) => session);
  }

  find(sessionId: string): PeerSession | undefined {
    return this.#live.get(sessionId)?.session;
  }

  /** @throws MediaPeerError SESSION_NOT_FOUND */
  get(sessionId: string): PeerSession {
    const session = this.find(sessionId);
    if (!session) throw sessionNotFound();
    return session;
  }

  /** What takes the words of a session's client. @throws MediaPeerError SESSION_NOT_FOUND */
  described(sessionId: string): DescribedSession {
    const { described } = this.get(sessionId);
    if (!described) throw sessionNotFound();
    return described;
  }

  /** What became of a session, also some minutes after its end. */
  report(sessionId: string): SessionReport | undefined {
    const kept = this.#reports.get(sessionId);
    return this.find(sessionId)?.report() ?? (kept && this.#clock.now() - kept.endedMs < REPORT_KEPT_MS ? kept.report : undefined);
  }

  /** Resolves when the session has ended and everything of it is released; at once where there is none. */
  async ended(sessionId: string): Promise<void> {
    await this.#live.get(sessionId)?.ended;
  }

  #forget(sessionId: string, session: PeerSession): void {
    this.#live.delete(sessionId);
    this.#keepReport(sessionId, session.report());
    if (this.#live.size > 0) return;
    this.#tick?.cancel();
    this.#tick = undefined;
  }

  #keepReport(sessionId: string, report: SessionReport): void {
    const now = this.#clock.now();
    this.#reports.set(sessionId, { report, endedMs: now });
    for (const [id, { endedMs }] of this.#reports) {
      if (this.#reports.size <= MAX_REPORTS && now - endedMs < REPORT_KEPT_MS) break;
      this.#reports.delete(id);
    }
  }
}
