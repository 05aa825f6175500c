/** The command line of the server. Everything is set by variables, so an argument is a question or a mistake. */
import { isSecret, VARIABLES } from './config.js';
import { MediaPeerError } from './base/errors.js';
import { nearMiss } from './base/near-miss.js';

const USAGE = `Usage: npm start

Sightline is set by environment variables or a .env file, not by arguments:

  PORT=8511 UPLOAD_DIR=/srv/videos npm start

Its variables and their defaults (README.md says what each of them does):

`;

/** What to print instead of starting; undefined: start. @throws MediaPeerError CONFIG_INVALID naming every argument at once */
export function answerArguments(args: readonly string[], version: string): string | undefined {
  if (args.some((arg) => /^(--?help|-h|-\?)$/.test(arg))) return USAGE + shownVariables();
  if (args.some((arg) => /^(--version|-v|-V)$/.test(arg))) return version;
  if (args.length === 0) return undefined;
  throw new MediaPeerError(
    'CONFIG_INVALID',
    [...withValues(args).map(refusal), 'Sightline takes no arguments: it is set by variables; `npm start -- --help` lists them.'].join(
      '\n',
    ),
  );
}

interface Argument {
  /** As it was typed: `--port`. */
  readonly name: string;
  readonly value: string | undefined;
}

/** `--port=8511`, `--port 8511`, `-p 8511`, `PORT=8511` and `port`. */
function withValues(args: readonly string[]): Argument[] {
  const found: Argument[] = [];
  for (let i = 0; i < args.length; i++) {
    const [name = '', ...rest] = (args[i] ?? '').split('=');
    const follows = rest.length === 0 && name.startsWith('-') && args[i + 1]?.startsWith('-') === false ? args[++i] : undefined;
    found.push({ name, value: rest.length > 0 ? rest.join('=') : follows });
  }
  return found;
}

function refusal({ name, value }: Argument): string {
  const bare = name.replace(/^-+/, '').replaceAll('-', '_').toUpperCase();
  const variable = bare in VARIABLES ? bare : nearMiss(bare, Object.keys(VARIABLES));
  return `unknown argument '${name}'${variable === undefined ? '' : `; set it so: ${variable}=${shownValue(variable, value)} npm start`}`;
}

/** What was typed may be a password. */
function shownValue(variable: string, value: string | undefined): string {
  if (value === undefined || isSecret(variable) || value.includes('@')) return '...';
  return /^[\w./:,*+-]+$/.test(value) ? value : `'${value}'`;
}

function shownVariables(): string {
  const width = Math.max(...Object.keys(VARIABLES).map((name) => name.length));
  return Object.entries(VARIABLES)
    .map(([name, { shownDefault }]) => `  ${name.padEnd(width)}  ${shownDefault.replaceAll('`', '')}`)
    .join('\n');
}
