/** Every child that runs, so that none survives this process. */
import type { ChildProcess } from 'node:child_process';

const liveChildren = new Set<ChildProcess>();

function killLiveChildren(): void {
  for (const child of liveChildren) child.kill('SIGKILL');
}

/** Takes a child that was started; lets go of it when it ends. */
export function trackChild(child: ChildProcess): void {
  if (liveChildren.size === 0) process.on('exit', killLiveChildren);
  liveChildren.add(child);
  child.once('exit', () => {
    liveChildren.delete(child);
    if (liveChildren.size === 0) process.off('exit', killLiveChildren);
  });
}
