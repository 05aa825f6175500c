/**
 * Events, their stills and what zones and lines have counted, kept over restarts. Whoever adds never waits: a thread of its
 * own writes, within 200 ms. What it does not get rid of is bounded; beyond that new events are told to listeners and not kept.
 */
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { Listeners } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import type { ResourceLedger } from '../base/resources.js';
import type { EventFacts, EventQuery, EventRetention, EventStill, ReadPositions, StoredEvent } from './event.js';
import type { Entry, Positioned } from './event-tables.js';
import { RecordingIndex } from './recording-index.js';
import type { SeenAnswers, SeenEntry, SeenQuestion } from './seen.js';
import { StoreRefusedError, StoreThread } from './store-thread.js';

/** Where events are kept, and how long. */
export interface EventStoreInit {
  /** Absolute path of a folder; made where it is missing. */
  readonly stateDir: string;
  /** True where somebody chose the folder: then one that cannot be used is a fault. Else events are kept in memory, and a warning says so. */
  readonly isChosen: boolean;
  /** How much is kept. */
  readonly retention: EventRetention;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
}

/** What may wait for the disk. */
const MAX_UNWRITTEN = 10_000;
const MAX_UNWRITTEN_BYTES = 16 * 1024 * 1024;
/** Where there is no disk. */
const MAX_MEMORY_BYTES = 32 * 1024 * 1024;
const WARN_INTERVAL_MS = 60_000;
/** A disk that hangs keeps no server from ending. */
const CLOSE_MS = 5_000;

/** All events of the server. */
export class EventStore {
  /** What was recorded. */
  readonly recordings: RecordingIndex;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #added: Listeners<StoredEvent>;
  readonly #begunAnew: Listeners;
  readonly #warnedMs = new Map<string, number>();
  /** Stills that are not made yet. */
  readonly #making = new Set<Promise<void>>();
  #thread!: StoreThread;
  #lastId = 0;
  #lost = 0;
  #removedUnread = 0;

  /** @throws MediaPeerError CONFIG_INVALID where a folder that somebody chose cannot be used */
  static async open(init: EventStoreInit): Promise<EventStore> {
    const store = new EventStore(init);
    try {
      await store.#start(init, init.stateDir);
    } catch (error) {
      const why = whyRefused(init.stateDir, error);
      if (init.isChosen) throw new MediaPeerError('CONFIG_INVALID', why, { cause: error });
      init.logger.warn({ stateDir: init.stateDir }, `${why}; until then events and counts are kept in memory and end with the server`);
      await store.#start({ ...init, retention: { ...init.retention, maxBytes: MAX_MEMORY_BYTES } }, undefined);
    }
    return store;
  }

