import type { Clock } from '../base/clock.js';
import type { Config, LogComponent } from '../config.js';
import type { Loggers } from '../base/loggers.js';
import type { ResourceLedger } from '../base/resources.js';
import type { TlsFiles } from '../http/index.js';
import type { Closers } from './closers.js';

/** What everything is built on. */
export interface Host {
  /** As it was read at the start. */
  readonly config: Config;
  /** One for each component. */
  readonly loggers: Loggers<LogComponent>;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** Whoever opens something adds how it ends. */
  readonly closers: Closers;
  /** The certificate that HTTPS is served with; undefined: HTTP. */
  readonly tls: TlsFiles | undefined;
}
