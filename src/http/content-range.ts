/** Which part of a file a PUT brings (RFC 9110 §14.4 and §14.5). */
import { MediaPeerError } from '../base/errors.js';

/** The bytes that come, and how many the whole file has. */
export interface ContentRange {
  /** Where they begin; undefined: none come, and the file is to be complete. */
  readonly firstByte: number | undefined;
  /** How many come; undefined: nobody knows. */
  readonly lengthBytes: number | undefined;
  /** Length of the file; undefined: nobody knows. */
  readonly totalBytes: number | undefined;
}

const FORM = 'bytes first-last/total, such as bytes 1000-1999/5000, or bytes */total where nothing is left to send';

/**
 * @param contentRange the header Content-Range; undefined: the whole file comes
 * @param contentLength the header Content-Length
 * @throws MediaPeerError UPLOAD_RANGE_INVALID
 */
export function readContentRange(contentRange: string | undefined, contentLength: string | undefined): ContentRange {
  const length = contentLength === undefined ? undefined : Number(contentLength);
  if (contentRange === undefined) return { firstByte: 0, lengthBytes: length, totalBytes: length };
  const [, first, last, total] = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/i.exec(contentRange.trim()) ?? [];
  if (total === undefined) throw invalid(`'${contentRange.slice(0, 80)}' is not of the form ${FORM}`);
  const totalBytes = Number(total);
  if (first === undefined || last === undefined) {
    if (length !== undefined && length > 0) throw invalid(`'${contentRange}' is for a body of 0 bytes, not of ${length}`);
    return { firstByte: undefined, lengthBytes: 0, totalBytes };
  }
  const [firstByte, lengthBytes] = [Number(first), Number(last) - Number(first) + 1];
  if (lengthBytes < 1 || Number(last) >= totalBytes) throw invalid(`'${contentRange}' names no bytes of such a file; it is ${FORM}`);
  if (length !== undefined && length !== lengthBytes)
    throw invalid(`'${contentRange}' is for a body of ${lengthBytes} bytes, and Content-Length says ${length}`);
  return { firstByte, lengthBytes, totalBytes };
}

function invalid(why: string): MediaPeerError {
  return new MediaPeerError('UPLOAD_RANGE_INVALID', `Content-Range: ${why}`);
}
