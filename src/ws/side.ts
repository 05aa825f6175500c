/** The media of one member of a room: what a viewer and a publisher have in common. */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { HeldRights } from '../access/index.js';
import type { EndReason } from '../media/index.js';
import type { TrickledCandidate } from '../webrtc/index.js';
import type { ClosingSessions } from './closing-sessions.js';
import type { RoomsDeps, RoomState } from './deps.js';
import type { Outgoing } from './outbox.js';

/** What a side asks of its membership. */
export interface SideHost {
  /** Whose media it is. */
  readonly clientId: string;
  /** By which its client's sessions are counted. */
  readonly address: string;
  /** What its client may turn to. */
  readonly rights: HeldRights;
  /** The room that is watched or published to. */
  readonly room: string;
  /** Of the room, now. */
  readonly state: RoomState;
  /** True where a viewer can get an offer: something is there, or is connected when somebody comes. */
  readonly canBeWatched: boolean;
  /** Sends, or keeps it while the client is away. */
  send(message: object): Outgoing;
  /** Sends again what the client may not have got; nothing where it is kept for it already. */
  resend(messages: readonly Outgoing[]): void;
  /** Tells the client of trouble that comes by itself. @param error as it may read it */
  report(error: MediaPeerError): void;
  /** The room's state may have changed. */
  roomChanged(): void;
  /** Ends the membership. */
  end(reason: EndReason): void;
}

/** What the media of members need. */
export interface SideDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where sessions are opened. */
  readonly sessions: RoomsDeps['sessions'];
  /** Where sessions go that end. */
  readonly closing: ClosingSessions;
}

/** The media of one member. */
export interface Side {
  /** Undefined while there is none. */
  readonly sessionId: string | undefined;
  /** What the client has to answer, and may not have got. */
  readonly unanswered: readonly Outgoing[];
  /** The room may have come to life. */
  open(): void;
  /** The description that this side's client may send: a viewer's answer, a publisher's offer. @throws MediaPeerError */
  describe(sdp: string): Promise<void>;
  /** @throws MediaPeerError NEGOTIATION_STATE, CANDIDATE_INVALID, SESSION_NOT_FOUND */
  candidate(candidate: TrickledCandidate): void;
  /** The client asks for an ICE restart. @throws MediaPeerError NEGOTIATION_STATE, ICE_RESTART_REFUSED, SESSION_NOT_FOUND */
  restart(): Promise<void>;
  /** Ends its session. Idempotent. */
  close(reason: EndReason): void;
}

/** Hands on the candidates that waited for a description, which holds: of those that cannot be used the client is told. */
export function addWaiting(
  sessions: Pick<SideDeps['sessions'], 'addCandidates'>,
  host: Pick<SideHost, 'report'>,
  sessionId: string,
  candidates: readonly TrickledCandidate[],
): void {
  for (const candidate of candidates) {
    try {
      sessions.addCandidates(sessionId, [candidate]);
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      host.report(error);
      if (error.code === 'SESSION_NOT_FOUND') return;
    }
  }
}

/** The error for signalling that does not fit what was said before. */
export function wrongState(message: string): MediaPeerError {
  return new MediaPeerError('NEGOTIATION_STATE', message);
}
