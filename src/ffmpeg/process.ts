/**
 * The only file that starts processes. ffmpeg is started through fluent-ffmpeg, which is archived, so nothing
 * of it is visible outside: the rest of the product sees `openProcess` and `FfmpegProcess` and would not notice
 * a replacement. Node's own pipes are used; fluent's PassThrough streams would cost 0.3 ms a picture.
 */
import { execFile, type ChildProcess } from 'node:child_process';
import { Writable, type Readable } from 'node:stream';
import ffmpeg from 'fluent-ffmpeg';
import type { Timer } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import type { ResourceLedger } from '../resources.js';
import type { FfmpegDeps } from './deps.js';

/** One input or output of the command line: its options, then its address. */
export interface ProcessPort {
  readonly options: readonly string[];
  /** A file's absolute path, `pipe:0`, `pipe:1` or `unix:<path>`. */
  readonly address: string;
}

/** What to run. */
export interface ProcessSpec {
  /** Who wants it, for logs and errors: `feed street`. */
  readonly owner: string;
  readonly inputs: readonly [ProcessPort, ...ProcessPort[]];
  /** The first one is `pipe:1`. */
  readonly outputs: readonly [ProcessPort, ...ProcessPort[]];
  /** Takes each chunk of standard output; one that throws ends the process with that error. */
  readonly onOutput: (chunk: Buffer) => void;
  /**
   * `always`: output must keep coming from the start. `on-input`: output must come after `write` (at the
   * latest `outputTimeoutMs` later).
   */
  readonly expectOutput: 'always' | 'on-input';
  /** How long standard output may be silent while output is expected. Default 10000 ms. */
  readonly outputTimeoutMs?: number;
}

/** How a process ended. */
export interface ProcessEnd {
  /** True when `close()` asked for it. */
  readonly requested: boolean;
  readonly exitCode: number | null;
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
  /** Ends it: SIGTERM, then SIGKILL after 500 ms. Resolves once it is gone; may be called again. */
  close(): Promise<ProcessEnd>;
}

const STDERR_TAIL_CHARS = 4_000;
const KILL_GRACE_MS = 500;
/** Between exit and the end of the pipes; passes quickly unless a reader is stuck. */
const DRAIN_GRACE_MS = 500;
const WATCHDOG_PERIOD_MS = 500;

/** Every child that runs, so that none survives this process. */
const liveChildren = new Set<ChildProcess>();

function killLiveChildren(): void {
  for (const child of liveChildren) child.kill('SIGKILL');
}

function trackChild(child: ChildProcess): void {
  if (liveChildren.size === 0) process.on('exit', killLiveChildren);
  liveChildren.add(child);
  child.once('exit', () => {
    liveChildren.delete(child);
    if (liveChildren.size === 0) process.off('exit', killLiveChildren);
  });
}

/** Starts ffmpeg; returns at once, failures to start are told by `closed`. */
export function openProcess(deps: FfmpegDeps, spec: ProcessSpec): FfmpegProcess {
  return new RunningProcess(deps, spec);
}

class RunningProcess implements FfmpegProcess {
  readonly closed: Promise<ProcessEnd>;
  readonly #deps: FfmpegDeps;
  readonly #spec: ProcessSpec;
  readonly #timeoutMs: number;
  readonly #watchdog: Timer;
  readonly #releaseEntry: () => void;
  readonly #resolveClosed: (end: ProcessEnd) => void;
  #child: ChildProcess | undefined;
  #beforeStart: { chunks: readonly Buffer[]; done: (() => void) | undefined }[] = [];
  #stderr = '';
  /** Since when output is owed; undefined while none is. */
  #owedSinceMs: number | undefined;
  #failure: MediaPeerError | undefined;
  #requested = false;
  #killTimer: Timer | undefined;
  #ended = false;

