/**
 * Keeps sources running although nobody watches them, so that whoever comes need not wait for a camera to answer. A
 * source that ends, or that cannot be opened yet, is opened again for as long as the server runs.
 */
import { Backoff } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Pipelines } from './pipelines.js';

export interface AlwaysOnInit {
  readonly pipelines: Pick<Pipelines, 'openTrack'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ids of the sources. */
  readonly sources: readonly string[];
  /** Awaited before a source is opened. Never rejects. */
  readonly prepare: (sourceId: string) => Promise<void>;
}

/** A camera that is off is called every few seconds. */
const BACKOFF = { firstMs: 1_000, maxMs: 10_000 };

export class AlwaysOn {
  readonly #init: AlwaysOnInit;
  /** What stops each source: the hold on it, or the wait for the next attempt. */
  readonly #stops = new Map<string, () => void>();
  #isClosed = false;

  constructor(init: AlwaysOnInit) {
    this.#init = init;
    for (const sourceId of init.sources) void this.#hold(sourceId, new Backoff(BACKOFF));
  }

  /** Lets go of all. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }

  /** Never rejects. */
  async #hold(sourceId: string, backoff: Backoff): Promise<void> {
    const { pipelines, clock, logger, prepare } = this.#init;
    await prepare(sourceId);
    if (this.#isClosed) return;
    const startedMs = clock.now();
    try {
      const lease = pipelines.openTrack({ sourceId, kind: 'video', rendition: 'raw', codec: 'h264' });
      const stopListening = lease.track.onClosed((reason) => {
        lease.release();
        logger.info({ sourceId, reason }, 'source that is always on ended, it is opened again');
        this.#holdLater(sourceId, backoff, clock.now() - startedMs);
      });
      this.#stops.set(sourceId, () => {
        stopListening();
        lease.release();
      });
    } catch (error) {
      const isAway = error instanceof MediaPeerError && error.code === 'SOURCE_NOT_LIVE';
      logger[isAway ? 'debug' : 'warn']({ sourceId, err: error }, 'source that is always on cannot be opened, it is tried again');
      this.#holdLater(sourceId, backoff, 0);
    }
  }

  #holdLater(sourceId: string, backoff: Backoff, ranMs: number): void {
    if (this.#isClosed) return;
    const timer: Timer = this.#init.clock.after(backoff.next(ranMs), () => void this.#hold(sourceId, backoff));
    this.#stops.set(sourceId, () => timer.cancel());
  }
}
