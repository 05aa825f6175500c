/** What goes wrong in a command, in words for the person at the terminal: what happened, and what to do. */
import { messageOf } from '../base/errors.js';

/** A fault of the command line. Its message is shown with the usage; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something a person can act on; its message is all that is shown. The exit code is 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const DISK: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'there is no right to write there',
  EPERM: 'there is no right to write there',
  EROFS: 'that file system is read-only',
  ENOTDIR: 'a part of that path is a file, not a folder',
  ENOENT: 'that folder does not exist',
  EISDIR: 'that is a folder',
  EMFILE: 'too many files are open',
};

/** The code of a system error, also where fetch wraps it; undefined of others. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : codeOf(error.cause);
}

/** Why a file could not be written or read. */
export function diskTrouble(error: unknown, file: string): CommandError {
  const code = codeOf(error);
  const known = code === undefined ? undefined : DISK[code];
  return new CommandError(`${file} cannot be written: ${known === undefined ? messageOf(error) : `${known} (${code})`}`, { cause: error });
}
