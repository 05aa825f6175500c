/** Looks now and then whether sources that have ended are back, so that what waits for them goes on by itself. */
import { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import type { OpenedSource } from '../../media/index.js';
import type { WatchedSource } from './watched-source.js';

const FIRST_MS = 2_000;

/** Who looks, and who is told. */
export interface SourceReturnsInit {
  readonly clock: Clock;
  /** @throws what keeps it from being watched now */
  readonly open: (sourceId: string) => Promise<OpenedSource>;
  /** It can be watched. */
  readonly onReturned: (source: WatchedSource, opened: OpenedSource) => void;
}

interface Wait {
  readonly backoff: Backoff;
  dueMs: number;
}

/** Of one viewer. */
export class SourceReturns {
  readonly #init: SourceReturnsInit;
  readonly #waits = new Map<WatchedSource, Wait>();

  constructor(init: SourceReturnsInit) {
    this.#init = init;
  }

  /** About once a second. @param sources that are watched; those that have not ended are passed over */
  look(sources: readonly WatchedSource[]): void {
    const now = this.#init.clock.now();
    const ended = sources.filter(({ end }) => end !== undefined);
    for (const source of this.#waits.keys()) if (!ended.includes(source)) this.#waits.delete(source);
    for (const source of ended) {
      const wait = this.#waits.get(source) ?? this.#begin(source, now);
      if (now < wait.dueMs) continue;
      wait.dueMs = Infinity;
      void this.#try(source, wait);
    }
  }

  #begin(source: WatchedSource, now: number): Wait {
    const backoff = new Backoff({ firstMs: FIRST_MS });
    const wait = { backoff, dueMs: now + backoff.next(0) };
    this.#waits.set(source, wait);
    return wait;
  }

  /** Never rejects: what keeps it away was told when it went. */
  async #try(source: WatchedSource, wait: Wait): Promise<void> {
    const { open, clock, onReturned } = this.#init;
    const opened = await open(source.sourceId).catch(() => undefined);
    wait.dueMs = clock.now() + wait.backoff.next(0);
    if (opened) onReturned(source, opened);
  }
}
