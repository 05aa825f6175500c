/** A running ffmpeg: what goes in, what comes out, a watch on its silence, and an end that always comes. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { trackChild } from './children.js';
import type { FfmpegDeps } from './deps.js';
import { startFluent, type CommandLine } from './fluent.js';
import type { ProcessKind } from './process-counts.js';
import type { Redact } from './redact.js';
import { readReusing } from './reused-reads.js';
import { StderrTail } from './stderr-tail.js';

/** What to run. */
export interface ProcessSpec extends CommandLine {
  /** Who wants it, for logs and errors: `feed street`. */
  readonly owner: string;
  /** What it does, for counts. Default `other`. */
  readonly kind?: ProcessKind;
  /** Takes each chunk of standard output; one that throws ends the process with that error. */
  readonly onOutput: (chunk: Buffer) => void;
  /** A chunk's memory is written again after `onOutput`: cheaper where there is much of it. Default false. */
  readonly reusesChunks?: boolean;
  /**
   * `always`: output must keep coming from the start. `on-input`: output must come after `write` (at the
   * latest `outputTimeoutMs` later).
   */
  readonly expectOutput: 'always' | 'on-input';
  /** How long standard output may be silent while output is expected; asked for at each look. Default 10000 ms. */
  readonly outputTimeoutMs?: number | (() => number);
  /** Takes secrets out of what the process says and of its command line, before anybody sees them. Default: there are none. */
  readonly redact?: Redact;
}

/** How a process ended. */
export interface ProcessEnd {
  /** True when `close()` asked for it. */
  readonly requested: boolean;
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** Null where it ended by itself. */
  readonly signal: string | null;
  /** `; last lines: ...` of stderr, to be appended to a message; empty when there were none. */
  readonly lastLines: string;
  /** Present unless it was asked to end or ended with exit code 0: `FFMPEG_FAILED` with the last lines of stderr. */
  readonly error?: MediaPeerError;
}

/** A running ffmpeg. */
export interface FfmpegProcess {
  /** Undefined until it is spawned. */
  readonly pid: number | undefined;
  /** Resolves once the process is gone; never rejects. */
  readonly closed: Promise<ProcessEnd>;
  /** Writes to standard input; `done` is called when the bytes are with the kernel, or lost. */
  write(chunks: readonly Buffer[], done?: () => void): void;
  /** Ends standard input: what was written is worked off, then the process ends by itself, however long that takes. */
  endInput(): void;
  /** Stops reading standard output, so that the process waits; `onOutput` is not called any more. Nothing is owed meanwhile. */
  pauseOutput(): void;
  /** Goes on reading. */
  resumeOutput(): void;
  /** Ends it: SIGTERM, then SIGKILL after 500 ms. Resolves once it is gone; may be called again. */
  close(): Promise<ProcessEnd>;
}

const KILL_GRACE_MS = 500;
/** Between exit and the end of the pipes; passes quickly unless a reader is stuck. */
const DRAIN_GRACE_MS = 500;
const WATCHDOG_PERIOD_MS = 500;

/** Starts ffmpeg; returns at once, failures to start are told by `closed`. */
export function openProcess(deps: FfmpegDeps, spec: ProcessSpec): FfmpegProcess {
  return new RunningProcess(deps, spec);
}

class RunningProcess implements FfmpegProcess {
  readonly closed: Promise<ProcessEnd>;
  readonly #deps: FfmpegDeps;
  readonly #spec: ProcessSpec;
  readonly #watchdog: Timer;
  readonly #releaseEntry: () => void;
  readonly #uncount: ((hasFailed: boolean) => void) | undefined;
  readonly #resolveClosed: (end: ProcessEnd) => void;
  #child: ChildProcess | undefined;
  #stdout: Readable | undefined;
  #isPaused = false;
  #inputEnded = false;
  /** How it exited while its last output was not read yet. */
  #exited: { readonly code: number | null; readonly signal: string | null } | undefined;
  #beforeStart: { chunks: readonly Buffer[]; done: (() => void) | undefined }[] = [];
  readonly #stderr: StderrTail;
  /** Since when output is owed; undefined while none is. */
  #owedSinceMs: number | undefined;
  #failure: MediaPeerError | undefined;
  #requested = false;
  #killTimer: Timer | undefined;
  #ended = false;