  private constructor({ clock, logger }: EventStoreInit) {
    this.#clock = clock;
    this.#logger = logger;
    this.#added = new Listeners(logger, 'events');
    this.#begunAnew = new Listeners(logger, 'the store');
    this.recordings = new RecordingIndex({ write: (entry) => this.#write(entry), ask: (question) => this.#thread.ask(question) });
  }

  /** Keeps an event without a still and tells it to listeners. */
  add(facts: EventFacts): StoredEvent {
    return this.#add(facts, this.#nextId(), undefined);
  }

  /**
   * Keeps what happened in one moment and tells it to listeners.
   * @param still a JPEG of the moment that is being made, kept with its first event; undefined: there is none. Must not reject
   */
  addMoment(facts: readonly EventFacts[], still: Promise<Uint8Array | undefined> | undefined): void {
    let stillId: number | undefined;
    for (const each of facts) {
      const id = this.#nextId();
      if (still) stillId ??= id;
      this.#add(each, id, stillId);
    }
    if (still && stillId !== undefined) this.#keepStill(stillId, still);
  }

  /** The still of the event of that id, once it is made; undefined where it has none, or none any more. @throws MediaPeerError STORE_FAILED */
  async still(eventId: number): Promise<EventStill | undefined> {
    // It may be of any of those that are being made: each takes milliseconds.
    await Promise.all(this.#making);
    return this.#thread.ask<'still'>({ kind: 'still', eventId });
  }

  /** What an earlier server kept of each source. */
  get counts(): ReadonlyMap<string, string> {
    return this.#thread.counts;
  }

  /** Keeps what a source has counted, in the same commit as the events that were added just before. @param state undefined: nothing any more */
  keepCounts(sourceId: string, state: string | undefined): void {
    this.#write({ kind: 'counts', sourceId, state });
  }

  /** Calls `listener` for each event, in order. Call the returned function to stop listening. */
  onAdded(listener: (event: StoredEvent) => void): () => void {
    return this.#added.add(listener);
  }

  /** Calls `listener` when the file turned out to be damaged while the server runs, and a new one, which is empty, was begun. Call the returned function to stop listening. */
  onBegunAnew(listener: () => void): () => void {
    return this.#begunAnew.add(listener);
  }

  /** Everything that was added before is in it, also what waits for the disk. @throws MediaPeerError STORE_FAILED */
  query(query: EventQuery): Promise<StoredEvent[]> {
    return this.#thread.ask<'events'>({ kind: 'events', query });
  }

  /** The sources that there are events of, by name. @throws MediaPeerError STORE_FAILED */
  sources(): Promise<string[]> {
    return this.#thread.ask<'sources'>({ kind: 'sources' });
  }

  /** Of the newest event; 0 where there has been none. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Events that went for their age or size, since the start, before a reader had come to them. */
  get removedUnread(): number {
    return this.#removedUnread;
  }

  /** How far a reader has come that reads all events, also over restarts. @throws MediaPeerError STORE_FAILED */
  positions(reader: string): Promise<ReadPositions> {
    return this.#thread.ask<'positions'>({ kind: 'positions', reader });
  }

  /** A reader is done with everything up to that id. @param of a source, what is about none, or every source without a position of its own */
  keepPosition(reader: string, of: Positioned, lastId: number): void {
    this.#write({ kind: 'position', reader, of, lastId });
  }

  /** There is no such reader any more: what goes before it comes back is not missed. */
  forgetReader(reader: string): void {
    this.#write({ kind: 'reader-gone', reader });
  }

  /** How many events of a source, or about none, there are after that id. @throws MediaPeerError STORE_FAILED */
  countAfter(sourceId: string | undefined, afterId: number): Promise<number> {
    return this.#thread.ask<'count-after'>({ kind: 'count-after', sourceId, afterId });
  }

  /** A text that was kept under that name; undefined where there is none. @throws MediaPeerError STORE_FAILED */
  note(name: string): Promise<string | undefined> {
    return this.#thread.ask<'note'>({ kind: 'note', name });
  }

  /** Keeps a text over restarts, in the place of the one before. */
  keepNote(name: string, text: string): void {
    this.#write({ kind: 'note', name, text });
  }

  /** Keeps what was seen in a recording. */
  keepSeen(entry: SeenEntry): void {
    this.#write(entry);
  }

  /** What was seen in recordings, also what was kept just before. @throws MediaPeerError STORE_FAILED */
  askSeen<K extends SeenQuestion['kind']>(question: Extract<SeenQuestion, { readonly kind: K }>): Promise<SeenAnswers[K]> {
    return this.#thread.ask<SeenQuestion['kind']>(question) as Promise<SeenAnswers[K]>;
  }

  /** Everything is in the file when this resolves, unless the disk does not answer: a warning says so. */
  async close(): Promise<void> {
    this.#added.clear();
    await Promise.all(this.#making);
    let timer: Timer | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = this.#clock.after(CLOSE_MS, () => {
        this.#logger.warn({ waiting: this.#thread.unwritten }, 'the disk of the events does not answer: what waits for it is lost');
        resolve();
      });
    });
    await Promise.race([this.#thread.close(), tooLong]);
    timer?.cancel();
  }

  #nextId(): number {
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(this.#clock.wallClock() * 1000));
    return this.#lastId;
  }

  #add(facts: EventFacts, id: number, stillId: number | undefined): StoredEvent {
    const event: StoredEvent = { ...facts, id, stillId };
    this.#write({ kind: 'event', event });
    this.#added.tell(event);
    return event;
  }

  #keepStill(id: number, still: Promise<Uint8Array | undefined>): void {
    const making = still.then((jpeg) => {
      this.#making.delete(making);
      if (jpeg) this.#write({ kind: 'still', id, jpeg });
    });
    this.#making.add(making);
  }

  async #start({ retention, ledger }: Pick<EventStoreInit, 'retention' | 'ledger'>, folder: string | undefined): Promise<void> {
    this.#thread = await StoreThread.open({
      folder,
      retention,
      ledger,
      onReport: (report) => {
        if (report.kind === 'set-aside') {
          this.#logger.error(report.setAside, 'the store of events cannot be used: it is set aside, and a new one is begun');
          this.#begunAnew.tell();
        } else if (report.kind === 'left-out') this.#logger.error(report, 'events cannot be written and are lost');
        else if (report.kind === 'removed-unread') this.#noteUnread(report.events);
        else
          this.#warn(
            { reason: report.reason },
            report.isFull ? 'disk full: events wait in memory' : 'events cannot be written: they wait in memory',
          );
      },
      onCrash: (error) =>
        this.#logger.error({ err: error }, 'the store of events has crashed: no events are kept until the server is started again'),
    });
    this.#lastId = this.#thread.lastId;
  }

  #write(entry: Entry): void {
    const { unwritten, unwrittenBytes } = this.#thread;
    const hasRoom = unwritten < MAX_UNWRITTEN && (entry.kind !== 'still' || unwrittenBytes < MAX_UNWRITTEN_BYTES);
    if (hasRoom && this.#thread.write(entry)) return;
    this.#lost++;
    this.#warn({ lost: this.#lost, waiting: unwritten }, 'too many events wait for the disk: new ones are not kept');
  }

  #noteUnread(events: number): void {
    this.#removedUnread += events;
    this.#warn({ events: this.#removedUnread }, 'events went for EVENT_RETENTION before they could be handed on');
  }

  #warn(fields: object, message: string): void {
    const now = this.#clock.now();
    if (now - (this.#warnedMs.get(message) ?? -Infinity) < WARN_INTERVAL_MS) return;
    this.#warnedMs.set(message, now);
    this.#logger.warn(fields, message);
  }
}

function whyRefused(stateDir: string, error: unknown): string {
  return error instanceof StoreRefusedError && error.isBusy
    ? `STATE_DIR: '${stateDir}' is in use by another server; give each one a folder of its own`
    : `STATE_DIR: '${stateDir}' cannot be used (${messageOf(error)}); name a folder that the server may write`;
}
