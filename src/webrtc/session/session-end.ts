/** The end of a session: the first thing that ends it counts, and what comes later changes nothing. */
import { MediaPeerError } from '../../base/errors.js';
import { capacityReached, notLive, RETRY_AFTER_S, serverClosing, withoutNames } from '../../base/refusals.js';
import type { EndReason } from '../../media/index.js';
import type { SessionReport } from '../api/report.js';
import { explainEnd, type IceMeans } from './explain-end.js';

/** The end of one session. */
export class SessionEnd {
  /** Resolves with the reason that came first; never rejects. */
  readonly reached: Promise<EndReason>;
  readonly #elapsedMs: () => number;
  #resolve: (reason: EndReason) => void = () => undefined;
  #end: { readonly reason: EndReason; readonly atMs: number } | undefined;
  #failure: unknown;

  /** @param elapsedMs since the session began */
  constructor(elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs;
    this.reached = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Undefined while the session lives. */
  get reason(): EndReason | undefined {
    return this.#end?.reason;
  }

  /** The first error that was told of. */
  get failure(): unknown {
    return this.#failure;
  }

  /** @param failure the error that made it; the first one is kept, also where it is told of late */
  reach(reason: EndReason, failure?: unknown): void {
    this.#failure ??= failure;
    if (this.#end) return;
    this.#end = { reason, atMs: this.#elapsedMs() };
    this.#resolve(reason);
  }

  /** @throws MediaPeerError for a client that still waits for its description, where there will be none any more */
  throwIfReached(): void {
    if (!this.#end) return;
    const { reason } = this.#end;
    if (reason === 'server-closing') throw serverClosing();
    if (reason === 'gave-way') throw capacityReached('the session gave way to another one before it was described', RETRY_AFTER_S.session);
    throw notLive(`the session ended before it was described (${reason})`, RETRY_AFTER_S.session);
  }

  /** For its report; undefined while the session lives. */
  explain(report: Omit<SessionReport, 'end'>, means: IceMeans): SessionReport['end'] {
    if (!this.#end) return undefined;
    return { ...this.#end, explanation: explainEnd({ ...this.#end, failure: inWords(this.#failure) }, report, means) };
  }
}

/** For the owner of a session, who may watch some sources only: of faults of the server no more than that there was one. */
function inWords(failure: unknown): string | undefined {
  if (failure === undefined) return undefined;
  return failure instanceof MediaPeerError ? withoutNames(failure).message : 'a fault of the server; its log says why';
}
