/** Small files that are written whole or not at all, also when the power fails. */
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** Puts `text` into a file that its owner alone reads, in place of what it held. @throws Error of the system; the file is as it was then. One at a time. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const scratch = `${file}.tmp`;
  try {
    // That of a server that was killed meanwhile.
    await rm(scratch, { force: true });
    const handle = await open(scratch, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(scratch, file);
  } catch (error) {
    await rm(scratch, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** Brings the names in a folder to the disk: without it a power failure could lose one, or bring it back to its old content. Not every system can; never rejects. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
