/** The server as a process: signals in, exit codes out, a watchdog beside it. */
import os from 'node:os';
import { systemClock } from '../../base/clock.js';
import type { Loggers } from '../../base/loggers.js';
import { ResourceLedger } from '../../base/resources.js';
import type { Config, LogComponent } from '../../config.js';
import { childProcessIds } from '../../ffmpeg/index.js';
import { startServer, type Server } from '../../server.js';
import { whenNpmEnds } from '../calling.js';
import { startWatchdog, type Watchdog } from '../../watchdog/index.js';

/** A shutdown that hangs is ended by force after this. */
const SHUTDOWN_LIMIT_MS = 4500;

/** Resolves when the server is ready, or was ended by a signal before; the process goes on until a signal ends it. */
export async function runServer(config: Config, loggers: Loggers<LogComponent>): Promise<void> {
  const watchdog = watch(config, loggers);
  let server: Server | undefined;
  let signals = 0;
  const stop = (signal: NodeJS.Signals): void => {
    // The second Ctrl-C means now. So does the first one before anybody can be served: what fails then fails because of it.
    if (++signals > 1 || !server) process.exit(128 + os.constants.signals[signal]);
    loggers.http.info({ signal }, 'shutting down');
    AbortSignal.timeout(SHUTDOWN_LIMIT_MS).addEventListener('abort', () => {
      loggers.http.error({ limitMs: SHUTDOWN_LIMIT_MS }, 'shutdown took too long');
      endByForce();
    });
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        loggers.http.error({ err: error }, 'shutdown failed');
        endByForce();
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A terminal that is closed ends what it runs; without one, the signal is the usual one to read files again.
  process.on('SIGHUP', () => (process.stdout.isTTY ? stop('SIGHUP') : void server?.reload()));
  whenNpmEnds(() => signals === 0 && stop('SIGTERM'));
  try {
    const { url, udpPort } = await startServer(config, loggers, (listening) => (server = listening));
    watchdog?.ready();
    loggers.http.info({ url, ...(udpPort !== undefined && { udpPort }) }, 'Sightline is ready');
  } catch (error) {
    // What is closed in the middle of its start need not get ready.
    if (signals === 0) throw error;
  }
}

/** `exit` waits for files that are being read or written, on a disk that does not answer for ever. */
function endByForce(): never {
  process.on('exit', () => process.kill(process.pid, 'SIGKILL'));
  process.exit(1);
}

/** It is not entered in the server's ledger: it belongs to the process, and ends with it. */
function watch(config: Config, loggers: Loggers<LogComponent>): Watchdog | undefined {
  if (config.WATCHDOG_S === 0) return undefined;
  // The first process of a container cannot end itself by any signal.
  if (process.pid === 1)
    loggers.http.warn({}, 'the watchdog cannot end process 1: run the server below an init process (docker run --init, tini)');
  return startWatchdog({
    clock: systemClock(new ResourceLedger()),
    logger: loggers.http,
    limitMs: config.WATCHDOG_S * 1000,
    children: childProcessIds,
    isJson: !process.stdout.isTTY,
  });
}
