/** What is seen in all sources that are recorded, for search and timelines. */
import type { Clock, Timer } from '../base/clock.js';
import type { SeenEntry } from '../store/index.js';
import { SourceSeenLog, type SeenLog } from './seen-log.js';

/** A source that falls silent is looked at so often. */
const LOOK_MS = 5000;
/** Rows that are too old go so often. */
const SWEEP_MS = 3_600_000;
/** Where recordings are bounded by size alone, what was seen beside them is not kept forever. */
const MAX_AGE_MS = 30 * 86_400_000;

/** Where rows go. */
export interface SeenObjectsInit {
  /** Never waits. */
  readonly keep: (entry: SeenEntry) => void;
  /** Of the newest row that there is; 0: none. */
  readonly lastId: number;
  /** How long recordings are kept, in milliseconds; Infinity: they are bounded by size alone. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
}

/** All logs that are open. */
export class SeenObjects {
  readonly #init: SeenObjectsInit;
  readonly #logs = new Set<SourceSeenLog>();
  #lastId: number;
  #looking: Timer | undefined;
  #sweptMs = -Infinity;

  constructor(init: SeenObjectsInit) {
    this.#init = init;
    this.#lastId = init.lastId;
  }

  /** Begins a log of one feed of detections. Close it. */
  open(sourceId: string): SeenLog {
    const log = new SourceSeenLog({ sourceId, keep: this.#init.keep, nextId: () => this.#nextId() });
    this.#logs.add(log);
    this.#looking ??= this.#init.clock.every(LOOK_MS, () => this.#look());
    return {
      take: (wallMs, detections) => log.take(wallMs, detections),
      close: () => {
        log.close();
        this.#logs.delete(log);
        if (this.#logs.size === 0) this.#stop();
      },
    };
  }

  /** Forgets what was seen last in a stretch of Unix milliseconds, the end not in it. */
  forget(sourceId: string, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
    this.#init.keep({ kind: 'forget-seen', sourceId, fromMs, toMs });
  }

  /** Writes what is open. Idempotent. */
  close(): void {
    for (const log of this.#logs) log.close();
    this.#logs.clear();
    this.#stop();
  }

  #look(): void {
    const { clock, keep, maxAgeMs } = this.#init;
    const nowMs = clock.wallClock();
    for (const log of this.#logs) log.writeDue(nowMs);
    if (clock.now() - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = clock.now();
    keep({ kind: 'sweep-seen', beforeMs: nowMs - Math.min(maxAgeMs, MAX_AGE_MS) });
  }

  #stop(): void {
    this.#looking?.cancel();
    this.#looking = undefined;
  }

  #nextId(): number {
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(this.#init.clock.wallClock() * 1000));
    return this.#lastId;
  }
}