  constructor(deps: FfmpegDeps, spec: ProcessSpec) {
    this.#deps = deps;
    this.#spec = spec;
    this.#timeoutMs = spec.outputTimeoutMs ?? 10_000;
    const { promise, resolve } = promiseWithResolve<ProcessEnd>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#releaseEntry = deps.ledger.acquire('child_processes');
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

  close(): Promise<ProcessEnd> {
    if (!this.#ended && !this.#requested) {
      this.#requested = true;
      this.#terminate();
    }
    return this.closed;
  }

  #started(child: ChildProcess, stdout: Readable, commandLine: string): void {
    this.#child = child;
    if (child.pid !== undefined) trackChild(child);
    const { logger } = this.#deps;
    logger.debug({ owner: this.#spec.owner, pid: child.pid, commandLine }, 'ffmpeg started');
    child.stdin?.on('error', () => this.#flushBeforeStart());
    child.stderr?.on('data', (text: string | Buffer) => {
      this.#stderr = (this.#stderr + String(text)).slice(-STDERR_TAIL_CHARS);
    });
    stdout.on('data', (chunk: Buffer) => this.#output(chunk));
    child.once('close', (code, signal) => this.#end(code, signal));
    child.once('exit', (code, signal) => {
      if (!this.#ended) this.#killTimer?.cancel();
      if (!this.#ended) this.#killTimer = this.#deps.clock.after(DRAIN_GRACE_MS, () => this.#end(code, signal));
    });
    if (this.#requested || this.#failure) return this.#terminate();
    const waiting = this.#beforeStart;
    this.#beforeStart = [];
    for (const { chunks, done } of waiting) this.write(chunks, done);
  }

  #startFailed(error: Error): void {
    if (this.#child?.pid !== undefined) return;
    this.#failure ??= new MediaPeerError('FFMPEG_FAILED', `ffmpeg (${this.#spec.owner}) could not be started: ${error.message}`, { cause: error });
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
          : new MediaPeerError('FFMPEG_FAILED', `the output of ffmpeg (${this.#spec.owner}) could not be handled: ${String(error)}`, { cause: error }),
      );
    }
  }

  #checkOutput(): void {
    if (this.#owedSinceMs === undefined || this.#deps.clock.now() - this.#owedSinceMs < this.#timeoutMs) return;
    this.#fail(
      new MediaPeerError('FFMPEG_FAILED', `ffmpeg (${this.#spec.owner}) gave no output for ${this.#timeoutMs} ms${this.#lastLines()}`, {
        details: { stderr: this.#stderr },
      }),
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
    this.#deps.logger.debug({ owner, exitCode, signal, requested: this.#requested, stderr: this.#stderr }, 'ffmpeg ended');
    this.#resolveClosed({ requested: this.#requested, exitCode, signal, lastLines: this.#lastLines(), ...(error && { error }) });
  }

  #exitError(exitCode: number | null, signal: string | null): MediaPeerError {
    const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
    return new MediaPeerError('FFMPEG_FAILED', `ffmpeg (${this.#spec.owner}) ${how}${this.#lastLines()}`, {
      details: { exitCode, signal, stderr: this.#stderr },
    });
  }

  #lastLines(): string {
    const lines = this.#stderr.trim().split('\n').slice(-3).join(' | ');
    return lines === '' ? '' : `; last lines: ${lines}`;
  }

  #flushBeforeStart(): void {
    const waiting = this.#beforeStart;
    this.#beforeStart = [];
    for (const { done } of waiting) done?.();
  }
}

interface StartEvents {
  started(child: ChildProcess, stdout: Readable, commandLine: string): void;
  failed(error: Error): void;
}

/** Builds and runs the fluent-ffmpeg command, and takes the bare child process out of it. */
function startFluent(ffmpegPath: string, spec: ProcessSpec, events: StartEvents): void {
  // stdoutLines bounds what fluent keeps of stderr for itself.
  const command = ffmpeg({ stdoutLines: 20 });
  command.setFfmpegPath(ffmpegPath);
  // What the executable can do is known already; without these two, fluent would start it twice more to ask.
  const usable = { description: '', canDemux: true, canMux: true };
  const formats = [...spec.inputs, ...spec.outputs].flatMap(({ options }) => options.filter((_, i) => options[i - 1] === '-f'));
  command.availableFormats = (callback) => answer(callback, Object.fromEntries(formats.map((name) => [name, usable])));
  command.availableEncoders = (callback) => answer(callback, {});
  const readsStdin = spec.inputs[0].address === 'pipe:0';
  for (const [i, input] of spec.inputs.entries()) {
    command.input(input.address);
    const general = i === 0 ? ['-hide_banner', '-nostats', '-v', 'warning', ...(readsStdin ? [] : ['-nostdin'])] : [];
    addOptions(command.inputOptions.bind(command), [...general, ...input.options]);
  }

  // The first output is a stream, so that fluent does not collect standard output as text; the stream itself
  // only serves to hand out its source.
  let commandLine = '';
  const tap = new Writable({ write: (_chunk, _encoding, done) => done() });
  tap.once('pipe', (source: Readable) => {
    source.unpipe(tap);
    const child = (command as unknown as { readonly ffmpegProc?: ChildProcess }).ffmpegProc;
    if (!child) return events.failed(new Error('fluent-ffmpeg did not hand out its process'));
    // fluent's own listener throws when the executable cannot be started.
    child.removeAllListeners('error').on('error', (error) => events.failed(error));
    events.started(child, source, commandLine);
  });
  for (const [i, output] of spec.outputs.entries()) {
    if (i === 0) command.output(tap);
    else command.output(output.address);
    addOptions(command.outputOptions.bind(command), output.options);
  }
  command.on('start', (line: string) => (commandLine = line));
  command.on('error', (error: Error) => events.failed(error));
  command.run();
}

/** fluent's callbacks take null where there is no error; their types do not say so. */
function answer<T>(callback: (error: Error, data: T) => void, data: T): void {
  (callback as (error: Error | null, data: T) => void)(null, data);
}

/** Handed over one by one, because fluent splits what it gets as a list at spaces. */
function addOptions(add: (...options: string[]) => unknown, options: readonly string[]): void {
  if (options.length > 0) add(...options);
}

/** What a short-lived tool gave. */
export interface ToolOutput {
  readonly exitCode: number | null;
  /** What ended it; null when it ended by itself or is `cut`. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** The same before it was read as text. */
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
  /** True when it was ended at its deadline or because it wrote too much; `stdout` is what came until then. */
  readonly cut: boolean;
}

/** Runs `ffprobe` or `ffmpeg -version` and the like to their end. Throws `FFMPEG_NOT_FOUND` when it cannot be started. */
export function runTool(
  file: string,
  args: readonly string[],
  options: { readonly ledger?: ResourceLedger; readonly timeoutMs?: number; readonly maxBytes?: number } = {},
): Promise<ToolOutput> {
  const release = options.ledger?.acquire('child_processes');
  return new Promise((resolve, reject) => {
    const settings = { timeout: options.timeoutMs ?? 10_000, maxBuffer: options.maxBytes ?? 16 << 20, killSignal: 'SIGKILL' as const, encoding: 'buffer' as const };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      release?.();
      if (error && child.pid === undefined) {
        reject(new MediaPeerError('FFMPEG_NOT_FOUND', `${file} could not be started: ${error.message}`, { cause: error }));
      } else {
        const cut = child.killed || child.signalCode === 'SIGKILL';
        resolve({ exitCode: child.exitCode, signal: cut ? null : child.signalCode, stdout: stdout.toString(), stdoutBytes: stdout, stderr: stderr.toString().slice(-STDERR_TAIL_CHARS), cut });
      }
    });
    if (child.pid !== undefined) trackChild(child);
  });
}

function promiseWithResolve<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((r) => (resolve = r));
  return { promise, resolve };
}