  constructor(deps: FfmpegDeps, spec: ProcessSpec) {
    this.#deps = deps;
    this.#spec = spec;
    this.#stderr = new StderrTail(spec.redact);
    const { promise, resolve } = promiseWithResolve<ProcessEnd>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#releaseEntry = deps.ledger.acquire('child_processes');
    this.#uncount = deps.processes?.start(spec.kind ?? 'other');
    if (spec.expectOutput === 'always') this.#owedSinceMs = deps.clock.now();
    this.#watchdog = deps.clock.every(WATCHDOG_PERIOD_MS, () => this.#checkOutput());
    startFluent(deps.tools.ffmpegPath, spec, {
      started: (child, stdout, commandLine) => this.#started(child, stdout, commandLine),
      failed: (error) => this.#startFailed(error),
    });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  write(chunks: readonly Buffer[], done?: () => void): void {
    if (this.#spec.expectOutput === 'on-input') this.#owedSinceMs ??= this.#deps.clock.now();
    const stdin = this.#child?.stdin;
    if (this.#ended || this.#requested || (stdin && !stdin.writable)) {
      done?.();
    } else if (!stdin) {
      this.#beforeStart.push({ chunks, done });
    } else {
      stdin.cork();
      chunks.forEach((chunk, i) => stdin.write(chunk, i === chunks.length - 1 ? () => done?.() : undefined));
      stdin.uncork();
    }
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#owedSinceMs = undefined;
    this.#child?.stdin?.end();
  }

  pauseOutput(): void {
    this.#isPaused = true;
    this.#owedSinceMs = undefined;
    if (this.#exited && !this.#requested && !this.#failure) this.#killTimer?.cancel();
    this.#stdout?.pause();
  }

  resumeOutput(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#spec.expectOutput === 'always') this.#owedSinceMs = this.#deps.clock.now();
    this.#stdout?.resume();
    if (this.#exited) this.#drain(this.#exited.code, this.#exited.signal);
  }

  close(): Promise<ProcessEnd> {
    if (!this.#ended && !this.#requested) {
      this.#requested = true;
      this.#terminate();
    }
    return this.closed;
  }

  #started(child: ChildProcess, stdout: Readable, commandLine: string): void {
    this.#child = child;
    this.#stdout = stdout;
    if (child.pid !== undefined) trackChild(child);
    const { logger } = this.#deps;
    logger.debug({ owner: this.#spec.owner, pid: child.pid, commandLine: this.#redacted(commandLine) }, 'ffmpeg started');
    child.stdin?.on('error', () => this.#flushBeforeStart());
    child.stderr?.on('data', (text: string | Buffer) => this.#stderr.push(String(text)));
    const onChunk = (chunk: Buffer): void => this.#output(chunk);
    if (this.#spec.reusesChunks !== true || !readReusing(stdout, onChunk)) stdout.on('data', onChunk);
    child.once('close', (code, signal) => this.#end(code, signal));
    child.once('exit', (code, signal) => {
      this.#exited = { code, signal };
      if (!this.#isPaused || this.#requested || this.#failure) this.#drain(code, signal);
    });
    if (this.#isPaused) stdout.pause();
    if (this.#requested || this.#failure) return this.#terminate();
    const waiting = this.#beforeStart;
    this.#beforeStart = [];
    for (const { chunks, done } of waiting) this.write(chunks, done);
    if (this.#inputEnded) this.endInput();
  }

  /** The pipes of a process that has exited end soon, unless a grandchild holds them. */
  #drain(code: number | null, signal: string | null): void {
    if (this.#ended) return;
    this.#killTimer?.cancel();
    this.#killTimer = this.#deps.clock.after(DRAIN_GRACE_MS, () => this.#end(code, signal));
  }

  #startFailed(error: Error): void {
    if (this.#child?.pid !== undefined) return;
    this.#failure ??= new MediaPeerError(
      'FFMPEG_FAILED',
      `ffmpeg (${this.#spec.owner}) could not be started: ${this.#redacted(error.message)}`,
      {
        // The error of a start carries the whole command line.
        ...(!this.#spec.redact && { cause: error }),
      },
    );
    this.#end(null, null);
  }

  #output(chunk: Buffer): void {
    if (this.#ended || this.#requested || this.#failure) return;
    this.#owedSinceMs = this.#spec.expectOutput === 'always' ? this.#deps.clock.now() : undefined;
    try {
      this.#spec.onOutput(chunk);
    } catch (error) {
      this.#fail(
        error instanceof MediaPeerError
          ? error
          : new MediaPeerError('FFMPEG_FAILED', `the output of ffmpeg (${this.#spec.owner}) could not be handled: ${String(error)}`, {
              cause: error,
            }),
      );
    }
  }

  #checkOutput(): void {
    const { outputTimeoutMs: limit = 10_000 } = this.#spec;
    const timeoutMs = typeof limit === 'number' ? limit : limit();
    if (this.#owedSinceMs === undefined || this.#deps.clock.now() - this.#owedSinceMs < timeoutMs) return;
    this.#fail(
      new MediaPeerError(
        'FFMPEG_FAILED',
        `ffmpeg (${this.#spec.owner}) gave no output for ${Math.round(timeoutMs)} ms${this.#lastLines()}`,
        {
          details: { stderr: this.#stderr.text },
        },
      ),
    );
  }

  #fail(error: MediaPeerError): void {
    if (this.#failure || this.#ended) return;
    this.#failure = error;
    this.#terminate();
  }

  #terminate(): void {
    this.#flushBeforeStart();
    const child = this.#child;
    if (!child) return;
    child.stdin?.destroy();
    child.stdout?.destroy();
    child.kill('SIGTERM');
    this.#killTimer?.cancel();
    this.#killTimer = this.#deps.clock.after(KILL_GRACE_MS, () => child.kill('SIGKILL'));
  }

  #end(exitCode: number | null, signal: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#killTimer?.cancel();
    this.#watchdog.cancel();
    this.#releaseEntry();
    this.#flushBeforeStart();
    this.#child?.stdin?.destroy();
    this.#child?.stdout?.destroy();
    const { owner } = this.#spec;
    const failed = this.#failure ?? (exitCode === 0 ? undefined : this.#exitError(exitCode, signal));
    const error = this.#requested ? undefined : failed;
    this.#uncount?.(error !== undefined);
    this.#deps.logger.debug({ owner, exitCode, signal, requested: this.#requested, stderr: this.#stderr.text }, 'ffmpeg ended');
    this.#resolveClosed({ requested: this.#requested, exitCode, signal, lastLines: this.#lastLines(), ...(error && { error }) });
  }

  #exitError(exitCode: number | null, signal: string | null): MediaPeerError {
    const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
    return new MediaPeerError('FFMPEG_FAILED', `ffmpeg (${this.#spec.owner}) ${how}${this.#lastLines()}`, {
      details: { exitCode, signal, stderr: this.#stderr.text },
    });
  }

  #redacted(text: string): string {
    return this.#spec.redact?.(text) ?? text;
  }

  #lastLines(): string {
    const lines = this.#stderr.text.trim().split('\n').slice(-3).join(' | ');
    return lines === '' ? '' : `; last lines: ${lines}`;
  }

  #flushBeforeStart(): void {
    const waiting = this.#beforeStart;
    this.#beforeStart = [];
    for (const { done } of waiting) done?.();
  }
}

function promiseWithResolve<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((r) => (resolve = r));
  return { promise, resolve };
}
