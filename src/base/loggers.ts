/** pino behind the components' `Logger`: pretty on a terminal, JSON lines otherwise, and a level of its own per component. */
import { pino, type Logger as PinoLogger } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Logger } from './logger.js';

/** Which level each component logs at. */
interface Levels<Component extends string> {
  /** Of components that have none of their own. */
  readonly level: string;
  readonly components: Readonly<Partial<Record<Component, string>>>;
}

/** The server's loggers. */
export interface Loggers<Component extends string> {
  /** For fastify, which speaks pino itself. */
  readonly http: PinoLogger;
  /** The logger of a component; its lines carry `component`. */
  of(component: Component): Logger;
}

/** Loggers that write to standard output. */
export function createLoggers<Component extends string>(levels: Levels<Component | 'http'>): Loggers<Component> {
  const options = { level: levels.level, base: null, redact: ['req.headers.authorization', 'req.headers.cookie'] };
  const root = process.stdout.isTTY
    ? pino(
        options,
        PinoPretty({
          colorize: true,
          translateTime: 'HH:MM:ss.l',
          ignore: 'component',
          messageFormat: '{if component}[{component}] {end}{msg}',
          sync: true,
        }),
      )
    : pino(options, pino.destination({ dest: 1, sync: false }));
  const of = (component: Component | 'http'): PinoLogger =>
    root.child({ component }, { level: levels.components[component] ?? levels.level });
  return { http: of('http'), of };
}
