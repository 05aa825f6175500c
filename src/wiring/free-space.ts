/** What is free where the server writes. */
import { statfs } from 'node:fs/promises';
import { endsWithin, type Clock } from '../base/clock.js';
import { configuredPath, type Config } from '../config.js';

/** What is free of a folder's disk. */
interface Space {
  readonly folder: string;
  readonly freeBytes: number;
}

const ANSWER_MS = 1_000;

/**
 * Of the folders of uploads and recordings, and that of webhooks where there are any. Those that do not exist are left out, and those
 * that do not answer, which are not asked again before they do: each question would take one of the few threads for files.
 */
export function freeSpace(config: Config, clock: Clock): () => Promise<readonly Space[]> {
  const names = ['UPLOAD_DIR', 'RECORD_DIR', ...(config.WEBHOOK_URL.length > 0 ? (['WEBHOOK_QUEUE_DIR'] as const) : [])] as const;
  const asked = new Map<string, Promise<Space | undefined>>();
  const ask = (folder: string): Promise<Space | undefined> => {
    const asking = asked.get(folder) ?? spaceOf(folder).finally(() => asked.delete(folder));
    asked.set(folder, asking);
    return asking;
  };
  return async () => {
    const found = names.map(async (name) => {
      const asking = ask(configuredPath(config, name));
      return (await endsWithin(clock, asking, ANSWER_MS)) ? asking : undefined;
    });
    return (await Promise.all(found)).filter((each) => each !== undefined);
  };
}

async function spaceOf(folder: string): Promise<Space | undefined> {
  const facts = await statfs(folder).catch(() => undefined);
  return facts && { folder, freeBytes: facts.bavail * facts.bsize };
}
