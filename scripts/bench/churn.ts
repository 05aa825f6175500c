/**
 * What is left of a thousand viewers and publishers who join, leave, break off and vanish, by all doors at once:
 * what the server holds, its memory and its log. Memory is read when nobody is there.
 */
import path from 'node:path';
import { Churn, CHURN_VARIABLES } from '../../test/helpers/churn/churn.js';
import { beyond, readStanding, settled, type Standing } from '../../test/helpers/churn/leftovers.js';
import { startServerProcess } from '../../test/helpers/server-process.js';
import { makeClip, withFolder, type BenchOptions, type Row } from './bench.js';

const DEFAULT_JOINS = 1000;
const CONCURRENCY = 8;
const SEED = 20_261_121;
const MIB = 2 ** 20;
/** More than the longest patience of the server: silence, grace, and a busy machine. */
const SETTLE_MS = 60_000;

export async function run(options: BenchOptions): Promise<Row[]> {
  const joins = options.joins ?? DEFAULT_JOINS;
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'));
    const server = await startServerProcess({ ...CHURN_VARIABLES, UPLOAD_DIR: folder });
    try {
      const churn = new Churn({ url: server.url, source: 'clip', seed: SEED, concurrency: CONCURRENCY });
      const startMs = performance.now();
      const standings: Standing[] = [await readStanding(server.url)];
      const [before] = standings as [Standing];
      for (let third = 0; third < 3; third++) {
        await churn.run(Math.floor((joins * (third + 1)) / 3) - Math.floor((joins * third) / 3));
        standings.push(await settled(server.url, before.holdings, SETTLE_MS));
      }
      const seconds = (performance.now() - startMs) / 1000;
      const end = standings.at(-1) ?? before;
      const left = beyond(before.holdings, end.holdings);
      const exitCode = await server.close();
      for (const line of [...churn.failures, ...server.faults, ...Object.entries(left).map(([kind, count]) => `left: ${count} ${kind}`)])
        console.error(line);
      return [
        ...Object.entries(churn.visits).map(([door, value]) => ({ figure: `joins by ${door}`, value, unit: '' })),
        { figure: 'joins that did not go as they should', value: churn.failures.length, unit: '', limit: 0 },
        { figure: 'came to a full server, and again', value: churn.turnedAway, unit: '' },
        { figure: 'time', value: seconds, unit: 's' },
        { figure: 'CPU of the server per join', value: ((end.cpuS - before.cpuS) * 1000) / joins, unit: 'ms' },
        ...standings.map(({ rssBytes }, i) => ({
          figure: `memory ${['at the start', 'after 1/3', 'after 2/3', 'at the end'][i] ?? ''}`,
          value: rssBytes / MIB,
          unit: 'MiB',
        })),
        {
          figure: 'memory growth over the last two thirds',
          value: ((end.rssBytes - (standings[1] ?? before).rssBytes) / MIB / ((joins * 2) / 3)) * 1000,
          unit: 'MiB per 1000 joins',
        },
        {
          figure: 'held at the end beyond the start',
          value: Object.values(left).reduce((sum, count) => sum + count, 0),
          unit: 'of the ledger, sessions, sockets',
          limit: 0,
        },
        { figure: 'errors, warnings of Node and crashes in the log', value: server.faults.length, unit: 'lines', limit: 0 },
        { figure: 'exit code at the end', value: exitCode ?? NaN, unit: '', limit: 0 },
      ];
    } finally {
      await server.close();
    }
  });
}
