/**
 * Pictures of running sources as JPEGs, for those who can show nothing else: the processed rendition, or the raw one
 * where detection is off. Each picture is encoded once, whatever the number of readers, a few times a second, and only
 * while somebody reads. A JPEG is as large as the reader with the smallest messages takes: quality, then width, follow
 * what the pictures need.
 */
import { delay, type Clock } from '../base/clock.js';
import { annotate, encodeSnapshot } from '../detection/index.js';
import { MediaPeerError } from '../base/errors.js';
import { EndListeners, Listeners } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import type { EndReason, Snapshot, SnapshotLease } from '../media/index.js';
import type { FrameLease, FrameSource } from './frame-lease.js';
import type { DetectedFrame } from './frame-detection.js';

/** At most 12.5 a second: each costs 2 ms of the event loop, and the rest in threads of its own. */
const MIN_INTERVAL_MS = 80;
/** Widest first; wide ones are left when the lowest quality is still too large. */
const WIDTHS_PX = [640, 480, 320, 240] as const;
const [LOWEST_QUALITY, BEST_QUALITY] = [30, 75];
/** What a picture of the smallest width and lowest quality needs at most, save noise. */
const MIN_BYTES = 8 * 1024;
/** Of one picture; the first one of a source may need them. */
const MAX_ATTEMPTS = 4;

/** Where frames come from. */
export interface SnapshotFeedsInit {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The JPEGs of all sources that somebody reads. */
export class SnapshotFeeds {
  readonly #init: SnapshotFeedsInit;
  readonly #running = new Map<string, SnapshotFeed>();

  constructor(init: SnapshotFeedsInit) {
    this.#init = init;
  }

  /**
   * Leases the pictures of a source, starting it where it does not run.
   * @param maxBytes largest JPEG that the reader can use.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SERVER_CLOSING, NOTHING_TO_SERVE
   */
  open(source: FrameSource, maxBytes: number): SnapshotLease {
    if (maxBytes < MIN_BYTES)
      throw new MediaPeerError(
        'NOTHING_TO_SERVE',
        `no picture fits into ${maxBytes} bytes; allow messages of ${MIN_BYTES} bytes and more (a=max-message-size)`,
      );
    let feed = this.#running.get(source.sourceId);
    if (!feed) {
      feed = new SnapshotFeed(source, this.#init, () => this.#running.delete(source.sourceId));
      this.#running.set(source.sourceId, feed);
    }
    return feed.lease(maxBytes);
  }
}

/** One source; lives from its first reader to its last. */
class SnapshotFeed {
  readonly #sourceId: string;
  readonly #init: SnapshotFeedsInit;
  readonly #onOver: () => void;
  readonly #frames: FrameLease;
  #stopListening = (): void => undefined;
  readonly #over = new AbortController();
  readonly #readers: Listeners<Snapshot>;
  readonly #ending: EndListeners<EndReason>;
  /** What each reader takes, in bytes. */
  readonly #limits = new Set<{ readonly maxBytes: number }>();
  #widthAt = 0;
  #quality = BEST_QUALITY;

  constructor(source: FrameSource, init: SnapshotFeedsInit, onOver: () => void) {
    this.#sourceId = source.sourceId;
    this.#init = init;
    this.#onOver = onOver;
    this.#readers = new Listeners(init.logger, `snapshots of ${source.sourceId}`);
    this.#ending = new EndListeners(init.logger, `snapshots of ${source.sourceId}`);
    this.#frames = source.openFrames();
    this.#stopListening = this.#frames.feed.onClosed((reason) => this.#close(reason));
    void this.#run(); // never rejects
  }

  lease(maxBytes: number): SnapshotLease {
    const limit = { maxBytes };
    this.#limits.add(limit);
    return {
      subscribe: (listener) => this.#readers.add(listener),
      onClosed: (listener) => this.#ending.onEnded(listener),
      release: () => {
        if (this.#limits.delete(limit) && this.#limits.size === 0) this.#close('viewer-left');
      },
    };
  }

  #close(reason: EndReason): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#onOver();
    this.#stopListening();
    this.#frames.release();
    this.#ending.end(reason);
    this.#readers.clear();
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#init;
    for (;;) {
      const seen = await this.#next();
      if (!seen) return;
      const startedMs = clock.now();
      try {
        const still = await this.#encode(seen);
        if (still && !this.#over.signal.aborted) this.#readers.tell(still);
      } catch (error) {
        logger.warn({ sourceId: this.#sourceId, err: error }, 'picture could not be encoded');
      } finally {
        seen.picture.release();
      }
      await delay(clock, Math.max(0, MIN_INTERVAL_MS - (clock.now() - startedMs)), this.#over.signal);
    }
  }

  /** Undefined when it is over. */
  #next(): Promise<DetectedFrame | undefined> {
    const { signal } = this.#over;
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        stopWaiting();
        resolve(undefined);
      };
      const stopWaiting = this.#frames.takeNext((seen) => {
        signal.removeEventListener('abort', onAbort);
        resolve(seen);
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Undefined where the picture is too large whatever is tried. */
  async #encode({ picture, frame, objects, labels }: DetectedFrame): Promise<Snapshot | undefined> {
    const drawn = labels ? picture.copy() : picture;
    if (labels) {
      await labels.prepare(drawn.heightPx);
      annotate(drawn, objects, labels);
    }
    const maxBytes = Math.min(...[...this.#limits].map((limit) => limit.maxBytes));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const widthPx = Math.min(WIDTHS_PX[this.#widthAt] ?? 0, picture.widthPx & ~1);
      const jpeg = await encodeSnapshot(drawn, { widthPx, quality: this.#quality });
      this.#adapt(jpeg.length, maxBytes);
      if (jpeg.length > maxBytes) continue;
      return {
        frame,
        mediaTimeMs: picture.mediaTimeMs,
        widthPx,
        heightPx: Math.max(2, 2 * Math.round((picture.heightPx * widthPx) / picture.widthPx / 2)),
        jpeg,
      };
    }
    return undefined;
  }

  /** Chooses quality and width of the next one. */
  #adapt(bytes: number, maxBytes: number): void {
    if (bytes > maxBytes) {
      if (this.#quality === LOWEST_QUALITY && this.#widthAt < WIDTHS_PX.length - 1) {
        this.#widthAt++;
        this.#quality = 50;
      } else this.#quality = Math.max(LOWEST_QUALITY, Math.floor(this.#quality * Math.min(0.85, (0.9 * maxBytes) / bytes)));
    } else if (bytes < 0.5 * maxBytes && this.#quality < BEST_QUALITY) this.#quality = Math.min(BEST_QUALITY, this.#quality + 3);
    else if (bytes < 0.25 * maxBytes && this.#widthAt > 0) this.#widthAt--;
  }
}
