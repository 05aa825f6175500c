/** The process: configuration in, signals out. */
import { loadConfig } from './config.js';
import { MediaPeerError, messageOf } from './errors.js';
import { createLoggers } from './log.js';
import { startServer } from './server.js';

/** A shutdown that hangs is ended by force after this. */
const SHUTDOWN_LIMIT_MS = 4500;

function fail(error: unknown): never {
  const known = error instanceof MediaPeerError;
  console.error(known ? `Sightline cannot start (${error.code}):\n${error.message}` : error);
  process.exit(1);
}

async function run(): Promise<void> {
  const config = loadConfig();
  const loggers = createLoggers(config.LOG_LEVEL);
  const starting = startServer(config, loggers);
  let signals = 0;
  const stop = (signal: NodeJS.Signals): void => {
    // The second Ctrl-C means now.
    if (++signals > 1) process.exit(130);
    loggers.http.info({ signal }, 'shutting down');
    AbortSignal.timeout(SHUTDOWN_LIMIT_MS).addEventListener('abort', () => {
      loggers.http.error({ limitMs: SHUTDOWN_LIMIT_MS }, 'shutdown took too long');
      process.exit(1);
    });
    starting
      .then((server) => server.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          loggers.http.error({ err: error }, 'shutdown failed');
          process.exit(1);
        },
      );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const server = await starting;
  loggers.http.info({ url: server.url }, 'Sightline is ready');
}

run().catch((error: unknown) => fail(error instanceof Error ? error : new Error(messageOf(error))));
