/** Files of the upload folder that uploads become, replace and remove; all of one or nothing. */
import { link, lstat, rename, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { MediaPeerError } from '../../base/errors.js';
import { identityOf } from '../../base/file-identity.js';

/** A file that is there. */
export interface PlacedFile {
  /** Size of the file. */
  readonly sizeBytes: number;
  /** Changes whenever the content may have changed; of letters, digits, `-` and `_`. */
  readonly tag: string;
}

/** What a request says of the file that is there: nothing, so there must be none, or whether it is the one that it means. */
export type Expectation = ((tag: string) => boolean) | undefined;

/** The file of that path; undefined where there is none. @throws MediaPeerError UPLOAD_EXISTS for a folder, a link and the like */
export async function placedFile(file: string): Promise<PlacedFile | undefined> {
  const facts = await lstat(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!facts) return undefined;
  if (!facts.isFile())
    throw new MediaPeerError(
      'UPLOAD_EXISTS',
      'what has this name in the upload folder is no plain file, but a folder, a link or the like; choose another name',
    );
  return { sizeBytes: facts.size, tag: tagOf(identityOf(facts)) };
}

/** @throws MediaPeerError UPLOAD_EXISTS, PRECONDITION_FAILED where what is there is not what is expected */
export function checkExpectation(name: string, there: PlacedFile | undefined, expected: Expectation): void {
  if (!expected && there)
    throw new MediaPeerError(
      'UPLOAD_EXISTS',
      `there is a file '${name}' already; to replace it, send If-Match with the ETag of HEAD, or If-Match: *`,
    );
  if (expected && !there)
    throw new MediaPeerError('PRECONDITION_FAILED', `If-Match names a file '${name}', and there is none; leave it out`);
  if (expected && there && !expected(there.tag))
    throw new MediaPeerError(
      'PRECONDITION_FAILED',
      `the file '${name}' has changed since that ETag; ask for its ETag by HEAD, and decide again`,
    );
}

/** Gives a complete upload its name. @throws MediaPeerError as `checkExpectation` */
export async function place(part: string, file: string, name: string, expected: Expectation): Promise<void> {
  checkExpectation(name, await placedFile(file), expected);
  if (expected) return rename(part, file);
  try {
    // Unlike a rename it never replaces what somebody has put there just now.
    await link(part, file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') checkExpectation(name, await placedFile(file), expected);
    // A disk without hard links, or what was there has just gone.
    return rename(part, file);
  }
  await rm(part, { force: true });
}

/** The tag of a file. @param identity as `identityOf` makes it */
export function tagOf(identity: string): string {
  return createHash('sha256').update(identity).digest('base64url').slice(0, 22);
}
