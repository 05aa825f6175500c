/** What a test file leaves behind: processes that outlive it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A process that was told to end may take so long. */
const GRACE_MS = 5000;

/** In words, one an item. `folder` is the temporary folder that the file had in `TMPDIR`, which all its processes inherit. */
export async function findLeftovers(folder: string): Promise<string[]> {
  const end = performance.now() + GRACE_MS;
  let processes = processesOf(folder);
  while (processes.length > 0 && performance.now() < end) {
    await wait(50);
    processes = processesOf(folder);
  }
  return processes.map(({ pid, command }) => {
    killHard(pid);
    return `left a process behind, which was killed: ${command.slice(0, 200)}`;
  });
}

/** Kills a process, or a process group (negative), that may have ended already. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Processes with that `TMPDIR`; none where there is no /proc. */
function processesOf(folder: string): { readonly pid: number; readonly command: string }[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      if (!`\0${read(`/proc/${name}/environ`)}`.includes(`\0TMPDIR=${folder}\0`)) return [];
      return [{ pid: Number(name), command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }];
    });
}

/** Empty where the process has ended, or is somebody else's. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
