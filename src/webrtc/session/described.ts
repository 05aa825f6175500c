/**
 * A session that has described itself, or is about to: its sockets are open. What the client says from then on comes
 * here: its answer to an offer of this side, its candidates, and its half of ICE restarts.
 */
import { MediaPeerError } from '../../base/errors.js';
import type { IceDescription, TrickledCandidate } from '../api/requests.js';
import type { LocalTransport } from '../sdp/answer.js';
import type { Description } from '../sdp/description.js';
import type { Plan } from '../sdp/negotiate.js';
import { parseCandidate, readCandidates } from '../sdp/remote-transport.js';
import { remoteIce } from '../sdp/renegotiation.js';
import type { Transports } from './transports.js';

/** What a session has described. */
export interface DescribedInit {
  /** The transports of the session. */
  readonly transports: Transports;
  /** How this side describes itself. */
  readonly description: Description;
  /** False: the client learns candidates by descriptions alone, which wait for all of them. */
  readonly tellsCandidates: boolean;
  /** What the client has agreed to; undefined before its answer. */
  readonly plan: () => Plan | undefined;
  /** Takes the client's answer to the offer of this side; left out where the client made the offer. @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE */
  readonly agree?: ((sdp: string) => void) | undefined;
  /** True once the session has ended. */
  readonly hasEnded: () => boolean;
}

/** The part of a session's life in which descriptions and candidates are exchanged. */
export class DescribedSession {
  readonly transports: Transports;
  readonly #init: DescribedInit;
  /** True between an offer of a restart and its answer. */
  #awaitsRestart = false;

  constructor(init: DescribedInit) {
    this.transports = init.transports;
    this.#init = init;
  }

  /** The next version of this side's description: of the newest ICE generation. */
  async describe(): Promise<string> {
    const { transports, description, tellsCandidates } = this.#init;
    if (!tellsCandidates) await transports.gathered();
    return description.write(this.#locals());
  }

  /** Names the ICE generation. */
  get iceTag(): string {
    return this.transports.iceTag;
  }

  /**
   * The client's answer to the latest offer of this side, also to that of a restart.
   * @throws MediaPeerError NEGOTIATION_STATE where no offer waits for one, SDP_INVALID, NOTHING_TO_SERVE
   */
  answer(sdp: string): void {
    if (this.#awaitsRestart) return this.#answerRestart(sdp);
    const { agree, plan } = this.#init;
    if (!agree || plan()) throw new MediaPeerError('NEGOTIATION_STATE', 'there is no offer that waits for an answer');
    agree(sdp);
  }

  /** Those that cannot be used, or read, are passed over. @throws MediaPeerError CANDIDATE_INVALID where none of them can be read */
  addCandidates(candidates: readonly TrickledCandidate[]): void {
    const unreadable: unknown[] = [];
    for (const candidate of candidates) {
      try {
        this.#addCandidate(candidate);
      } catch (error) {
        unreadable.push(error);
      }
    }
    if (unreadable.length > 0 && unreadable.length === candidates.length) throw unreadable[0];
  }

  /** The client restarts ICE, and told its half; returns this side's. @throws MediaPeerError ICE_RESTART_REFUSED */
  async restart(remote: IceDescription): Promise<IceDescription> {
    const count = this.#init.plan()?.transports.length ?? 0;
    if (count > 1) throw refused(`the session has ${count} transports; only a bundled one can be restarted without an offer`);
    const { iceUfrag, icePassword } = remote;
    const candidates = readCandidates(remote.candidates);
    await this.#beginRestart();
    const [local] = this.#locals();
    if (!local) throw refused('the session has no transport; there is nothing to restart');
    this.transports.continueRestart([{ iceUfrag, icePassword, iceLite: false, ...candidates }]);
    return { iceUfrag: local.iceUfrag, icePassword: local.icePassword, candidates: local.candidates };
  }

  /** The client restarts ICE by a whole offer; returns the answer. @throws MediaPeerError SDP_INVALID, ICE_RESTART_REFUSED */
  async restartByOffer(sdp: string): Promise<string> {
    const remotes = remoteIce(sdp, this.#init.plan());
    await this.#beginRestart();
    this.transports.continueRestart(remotes);
    return this.describe();
  }

  /** This side restarts ICE; returns the offer, which `answer` takes the answer to. @throws MediaPeerError ICE_RESTART_REFUSED */
  async offerRestart(): Promise<string> {
    if (!this.#init.agree) throw refused('the client made the offer of this session; it has to restart ICE');
    await this.#beginRestart();
    this.#awaitsRestart = true;
    return this.describe();
  }

  /** What is in use stays so until the client's half has led to something that works. */
  async #beginRestart(): Promise<void> {
    const { transports, plan, tellsCandidates, hasEnded } = this.#init;
    this.#awaitsRestart = false;
    if (hasEnded() || !plan()) throw refused('the session is not connected; there is nothing to restart');
    await transports.beginRestart(!tellsCandidates);
    if (hasEnded()) throw refused('the session has ended meanwhile');
  }

  /** An answer that cannot be used gives the restart up; what is in use stays. */
  #answerRestart(sdp: string): void {
    this.#awaitsRestart = false;
    try {
      this.transports.continueRestart(remoteIce(sdp, this.#init.plan()));
    } catch (error) {
      this.transports.cancelRestart();
      throw error;
    }
  }

  #locals(): LocalTransport[] {
    const { transports, description, tellsCandidates } = this.#init;
    const locals = transports.describe((index) => description.setupOf(index));
    // By doors that carry no candidates of ours later, none that is still being looked for will ever follow.
    return tellsCandidates ? locals : locals.map((local) => ({ ...local, isGathering: false }));
  }

  #addCandidate({ candidate, mid, mLineIndex, ufrag }: TrickledCandidate): void {
    const parsed = candidate === '' ? undefined : parseCandidate(candidate);
    this.transports.at(this.#transportOf(mid, mLineIndex) ?? -1)?.ice.addCandidate(parsed, ufrag);
  }

  #transportOf(mid: string | undefined, mLineIndex: number | undefined): number | undefined {
    const { mLines = [] } = this.#init.plan() ?? {};
    // Before the answer there is one bundle, and so there is for whoever names no m-line.
    if (mLines.length === 0 || (mid === undefined && mLineIndex === undefined)) return 0;
    const mLine = mid === undefined ? mLines[mLineIndex ?? 0] : mLines.find(({ section }) => section.mid === mid);
    return mLine?.transport;
  }
}

function refused(message: string): MediaPeerError {
  return new MediaPeerError('ICE_RESTART_REFUSED', message);
}
