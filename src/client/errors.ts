/**
 * What can go wrong, as values: a code to match on, a message for a person, and whether trying again can help.
 * Codes of the server are passed on as they are (docs/errors.md); the library's own are in `REASONS`.
 */

/** The library's own codes, each with the words of its reason. */
export const REASONS = {
  UNREACHABLE: 'the server cannot be reached',
  SERVER_SILENT: 'the server does not answer',
  SERVER_CLOSED: 'the server ended the connection',
  CONNECTION_FAILED: 'the server answered, but no connection came about: UDP between this device and the server may be blocked',
  CONNECTION_LOST: 'the connection was lost',
  CONNECTION_WEAK: 'nothing arrives any more',
  NETWORK_CHANGED: 'this device has another network',
  NO_FRAMES: 'the connection stands, but no picture arrives',
  CAMERA_SILENT: 'the camera gives no pictures',
  RECONNECT_ASKED: 'the server asked for a new connection',
  SOURCE_CHANGED: 'another source was chosen',
  OFFLINE: 'this device has no network',
  COMMAND_UNANSWERED: 'the server did not answer the command',
  WEBRTC_MISSING: 'this browser has no WebRTC, or it is switched off',
  CODEC_MISSING: 'this browser has neither H.264 nor VP8',
  TOO_MANY_REQUESTS: 'the server asks to slow down',
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
  override readonly name = 'SightlineError';
  readonly code: string;
  readonly status: number | undefined;
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
