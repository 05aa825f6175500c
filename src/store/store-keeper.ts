/**
 * Keeps the store in its file: groups what is written, heals what can be healed, removes what is too old or too much. Blocks
 * while it works, a few milliseconds at a time.
 */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { DatabaseError } from './database.js';
import { EventTables, type Entry } from './event-tables.js';
import { closeStoreFile, type OpenedFile } from './store-file.js';
import type { EventRetention } from './event.js';
import type { Answers, Question, StoreReply } from './store-messages.js';
import { countUnwritten, unwrittenSources, unwrittenStill, withUnwritten } from './unwritten.js';

/** What one commit takes in; nothing waits longer for it. */
const GROUP_MS = 100;
/** A disk that was full is tried again. */
const RETRY_MS = 1000;
const PRUNE_MS = 60_000;
/** Between two slices others have their turn. */
const SLICE_PAUSE_MS = 20;
const SLICE = 500;
/** Of a store that is too large: not much more than is too much. */
const SMALL_SLICE = 50;

/** Where it is kept, and who hears of it. */
export interface StoreKeeperInit {
  /** Opens the file; called again, with what is wrong, where it turns out to be damaged. @throws DatabaseError, or a system error where the folder cannot be used */
  readonly open: (damage?: string) => OpenedFile;
  /** How much is kept. */
  readonly retention: EventRetention;
  readonly clock: Clock;
  /** Sends a message to the server. */
  readonly tell: (reply: StoreReply) => void;
}

/** One open store. */
export class StoreKeeper {
  readonly #init: StoreKeeperInit;
  /** Undefined where a new file could not be begun for one that is damaged: the next try opens it. */
  #file: OpenedFile | undefined;
  #tables!: EventTables;
  /** What is not written yet. */
  readonly #pending: Entry[] = [];
  /** True while the disk does not take it: then it is tried once a second, and not for each question. */
  #isStuck = false;
  #writing: Timer | undefined;
  #pruning: Timer | undefined;

  /** Opens the file and says that it is ready, or begun anew. @throws DatabaseError, or a system error where the folder cannot be used */
  constructor(init: StoreKeeperInit) {
    this.#init = init;
    this.#open();
    this.#healing(() => init.tell({ kind: 'ready', lastId: this.#tables.lastId(), counts: this.#tables.counts() }));
    this.#pruneAfter(0);
  }

  /** Written with the next group. */
  write(entry: Entry): void {
    this.#pending.push(entry);
    this.#writing ??= this.#init.clock.after(GROUP_MS, () => this.#flush());
  }

  /** Of the file and of what waits for the disk. @throws DatabaseError */
  ask(question: Question): Answers[Question['kind']] {
    if (!this.#isStuck) this.#flush();
    return this.#healing(() => {
      switch (question.kind) {
        case 'events':
          return withUnwritten(this.#tables.query(question.query), this.#pending, question.query);
        case 'still':
          return this.#tables.still(question.eventId) ?? unwrittenStill(this.#pending, question.eventId);
        case 'sources':
          return [...new Set([...this.#tables.sources(), ...unwrittenSources(this.#pending)])].sort();
        case 'positions':
          return this.#tables.positions(question.reader);
        case 'count-after': {
          const { sourceId, afterId } = question;
          return this.#tables.countAfter(sourceId, afterId) + countUnwritten(this.#pending, sourceId, afterId);
        }
        case 'note':
          return this.#tables.note(question.name);
        case 'seen':
        case 'seen-steps':
        case 'seen-density':
        case 'seen-labels':
        case 'last-seen-id':
          return this.#tables.seen.answer(question);
        default:
          return this.#tables.recordings.answer(question);
      }
    });
  }

  /** Writes what waits, as far as the disk takes it, and gives the file back. */
  close(): void {
    this.#flush();
    this.#writing?.cancel();
    this.#pruning?.cancel();
    if (this.#file) closeStoreFile(this.#file.database);
  }

  #open(damage?: string): void {
    const file = this.#init.open(damage);
    this.#file = file;
    this.#tables = new EventTables(file.database);
    if (file.setAside) this.#init.tell({ kind: 'set-aside', setAside: file.setAside });
  }

  #flush(): void {
    this.#writing?.cancel();
    this.#writing = undefined;
    if (this.#pending.length === 0) return;
    try {
      this.#writePending();
      this.#init.tell({ kind: 'written', entries: this.#pending.length });
      this.#pending.length = 0;
      this.#isStuck = false;
    } catch (error) {
      this.#isStuck = true;
      this.#trouble(error);
      this.#writing = this.#init.clock.after(RETRY_MS, () => this.#flush());
    }
  }

  /** What can be written is not kept out by what cannot. */
  #writePending(): void {
    try {
      this.#healing(() => this.#tables.write(this.#pending));
    } catch (error) {
      const left = isOfTheDisk(error) ? this.#pending.length : this.#writeSingly();
      if (left === this.#pending.length) throw error;
      this.#init.tell({ kind: 'left-out', entries: left, reason: messageOf(error) });
    }
  }

  /** @returns how many could not be written */
  #writeSingly(): number {
    return this.#pending.filter((entry) => {
      try {
        this.#healing(() => this.#tables.write([entry]));
        return false;
      } catch (error) {
        // Those that are written come once more with the rest then, under the same ids.
        if (isOfTheDisk(error)) throw error;
        return true;
      }
    }).length;
  }

  /** Begins a new file where this one turns out to be damaged. */
  #healing<T>(work: () => T): T {
    if (!this.#file) this.#open();
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.fault !== 'corrupt' || !this.#file) throw error;
      closeStoreFile(this.#file.database);
      this.#file = undefined;
      this.#open(error.message);
      return work();
    }
  }

  #pruneAfter(delayMs: number): void {
    this.#pruning = this.#init.clock.after(delayMs, () => this.#prune());
  }

  #prune(): void {
    let isDone = true;
    try {
      isDone = this.#healing(() => this.#pruneSlice()) === 0;
    } catch (error) {
      this.#trouble(error);
    }
    this.#pruneAfter(isDone ? PRUNE_MS : SLICE_PAUSE_MS);
  }

  /** How many were removed. */
  #pruneSlice(): number {
    const { maxAgeMs, maxBytes } = this.#init.retention;
    const tooOld = this.#tables.removeOldest(SLICE, this.#init.clock.wallClock() - maxAgeMs);
    const removed = tooOld.events > 0 || !this.#isTooMuch(maxBytes) ? tooOld : this.#tables.removeOldest(SMALL_SLICE);
    if (removed.events > 0) this.#tables.shrink();
    if (removed.unread > 0) this.#init.tell({ kind: 'removed-unread', events: removed.unread });
    return removed.events;
  }

  /** The index of recordings goes with them, not with events. */
  #isTooMuch(maxBytes: number): boolean {
    const usedBytes = this.#tables.usedBytes();
    return usedBytes > maxBytes && usedBytes - this.#tables.recordings.usedBytes() - this.#tables.seen.usedBytes() > maxBytes;
  }

  #trouble(error: unknown): void {
    this.#init.tell({ kind: 'trouble', isFull: error instanceof DatabaseError && error.fault === 'full', reason: messageOf(error) });
  }
}

/** What another try may take. */
function isOfTheDisk(error: unknown): boolean {
  return error instanceof DatabaseError ? error.fault !== 'failed' : error instanceof Error && 'code' in error && 'syscall' in error;
}
