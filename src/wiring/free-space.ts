/** What is free where the server writes. */
import { statfs } from 'node:fs/promises';
import { configuredPath, type Config } from '../config.js';

/** Of the folders of uploads and recordings, and that of webhooks where there are any. Those that do not exist are left out. */
export async function freeSpace(config: Config): Promise<{ readonly folder: string; readonly freeBytes: number }[]> {
  const names = ['UPLOAD_DIR', 'RECORD_DIR', ...(config.WEBHOOK_URL.length > 0 ? (['WEBHOOK_QUEUE_DIR'] as const) : [])] as const;
  const found = await Promise.allSettled(
    names.map(async (name) => {
      const folder = configuredPath(config, name);
      const { bavail, bsize } = await statfs(folder);
      return { folder, freeBytes: bavail * bsize };
    }),
  );
  return found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}
