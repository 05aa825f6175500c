/** `sightline serve`: the server, from its command line to its last signal. */
import { MediaPeerError, messageOf } from '../../base/errors.js';
import { createLoggers } from '../../base/loggers.js';
import { doubtfulVariables, loadConfig, version, type Config } from '../../config.js';
import { UsageError } from '../errors.js';
import { parseServeOptions, usage } from './options.js';

/** Serves until a signal ends it. */
export async function serve(args: readonly string[]): Promise<void> {
  try {
    const options = parseServeOptions(args);
    if (options === 'help') return console.log(usage());
    await start(loadConfig(options));
  } catch (error) {
    fail(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

/** Says what it does before it loads what takes time. */
async function start(config: Config): Promise<void> {
  const loggers = createLoggers(config.LOG_LEVEL);
  loggers.http.info({ version: version() }, 'Sightline is starting');
  for (const doubtful of doubtfulVariables())
    loggers.http.warn(doubtful, `an environment variable is not known: did you mean ${doubtful.meant}?`);
  const { runServer } = await import('./run-server.js');
  await runServer(config, loggers);
}

function fail(error: Error): never {
  const isUsage = error instanceof UsageError;
  if (isUsage) console.error(error.message);
  else if (error instanceof MediaPeerError) console.error(`Sightline cannot start (${error.code}):\n${error.message}`);
  else console.error(error);
  process.exit(isUsage ? 2 : 1);
}
