/** LOG_LEVEL: the level of the server, and of single parts of it. */
import type { Variable } from './variable.js';

/** Log levels, least to most. */
const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** Levels of pino, the quietest first. */
type LogLevel = (typeof LOG_LEVELS)[number];
/** Parts of the server whose log level can be set on its own. */
const LOG_COMPONENTS = [
  'source',
  'ffmpeg',
  'pipeline',
  'detection',
  'scene',
  'webhooks',
  'mqtt',
  'events',
  'recording',
  'webrtc',
  'forward',
  'http',
  'ws',
] as const;
/** A part of the server that has a logger of its own. */
export type LogComponent = (typeof LOG_COMPONENTS)[number];
/** Names that LOG_LEVEL takes as well. */
const LOG_ALIASES: Readonly<Record<string, LogComponent>> = { peer: 'webrtc', signalling: 'http' };

/** Log level of the server and of single components. */
interface LogLevels {
  /** Of every component that has none of its own. Default `info`. */
  readonly level: LogLevel;
  /** Levels of single components. */
  readonly components: Readonly<Partial<Record<LogComponent, LogLevel>>>;
}

/** Of LOG_LEVEL. */
export const logLevels: Variable<LogLevels> = {
  shownDefault: 'info',
  description: 'Log level, and after commas that of single components: `info,webrtc=debug`.',
  allowed: `one of ${LOG_LEVELS.join(', ')}; components: ${LOG_COMPONENTS.join(', ')}`,
  defaultValue: { level: 'info', components: {} },
  parse(value) {
    const isLevel = (level: string | undefined): level is LogLevel => LOG_LEVELS.some((known) => known === level);
    const componentOf = (name = ''): LogComponent | undefined => LOG_COMPONENTS.find((known) => known === name) ?? LOG_ALIASES[name];
    let level: LogLevel = 'info';
    const components: Partial<Record<LogComponent, LogLevel>> = {};
    for (const part of value.split(',').map((item) => item.trim())) {
      const [left, right] = part.split('=');
      const component = componentOf(left);
      if (right === undefined && isLevel(left)) level = left;
      else if (component !== undefined && isLevel(right)) components[component] = right;
      else return undefined;
    }
    // Rooms are one of the doors of HTTP.
    if (components.http !== undefined) components.ws ??= components.http;
    return { level, components };
  },
};
