/** Every child that runs, so that none survives this process. */
import type { ChildProcess } from 'node:child_process';

const liveChildren = new Set<ChildProcess>();

/** More run on no machine; what is beyond is not in the table. */
const TABLE_SIZE = 4096;

/**
 * Process ids of the children that run, 0 in free places; another thread may read it. An id here is that of our child: the
 * system gives it to nobody else before this process has taken notice of the child's end.
 */
export const childProcessIds = new Int32Array(new SharedArrayBuffer(TABLE_SIZE * Int32Array.BYTES_PER_ELEMENT));

function killLiveChildren(): void {
  for (const child of liveChildren) child.kill('SIGKILL');
}

/** Takes a child that was started; lets go of it when it ends. */
export function trackChild(child: ChildProcess): void {
  if (liveChildren.size === 0) process.on('exit', killLiveChildren);
  liveChildren.add(child);
  const place = childProcessIds.indexOf(0);
  if (place >= 0) childProcessIds[place] = child.pid ?? 0;
  child.once('exit', () => {
    liveChildren.delete(child);
    if (place >= 0) childProcessIds[place] = 0;
    if (liveChildren.size === 0) process.off('exit', killLiveChildren);
  });
}
