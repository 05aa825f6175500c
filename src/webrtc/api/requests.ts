/** What the doors ask of the connections, and what they get: the language between the doors (`http/`, `ws/`) and sessions. */
import type { EndReason, Rendition } from '../../media/index.js';
import type { SessionReport } from './report.js';
import type { ViewerRights } from './rights.js';
import type { ConnectionState } from './status.js';

/** By which door a client came; `forward`: it did not come, this server calls it. */
export type Door = 'offer' | 'whep' | 'whip' | 'ws' | 'forward';

/** One ICE server as W3C RTCIceServer has it. */
export interface IceServer {
  /** `stun:`, `turn:` and `turns:` URLs (RFC 7064, RFC 7065). */
  readonly urls: readonly string[];
  /** For TURN. */
  readonly username?: string | undefined;
  /** For TURN. */
  readonly credential?: string | undefined;
}

/** A candidate that travels after its description (RFC 8838). */
export interface TrickledCandidate {
  /** `candidate:...` as in SDP, without `a=`; empty: no more will come (RFC 8838 §13). */
  readonly candidate: string;
  /** Which m-line; where both are left out, the first. */
  readonly mid?: string | undefined;
  /** The m-line that it is of, from 0; used where no mid is given. */
  readonly mLineIndex?: number | undefined;
  /** Of the ICE generation that it belongs to; left out: the current one. */
  readonly ufrag?: string | undefined;
}

/** One side's ICE parameters and candidates: what an ICE restart exchanges. */
export interface IceDescription {
  /** RFC 8839 §5.4. */
  readonly iceUfrag: string;
  /** RFC 8839 §5.4. */
  readonly icePassword: string;
  /** `candidate:...` */
  readonly candidates: readonly string[];
}

interface SessionRequest {
  readonly door: Door;
  /** Whose offers count together where places are scarce: an IPv4 address, a /64 of IPv6. Left out: one with all that are left out. */
  readonly address?: string | undefined;
  /** 1-64 of `[A-Za-z0-9._-]`; left out: generated. */
  readonly clientId?: string | undefined;
  /** Gets the candidates that are found after the description has been handed out, then null. Left out: the description waits for all of them. */
  readonly onCandidate?: ((candidate: TrickledCandidate | null) => void) | undefined;
  /** Told of each change. */
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  /** Nothing of what is sent arrives any more: whoever can should restart ICE. Left out: this door cannot. */
  readonly onRestartNeeded?: (() => void) | undefined;
}

/** What a video m-line of a wall shows. */
export interface TileRequest {
  /** Default: the session's own source. */
  readonly sourceId?: string | undefined;
  /** As it is, or with what was detected drawn in. */
  readonly rendition: Rendition;
  /** No quality is taller than that, by its shorter side in pixels, where there is one that is not. Default: no limit. */
  readonly maxHeightPx?: number | undefined;
}

/** What a client wants to watch. */
export interface WatchRequest {
  /** The session's own source: that of its sound, and of all video that names none. */
  readonly sourceId: string;
  /** The past of that source from then on, UTC in ms. Default: the present. */
  readonly atMs?: number | undefined;
  /** For the video m-lines in order. Default: see `negotiate` and `planOffer`. */
  readonly renditions?: readonly Rendition[] | undefined;
  /** In their place for a wall, 1 to 16: what each video m-line shows; undefined: nothing until the command `select`. */
  readonly tiles?: readonly (TileRequest | undefined)[] | undefined;
}

/** A viewer's offer. */
export interface AcceptRequest extends SessionRequest, WatchRequest {
  /** The offer. */
  readonly sdp: string;
  /** Renditions that flow from the start; the others wait for the command `select`. Default: all. */
  readonly active?: readonly Rendition[] | undefined;
  /** What the client may turn to later. Default: everything. */
  readonly rights?: ViewerRights | undefined;
}

/** A viewer that the server makes the offer to. */
export interface OfferRequest extends SessionRequest, WatchRequest {
  /** Leaves data channels out of the offer, as WHIP asks (RFC 9725 §4.2). Default false. */
  readonly isMediaAlone?: boolean | undefined;
  /** What the client may turn to later. Default: everything. */
  readonly rights?: ViewerRights | undefined;
}

