/**
 * The error codes of the product. A `MediaPeerError` is trouble that comes from outside (a client, a file,
 * a process, the configuration); a bug is an assertion instead. Codes are public and stable: clients match
 * on them, and `signalling/http-errors.ts` maps each of them to one HTTP status.
 */

/** Every code with what it means to the person who meets it. */
export const ERROR_CODES = {
  CONFIG_INVALID: 'a configuration value is missing, malformed, out of range or unknown',
  BODY_INVALID: 'the request body does not have the documented shape',
  SDP_INVALID: 'the session description cannot be parsed or is not a usable offer',
  SESSION_NOT_FOUND: 'there is no session of that id; it may have ended',
  SOURCE_NOT_FOUND: 'there is no source of that name',
  SOURCE_NOT_PLAYABLE: 'the source exists but cannot be played; the message says why',
  SOURCE_NOT_LIVE: 'the source exists but delivers no media right now; try again after Retry-After',
  NOTHING_TO_SERVE: 'nothing in the offer can be served: no common codec, or no m-line that receives',
  DETECTION_OFF: 'the processed rendition was asked for, but no detector is configured',
  COMMAND_INVALID: 'the message on the data channel `commands` is not a known command in its documented shape',
  COMMAND_UNSUPPORTED: 'the command is understood, but a running session cannot do that; the message says what can',
  COMMANDS_TOO_FAST: 'commands come faster than 20 a second; those are dropped',
  CAPACITY_REACHED: 'MAX_CONNECTIONS clients are connected; try again after Retry-After',
  SERVER_CLOSING: 'the server is shutting down',
  ZONES_INVALID: 'the zones or lines of a source cannot be used; the message lists every fault',
  FFMPEG_NOT_FOUND: 'no ffmpeg or ffprobe executable was found',
  FFMPEG_FAILED: 'ffmpeg or ffprobe failed; the message holds its last lines of output',
  MODEL_NOT_FOUND: 'there is no model of that name in the models folder',
  MODEL_INVALID: 'the detector model or the JSON beside it cannot be used',
  DETECTOR_FAILED: 'the detector stopped working; the message holds its last error',
} as const;

/** A stable, public error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What a `MediaPeerError` may carry beside code and message. */
export interface ErrorOptions {
  /** What caused it. */
  readonly cause?: unknown;
  /** Facts to act on, logged with the error: exit code, signal, last stderr lines, ssrc. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterS?: number;
}

/** Trouble that comes from outside, with a stable code and a message that says what to do. */
export class MediaPeerError extends Error {
  override readonly name = 'MediaPeerError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterS = options.retryAfterS;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
