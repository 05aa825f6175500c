/** How a session and its client come to terms: one side offers, the other answers. */
import type { Plan } from '../sdp/negotiate.js';
import type { OfferedMLine } from '../sdp/offer.js';
import type { Participant, SessionHost } from './participant.js';

/** What a client has agreed to, by its offer or by its answer, and who joins with that. */
export interface Agreement {
  /** What was agreed on, m-line by m-line. */
  readonly plan: Plan;
  /** Makes what is done for the client; called once, when the transports stand. */
  readonly makeParticipant: (host: SessionHost) => Participant;
}

/** An offer of this side. */
export interface Offer {
  /** What this side offers. */
  readonly mLines: readonly OfferedMLine[];
  /** @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE, or what the gateway throws for the source */
  readonly readAnswer: (sdp: string) => Agreement;
}

/** A client that made the offer has agreed from the start. */
export type Negotiation = Agreement | Offer;
