/**
 * Keeps one process alive for as long as it is wanted: opens it, opens it again when it ends by itself, and
 * waits longer after each failure in a row. The one place of the pipeline where retry lives.
 */
import { delay, type Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Backoff } from '../ffmpeg/index.js';

/** Something that runs until it is closed, or ends by itself. */
export interface Running {
  /** Resolves when it has ended; never rejects. */
  readonly closed: Promise<{ readonly error?: Error }>;
  /** Ends it. Idempotent. */
  close(): Promise<unknown>;
}

/** What is kept alive. */
export interface SupervisedInit<T extends Running> {
  /** What it is, for logs. */
  readonly name: string;
  /** Opens it; `worked` is to be called whenever it has given something. */
  readonly open: (worked: () => void) => T;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps one thing alive. */
export class Supervised<T extends Running> {
  readonly #init: SupervisedInit<T>;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #current: T | undefined;
  #restarts = 0;
  #lastError: string | undefined;

  constructor(init: SupervisedInit<T>) {
    this.#init = init;
    this.#loop = this.#run();
  }

  /** The running one; undefined between its end and the next start. */
  get current(): T | undefined {
    return this.#current;
  }

  /** How often it ended by itself and was opened again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Why it does not work: what it ended of, until it has given something again; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#lastError;
  }

  /** Ends it for good. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#current?.close();
    await this.#loop;
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    const { name, clock, logger } = this.#init;
    const backoff = new Backoff();
    while (!this.#isStopped()) {
      const startedMs = clock.now();
      this.#lastError = await this.#runOnce();
      if (this.#isStopped()) return;
      this.#restarts++;
      const delayMs = backoff.next(clock.now() - startedMs);
      logger.warn({ process: name, reason: this.#lastError, delayMs, restarts: this.#restarts }, 'process ended, restarting');
      await delay(clock, delayMs, this.#stop.signal);
    }
  }

  /** Opens it and waits for its end; returns what it ended of. */
  async #runOnce(): Promise<string> {
    try {
      this.#current = this.#init.open(() => (this.#lastError = undefined));
      const { error } = await this.#current.closed;
      return error ? error.message : 'it ended without an error';
    } catch (error) {
      return messageOf(error);
    } finally {
      this.#current = undefined;
    }
  }
}
