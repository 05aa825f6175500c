/** pino behind the rooms' `Logger`: pretty on a terminal, JSON lines otherwise, and a level of its own per room. */
import { pino, type Logger as PinoLogger } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { LogLevels, LogRoom } from './config.js';
import type { Logger } from './logger.js';

/** The server's loggers. */
export interface Loggers {
  /** For fastify, which speaks pino itself. */
  readonly http: PinoLogger;
  /** The logger of a room; its lines carry `room`. */
  room(name: LogRoom): Logger;
}

/** Loggers that write to standard output. */
export function createLoggers(levels: LogLevels): Loggers {
  const options = { level: levels.level, base: null, redact: ['req.headers.authorization', 'req.headers.cookie'] };
  const root = process.stdout.isTTY
    ? pino(options, PinoPretty({ colorize: true, translateTime: 'HH:MM:ss.l', ignore: 'room', messageFormat: '{if room}[{room}] {end}{msg}', sync: true }))
    : pino(options, pino.destination({ dest: 1, sync: false }));
  const room = (name: LogRoom): PinoLogger => root.child({ room: name }, { level: levels.rooms[name] ?? levels.level });
  return { http: room('http'), room };
}
