/** Processes below this one, so that none of them lives on alone. */
import { readdirSync, readFileSync } from 'node:fs';

/** All descendants of a process by /proc, the wrapper scripts' children included; empty where there is no /proc. */
export function descendants(ancestor: number): number[] {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]));
  const found = [ancestor];
  for (const pid of found) found.push(...[...parents].filter(([, parent]) => parent === pid).map(([child]) => child));
  return found.slice(1);
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // macOS has none
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the parent is the second field after it (proc(5)).
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it ended between the listing and the reading
  }
}
