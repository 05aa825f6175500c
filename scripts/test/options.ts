/** The command line of the test runner: parsed once, every fault with what was expected. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/cli/errors.js';
import { wrongUsage } from '../../src/cli/wrong-usage.js';

export interface TestOptions {
  readonly only: 'unit' | 'live' | undefined;
  /** Live files that run at a time. */
  readonly lanes: number;
  /** Parts of the paths of test files below `test/`; empty: all files. */
  readonly parts: readonly string[];
}

const LANES = os.availableParallelism();

export const USAGE = `Usage: npm test -- [options] [PART ...]

  Runs the test files whose path contains a PART, or all.

  --unit       only those that touch no ffmpeg, browser, peer or process
  --live       only the others
  --lanes N    live files at a time, 1 to 16   (as many as there are cores)`;

/** @throws UsageError */
export function parseOptions(argv: readonly string[]): TestOptions | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  if (values.unit && values.live) throw new UsageError('--unit and --live exclude each other: without both, all files run');
  const lanes = values.lanes === undefined ? LANES : Number(values.lanes);
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > 16) throw new UsageError(`--lanes ${values.lanes} is not an integer in [1, 16]`);
  return { only: values.unit ? 'unit' : values.live ? 'live' : undefined, lanes, parts: positionals };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        unit: { type: 'boolean', default: false },
        live: { type: 'boolean', default: false },
        lanes: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(wrongUsage(error, USAGE));
  }
}
