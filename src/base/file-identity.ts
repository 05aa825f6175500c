/** Whether a file is still the one that was read or written: what somebody else has put in its place is another one. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Changes with each write; undefined where there is no file. */
export async function fileIdentity(file: string): Promise<string | undefined> {
  const facts = await stat(file).catch(() => undefined);
  return facts && identityOf(facts);
}

/** As `fileIdentity`, of what is known of the file; the same after it was renamed. */
export function identityOf({ size, mtimeMs, ino }: Pick<Stats, 'size' | 'mtimeMs' | 'ino'>): string {
  return `${size}/${mtimeMs}/${ino}`;
}
