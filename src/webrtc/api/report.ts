/** Why did it fail: what a session remembers of itself, for its owner and for the line in the log. */
import type { EndReason } from '../../media/index.js';

/** What was offered and chosen for one m-line. */
export interface MLineReport {
  readonly mid: string | undefined;
  readonly kind: string;
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
  readonly local: string;
  readonly remote: string;
  readonly state: string;
}

export interface IceReport {
  readonly local: CandidateCounts;
  readonly remote: CandidateCounts;
  readonly pairs: readonly PairReport[];
  /** Authentic connectivity checks of the client. */
  readonly checksReceived: number;
  /** Types of the pair in use: `host/prflx`. */
  readonly selected: string | undefined;
  readonly restarts: number;
  /** What went wrong with STUN and TURN servers, in words. */
  readonly troubles: readonly string[];
}

/** Something that happened, in ms since the session began. */
export interface Step {
  readonly atMs: number;
  readonly step: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface SessionReport {
  readonly clientId: string;
  readonly sourceId: string;
  readonly role: 'viewer' | 'publisher';
  readonly door: string;
  readonly createdAtS: number;
  readonly mLines: readonly MLineReport[];
  readonly ice: IceReport;
  /** SRTP profile and DTLS role; undefined before the handshake is done. */
  readonly dtls: { readonly role: string; readonly srtpProfile: string } | undefined;
  readonly steps: readonly Step[];
  /** Undefined while the session lives. */
  readonly end: { readonly reason: EndReason; readonly explanation: string; readonly atMs: number } | undefined;
}
