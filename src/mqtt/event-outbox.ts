/**
 * Events on their way to the broker. They wait in the store, where they are kept anyway: here is only how far each source has come.
 * One message of a source is under way at a time, so its order holds, and the position moves when the broker has it: what was under
 * way when a connection or the server ended is published again, under the same event id.
 */
import { unlessAborted } from '../base/abort.js';
import { Backoff } from '../base/backoff.js';
import { delay, type Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Turns } from '../base/turns.js';
import { eventMessage, type EventStore, type StoredEvent } from '../store/index.js';
import type { BrokerLink } from './broker-link.js';
import type { Topics } from './topics.js';
import { BrokerError } from './trouble.js';

/** The name of our positions in the store. */
export const READER = 'mqtt';

/** What events are read from and published to. */
export interface EventOutboxInit {
  /** Where events wait. */
  readonly events: Pick<
    EventStore,
    'query' | 'sources' | 'countAfter' | 'positions' | 'keepPosition' | 'forgetReader' | 'onAdded' | 'lastId'
  >;
  /** The broker. */
  readonly link: Pick<BrokerLink, 'publish' | 'whenConnected'>;
  /** Where they go. */
  readonly topics: Topics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The events of one source, or of those that are about none. */
interface Lane {
  readonly sourceId: string | undefined;
  /** Id of the last event that the broker has. */
  lastId: number;
  /** Id of the newest event. */
  newestId: number;
  /** Events between the two. */
  waiting: number;
  isRunning: boolean;
}

/** Events that are read at a time; the position is kept after as many. */
const PAGE = 50;
/** Sources whose events are under way at the same time. */
const MAX_LANES = 32;
/** Positions of sources that have nothing to say any more are joined from so many on. */
const MAX_IDLE_LANES = 1000;
const REFUSED = { firstMs: 1000, maxMs: 60_000, stableMs: Infinity };
const WARN_INTERVAL_MS = 60_000;

/** Publishes every event, in order, until the broker has it. */
export class EventOutbox {
  readonly #init: EventOutboxInit;
  readonly #turns = new Turns({ atOnce: MAX_LANES, maxWaiting: Infinity, what: 'sources with events' });
  readonly #lanes = new Map<string | undefined, Lane>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #stopListening: () => void;
  #others: number;
  #published = 0;
  #skipped = 0;
  #warnedMs = -Infinity;
  #lastRefusal: string | undefined;

  /** Takes up what an earlier server did not get rid of; whoever is here for the first time begins with what happens from now on. @throws MediaPeerError STORE_FAILED */
  static async open(init: EventOutboxInit): Promise<EventOutbox> {
    const { events } = init;
    const startId = events.lastId;
    const { bySource, others } = await events.positions(READER);
    if (others === undefined) events.keepPosition(READER, 'others', startId);
    const outbox = new EventOutbox(init, others ?? startId);
    for (const [sourceId, lastId] of bySource) outbox.#lane(sourceId).lastId = lastId;
    for (const sourceId of [...(await events.sources()), undefined]) await outbox.#takeUp(sourceId, startId);
    outbox.#joinIdle();
    return outbox;
  }

