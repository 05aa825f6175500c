/** Whether there is no such file, which is more than that it cannot be read. */
import { stat } from 'node:fs/promises';

/** As far as anybody can say: a disk that does not answer has not lost it. Never rejects. */
export async function isGone(file: string): Promise<boolean> {
  return stat(file).then(
    () => false,
    (error: unknown) => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''),
  );
}
