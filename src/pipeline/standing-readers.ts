/**
 * Reads the detections of sources although nobody watches them: counting and alarms go on at night, too. A source
 * that ends or fails is read again for as long as it is wanted, after a growing delay; a camera is called by each try.
 */
import { Backoff } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { DetectionListener } from '../media/index.js';
import type { Pipelines } from './pipelines.js';

export interface StandingReadersInit {
  readonly pipelines: Pick<Pipelines, 'openDetections'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ids of the sources to read at the moment. */
  readonly wanted: () => readonly string[];
  readonly onDetections: DetectionListener;
}

interface Reader {
  readonly backoff: Backoff;
  /** Stops the reading, or the waiting for the next attempt. */
  stop: () => void;
}

export class StandingReaders {
  readonly #init: StandingReadersInit;
  readonly #readers = new Map<string, Reader>();
  #isClosed = false;

  constructor(init: StandingReadersInit) {
    this.#init = init;
  }

  /** Sources that are read, or tried again. */
  get sources(): readonly string[] {
    return [...this.#readers.keys()];
  }

  /** Starts and stops readers until exactly what is wanted is read. Call it whenever that may have changed. */
  sync(): void {
    if (this.#isClosed) return;
    const wanted = new Set(this.#init.wanted());
    for (const [sourceId, reader] of this.#readers) {
      if (wanted.has(sourceId)) continue;
      this.#readers.delete(sourceId);
      reader.stop();
    }
    for (const sourceId of wanted) {
      if (this.#readers.has(sourceId)) continue;
      const reader: Reader = { backoff: new Backoff(), stop: () => undefined };
      this.#readers.set(sourceId, reader);
      this.#read(sourceId, reader);
    }
  }

  /** Stops all. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const { stop } of this.#readers.values()) stop();
    this.#readers.clear();
  }

  #read(sourceId: string, reader: Reader): void {
    const { pipelines, clock, logger, onDetections } = this.#init;
    const startedMs = clock.now();
    try {
      const lease = pipelines.openDetections(sourceId);
      const stopReading = lease.feed.subscribe(onDetections);
      const stopListening = lease.feed.onClosed((reason) => {
        lease.release();
        logger.info({ sourceId, reason }, 'source that is always read ended, it is read again');
        this.#readLater(sourceId, reader, clock.now() - startedMs);
      });
      reader.stop = () => {
        stopReading();
        stopListening();
        lease.release();
      };
    } catch (error) {
      const isAway = error instanceof MediaPeerError && error.code === 'SOURCE_NOT_LIVE';
      logger[isAway ? 'debug' : 'warn']({ sourceId, err: error }, 'source that is always read cannot be read, it is tried again');
      this.#readLater(sourceId, reader, 0);
    }
  }

  #readLater(sourceId: string, reader: Reader, ranMs: number): void {
    if (this.#readers.get(sourceId) !== reader) return;
    const timer: Timer = this.#init.clock.after(reader.backoff.next(ranMs), () => this.#read(sourceId, reader));
    reader.stop = () => timer.cancel();
  }
}
