/** What a command line tool does around its work: exit codes, Ctrl-C, and trouble in words instead of a stack. */
import { MediaPeerError } from '../src/base/errors.js';
import { UsageError } from './load-test/options.js';
import { CommandError } from './models/failures.js';

export interface CommandInit {
  readonly usage: string;
  /** What Ctrl-C leaves behind, in words. */
  readonly stopped: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** Runs it to its end and sets the exit code: 0, 1 trouble, 2 usage, 130 Ctrl-C. Other errors are bugs and are thrown. */
export async function runCommand({ usage, stopped, run }: CommandInit): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  try {
    await run(stop.signal);
    process.exitCode = 0;
  } catch (error) {
    process.exitCode = tell(error, usage, stop.signal.aborted ? stopped : undefined);
  }
}

function tell(error: unknown, usage: string, stopped: string | undefined): number {
  if (stopped !== undefined) {
    console.error(`\n${stopped}`);
    return 130;
  }
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (!(error instanceof CommandError || error instanceof MediaPeerError)) throw error;
  console.error(error.message);
  return 1;
}
