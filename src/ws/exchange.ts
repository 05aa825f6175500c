/**
 * Descriptions and candidates of one session on their way: whatever comes before the description that it belongs
 * to waits for it, in both directions. Keeps the latest description, for a client that did not get it.
 */
import { MediaPeerError } from '../base/errors.js';
import type { TrickledCandidate } from '../webrtc/index.js';
import { candidateMessage, ufragsOf } from './candidates.js';
import type { Outgoing } from './outbox.js';

/** Candidates of a client that wait for their description at most: several times what a browser finds. */
const MAX_WAITING_CANDIDATES = 100;
/** Candidates of the server that are kept to be sent again. */
const MAX_LATEST = 100;

/** The signalling of one session. */
export class Exchange {
  readonly #send: (message: object) => Outgoing;
  #isHeld = true;
  #early: (TrickledCandidate | null)[] = [];
  #latest: Outgoing[] = [];
  #isAwaitingAnswer = false;
  #remoteUfrags: ReadonlySet<string> | undefined;
  #waiting: TrickledCandidate[] = [];

  constructor(send: (message: object) => Outgoing) {
    this.#send = send;
  }

  /** True from an offer of the server to the client's answer. */
  get isAwaitingAnswer(): boolean {
    return this.#isAwaitingAnswer;
  }

  /** The server's latest description and its candidates. */
  get latest(): readonly Outgoing[] {
    return this.#latest;
  }

  /** Candidates of the server wait from now on: those that come belong to a description that is being made. */
  hold(): void {
    this.#isHeld = true;
  }

  /** No description came of it. */
  release(): void {
    this.#isHeld = false;
    for (const candidate of this.#early.splice(0)) this.local(candidate);
  }

  /** Sends a description of the server, then its candidates. */
  describe(type: 'offer' | 'answer', sdp: string): void {
    this.#isAwaitingAnswer = type === 'offer';
    this.#latest = [this.#send({ type, sdp })];
    this.release();
  }

  /** The client's answer cannot be used. */
  refused(): void {
    this.#isAwaitingAnswer = false;
  }

  /** A candidate of the server. */
  local(candidate: TrickledCandidate | null): void {
    if (this.#isHeld) return void this.#early.push(candidate);
    const sent = this.#send(candidateMessage(candidate));
    if (this.#latest.length < MAX_LATEST) this.#latest.push(sent);
  }

  /** The client's description is in force; returns the candidates that waited for it. */
  described(sdp: string): TrickledCandidate[] {
    this.#isAwaitingAnswer = false;
    this.#remoteUfrags = ufragsOf(sdp);
    return this.#waiting.splice(0);
  }

  /** A candidate of the client; returns what can be used now. @throws MediaPeerError NEGOTIATION_STATE */
  remote(candidate: TrickledCandidate): TrickledCandidate[] {
    if (this.#remoteUfrags && !this.#isAwaitingAnswer && (candidate.ufrag === undefined || this.#remoteUfrags.has(candidate.ufrag)))
      return [candidate];
    if (this.#waiting.length >= MAX_WAITING_CANDIDATES) {
      throw new MediaPeerError(
        'NEGOTIATION_STATE',
        `${MAX_WAITING_CANDIDATES} candidates wait for the description that they belong to; send that first`,
      );
    }
    this.#waiting.push(candidate);
    return [];
  }
}