  private constructor(init: EventOutboxInit, others: number) {
    this.#init = init;
    this.#others = others;
    this.#stopListening = init.events.onAdded(({ sourceId, id }) => {
      const lane = this.#lane(sourceId);
      lane.newestId = id;
      lane.waiting++;
      this.#wake(lane);
    });
  }

  /** Events that the broker has taken since the start. */
  get published(): number {
    return this.#published;
  }

  /** Events that wait. */
  get queued(): number {
    return [...this.#lanes.values()].reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Why the broker did not take an event, while that lasts. */
  get lastRefusal(): string | undefined {
    return this.#lastRefusal;
  }

  /** Stops publishing; what the broker does not have is published after the next start. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  #lane(sourceId: string | undefined): Lane {
    const known = this.#lanes.get(sourceId);
    if (known) return known;
    const lane: Lane = { sourceId, lastId: this.#others, newestId: 0, waiting: 0, isRunning: false };
    this.#lanes.set(sourceId, lane);
    return lane;
  }

  async #takeUp(sourceId: string | undefined, newestId: number): Promise<void> {
    const lane = this.#lane(sourceId);
    const left = await this.#init.events.countAfter(sourceId, lane.lastId);
    if (left === 0) return;
    lane.newestId = Math.max(lane.newestId, newestId);
    lane.waiting = Math.max(lane.waiting, left);
    this.#wake(lane);
  }

  #wake(lane: Lane): void {
    if (lane.isRunning || this.#closing.signal.aborted) return;
    lane.isRunning = true;
    const running = this.#run(lane).finally(() => {
      lane.isRunning = false;
      this.#running.delete(running);
      // What came between the last look and this line.
      if (lane.newestId > lane.lastId) this.#wake(lane);
      else this.#joinIdle();
    });
    this.#running.add(running);
  }

  /** Publishes what a source has, page by page, in turn with the others. Never rejects. */
  async #run(lane: Lane): Promise<void> {
    const { link, clock } = this.#init;
    const { signal } = this.#closing;
    const backoff = new Backoff(REFUSED);
    while (!signal.aborted) {
      const outcome = await this.#turns.run(() => this.#publishPage(lane));
      if (outcome === 'done') return;
      if (outcome === 'lost') await link.whenConnected(signal);
      if (outcome === 'refused') await delay(clock, backoff.next(0), signal);
    }
  }

  async #publishPage(lane: Lane): Promise<Outcome> {
    const { events } = this.#init;
    const { sourceId, lastId, newestId } = lane;
    try {
      const of = sourceId === undefined ? { isOfNoSource: true } : { sourceIds: [sourceId] };
      const page = await events.query({ ...of, afterId: lastId, limit: PAGE });
      for (const event of page) {
        await this.#publish(event);
        lane.lastId = event.id;
        lane.waiting = Math.max(0, lane.waiting - 1);
      }
      if (page.length === PAGE) return 'more';
      // Where there are fewer than were counted, the others were not kept.
      lane.lastId = Math.max(lane.lastId, newestId);
      if (lane.newestId <= lane.lastId) lane.waiting = 0;
      this.#lastRefusal = undefined;
      return 'done';
    } catch (error) {
      return this.#failed(sourceId, error);
    } finally {
      if (lane.lastId !== lastId) events.keepPosition(READER, { sourceId }, lane.lastId);
    }
  }

  async #publish(event: StoredEvent): Promise<void> {
    const { link, topics } = this.#init;
    this.#closing.signal.throwIfAborted();
    const payload = JSON.stringify(eventMessage(event));
    try {
      // A broker that acknowledges nothing keeps nobody from ending: the event is published again after the next start.
      await unlessAborted(link.publish({ topic: topics.events(event.sourceId), payload, retain: false }), this.#closing.signal);
      this.#published++;
    } catch (error) {
      if (!isForGood(error)) throw error;
      this.#skipped++;
      this.#warn(
        { sourceId: event.sourceId, reason: messageOf(error), skippedEvents: this.#skipped },
        'the broker takes no event like this one; it is left out',
      );
    }
  }

  #warn(facts: object, message: string): void {
    const { clock, logger } = this.#init;
    if (clock.now() - this.#warnedMs < WARN_INTERVAL_MS) return;
    this.#warnedMs = clock.now();
    logger.warn(facts, message);
  }

  #failed(sourceId: string | undefined, error: unknown): Outcome {
    if (this.#closing.signal.aborted || (error instanceof BrokerError && error.fault === 'lost')) return 'lost';
    this.#lastRefusal = messageOf(error);
    this.#warn({ sourceId, reason: this.#lastRefusal, queuedEvents: this.queued }, 'the broker does not take an event; trying again');
    return 'refused';
  }

  /** Names come and go (rooms): where nothing waits, one position holds for all. */
  #joinIdle(): void {
    // While it closes, lanes that have events do not run either.
    if (this.#lanes.size <= MAX_IDLE_LANES || this.#running.size > 0 || this.#closing.signal.aborted) return;
    const { events } = this.#init;
    this.#lanes.clear();
    this.#others = events.lastId;
    events.forgetReader(READER);
    events.keepPosition(READER, 'others', this.#others);
  }
}

/** About the message itself, whoever mends the rights: its size (149), or what is in it (153). Those behind it would wait for ever. */
function isForGood(error: unknown): boolean {
  return error instanceof BrokerError && error.fault === 'refused' && (error.reasonCode === 149 || error.reasonCode === 153);
}

/** What became of a page: all of it is published, and there may be more or nothing; or it is tried again, once the broker is back or later. */
type Outcome = 'more' | 'done' | 'lost' | 'refused';
