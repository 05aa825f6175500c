/** Where a command writes to and asks. Tests hand in one of their own. */
import { createInterface } from 'node:readline/promises';
import { Presets, SingleBar } from 'cli-progress';

/** Where a command writes to and asks. */
export interface Terminal {
  /** True where a person can answer. */
  readonly isInteractive: boolean;
  /** Writes one line. */
  print(text: string): void;
  /** The line that a person typed. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  /** A bar of that many bytes; silent where nobody looks. */
  progress(totalBytes: number): ProgressBar;
}

/** Shows how far a download is. */
interface ProgressBar {
  /** So many bytes have come. */
  update(bytes: number): void;
  /** Leaves the bar as it stands. */
  stop(): void;
}

/** The process's own terminal: results on standard output, the bar on standard error. */
export function processTerminal(): Terminal {
  return {
    isInteractive: process.stdin.isTTY && process.stdout.isTTY,
    print: (text) => console.log(text),
    async ask(question, signal) {
      const lines = createInterface({ input: process.stdin, output: process.stdout });
      try {
        // A closed standard input answers nothing.
        return await Promise.race([
          lines.question(question, { signal }),
          new Promise<string>((resolve) => lines.once('close', () => resolve('no'))),
        ]);
      } finally {
        lines.close();
      }
    },
    progress: bar,
  };
}

/** Shown from the first update on; one that was stopped comes back with the next. */
function bar(totalBytes: number): ProgressBar {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const shown = new SingleBar(
    { format: '[{bar}] {percentage}% {mb} of {total_mb} MB, {eta_formatted} left', hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  );
  return {
    update(bytes) {
      if (!shown.isActive) shown.start(totalBytes, bytes, { mb: megabytes(bytes), total_mb: megabytes(totalBytes) });
      else shown.update(bytes, { mb: megabytes(bytes) });
    },
    stop: () => shown.stop(),
  };
}

/** `3.7`, of decimal megabytes. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
