/**
 * Keeps sources running although nobody watches them: cameras that are always on, so that whoever comes need not wait for
 * one to answer, and sources whose zones count at night, too. A source that ends, or that cannot be opened yet, is opened
 * again for as long as it is wanted, after a growing delay.
 */
import { Backoff, type BackoffOptions } from '../base/backoff.js';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { EndReason } from '../media/index.js';

/** What keeps a source running. */
interface StandingLease {
  /** Calls `listener` once, when the source ends. Call the returned function to stop listening. */
  onClosed(listener: (reason: EndReason) => void): () => void;
  /** Idempotent. */
  release(): void;
}

/** What is held, and how it is opened. */
export interface StandingLeasesInit<T> {
  /** @throws MediaPeerError where the source is not there; SOURCE_NOT_LIVE where it may come */
  readonly open: (sourceId: string) => Promise<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Why these sources run, for the log: `always on`. */
  readonly purpose: string;
  /** Ids of the sources that are to run at the moment. */
  readonly wanted: () => readonly string[];
  /** Leases what keeps a source running. @throws MediaPeerError */
  readonly lease: (source: T) => StandingLease;
  /** Waits between attempts. Default as `Backoff`: 250 ms to 10 s. */
  readonly backoff?: BackoffOptions;
}

/** One source that is wanted. */
interface Standing {
  readonly backoff: Backoff;
  /** Gives the lease back, or stops waiting for the next attempt. */
  stop: () => void;
}

/** Leases that are kept although nobody watches. */
export class StandingLeases<T> {
  readonly #init: StandingLeasesInit<T>;
  readonly #standing = new Map<string, Standing>();
  #isClosed = false;

  constructor(init: StandingLeasesInit<T>) {
    this.#init = init;
  }

  /** Ids of the sources that run for this, or are tried again. */
  get sources(): readonly string[] {
    return [...this.#standing.keys()];
  }

  /** Opens and gives back until exactly what is wanted is leased. Call it whenever that may have changed. */
  sync(): void {
    if (this.#isClosed) return;
    const wanted = new Set(this.#init.wanted());
    for (const [sourceId, standing] of this.#standing) {
      if (wanted.has(sourceId)) continue;
      this.#standing.delete(sourceId);
      standing.stop();
    }
    for (const sourceId of wanted) {
      if (this.#standing.has(sourceId)) continue;
      const standing: Standing = { backoff: new Backoff(this.#init.backoff), stop: () => undefined };
      this.#standing.set(sourceId, standing);
      void this.#hold(sourceId, standing); // never rejects
    }
  }

  /** Releases everything. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const { stop } of this.#standing.values()) stop();
    this.#standing.clear();
  }

  async #hold(sourceId: string, standing: Standing): Promise<void> {
    const { open, clock, logger, purpose, lease: leaseOf } = this.#init;
    try {
      const source = await open(sourceId);
      // A camera takes seconds to answer: meanwhile it may have become unwanted.
      if (this.#standing.get(sourceId) !== standing) return;
      const startedMs = clock.now();
      const lease = leaseOf(source);
      const stopListening = lease.onClosed((reason) => {
        lease.release();
        logger.info({ sourceId, reason, purpose }, 'a source that runs without viewers ended, it is opened again');
        this.#holdLater(sourceId, standing, clock.now() - startedMs);
      });
      standing.stop = () => {
        stopListening();
        lease.release();
      };
    } catch (error) {
      const isAway = error instanceof MediaPeerError && error.code === 'SOURCE_NOT_LIVE';
      logger[isAway ? 'debug' : 'warn'](
        { sourceId, purpose, err: error },
        'a source that runs without viewers cannot be opened, it is tried again',
      );
      this.#holdLater(sourceId, standing, 0);
    }
  }

  #holdLater(sourceId: string, standing: Standing, ranMs: number): void {
    if (this.#standing.get(sourceId) !== standing) return;
    const timer = this.#init.clock.after(standing.backoff.next(ranMs), () => void this.#hold(sourceId, standing));
    standing.stop = () => timer.cancel();
  }
}
