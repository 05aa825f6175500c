/**
 * The error codes of the product. A `MediaPeerError` is trouble that comes from outside (a client, a file,
 * a process, the configuration); a bug is an assertion instead. Codes are public and stable: clients match
 * on them, and `http/http-errors.ts` maps each of them to one HTTP status.
 */

/** Every code with what it means to the person who meets it. */
export const ERROR_CODES = {
  CONFIG_INVALID: 'a configuration value is missing, malformed, out of range or unknown',
  BODY_INVALID: 'the request body does not have the documented shape',
  QUERY_INVALID: 'a query parameter or a part of the path does not have the documented shape',
  SDP_INVALID: 'the session description cannot be parsed or is not a usable offer',
  REQUEST_TIMEOUT: 'the header or the body of the request did not arrive in time',
  SESSION_NOT_FOUND: 'there is no session of that id; it may have ended',
  CLIENT_NOT_FOUND: 'no client of that id is connected',
  SOURCE_NOT_FOUND: 'there is no source of that name',
  SOURCE_NOT_PLAYABLE: 'the source exists but cannot be played; the message says why',
  SOURCE_NOT_LIVE: 'the source exists but delivers no media right now; try again after Retry-After',
  SOURCE_INVALID: 'the description of a source cannot be used; the message lists every fault',
  SOURCE_TAKEN: 'there is a source of that name already',
  SOURCE_NOT_CONFIGURED: 'the source is a file or a room, for which this cannot be done here; the message says what can',
  TOO_MANY_SOURCES: 'no more sources can be added through the API; remove some',
  ROOM_INVALID: 'the name of the room is not 1 to 64 of `[A-Za-z0-9._-]`',
  ROOM_TAKEN: 'this room already has a publisher, or its name is that of another source',
  UNAUTHORIZED: 'a bearer token or a login is needed, or what was sent is wrong or has ended',
  FORBIDDEN: 'the token that was sent does not give this right; the message says which one is lacking',
  TOO_MANY_REQUESTS:
    'more requests than RATE_LIMIT, or more than 10 wrong tokens per minute, from one address, or a camera is probed too often; try again after Retry-After',
  CONTENT_TYPE_UNSUPPORTED: 'the content type of the body is not the documented one',
  CANDIDATE_INVALID: 'the candidates or the SDP fragment cannot be parsed',
  PRECONDITION_REQUIRED: 'a PATCH needs the header If-Match with the ETag of the session',
  PRECONDITION_FAILED: 'If-Match names another version than the current one: of the ICE session, the zones, the user, or the uploaded file',
  ICE_RESTART_REFUSED: 'this session cannot restart ICE; it continues unchanged',
  NEGOTIATION_STATE: 'the message does not fit the state of the session: an answer without an offer, or the like',
  ICE_SERVERS_INVALID: 'the list of ICE servers has a malformed URI or lacks a credential',
  ICE_SERVERS_REFUSED: 'the ICE servers name a host that is not in ICE_SERVER_HOSTS',
  MESSAGE_INVALID: 'the WebSocket message is not a known one in its documented shape',
  NOT_JOINED: 'a join must come before this message',
  ROLE_REFUSED: 'this role may not send this message: the side that sends the media makes the offer',
  RESUME_REFUSED: 'the client id is in use and the resume token is not that of its owner',
  MESSAGES_TOO_FAST: 'WebSocket messages arrive faster than 20 per second; the excess is dropped',
  ORIGIN_REFUSED: 'the origin of the web page is not in CORS_ORIGINS; or a login by cookie was used by no page of this server',
  NOTHING_TO_SERVE: 'nothing in the offer can be served: no common codec, or no m-line that receives',
  DETECTION_OFF: 'the processed rendition was asked for, but no detector is configured',
  COMMAND_INVALID: 'the message on the data channel `commands` is not a known command in its documented shape',
  COMMAND_UNSUPPORTED: 'the command is understood, but a running session cannot do that; the message says what can',
  COMMANDS_TOO_FAST: 'commands arrive faster than 20 per second; the excess is dropped',
  CHANNEL_REPLACED: 'the connection has opened another data channel of this label; this one ends',
  CAPACITY_REACHED: 'all places are taken; the message names the variable that bounds them; try again after Retry-After',
  SERVER_STARTING: 'the server is starting; try again after Retry-After',
  SERVER_CLOSING: 'the server is shutting down',
  FORWARD_EXISTS: 'the source is forwarded to that address already',
  FORWARD_NOT_FOUND: 'the source has no forward of that id; it may have been removed',
  WALL_NOT_FOUND: 'there is no wall of that name; it may have been removed',
  TOO_MANY_WALLS: 'no more walls can be kept; remove some',
  RECORDING_NOT_FOUND: 'nothing is recorded of that source; it may be older than RECORD_RETENTION',
  RECORDING_OUT_OF_RANGE: 'nothing is recorded of that time; the message says from when to when there is something',
  RECORDING_KEPT: 'a part of that time is to be kept; release it first',
  EVENT_NOT_FOUND: 'there is no event of that id, or it has no still; it may be older than EVENT_RETENTION',
  STATE_NOT_KEPT: 'the change could not be written to STATE_DIR, so it was not made; the message says why',
  STORE_FAILED: 'the store of events could not answer; the log says why',
  RECORDING_DAMAGED: 'a file of the recording cannot be read; the message says why',
  USER_NOT_FOUND: 'there is no user of that name',
  USER_INVALID: 'a user cannot be as it was sent; the message lists every fault',
  USER_READ_ONLY: 'the user is one of AUTH_FILE, and is changed there',
  LAST_ADMIN: 'after this change nobody could administer the server any more',
  ZONES_INVALID: 'the zones or lines of a source cannot be used; the message lists every fault',
  ONVIF_FAILED: 'the camera does not answer ONVIF, or refuses; the message says why',
  UPLOAD_NOT_FOUND: 'there is no file of that name in the upload folder',
  UPLOAD_EXISTS: 'there is a file of that name already; If-Match replaces it',
  UPLOAD_RUNNING: 'a file of that name is being uploaded by somebody right now',
  UPLOAD_OFFSET: 'the bytes do not go on where those end that there are; the header Upload-Offset says where that is',
  UPLOAD_RANGE_INVALID: 'the header Content-Range is malformed, or does not fit the body',
  UPLOAD_TOO_LARGE: 'the file is larger than MAX_UPLOAD_BYTES',
  UPLOAD_NOT_PLAYABLE: 'the file is no video that can be played; the message says why, and it was not kept',
  DISK_FULL: 'the disk of the upload folder has no room for it',
  CLIP_FORMAT_CHANGES: 'the picture of the recording changes its size or codec in that range; the message says when, and what to ask for',
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
  /** Named facts for clients, which become `details` of the answer; nothing in it is secret. */
  readonly facts?: ErrorFacts | undefined;
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterS?: number;
}

/** One thing that is wrong with what was sent. */
export interface Fault {
  /** Where, as a JSON pointer (RFC 6901) into it; empty: the whole of it. */
  readonly path: string;
  /** What kind of fault; stable. */
  readonly code: string;
}

/** Facts of an error, by name, with which a page can word it in its own language. */
export interface ErrorFacts extends Readonly<Record<string, unknown>> {
  /** Everything that is wrong with what was sent. */
  readonly faults?: readonly Fault[];
}

/** Trouble that comes from outside, with a stable code and a message that says what to do. */
export class MediaPeerError extends Error {
  override readonly name = 'MediaPeerError';
  /** Stable; clients match on it. */
  readonly code: ErrorCode;
  /** Facts to act on, for the log: exit code, signal, the last lines of standard error. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Named facts for clients; undefined: message and code say all. */
  readonly facts: ErrorFacts | undefined;
  /** Seconds after which another try makes sense; undefined: it does not, or nobody can say. Becomes `Retry-After`. */
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.facts = options.facts;
    this.retryAfterS = options.retryAfterS;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
