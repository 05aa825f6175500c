/** The options of the server, made from the table of its variables: `--max-connections 5` is MAX_CONNECTIONS=5. */
import { parseArgs } from 'node:util';
import { nearMiss } from '../../base/near-miss.js';
import { VARIABLES, type TypedOptions } from '../../config.js';
import { calling } from '../calling.js';
import { UsageError } from '../errors.js';
import { nearest } from '../nearest.js';

/** Short names of those that are typed most. */
const SHORT_NAMES: Readonly<Record<string, string>> = { p: 'PORT', upload: 'UPLOAD_DIR', sources: 'SOURCES_FILE' };
const BY_OPTION: ReadonlyMap<string, string> = new Map([
  ...Object.keys(VARIABLES).map((name) => [optionOf(name), name] as const),
  ...Object.entries(SHORT_NAMES),
]);

/** `--max-connections` without its dashes. */
function optionOf(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '-');
}

/** Names of variables that are on or off: they need no value, and `--no-` switches them off. */
const FLAGS: ReadonlySet<string> = new Set(Object.entries(VARIABLES).flatMap(([name, { isFlag }]) => (isFlag === true ? [name] : [])));

/** @throws UsageError naming every fault at once */
export function parseServeOptions(args: readonly string[], command = 'serve'): TypedOptions | 'help' {
  if (args.includes('--help')) return 'help';
  const [values, flags, faults] = [{} as Record<string, string>, new Map<string, string>(), [] as string[]];
  for (const { typed, variable, value, fault } of readArguments(args)) {
    if (fault !== undefined) faults.push(fault);
    else if (variable in values) faults.push(`${typed} is given twice`);
    else {
      values[variable] = value;
      flags.set(variable, typed);
    }
  }
  if (faults.length > 0) throw new UsageError([...faults, `\`${calling(command)} --help\` lists the options.`].join('\n'));
  return { values, flags };
}

interface Argument {
  /** As it was typed: `--port`. */
  readonly typed: string;
  /** Empty where it is not known. */
  readonly variable: string;
  readonly value: string;
  readonly fault?: string;
}

type Token = NonNullable<ReturnType<typeof tokensOf>>[number];

function tokensOf(args: readonly string[]) {
  const options = Object.fromEntries(
    [...BY_OPTION].flatMap(([option, variable]) =>
      option.length === 1
        ? []
        : [[option, { type: FLAGS.has(variable) ? ('boolean' as const) : ('string' as const), ...shortOf(variable, option) }]],
    ),
  );
  return parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true }).tokens;
}

function shortOf(variable: string, option: string): { readonly short?: string } {
  const short = Object.keys(SHORT_NAMES).find((name) => name.length === 1 && SHORT_NAMES[name] === variable);
  return short !== undefined && optionOf(variable) === option ? { short } : {};
}

function readArguments(args: readonly string[]): Argument[] {
  const found: Argument[] = [];
  const tokens = tokensOf(args);
  for (let i = 0; i < tokens.length; i++) {
    const [token, next] = [tokens[i] as Token, tokens[i + 1]];
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      found.push({ typed: token.value, variable: '', value: '', fault: strayFault(token.value) });
      continue;
    }
    // The word after a flag is its value where it can be one.
    const word = token.value === undefined && next?.kind === 'positional' && isOnOrOff(next.value) ? next.value : undefined;
    const argument = readOption(token.rawName, token.value, word);
    if (word !== undefined && argument.value === word) i++;
    found.push(argument);
  }
  return found;
}

function readOption(typed: string, given: string | undefined, word: string | undefined): Argument {
  const name = typed.replace(/^--?/, '');
  const variable = BY_OPTION.get(name);
  const negated = name.startsWith('no-') ? BY_OPTION.get(name.slice(3)) : undefined;
  if (variable === undefined && negated !== undefined && FLAGS.has(negated)) return { typed, variable: negated, value: 'off' };
  if (variable === undefined) return { typed, variable: '', value: '', fault: unknownFault(typed, name) };
  if (FLAGS.has(variable)) return { typed, variable, value: given ?? word ?? 'on' };
  if (given === undefined || given.startsWith('--'))
    return { typed, variable, value: '', fault: `${typed} needs a value: ${allowedIn(variable)}` };
  return { typed, variable, value: given };
}

function isOnOrOff(word: string): boolean {
  return word === 'on' || word === 'off';
}

function allowedIn(variable: string): string {
  return VARIABLES[variable as keyof typeof VARIABLES].allowed;
}

function unknownFault(typed: string, name: string): string {
  const meant = nearest(
    name,
    [...BY_OPTION.keys()].filter((option) => option.length > 1),
  );
  return `unknown option '${typed}'${meant === undefined ? '' : `: did you mean --${meant}?`}`;
}

/** What stands there without a dash. A value may be a password, and is not shown. */
function strayFault(word: string): string {
  const [name = '', ...rest] = word.split('=');
  const variable = nearMiss(name, Object.keys(VARIABLES));
  if (variable !== undefined) return `'${name}${rest.length > 0 ? '=...' : ''}' is no option: did you mean --${optionOf(variable)}?`;
  return `'${word}' belongs to no option`;
}

/** What `--help` prints. */
export function usage(columns = process.stdout.columns): string {
  const options = Object.entries(VARIABLES).map(([name, variable]) => {
    const others = Object.keys(SHORT_NAMES).filter((short) => SHORT_NAMES[short] === name);
    const names = [...others.map((short) => (short.length === 1 ? `-${short}` : `--${short}`)), `--${optionOf(name)}`].join(', ');
    return `  ${names}\n${wrapped(`${variable.description} (${variable.shownDefault})`.replaceAll('`', ''), columns)}`;
  });
  return `Usage: ${calling('serve')} [OPTIONS]

Serves the videos of a folder, IP cameras and what is published, with detections. Each option is also a variable of the environment
or of a .env file in the working directory: --max-connections 5 is MAX_CONNECTIONS=5. Options count before the environment, and that
before .env. Passwords and tokens are better set there: other users of this machine can see a command line.

${options.join('\n')}
  --help
  --version`;
}

function wrapped(text: string, columns: number | undefined): string {
  const [indent, width] = ['      ', Math.min(Math.max(columns ?? 100, 60), 120)];
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && indent.length + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join('\n');
}
