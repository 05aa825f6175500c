/** The store's thread as the server sees it: writes are handed over and counted, questions are answered. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MediaPeerError } from '../base/errors.js';
import type { ResourceLedger } from '../base/resources.js';
import type { Entry } from './event-tables.js';
import type { Answers, Question, StoreInit, StoreReply, StoreRequest } from './store-messages.js';

/** What the thread tells by itself. */
type Report = Extract<StoreReply, { readonly kind: 'set-aside' | 'left-out' | 'removed-unread' | 'trouble' }>;

/** Which store, and who hears of its troubles. */
export interface StoreThreadInit extends StoreInit {
  readonly ledger: ResourceLedger;
  /** Called for what an operator should know. */
  readonly onReport: (report: Report) => void;
  /** The thread has ended by itself: nothing is kept any more. */
  readonly onCrash: (error: unknown) => void;
}

/** The folder cannot be used. */
export class StoreRefusedError extends Error {
  override readonly name = 'StoreRefusedError';
  /** Another process has the file. */
  readonly isBusy: boolean;

  constructor({ isBusy, reason }: Extract<StoreReply, { readonly kind: 'refused' }>) {
    super(reason);
    this.isBusy = isBusy;
  }
}

interface Asked {
  readonly resolve: (answer: Answers[Question['kind']]) => void;
  readonly reject: (error: MediaPeerError) => void;
}

/** One thread with one open file. */
export class StoreThread {
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;
  readonly #asked = new Map<number, Asked>();
  /** Sizes of what is not written yet, in order. */
  readonly #unwritten: number[] = [];
  #unwrittenBytes = 0;
  #lastNumber = 0;
  #isOver = false;
  #lastId = 0;
  #counts: ReadonlyMap<string, string> = new Map();

  /** @throws StoreRefusedError */
  static async open(init: StoreThreadInit): Promise<StoreThread> {
    const thread = new StoreThread(init);
    try {
      await thread.#ready;
    } catch (error) {
      await thread.#exited;
      throw error;
    }
    return thread;
  }

  readonly #ready: Promise<void>;

  private constructor({ folder, retention, ledger, onReport, onCrash }: StoreThreadInit) {
    const release = ledger.acquire('workers');
    this.#worker = new Worker(new URL('./store-worker.js', import.meta.url), {
      workerData: { folder, retention } satisfies StoreInit,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.#exited = once(this.#worker, 'exit').catch(() => undefined);
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: StoreReply) => {
        if (reply.kind === 'ready') {
          this.#lastId = reply.lastId;
          this.#counts = new Map(reply.counts);
          resolve();
        } else if (reply.kind === 'refused') reject(new StoreRefusedError(reply));
        else if (reply.kind === 'written' || reply.kind === 'answer' || reply.kind === 'failed') this.#take(reply);
        else onReport(reply);
      });
      this.#worker.on('error', (error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
        this.#over();
        onCrash(error);
      });
      this.#worker.on('exit', () => {
        release();
        this.#over();
      });
    });
  }

  /** Of the newest event when it was opened; 0 where there was none. */
  get lastId(): number {
    return this.#lastId;
  }

  /** What was kept last of each source, when it was opened. */
  get counts(): ReadonlyMap<string, string> {
    return this.#counts;
  }

  /** Entries that are not written yet. */
  get unwritten(): number {
    return this.#unwritten.length;
  }

  /** Bytes of entries that are not written yet, roughly. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  /** False where the thread has ended. */
  write(entry: Entry): boolean {
    if (this.#isOver) return false;
    const bytes = entry.kind === 'still' ? entry.jpeg.byteLength : 0;
    this.#unwritten.push(bytes);
    this.#unwrittenBytes += bytes;
    this.#post({ kind: 'write', entry });
    return true;
  }

  /** What was written before is in the answer. @throws MediaPeerError STORE_FAILED */
  ask<K extends Question['kind']>(question: Extract<Question, { readonly kind: K }>): Promise<Answers[K]> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(storeFailed('it has ended'));
      const number = ++this.#lastNumber;
      this.#asked.set(number, { resolve: (answer) => resolve(answer as Answers[K]), reject });
      this.#post({ kind: 'ask', number, question });
    });
  }

  /** Everything is in the file when this resolves. */
  async close(): Promise<void> {
    if (!this.#isOver) this.#post({ kind: 'end' });
    await this.#exited;
  }

  #post(request: StoreRequest): void {
    this.#worker.postMessage(request);
  }

  #take(reply: Exclude<StoreReply, Report | { readonly kind: 'ready' | 'refused' }>): void {
    if (reply.kind === 'written') {
      for (const bytes of this.#unwritten.splice(0, reply.entries)) this.#unwrittenBytes -= bytes;
      return;
    }
    const asked = this.#asked.get(reply.number);
    this.#asked.delete(reply.number);
    if (reply.kind === 'answer') asked?.resolve(reply.answer);
    else asked?.reject(storeFailed(reply.reason));
  }

  #over(): void {
    this.#isOver = true;
    for (const { reject } of this.#asked.values()) reject(storeFailed('it has ended'));
    this.#asked.clear();
  }
}

function storeFailed(why: string): MediaPeerError {
  return new MediaPeerError('STORE_FAILED', `the store of events could not answer (${why}); the log says more`);
}
