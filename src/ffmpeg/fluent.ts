/**
 * ffmpeg is started through fluent-ffmpeg, which is archived, so nothing of it is visible outside: the rest of the
 * product would not notice a replacement. Node's own pipes are used; fluent's PassThrough streams would cost
 * 0.3 ms per picture.
 */
import type { ChildProcess } from 'node:child_process';
import { Writable, type Readable } from 'node:stream';
import ffmpeg from 'fluent-ffmpeg';

/** One input or output of the command line: its options, then its address. */
export interface ProcessPort {
  /** Options that stand before this input or output on the command line. */
  readonly options: readonly string[];
  /** A file's absolute path, `pipe:0`, `pipe:1` or `unix:<path>`. */
  readonly address: string;
}

/** What ffmpeg reads and what it writes. */
export interface CommandLine {
  /** At least one. */
  readonly inputs: readonly [ProcessPort, ...ProcessPort[]];
  /** The first one is `pipe:1`. */
  readonly outputs: readonly [ProcessPort, ...ProcessPort[]];
}

/** What becomes of a start. */
export interface StartEvents {
  /** The process runs. Called once. */
  started(child: ChildProcess, stdout: Readable, commandLine: string): void;
  /** The process could not be started. */
  failed(error: Error): void;
}

/** Builds and runs the fluent-ffmpeg command, and takes the bare child process out of it. */
export function startFluent(ffmpegPath: string, spec: CommandLine, events: StartEvents): void {
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
