/** The candidates of the peer: in its description, trickled before and after it, each once and no more than a bound. */
import type { RemoteCandidate, SkippedCandidate } from '../sdp/parse.js';
import { isUsable, MAX_CANDIDATES } from '../sdp/remote-transport.js';
import { count } from './report.js';
import type { Checklist } from './werift.js';

/** The peer's candidates of one ICE generation. */
export class IceRemoteCandidates {
  /** How many of each type were named. */
  readonly counts: Record<string, number> = {};
  readonly #checklist: Checklist;
  /** Addresses that were named. */
  readonly #named = new Set<string>();
  /** Those that came before the checks began. */
  readonly #waiting: RemoteCandidate[] = [];
  #isStarted = false;
  #isComplete = false;

  constructor(checklist: Checklist) {
    this.#checklist = checklist;
  }

  /** The checks begin with these and those that came before. */
  start(described: readonly (RemoteCandidate | SkippedCandidate)[]): void {
    this.#isStarted = true;
    for (const candidate of [...described, ...this.#waiting.splice(0)]) this.#take(candidate);
  }

  add(candidate: RemoteCandidate | SkippedCandidate): void {
    if (this.#isComplete) return;
    if (this.#isStarted || !isUsable(candidate)) this.#take(candidate);
    else if (this.#waiting.length < MAX_CANDIDATES) this.#waiting.push(candidate);
  }

  /** No more are taken. werift is not told: without pairs it would fail, while the peer may be learned yet. */
  end(): void {
    this.#isComplete = true;
  }

  #take(candidate: RemoteCandidate | SkippedCandidate): void {
    if (!isUsable(candidate)) return count(this.counts, candidate.type);
    const { address, port, type } = candidate;
    if (this.#named.size >= MAX_CANDIDATES || this.#named.has(`${address} ${port}`)) return;
    this.#named.add(`${address} ${port}`);
    count(this.counts, type);
    this.#checklist.addRemoteCandidate(candidate);
  }
}
