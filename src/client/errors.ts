/**
 * What can go wrong, as values: a code to match on, a message for a person, and whether trying again can help.
 * Codes of the server are passed on as they are (docs/errors.md); the library's own are in `REASONS`.
 */

/** The library's own codes, each with the words of its reason. */
export const REASONS = {
  /** No response: it does not run, the network does not lead there, or it refuses pages of this origin (CORS). */
  UNREACHABLE: 'the server cannot be reached',
  /** The request left, and no response came in time. */
  SERVER_SILENT: 'the server does not answer',
  /** The server has said goodbye. */
  SERVER_CLOSED: 'the server ended the connection',
  /** ICE or DTLS did not come to an end in time. */
  CONNECTION_FAILED: 'the server answered, but no connection came about: UDP between this device and the server may be blocked',
  /** ICE has failed, or the session is gone. */
  CONNECTION_LOST: 'the connection was lost',
  /** No packet for some seconds, although nothing has said that the connection is gone. */
  CONNECTION_WEAK: 'nothing arrives any more',
  /** Such as from Wi-Fi to mobile. */
  NETWORK_CHANGED: 'this device has another network',
  /** Packets come, and no frame is decoded. */
  NO_FRAMES: 'the connection stands, but no picture arrives',
  /** Of a publisher: no frame is encoded. */
  CAMERA_SILENT: 'the camera gives no pictures',
  /** Of a publisher: the server gets no frames from it. */
  RECONNECT_ASKED: 'the server asked for a new connection',
  /** `setSource`, with a server that cannot change it over the same connection. */
  SOURCE_CHANGED: 'another source was chosen',
  /** The browser says so. */
  OFFLINE: 'this device has no network',
  /** For pages that match on it: a command that nobody answers resolves. */
  COMMAND_UNANSWERED: 'the server did not answer the command',
  /** Trying again does not help. */
  WEBRTC_MISSING: 'this browser has no WebRTC, or it is switched off',
  /** Trying again does not help. */
  CODEC_MISSING: 'this browser has neither H.264 nor VP8',
  /** HTTP status 429, often with `retryAfterS`. */
  TOO_MANY_REQUESTS: 'the server asks to slow down',
  /** It is no Sightline server, or something between changes what it says. */
  ANSWER_INVALID: 'the answer of the server cannot be understood',
} as const;

/** Statuses that say "later"; every other one from 400 to 499 says "never". */
const TRANSIENT_STATUSES: readonly number[] = [408, 409, 425, 429];
/** What this browser lacks does not come by waiting. */
const PERMANENT_CODES: readonly string[] = ['WEBRTC_MISSING', 'CODEC_MISSING'];

/** Why a state is as it is. */
export interface Reason {
  /** Stable; match on this. */
  readonly code: string;
  /** For a person. */
  readonly message: string;
}

/** What a `SightlineError` may carry beside code and message. */
export interface ErrorFacts {
  /** Of the HTTP response that brought it. */
  readonly status?: number;
  /** Seconds that the server asks to wait. */
  readonly retryAfterS?: number;
}

/** Trouble with a code. */
export class SightlineError extends Error implements Reason {
  /** Always `SightlineError`. */
  override readonly name = 'SightlineError';
  /** One of the server's codes, or of `REASONS`. Stable; match on this. */
  readonly code: string;
  /** Of the HTTP response that brought it; undefined where there was none. */
  readonly status: number | undefined;
  /** Seconds that the server asks to wait; undefined where it does not say. */
  readonly retryAfterS: number | undefined;

  constructor(code: string, message?: string, { status, retryAfterS }: ErrorFacts = {}) {
    super(message ?? (code in REASONS ? REASONS[code as keyof typeof REASONS] : code));
    this.code = code;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  /** Trying again as it is cannot succeed. */
  get isPermanent(): boolean {
    if (PERMANENT_CODES.includes(this.code)) return true;
    return this.status !== undefined && this.status >= 400 && this.status < 500 && !TRANSIENT_STATUSES.includes(this.status);
  }
}

/** Anything that was thrown, as an error with a code. */
export function errorOf(thrown: unknown, code = 'CONNECTION_FAILED'): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  return new SightlineError(code, thrown instanceof Error ? thrown.message : String(thrown));
}

/** The error of a response that is not 2xx: the server's code and words where it has any. */
export async function refusalOf(response: Response): Promise<SightlineError> {
  const body: unknown = await response.json().catch(() => undefined);
  const { code, message } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return new SightlineError(
    response.status === 429 ? 'TOO_MANY_REQUESTS' : typeof code === 'string' ? code : `HTTP_${response.status}`,
    typeof message === 'string' ? message : `HTTP status ${response.status}`,
    { status: response.status, ...(Number.isFinite(seconds) && seconds >= 0 && { retryAfterS: seconds }) },
  );
}
