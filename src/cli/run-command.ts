/** What a command does around its work: exit codes, Ctrl-C, and trouble in words instead of a stack. */
import { MediaPeerError } from '../base/errors.js';
import { whenNpmEnds } from './calling.js';
import { CommandError, UsageError } from './errors.js';

/** What a command does, and what it tells. */
export interface CommandInit {
  /** Shown below a fault of the command line. */
  readonly usage: string;
  /** What Ctrl-C leaves behind, in words. */
  readonly stopped: string;
  /** @returns the exit code; 0 where it returns nothing */
  readonly run: (signal: AbortSignal) => Promise<number | undefined>;
}

/** Runs it to its end and sets the exit code: its own, 1 trouble, 2 usage, 130 Ctrl-C. Other errors are bugs and are thrown. */
export async function runCommand({ usage, stopped, run }: CommandInit): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const npm = whenNpmEnds(() => stop.abort());
  try {
    process.exitCode = (await run(stop.signal)) ?? 0;
  } catch (error) {
    process.exitCode = tell(error, usage, stop.signal.aborted ? stopped : undefined);
  } finally {
    npm.cancel();
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
