import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Loggers } from '../log.js';
import type { ResourceLedger } from '../resources.js';
import type { Closers } from './closers.js';

/** What everything is built on. */
export interface Host {
  readonly config: Config;
  readonly loggers: Loggers;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** Whoever opens something adds how it ends. */
  readonly closers: Closers;
}
