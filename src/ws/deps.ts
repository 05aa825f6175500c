/** What the rooms on `/ws` are given. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { OpenedSource } from '../media/index.js';
import type { Access } from '../access/index.js';
import type { SessionStatus, RtpTimestamps, Sessions } from '../webrtc/index.js';

/** `empty`: nobody is there. `live`: media comes. `waiting`: it was there, and may come back. */
export type RoomState = 'empty' | 'live' | 'waiting';

/** What a member is told of its room. */
export interface RoomDescription {
  /** Whether it can be watched. */
  readonly state: RoomState;
  /** `live`: clients publish to it. The others belong to the operator; `pull` is connected when somebody comes. */
  readonly kind: 'file' | 'live' | 'pull';
}

/** Which rooms there are. */
interface RoomDirectory {
  /** Undefined for a name that nobody uses: a room that is empty. */
  describe(room: string): RoomDescription | undefined;
  /** Calls `listener` after each change; call the returned function to stop. */
  onState(listener: (room: string) => void): () => void;
  /** Names of what can be watched now. */
  sources(): readonly string[];
}

/** What rooms act on. */
export interface RoomsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The sessions of members. */
  readonly sessions: Pick<Sessions, 'offer' | 'answer' | 'publish' | 'addCandidates' | 'offerRestart' | 'restartByOffer' | 'close'>;
  /** The rooms that there are. */
  readonly directory: RoomDirectory;
  /** Says who somebody is and what they may do. */
  readonly access: Access;
  /** Lets a second publisher that shows the token of the room take it over. */
  readonly allowTakeover: boolean;
  /** As `GET /ice-servers` tells them. */
  readonly iceServers: (clientId: string) => readonly object[];
  /** True for an id that a session has. */
  readonly isClientIdTaken: (clientId: string) => boolean;
  /** @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE, SERVER_CLOSING */
  readonly openSource: (sourceId: string) => Promise<Pick<OpenedSource, 'openDetections'>>;
  /** All that a session may be sent something of now, or the room that it publishes to; empty where there is none of that id. */
  readonly allSourcesOf: (sessionId: string) => readonly string[];
  /** Undefined where there is no such session. */
  readonly statusOf: (sessionId: string) => SessionStatus | undefined;
  /** Of a session that `statusOf` knows. */
  readonly rtpTimestamps: (sessionId: string, sourceId: string, mediaTimeMs: number) => RtpTimestamps;
  /** Who watches, by any door. */
  readonly viewersOf: (room: string) => number;
  /** Asks a room's publisher to reconnect, by whichever door it came; false where there is none. */
  readonly requestReconnect: (room: string, reason: string) => boolean;
}
