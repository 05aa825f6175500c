/** Why nothing was learned of a camera, in words. */
import { MediaPeerError } from '../base/errors.js';

/** ONVIF_FAILED. */
export function onvifFailed(why: string, cause?: unknown): MediaPeerError {
  return new MediaPeerError('ONVIF_FAILED', `the camera cannot be asked by ONVIF: ${why}`, { cause });
}

/** TOO_MANY_REQUESTS. */
export function askedTooOften(why: string, retryAfterS: number): MediaPeerError {
  return new MediaPeerError('TOO_MANY_REQUESTS', `${why}; try again in ${retryAfterS} s`, { retryAfterS });
}
