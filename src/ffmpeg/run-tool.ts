/** Tools that run to their end: ffprobe, and ffmpeg for one picture. */
import { execFile } from 'node:child_process';
import { MediaPeerError } from '../base/errors.js';
import type { ResourceLedger } from '../base/resources.js';
import { trackChild } from './children.js';

const STDERR_TAIL_CHARS = 4_000;

/** Signals that come from people, from a shutdown, or from a system without memory; others are crashes. */
const OUTSIDE_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGXCPU',
]);

/** What a short-lived tool gave. */
export interface ToolOutput {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** What ended it; null when it ended by itself or is `cut`. */
  readonly signal: NodeJS.Signals | null;
  /** What it wrote, as UTF-8. */
  readonly stdout: string;
  /** The same before it was read as text. */
  readonly stdoutBytes: Buffer;
  /** The end of what it complained of, without secrets. */
  readonly stderr: string;
  /** True when it was ended at its deadline, by the signal, or because it wrote too much; `stdout` is what came until then. */
  readonly cut: boolean;
  /** What kept it from its end although nothing was wrong with its input: it says nothing of that. */
  readonly interruption: 'deadline' | 'killed' | undefined;
}

/** Runs `ffprobe` or `ffmpeg -version` and the like to their end. Throws `FFMPEG_NOT_FOUND` when it cannot be started. */
export function runTool(
  file: string,
  args: readonly string[],
  options: {
    readonly ledger?: ResourceLedger;
    readonly timeoutMs?: number;
    readonly maxBytes?: number;
    readonly signal?: AbortSignal;
    readonly onStderr?: (text: string) => void;
  } = {},
): Promise<ToolOutput> {
  const release = options.ledger?.acquire('child_processes');
  return new Promise((resolve, reject) => {
    const settings = {
      timeout: options.timeoutMs ?? 10_000,
      maxBuffer: options.maxBytes ?? 16 << 20,
      killSignal: 'SIGKILL' as const,
      encoding: 'buffer' as const,
      ...(options.signal && { signal: options.signal }),
    };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      release?.();
      if (error && child.pid === undefined) {
        reject(new MediaPeerError('FFMPEG_NOT_FOUND', `${file} could not be started: ${error.message}`, { cause: error }));
      } else {
        const cut = child.killed || child.signalCode === 'SIGKILL';
        const isTooMuch = error?.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
        const isTold = child.signalCode !== null && OUTSIDE_SIGNALS.has(child.signalCode);
        const interruption = isTooMuch || !isTold ? undefined : child.killed ? 'deadline' : 'killed';
        resolve({
          exitCode: child.exitCode,
          signal: cut ? null : child.signalCode,
          stdout: stdout.toString(),
          stdoutBytes: stdout,
          stderr: stderr.toString().slice(-STDERR_TAIL_CHARS),
          cut,
          interruption,
        });
      }
    });
    child.stderr?.on('data', (bytes: Buffer | string) => options.onStderr?.(String(bytes)));
    if (child.pid !== undefined) trackChild(child);
  });
}
