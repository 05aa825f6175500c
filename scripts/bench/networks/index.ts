/**
 * Viewers on bad networks: real Chromium behind a UDP relay of limited rate, queue, delay and loss, 720p30 at 2.5 Mbit/s.
 * Figures are medians over the runs; bars stand beside them. A peer that serves the same clip by WHEP goes the same ways.
 */
import path from 'node:path';
import { ChromiumHarness } from '../../../test/helpers/chromium.js';
import { startServerProcess } from '../../../test/helpers/server-process.js';
import { percentile } from '../../load-test/statistics.js';
import { assertPassthrough, makeClip, withFolder, type BenchOptions, type Row } from '../bench.js';
import { CASES, TOP } from './cases.js';
import { story } from './trace.js';
import { Stage } from './watching.js';

const RUNS = 3;
const DEFAULT_SECONDS = 30;

export async function run(options: BenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    await makeClip(path.join(folder, 'clip.mp4'), { bitrateKbps: TOP.kbps });
    const browser = await ChromiumHarness.launch([
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
    ]);
    const server = await startServerProcess({ UPLOAD_DIR: folder, MODEL: 'none', LOG_LEVEL: 'warn,http=info' });
    try {
      await assertPassthrough(server.url);
      await runCases(options, '', new Stage({ browser, url: server.url, isPeer: false }));
      if (options.peer !== undefined) await runCases(options, 'peer: ', new Stage({ browser, url: options.peer, isPeer: true }));
      return options.kept;
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

async function runCases(options: BenchOptions, prefix: string, stage: Stage): Promise<void> {
  const { only, runs = RUNS, seconds = DEFAULT_SECONDS, kept, failures, verbose } = options;
  for (const [name, measure] of Object.entries(CASES)) {
    if (only !== undefined && !only.includes(name)) continue;
    const rows: Row[][] = [];
    for (let i = 0; i < runs; i++) {
      try {
        const { rows: measured, traces } = await measure(stage, seconds);
        rows.push([...measured]);
        if (verbose) for (const trace of traces) console.error([`\n${prefix}${name}, run ${i + 1}`, ...story(trace)].join('\n'));
      } catch (error) {
        failures.push(`${prefix}${name}, run ${i + 1}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        await stage.clear();
      }
    }
    kept.push(...medians(rows).map((row) => ({ ...row, figure: prefix + row.figure })));
  }
}

/** A figure that never came stands as Infinity, the worst there is. */
function medians(runs: readonly Row[][]): Row[] {
  return (runs[0] ?? []).map((row, i) => ({
    ...row,
    value:
      percentile(
        runs.map((rows) => rows[i]?.value ?? Infinity),
        0.5,
      ) ?? Infinity,
  }));
}
