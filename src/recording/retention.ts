/** What is too old or too much goes, the oldest first; what is to be kept stays, whatever its age. */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { RecordingIndex } from '../store/index.js';
import type { Archive } from './archive.js';
import type { Keeps } from './keeps.js';
import type { RecordedSegment } from './recorded.js';
import { overlaps } from './stretches.js';

/** How much is kept. */
export interface RetentionInit {
  /** What there is. */
  readonly archive: Pick<Archive, 'totals' | 'recorded' | 'forget'>;
  /** Where it is asked what is oldest. */
  readonly index: Pick<RecordingIndex, 'ask'>;
  /** What stays, whatever the index names: it may not have heard of it yet. */
  readonly keeps: Pick<Keeps, 'holding'>;
  /** Of a segment since its end, ms; Infinity: however old. */
  readonly maxAgeMs: number;
  /** Of all segments together; Infinity: however much. */
  readonly maxBytes: number;
  /** Removes a segment with what lies beside it. @throws Error of the system */
  readonly removeFiles: (file: string) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_MS = 60_000;
/** At a time: others have their turn between. */
const SLICE = 50;
/** A clock that was set forward by more than that may be wrong: nothing goes for its age for as long. */
const MAX_STEP_MS = 3_600_000;
const WARN_MS = 600_000;

/** Removes what is too old or too much, until it is closed. */
export class Retention {
  readonly #init: RetentionInit;
  #timer: Timer | undefined;
  #skewMs: number;
  #trustsClockFromMs = -Infinity;
  #warnedMs = -Infinity;
  /** Of this look: files that cannot be removed, or are to be kept, as the others behind them still can, and those that are gone, which a store that is full names again. */
  readonly #done = new Set<number>();
  #stuck = 0;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(init: RetentionInit) {
    this.#init = init;
    this.#skewMs = init.clock.wallClock() - init.clock.now();
  }

  /** Removes what has to go, now and from now on. */
  begin(): void {
    this.#timer ??= this.#init.clock.every(LOOK_MS, () => void this.look());
    void this.look();
  }

  /** Removes what has to go now. Never rejects. */
  look(): Promise<void> {
    this.#last = this.#last.then(() => this.#look()).catch((error: unknown) => this.#warn(error));
    return this.#last;
  }

  /** Resolves when nothing is being removed any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#last;
  }

  async #look(): Promise<void> {
    const { clock, maxAgeMs, maxBytes, archive } = this.#init;
    this.#done.clear();
    this.#stuck = 0;
    this.#watchClock();
    if (maxAgeMs < Infinity && clock.now() >= this.#trustsClockFromMs)
      while ((await this.#removeOldest(clock.wallClock() - maxAgeMs)) !== undefined);
    if (maxBytes === Infinity) return;
    for (let over = (await archive.totals()).bytes - maxBytes; over > 0;) {
      const freed = await this.#removeOldest(undefined, over);
      if (freed === undefined) return;
      over -= freed;
    }
  }

  /** Bytes that became free; undefined where there was nothing to remove. @param bytes no more than that needs to go */
  async #removeOldest(beforeMs: number | undefined, bytes = Infinity): Promise<number | undefined> {
    if (this.#isOver()) return undefined;
    const { index, archive } = this.#init;
    const rows = await index.ask({ kind: 'oldest-segments', beforeMs, limit: SLICE + this.#stuck });
    const oldest = archive.recorded(rows).filter(({ id }) => !this.#done.has(id));
    let freed = 0;
    const gone: RecordedSegment[] = [];
    for (const segment of oldest) {
      if (freed >= bytes || this.#isOver()) break;
      this.#done.add(segment.id);
      if (!(await this.#remove(segment))) continue;
      gone.push(segment);
      freed += segment.bytes;
    }
    archive.forget(gone);
    return oldest.length === 0 ? undefined : freed;
  }

  async #remove(segment: RecordedSegment): Promise<boolean> {
    const { keeps, removeFiles } = this.#init;
    try {
      const isGone = await keeps.holding(segment.sourceId, async (kept) => {
        if (kept.some((range) => overlaps(range, segment))) return false;
        await removeFiles(segment.file);
        return true;
      });
      if (!isGone) this.#stuck++;
      return isGone;
    } catch (error) {
      this.#stuck++;
      this.#warn(error);
      return false;
    }
  }

  #isOver(): boolean {
    return this.#isClosed;
  }

  #watchClock(): void {
    const { clock, logger } = this.#init;
    const skewMs = clock.wallClock() - clock.now();
    const stepMs = skewMs - this.#skewMs;
    this.#skewMs = skewMs;
    if (stepMs <= MAX_STEP_MS) return;
    this.#trustsClockFromMs = clock.now() + MAX_STEP_MS;
    logger.warn({ stepMs }, 'the clock was set forward: no recording is removed for its age within the next hour');
  }

  #warn(error: unknown): void {
    const { clock, logger } = this.#init;
    if (clock.now() - this.#warnedMs < WARN_MS) return;
    this.#warnedMs = clock.now();
    logger.warn(
      { err: error, reason: messageOf(error) },
      'recordings that are too old or too much cannot be removed; let the server write RECORD_DIR',
    );
  }
}