/** A publisher's offer. */
export interface PublishRequest extends SessionRequest {
  /** The offer. */
  readonly sdp: string;
  /** The room to publish to: the id of the source that comes of it. */
  readonly room: string;
  /** Takes the room over where somebody publishes to it: the token was shown, or it is the same client that came back. */
  readonly takeover: boolean;
  /** Commands to the camera, beside the data channel `commands`. */
  readonly onCommand?: ((command: PublisherCommand) => void) | undefined;
}

/** What the server asks of a camera. */
export interface PublisherCommand {
  /** What the publisher is asked to do. */
  readonly command: 'reconnect';
  /** Why, in words. */
  readonly reason: string;
}

/** A session that has been described and is connecting. */
export interface OpenedSession {
  /** The answer, or the offer. */
  readonly sdp: string;
  /** The id that holds; not the requested one where that was taken. */
  readonly clientId: string;
  /** What is watched, or the room that is published to. */
  readonly sourceId: string;
  /** Unguessable: who knows it owns the session. */
  readonly sessionId: string;
  /** Resolves when the session has ended and everything is released. */
  readonly ended: Promise<EndReason>;
}

/** A viewer's session that has been described and is connecting. */
export interface OpenedViewing extends OpenedSession {
  /** What the served video m-lines get, in order. */
  readonly renditions: readonly Rendition[];
  /** Of a wall: the same with their sources; undefined where it is none. */
  readonly tiles?: readonly OpenedTile[] | undefined;
}

/** A video m-line of a wall. */
export interface OpenedTile {
  /** RFC 5888; undefined where the m-line has none. */
  readonly mid: string | undefined;
  /** What it shows; undefined: nothing. */
  readonly shown: (TileRequest & { readonly sourceId: string }) | undefined;
}

/** The connections as the doors see them. Every method throws MediaPeerError SESSION_NOT_FOUND for an unknown session. */
export interface Sessions {
  /** @throws MediaPeerError BODY_INVALID, SDP_INVALID, NOTHING_TO_SERVE, DETECTION_OFF, CAPACITY_REACHED, SERVER_CLOSING, or what the gateway throws for the source. */
  accept(request: AcceptRequest): Promise<OpenedViewing>;
  /** Makes an offer; `answer` takes the viewer's answer. @throws MediaPeerError as `accept`. */
  offer(request: OfferRequest): Promise<OpenedViewing>;
  /** The viewer's answer to the latest offer, also to that of `offerRestart`. @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE (which end the session), NEGOTIATION_STATE */
  answer(sessionId: string, sdp: string): Promise<void>;
  /** @throws MediaPeerError SDP_INVALID, NOTHING_TO_SERVE, ROOM_INVALID, ROOM_TAKEN, CAPACITY_REACHED, SERVER_CLOSING */
  publish(request: PublishRequest): Promise<OpenedSession>;
  /** Candidates of the client. Those of another ICE generation, and those that cannot be used or read, are passed over. @throws MediaPeerError CANDIDATE_INVALID where none of them can be read */
  addCandidates(sessionId: string, candidates: readonly TrickledCandidate[]): void;
  /** The client restarts ICE (RFC 8445 §9). What was there stays in use until the new one works. @throws MediaPeerError ICE_RESTART_REFUSED */
  restart(sessionId: string, remote: IceDescription): Promise<IceDescription>;
  /** The client restarts ICE by a whole offer; returns the answer. @throws MediaPeerError SDP_INVALID, ICE_RESTART_REFUSED */
  restartByOffer(sessionId: string, sdp: string): Promise<string>;
  /** The server restarts ICE of a session that it offered; returns the new offer. @throws MediaPeerError ICE_RESTART_REFUSED */
  offerRestart(sessionId: string): Promise<string>;
  /** Names the ICE generation of a session: another one after each restart. */
  iceTag(sessionId: string): string;
  /** Ends a session and waits until everything is released; false where there is none of that id. */
  close(sessionId: string, reason: EndReason): Promise<boolean>;
  /** What became of a session; also for some minutes after its end. Undefined where nothing is known of it. */
  report(sessionId: string): SessionReport | undefined;
}
