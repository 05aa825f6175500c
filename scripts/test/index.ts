/** `npm test`: unit files side by side, then those that play media, then those that need the machine to themselves, then what failed once more. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../src/base/errors.js';
import { slowness } from '../../test/helpers/deadline.js';
import { sortByKind, type TestFile } from './kinds.js';
import { parseOptions, USAGE, type TestOptions } from './options.js';
import { runRounds, type Run } from './rounds.js';
import { runFile } from './run-file.js';
import { SharedBrowser } from './shared-browser.js';
import { isGood, lineOf, summary } from './summary.js';

const dist = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** On an ordinary machine the slowest file takes a fifth of this. */
const FILE_LIMIT_MS = 300_000 * slowness;

process.exitCode = await main(process.argv.slice(2));

/** Exit code: 0, 1 where a test failed, 2 wrong usage, 130 Ctrl-C. */
async function main(argv: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const files = select(options);
  if (files.length === 0) {
    console.error(`no test file matches ${options.parts.join(', ') || 'what was asked for'}`);
    return 2;
  }
  return run(files, options);
}

function select({ only, parts }: TestOptions): TestFile[] {
  const names = readdirSync(path.join(dist, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js'));
  const wanted = names.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part))).sort();
  const files = sortByKind(
    wanted.map((name) => path.join(dist, 'test', name)),
    dist,
  );
  return files.filter(({ kind }) => only === undefined || (kind === 'unit') === (only === 'unit'));
}

async function run(files: readonly TestFile[], { lanes }: TestOptions): Promise<number> {
  const stop = new AbortController();
  const isStopped = (): boolean => stop.signal.aborted;
  const interrupt = (): void => stop.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const startedMs = performance.now();
  const browser = new SharedBrowser();
  const isOnly = files.length === 1;
  const runOne: Run = async ({ file, kind }, isAgain) => {
    if (isStopped()) return undefined;
    // One that failed in a browser that others had used as well gets one of its own.
    if (isAgain) await browser.close();
    const outcome = await runFile(file, {
      limitMs: FILE_LIMIT_MS,
      signal: stop.signal,
      ...(kind === 'browser' && !isOnly && !isAgain && { env: await browser.env() }),
      ...(isOnly && { onOutput: (text: string) => process.stdout.write(text) }),
    });
    if (isStopped()) return undefined;
    if (!isOnly && !isGood(outcome)) process.stdout.write(`\n${outcome.output}\n`);
    console.log(`${lineOf(outcome, dist)}${isAgain ? ' (again, alone)' : ''}`);
    return outcome;
  };
  const results = await runRounds(files, lanes, runOne);
  await browser.close();
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  if (isStopped()) {
    console.error('\nStopped; no process of a test is left.');
    return 130;
  }
  console.log(summary(results, { dist, tookMs: performance.now() - startedMs }));
  return results.outcomes.every(isGood) ? 0 : 1;
}
