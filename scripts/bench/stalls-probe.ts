/** Put into a server's process with `--import`: writes how late its main thread is, once a second, as JSON. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Of the event loop since the measurement began, in ms. */
export interface Stalls {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 2;
/** Loading and the first joins are not what is measured. */
const START_MS = Number(process.env['STALLS_AFTER_MS'] ?? 0);
const file = process.env['STALLS_FILE'];

if (isMainThread && file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  setTimeout(() => histogram.reset(), START_MS).unref();
  // A sample holds the time that the probe meant to wait as well.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  setInterval(() => {
    const stalls: Stalls = { p50Ms: late(histogram.percentile(50)), p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max) };
    writeFileSync(file, JSON.stringify(stalls));
  }, 1000).unref();
}
