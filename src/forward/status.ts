/** What a forward is asked for, and what it tells of itself: values for the API, metrics and health. */
import type { Rendition } from '../media/index.js';

/** Where a forward is configured: in WHIP_OUT, or by the API. */
export type ForwardOrigin = 'config' | 'api';

/** What is to be sent where. */
export interface ForwardRequest {
  /** What is sent. It need not be there yet. */
  readonly sourceId: string;
  /** http or https address of a WHIP endpoint; a user name in it is a bearer token, with a password they are Basic credentials. */
  readonly url: string;
  /** Bearer token. Default: what the address has. */
  readonly token?: string | undefined;
  /** Default `raw`: as it comes, where the other side takes that. */
  readonly rendition?: Rendition | undefined;
  /** Where it is configured. */
  readonly origin: ForwardOrigin;
}

/**
 * `connecting`: the endpoint is asked, or the connection is being set up. `live`: media flows. `waiting`: the last attempt failed,
 * and may succeed by itself. `failed`: it failed for what a person has to mend; it is tried again all the same, less often.
 */
export type ForwardState = 'connecting' | 'live' | 'waiting' | 'failed';

/** What is sent while it is live. */
export interface ForwardSending {
  /** Of the last second, bits of payload a second. */
  readonly bitrateBps: number;
  /** Name of the rung that flows; undefined before the first frame. */
  readonly quality: string | undefined;
  /** What the network carries, bits a second; undefined where that is not known. */
  readonly estimateBps: number | undefined;
  /** How long packets wait in the network, ms; undefined where that is not known. */
  readonly queueMs: number | undefined;
  /** Undefined before it is known. */
  readonly roundTripMs: number | undefined;
  /** `h264`, `h265` or `vp8`. */
  readonly videoCodec: string | undefined;
  /** False: the source has no sound, or the other side takes none. */
  readonly hasAudio: boolean;
  /** As the other side reports it. */
  readonly packetsLost: number;
}

/** A forward as it stands. */
export interface ForwardStatus {
  /** The same for the same source and address, also after a restart. */
  readonly id: string;
  /** What is sent. */
  readonly sourceId: string;
  /** In which rendition. */
  readonly rendition: Rendition;
  /** Without credentials and query. */
  readonly url: string;
  /** Where it is configured. */
  readonly origin: ForwardOrigin;
  /** What it does. */
  readonly state: ForwardState;
  /** When the state began, Unix milliseconds. */
  readonly sinceMs: number;
  /** Since it was configured. */
  readonly attempts: number;
  /** Attempts in a row that led to nothing that lasted. */
  readonly failures: number;
  /** Why the last connection, or attempt, ended, in words; undefined while nothing has gone wrong. */
  readonly lastError: string | undefined;
  /** Until the next attempt; undefined while none is waited for. */
  readonly retryInMs: number | undefined;
  /** Payload bytes since it was configured. */
  readonly bytesSent: number;
  /** Undefined where it is not live. */
  readonly sending: ForwardSending | undefined;
}

/** Sums of a source's forwards, those that were removed included. */
export interface ForwardTotals {
  /** Connections that were tried. */
  readonly attempts: number;
  /** Of payload. */
  readonly bytesSent: number;
}
