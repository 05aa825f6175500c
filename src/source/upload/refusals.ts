/** Why an upload is refused, in words. */
import { MediaPeerError, messageOf } from '../../base/errors.js';

/** A lost connection is noticed at once, or after half a minute. */
const RUNNING_RETRY_S = 5;

/** UPLOAD_TOO_LARGE. */
export function tooLarge(maxBytes: number): MediaPeerError {
  return new MediaPeerError(
    'UPLOAD_TOO_LARGE',
    `the upload is larger than ${maxBytes} bytes, the most that is taken (MAX_UPLOAD_BYTES); copy it into UPLOAD_DIR, or have whoever runs the server raise that`,
  );
}

/** DISK_FULL. @param neededBytes 0: nobody knows */
export function diskFull(freeBytes: number, neededBytes: number, cause?: unknown): MediaPeerError {
  const needed = neededBytes === 0 ? 'the upload does not fit' : `the upload needs ${neededBytes} bytes`;
  return new MediaPeerError(
    'DISK_FULL',
    `${needed}, and ${Math.max(0, freeBytes)} bytes are free on the disk of UPLOAD_DIR beside what others need; delete something and upload it again`,
    { cause },
  );
}

/** UPLOAD_RANGE_INVALID. */
export function moreThanAnnounced(bytes: number): MediaPeerError {
  return new MediaPeerError(
    'UPLOAD_RANGE_INVALID',
    `the body has more than the ${bytes} bytes that its header announces; send those alone`,
  );
}

/** UPLOAD_OFFSET. @param receivedBytes what there is */
export function wrongOffset(why: string, receivedBytes: number): MediaPeerError {
  return new MediaPeerError(
    'UPLOAD_OFFSET',
    `${why}; ${receivedBytes === 0 ? 'begin at byte 0' : `go on at byte ${receivedBytes}, or begin at byte 0`}`,
    { facts: { received_bytes: receivedBytes } },
  );
}

/** UPLOAD_RUNNING. */
export function alreadyRunning(name: string): MediaPeerError {
  return new MediaPeerError(
    'UPLOAD_RUNNING',
    `'${name}' is being uploaded right now; wait for its end, which comes by itself where its connection was lost, or DELETE it`,
    { retryAfterS: RUNNING_RETRY_S },
  );
}

/** UPLOAD_NOT_FOUND. */
export function uploadNotFound(name: string): MediaPeerError {
  return new MediaPeerError('UPLOAD_NOT_FOUND', `there is no file '${name}' in the upload folder, and none on its way`);
}

/** What the operating system has against writing to the folder, where that is not a full disk. */
export function notWritten(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS' && code !== 'ENOENT' && code !== 'EIO' && code !== 'ENOTDIR') return error;
  return new MediaPeerError(
    'CONFIG_INVALID',
    `the upload cannot be stored: UPLOAD_DIR cannot be written (${messageOf(error).replace(/, \w+ .*$/s, '')}); give the server write access to it`,
    { cause: error },
  );
}

/** True where the disk, or what one may have of it, is full. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(error.code));
}
