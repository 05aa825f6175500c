/**
 * The configuration: read once from the environment and `.env`, all faults reported together, frozen and
 * handed down by argument. Nobody else reads `process.env`.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { MediaPeerError } from './base/errors.js';
import { nearMiss } from './base/near-miss.js';
import { conflicts, VARIABLES, type Config, type Variable, type VariableName } from './config/index.js';

export { throwIfOpen, VARIABLES, type Config, type LogComponent } from './config/index.js';

/** The folder of package.json: what comes with Sightline, the bundled model, demo, page and client library. Only read. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The default of MODEL: absolute path of its JSON. */
export const bundledModel = path.join(packageRoot, 'models/sightline-demo.json');

/** The version in package.json. */
export function version(): string {
  const { version: found } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return found;
}

/** Never shown, not even when they are wrong. */
const SECRETS: ReadonlySet<string> = new Set([
  'LOGIN_SECRET',
  'JWT_SECRET',
  'TURN_CREDENTIAL',
  'TURN_SECRET',
  'ADMIN_TOKEN',
  'PUBLISH_TOKENS',
  'VIEWER_TOKEN',
  'WEBHOOK_SECRET',
  'WHIP_OUT',
]);

/** Variables with this prefix are meant for us, so an unknown one is a mistake. */
const PREFIX = 'SIGHTLINE_';

/**
 * Parses the configuration from variables. Empty text counts as not set. `ownNames` are those of a file that is written for
 * this server: a name there that is nearly one of ours is a fault. `typed` says how a variable was set on the command line (`--port`).
 * @throws MediaPeerError CONFIG_INVALID naming every fault at once.
 */
export function parseConfig(
  variables: Readonly<Record<string, string | undefined>>,
  ownNames: readonly string[] = [],
  typed: ReadonlyMap<string, string> = new Map(),
): Config {
  const faults: string[] = nearMisses(ownNames).map(({ name, meant }) => `unknown ${name} in .env: did you mean ${meant}?`);
  const config: Partial<Record<VariableName, unknown>> = {};
  for (const [name, variable] of Object.entries(VARIABLES) as [VariableName, Variable<unknown>][]) {
    const value = variables[name];
    const parsed = value === undefined || (value === '' && name !== 'CORS_ORIGINS') ? variable.defaultValue : variable.parse(value);
    if (value !== undefined && value !== '' && parsed === undefined) {
      const shown = SECRETS.has(name) ? 'what it holds' : `'${withoutCredentials(value)}'`;
      const why = SECRETS.has(name) ? undefined : variable.explain?.(withoutCredentials(value));
      faults.push(`invalid ${typed.get(name) ?? name}: ${shown} is not ${variable.allowed}${why === undefined ? '' : ` (${why})`}`);
    }
    config[name] = parsed;
  }
  if (faults.length === 0) faults.push(...conflicts(config as Config));
  for (const name of Object.keys(variables).filter((key) => key.startsWith(PREFIX))) {
    const known = name.slice(PREFIX.length);
    faults.push(
      `unknown ${name}${known in VARIABLES ? `: did you mean ${known}?` : `; known variables: ${Object.keys(VARIABLES).join(', ')}`}`,
    );
  }
  if (faults.length > 0) throw new MediaPeerError('CONFIG_INVALID', faults.join('\n'));
  return Object.freeze(config) as Config;
}

/** What stands before an @ in an address may be a password. */
function withoutCredentials(value: string): string {
  return value.replace(/[^\s,/]*@/g, '***@');
}

/** Names that are nearly those of our variables, with the ones that were perhaps meant. Those of other programs are no near misses. */
export function nearMisses(names: readonly string[]): { readonly name: string; readonly meant: string }[] {
  const known = Object.keys(VARIABLES);
  return names.flatMap((name) => {
    if (known.includes(name) || name.startsWith(PREFIX)) return [];
    const meant = nearMiss(name, known);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** The variables of this process: the environment, and beneath it a `.env` file in the working directory. @throws MediaPeerError CONFIG_INVALID */
export function environment(): Readonly<Record<string, string | undefined>> {
  return { ...envFile(), ...process.env };
}

function envFile(): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new MediaPeerError('CONFIG_INVALID', `.env cannot be read: ${String(error)}`, { cause: error });
  }
}

/** What was set on the command line. */
export interface TypedOptions {
  /** Values by the name of their variable. */
  readonly values: Readonly<Record<string, string>>;
  /** How each was typed, `--port`. */
  readonly flags: ReadonlyMap<string, string>;
}

/** The configuration of this process; what was typed counts before the environment, and that before `.env`. @throws MediaPeerError CONFIG_INVALID */
export function loadConfig(typed?: TypedOptions): Config {
  return parseConfig({ ...environment(), ...typed?.values }, Object.keys(envFile()), typed?.flags);
}

/** The npm script that runs this process, and the folder in which npm was called; undefined where it is none. */
export function npmScript(): { readonly name: string; readonly calledFrom: string } | undefined {
  const { npm_lifecycle_event: name, INIT_CWD: calledFrom } = process.env;
  return name === undefined || calledFrom === undefined ? undefined : { name, calledFrom };
}

/** Near misses in the environment, which holds variables of other programs, too: to be told, and no more. */
export function doubtfulVariables(): { readonly name: string; readonly meant: string }[] {
  const inFile = envFile();
  return nearMisses(Object.keys(process.env).filter((name) => !(name in inFile)));
}

/**
 * An absolute path of a configured one: `~/` is the home folder, relative paths start at the working directory. The default of MODEL
 * comes with Sightline.
 */
export function configuredPath(
  config: Config,
  name:
    | 'UPLOAD_DIR'
    | 'MODEL'
    | 'WEBHOOK_QUEUE_DIR'
    | 'SOURCES_FILE'
    | 'AUTH_FILE'
    | 'STATE_DIR'
    | 'RECORD_DIR'
    | 'MQTT_CA_FILE'
    | 'TLS_CERT'
    | 'TLS_KEY',
): string {
  const value = config[name].replace(/^~(?=[/\\]|$)/, homedir());
  return name === 'MODEL' && value === VARIABLES.MODEL.defaultValue ? bundledModel : path.resolve(value);
}
