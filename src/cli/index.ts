/**
 * The command line: `sightline [COMMAND] [OPTIONS]`. Each command is loaded when it is called, so that nothing waits for what it
 * does not use.
 */
import { version } from '../config.js';
import { calling } from './calling.js';
import { nearest } from './nearest.js';

interface Command {
  readonly summary: string;
  /** Loads it. It takes what follows its name, answers `--help`, and sets the exit code of the process. */
  readonly load: () => Promise<(args: readonly string[]) => Promise<void>>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'serve videos, cameras and publishers (what it does without a command)',
    load: async () => (await import('./serve/index.js')).serve,
  },
  check: {
    summary: 'say what works on this machine: ffmpeg, detector, ports, UDP',
    load: async () => (await import('./check/index.js')).checkCommand,
  },
  annotate: { summary: 'draw detections into a video file', load: async () => (await import('./annotate/index.js')).annotateCommand },
  export: {
    summary: 'write what was recorded of a source into an MP4',
    load: async () => (await import('./export/index.js')).exportCommand,
  },
  'hash-password': {
    summary: 'make what AUTH_FILE takes of a password or a token',
    load: async () => (await import('./hash-password/index.js')).hashPasswordCommand,
  },
  import: {
    summary: 'take what export wrote into the recordings of a source',
    load: async () => (await import('./import/index.js')).importCommand,
  },
  models: {
    summary: 'list, inspect, download and add detector models',
    load: async () => (await import('./models/index.js')).modelsCommand,
  },
};

const HELP = /^(--?help|-h|-\?)$/;
const VERSION = /^(--version|-v|-V)$/;

/** Runs the command line. Exit codes: 0, 1 trouble, 2 usage, 128 and the signal's number where one ended it. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const [first = 'serve', ...rest] = args;
  if (HELP.test(first)) return console.log(usage());
  if (VERSION.test(first)) return console.log(version());
  if (first === 'help' && rest[0] === undefined) return console.log(usage());
  if (first === 'help') return runNamed(rest[0] ?? '', ['--help']);
  return first.startsWith('-') ? runNamed('serve', args) : runNamed(first, rest);
}

async function runNamed(name: string, args: readonly string[]): Promise<void> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    console.error(`${unknownCommand(name)}\n\n${usage()}`);
    process.exitCode = 2;
    return;
  }
  const run = await command.load();
  await run(args.map((arg) => (HELP.test(arg) ? '--help' : arg)));
}

function unknownCommand(name: string): string {
  const variable = /^([A-Z][A-Z0-9_]+)=/.exec(name)?.[1];
  if (variable !== undefined)
    return `unknown command '${variable}=...': write --${variable.toLowerCase().replaceAll('_', '-')}, or set the variable before the command`;
  const meant = nearest(name, Object.keys(COMMANDS));
  return `unknown command '${name}'${meant === undefined ? '' : `: did you mean ${meant}?`}`;
}

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const commands = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: sightline [COMMAND] [OPTIONS]

${commands.join('\n')}

  --help      this text; after a command, its options
  --version   the version

For example:

  ${calling('serve')} --port 9000 --upload ~/videos
  ${calling('serve')} --help`;
}
