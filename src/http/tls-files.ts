/**
 * TLS_CERT and TLS_KEY, read again while the server runs: their texts are compared every few seconds, since what renews certificates
 * replaces links and renames files. The two are not written at once, so a change counts when a second look finds the same; with a
 * fault it changes nothing, and the fault is said once.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { checkPair, dayOf, timeFault, type CheckedPair, type TlsPair } from '../base/tls-pair.js';

/** Where the two are. */
export interface TlsFilesInit {
  /** Absolute path. */
  readonly certFile: string;
  /** Absolute path. */
  readonly keyFile: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PERIOD_MS = 5000;

/** The certificate of this server, as it is now. */
export class TlsFiles {
  readonly #init: TlsFilesInit;
  readonly #timer: Timer;
  readonly #listeners = new Set<(pair: TlsPair) => void>();
  #pair: CheckedPair;
  /** What was found once that is not what is served: another pair, or a fault. */
  #unsettled: string | undefined;
  #fault: string | undefined;
  #isReading = false;

  /** @throws MediaPeerError CONFIG_INVALID */
  constructor(init: TlsFilesInit) {
    this.#init = init;
    const read = (variable: string, file: string): string => {
      try {
        return readFileSync(file, 'utf8');
      } catch (error) {
        throw unreadable(variable, file, error);
      }
    };
    this.#pair = checkPair({ cert: read('TLS_CERT', init.certFile), key: read('TLS_KEY', init.keyFile) });
    this.#warnOfTime();
    this.#timer = init.clock.every(PERIOD_MS, () => void this.#look());
  }

  /** The newest without a fault. */
  get pair(): CheckedPair {
    return this.#pair;
  }

  /** What is wrong with the newest files, which are not served therefore; undefined: nothing. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Calls `listener` with each renewed pair, until the returned function is called. */
  onRenewed(listener: (pair: TlsPair) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#timer.cancel();
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const found = await this.#read();
    this.#isReading = false;
    if (typeof found !== 'string' && found.cert === this.#pair.cert && found.key === this.#pair.key) return this.#settled(undefined);
    if (found === this.#fault) return;
    const seen = typeof found === 'string' ? found : `${found.cert}\n${found.key}`;
    const isSettled = seen === this.#unsettled;
    this.#unsettled = seen;
    if (!isSettled) return;
    if (typeof found === 'string') this.#settled(found);
    else this.#take(found);
  }

  /** What the files hold, or what is wrong with them. */
  async #read(): Promise<CheckedPair | string> {
    const { certFile, keyFile } = this.#init;
    const read = (variable: string, file: string): Promise<string> =>
      readFile(file, 'utf8').catch((error: unknown) => Promise.reject(unreadable(variable, file, error)));
    try {
      const [cert, key] = await Promise.all([read('TLS_CERT', certFile), read('TLS_KEY', keyFile)]);
      return cert === this.#pair.cert && key === this.#pair.key ? this.#pair : checkPair({ cert, key });
    } catch (error) {
      return messageOf(error);
    }
  }

  #settled(fault: string | undefined): void {
    this.#unsettled = undefined;
    if (fault !== undefined) this.#init.logger.error({ fault }, 'TLS_CERT and TLS_KEY have a fault: what they held before goes on');
    this.#fault = fault;
  }

  #take(pair: CheckedPair): void {
    this.#pair = pair;
    this.#settled(undefined);
    this.#init.logger.info({ names: pair.names, until: dayOf(pair.validToMs) }, 'the certificate was renewed');
    this.#warnOfTime();
    for (const listener of this.#listeners) listener(pair);
  }

  #warnOfTime(): void {
    const { logger, clock, certFile } = this.#init;
    const fault = timeFault(this.#pair, clock.wallClock());
    if (fault !== undefined) logger.warn({ certFile, fault }, 'the certificate of TLS_CERT is not valid now');
  }
}

function unreadable(variable: string, file: string, error: unknown): MediaPeerError {
  return new MediaPeerError('CONFIG_INVALID', `${variable} ${file} cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}
