/**
 * Snapshots of sources: one when a source becomes live, then one whenever what is seen in it has changed, at most one a second. Only
 * sources that the detector looks at anyway are seen to change.
 */
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Turns } from '../base/turns.js';
import type { FrameDetections, TrackedObject } from '../media/index.js';

/** How a snapshot is made, and where it goes. */
export interface SnapshotsInit {
  /** A JPEG of what the source shows now. @param isAnnotated with boxes @throws MediaPeerError */
  readonly take: (sourceId: string, isAnnotated: boolean, signal: AbortSignal) => Promise<Buffer>;
  /** Called with each JPEG. */
  readonly onSnapshot: (sourceId: string, jpeg: Buffer) => void;
  /** False while nobody could be told. */
  readonly isWanted: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of one source. */
interface Watched {
  takenMs: number;
  isTaking: boolean;
  /** Where objects were in the last one. */
  shown: readonly TrackedObject[];
  /** The next one is due. */
  timer: Timer | undefined;
}

const MIN_INTERVAL_MS = 1000;
const AT_ONCE = 2;
/** Of the width of a frame: what moves less stands still. */
const MOVED = 0.02;

/** Makes snapshots of all sources. */
export class Snapshots {
  readonly #init: SnapshotsInit;
  readonly #turns = new Turns({ atOnce: AT_ONCE, maxWaiting: Infinity, what: 'snapshots' });
  readonly #watched = new Map<string, Watched>();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(init: SnapshotsInit) {
    this.#init = init;
  }

  /** A source has become live. */
  becameLive(sourceId: string): void {
    this.#begin(sourceId, this.#of(sourceId), false);
  }

  /** Something was seen, or nothing any more. A frame may be looked at still whose source has gone: that one is not known any more. */
  saw({ sourceId, objects, widthPx }: FrameDetections): void {
    const watched = this.#watched.get(sourceId);
    if (!watched || watched.isTaking || watched.timer || !this.#init.isWanted()) return;
    const seen = objects.filter(({ isObserved }) => isObserved);
    if (!hasChanged(watched.shown, seen, MOVED * widthPx)) return;
    watched.shown = seen;
    const { clock } = this.#init;
    const waitMs = watched.takenMs + MIN_INTERVAL_MS - clock.now();
    if (waitMs <= 0) return this.#begin(sourceId, watched, true);
    watched.timer = clock.after(waitMs, () => {
      watched.timer = undefined;
      this.#begin(sourceId, watched, true);
    });
  }

  /** Nothing of a source is wanted any more. */
  forget(sourceId: string): void {
    this.#watched.get(sourceId)?.timer?.cancel();
    this.#watched.delete(sourceId);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the server is closing'));
    for (const sourceId of [...this.#watched.keys()]) this.forget(sourceId);
    await Promise.all(this.#running);
  }

  #of(sourceId: string): Watched {
    const known = this.#watched.get(sourceId);
    if (known) return known;
    const watched: Watched = { takenMs: -Infinity, isTaking: false, shown: [], timer: undefined };
    this.#watched.set(sourceId, watched);
    return watched;
  }

  #begin(sourceId: string, watched: Watched, isAnnotated: boolean): void {
    if (watched.isTaking || this.#closing.signal.aborted) return;
    watched.isTaking = true;
    watched.takenMs = this.#init.clock.now();
    const running = this.#take(sourceId, watched, isAnnotated).finally(() => {
      watched.isTaking = false;
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  /** Never rejects. */
  async #take(sourceId: string, watched: Watched, isAnnotated: boolean): Promise<void> {
    const { take, onSnapshot, logger } = this.#init;
    const { signal } = this.#closing;
    try {
      const jpeg = await this.#turns.run(() => take(sourceId, isAnnotated, signal), signal);
      if (this.#watched.get(sourceId) === watched) onSnapshot(sourceId, jpeg);
    } catch (error) {
      if (signal.aborted) return;
      // A source that is away, or a busy server: the next change brings another one.
      const isOrdinary = error instanceof MediaPeerError;
      logger[isOrdinary ? 'debug' : 'warn']({ sourceId, err: error }, 'no snapshot for the broker');
    }
  }
}

function hasChanged(before: readonly TrackedObject[], now: readonly TrackedObject[], movedPx: number): boolean {
  if (before.length !== now.length) return true;
  const places = new Map(before.map(({ objectId, box }) => [objectId, box]));
  return now.some(({ objectId, box: [x, y, width, height] }) => {
    const place = places.get(objectId);
    if (!place) return true;
    const [left, top, w, h] = place;
    return Math.hypot(x + width / 2 - left - w / 2, y + height / 2 - top - h / 2) > movedPx;
  });
}
