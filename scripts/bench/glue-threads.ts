/** Processor time of the threads of this process (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** User and system seconds by thread id; the main thread's id is the process's. */
export function cpuOfThreads(): Map<number, number> {
  const seconds = new Map<number, number>();
  for (const tid of readdirSync('/proc/self/task')) {
    try {
      // Nanoseconds on a processor (proc(5)); `stat` counts in hundredths of a second.
      seconds.set(Number(tid), Number(readFileSync(`/proc/self/task/${tid}/schedstat`, 'utf8').split(' ')[0]) / 1e9);
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return seconds;
}
