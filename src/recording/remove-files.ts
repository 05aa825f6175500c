/** Removes segments from disk, with whatever lies beside them, and the folders that become empty. */
import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';

/** Everything that begins with the name of a segment, `22-05-00.123Z.` @param file absolute path of the segment @throws Error of the system */
export async function removeSegmentFiles(file: string): Promise<void> {
  const folder = path.dirname(file);
  const stem = `${path.basename(file, path.extname(file))}.`;
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  // The segment last: what was begun is found again and ended after a crash.
  const beside = names.filter((name) => name.startsWith(stem) && name !== path.basename(file));
  for (const name of beside) await rm(path.join(folder, name), { force: true });
  await rm(file, { force: true });
  if (names.length === beside.length + 1) await removeIfEmpty(folder);
}

/** A file may have come meanwhile, or others may not let it go. */
async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
}
