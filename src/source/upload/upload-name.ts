/** Which names an upload may have: those that the library lists, in a form that every file system and terminal bears. */
import { MediaPeerError } from '../../base/errors.js';
import { isIgnored } from '../file/upload-folder.js';

/** What file systems take, in bytes of UTF-8. */
const MAX_BYTES = 255;

/** @throws MediaPeerError QUERY_INVALID with what is wrong with the name, and what it may be */
export function checkUploadName(name: string): void {
  const fault = faultOf(name);
  if (fault !== undefined) throw new MediaPeerError('QUERY_INVALID', `the name of the upload ${fault}`);
}

function faultOf(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_BYTES) return `has ${bytes} bytes in UTF-8; at most ${MAX_BYTES} are possible`;
  if (/[/\\]/.test(name)) return 'has a / or \\ in it; send the name of a file alone, without folders';
  if (/\p{Cc}/u.test(name)) return 'has a control character in it; send one that people can read';
  if (name.trim() === '') return 'is blank; send that of a video file, such as street.mp4';
  if (isIgnored(name))
    return 'is one that is never listed (it begins with a dot, is README, or ends in .md, .zones.json, .part or the like); send that of a video file, such as street.mp4';
  return undefined;
}
