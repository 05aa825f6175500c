/** What the rooms need of a logger: constant messages, structured fields. Satisfied by pino. */
export interface Logger {
  /** What helps to follow one session or process; off by default. */
  debug(fields: object, message: string): void;
  /** What an operator wants to know of a server that is well. */
  info(fields: object, message: string): void;
  /** Trouble that the server copes with. */
  warn(fields: object, message: string): void;
  /** Trouble that needs somebody. */
  error(fields: object, message: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: object): Logger;
}

/** Drops everything; the default where no logger is handed down. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
