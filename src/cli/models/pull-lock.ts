/**
 * One download of a file at a time: two would write into one half file. Who comes second waits, and then finds
 * the file there. A lock is a file whose holder touches it; one that nobody has touched for a while is left over.
 */
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../base/clock.js';
import { ResourceLedger } from '../../base/resources.js';
import { codeOf, diskTrouble } from '../errors.js';

const TOUCH_MS = 2_000;
const LEFT_OVER_MS = 15_000;
const POLL_MS = 200;

/** Waits until nobody else downloads `file`, runs the job, and lets the next one in. */
export async function withPullLock<T>(
  file: string,
  signal: AbortSignal,
  onWait: (holder: string) => void,
  job: () => Promise<T>,
): Promise<T> {
  const lock = path.join(path.dirname(file), `.${path.basename(file)}.lock`);
  for (let waits = 0; !(await take(lock, file)); waits++) {
    if (waits === 0) onWait(await readFile(lock, 'utf8').catch(() => 'unknown'));
    await wait(POLL_MS, undefined, { signal });
  }
  const touch = systemClock(new ResourceLedger()).every(TOUCH_MS, () => {
    const now = new Date();
    // Whoever removed it has a reason; the file itself is checked before it is used.
    utimes(lock, now, now).catch(() => undefined);
  });
  try {
    return await job();
  } finally {
    touch.cancel();
    await rm(lock, { force: true });
  }
}

async function take(lock: string, file: string): Promise<boolean> {
  try {
    const handle = await open(lock, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw diskTrouble(error, file);
  }
  const touchedMs = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  if (touchedMs !== undefined && (Date.now() - touchedMs > LEFT_OVER_MS || (await isHolderGone(lock)))) await rm(lock, { force: true });
  return false;
}

/** True where the process that holds it was on this machine and is gone. */
async function isHolderGone(lock: string): Promise<boolean> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}
