/**
 * Errors for what cannot be had, or not now: one text for each reason, whoever says it, and one table of when to try again.
 * Clients show the texts: a page cuts what stands around the reason.
 */
import { MediaPeerError, type ErrorOptions } from './errors.js';

/** Seconds after which another try makes sense, by what was lacking. Public: clients get it as `Retry-After` or `retry_after_s`. */
export const RETRY_AFTER_S = {
  /** A session that ended before it was described. */
  session: 1,
  /** A picture that did not come in time. */
  picture: 1,
  /** What becomes of other tokens of the same address. */
  token: 1,
  /** A turn among others who want the same. */
  turn: 2,
  /** A camera that is connected on demand, and has not answered yet. */
  camera: 3,
  /** A source that is not live. */
  source: 5,
  /** A place, where all are taken. */
  place: 5,
  /** A place among the rooms, which are left seldom. */
  room: 10,
} as const;

/**
 * CAPACITY_REACHED. @param what is taken, with the variable that bounds it: `all 10 places of viewers are taken (MAX_CONNECTIONS)`
 * @param retryAfterS in seconds. Default 5
 */
export function capacityReached(what: string, retryAfterS: number = RETRY_AFTER_S.place, cause?: unknown): MediaPeerError {
  return new MediaPeerError('CAPACITY_REACHED', `${what}; try again in ${retryAfterS} s`, { retryAfterS, cause });
}

/** SERVER_CLOSING. */
export function serverClosing(): MediaPeerError {
  return new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
}

/** SESSION_NOT_FOUND. */
export function sessionNotFound(): MediaPeerError {
  return new MediaPeerError('SESSION_NOT_FOUND', 'there is no such session; it may have ended');
}

/** SOURCE_NOT_FOUND. @param available ids of the sources that there are. Default: where to find them is said */
export function sourceNotFound(sourceId: string, available?: readonly string[]): MediaPeerError {
  const known = available ? `available: ${available.join(', ') || 'none'}` : 'GET /available-videos lists them';
  return new MediaPeerError('SOURCE_NOT_FOUND', `no source '${sourceId.slice(0, 80)}'; ${known}`, {
    details: { sourceId, ...(available && { available }) },
  });
}

/** The same error for whoever may not know which other sources there are. */
export function withoutNames(error: MediaPeerError): MediaPeerError {
  const { sourceId } = error.details;
  return error.code === 'SOURCE_NOT_FOUND' && typeof sourceId === 'string' ? sourceNotFound(sourceId) : error;
}

/** SOURCE_NOT_LIVE. @param reason why it delivers nothing. Default: nothing is known @param retryAfterS in seconds. Default 5 */
export function sourceNotLive(sourceId: string, reason = 'it delivers nothing', retryAfterS?: number): MediaPeerError {
  return notLive(`source '${sourceId}' is not live: ${reason}`, retryAfterS);
}

/** SOURCE_NOT_LIVE, in other words. @param what did not come, and why @param retryAfterS in seconds. Default 5 */
export function notLive(what: string, retryAfterS: number = RETRY_AFTER_S.source): MediaPeerError {
  return new MediaPeerError('SOURCE_NOT_LIVE', `${what}; try again in ${retryAfterS} s`, { retryAfterS });
}

/** SOURCE_NOT_PLAYABLE. @param reason why. Default: nothing is known */
export function sourceNotPlayable(
  sourceId: string,
  reason = 'unknown reason',
  options: Pick<ErrorOptions, 'cause' | 'details'> = {},
): MediaPeerError {
  return new MediaPeerError('SOURCE_NOT_PLAYABLE', `source '${sourceId}' cannot be played: ${reason}`, options);
}
