/** Why did it fail: what a session remembers of itself, for its owner and for the line in the log. */
import type { EndReason } from '../../media/index.js';
import type { SessionQuality } from './status.js';

/** What was offered and chosen for one m-line. */
export interface MLineReport {
  /** RFC 5888; undefined where the m-line has none. */
  readonly mid: string | undefined;
  /** `video`, `audio` or `application`. */
  readonly kind: string;
  /** As the client wrote it: `recvonly`. */
  readonly direction: string;
  /** Names of the codecs that were offered. */
  readonly offered: readonly string[];
  /** What it carries; undefined: nothing. */
  readonly chosen: string | undefined;
  /** Why it carries nothing. */
  readonly reason: string | undefined;
}

/** How many candidates of each type: `host`, `srflx`, `prflx`, `relay`, `mdns` (a name that is not looked up), `tcp`, `unusable`. */
export type CandidateCounts = Readonly<Record<string, number>>;

/** A pair of candidates that was tried. */
export interface PairReport {
  /** This side's candidate: `host 127.0.0.1:50000`. */
  readonly local: string;
  /** The client's candidate, likewise. */
  readonly remote: string;
  /** RFC 8445 §6.1.2.6: `succeeded`, `failed`, ... */
  readonly state: string;
}

/** What ICE tried, and what came of it. */
export interface IceReport {
  /** Candidates of this side. */
  readonly local: CandidateCounts;
  /** Candidates of the client. */
  readonly remote: CandidateCounts;
  /** The pairs that were checked. */
  readonly pairs: readonly PairReport[];
  /** Authentic connectivity checks of the client. */
  readonly checksReceived: number;
  /** Types of the pair in use: `host/prflx`. */
  readonly selected: string | undefined;
  /** How often ICE was restarted. */
  readonly restarts: number;
  /** What went wrong with STUN and TURN servers, in words. */
  readonly troubles: readonly string[];
}

/** Something that happened, in ms since the session began. */
export interface Step {
  /** Milliseconds since the session was created. */
  readonly atMs: number;
  /** What happened. */
  readonly step: string;
  /** Figures and reasons that belong to it. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What a session remembers of itself; it is kept for a while after the end. */
export interface SessionReport {
  /** Whose session it is. */
  readonly clientId: string;
  /** What is watched, or the room that is published to. */
  readonly sourceId: string;
  /** What the client does. */
  readonly role: 'viewer' | 'publisher';
  /** Where it was opened. */
  readonly door: string;
  /** Unix time in seconds. */
  readonly createdAtS: number;
  /** What was offered and what was agreed on. */
  readonly mLines: readonly MLineReport[];
  /** What ICE tried. */
  readonly ice: IceReport;
  /** SRTP profile and DTLS role; undefined before the handshake is done. */
  readonly dtls: { readonly role: string; readonly srtpProfile: string } | undefined;
  /** Of viewers alone. */
  readonly quality: SessionQuality | undefined;
  /** What happened, in order. */
  readonly steps: readonly Step[];
  /** Undefined while the session lives. */
  readonly end: { readonly reason: EndReason; readonly explanation: string; readonly atMs: number } | undefined;
}
