/**
 * Events as Server-Sent Events, for one reader: first what the store holds after the event that it saw last, then each as it
 * happens. None is left out and none comes twice. A reader that does not keep up is ended, and goes on where it was when it is back.
 */
import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.js';
import { eventMessage, type EventQuery, type StoredEvent } from '../store/index.js';

/** What one reader reads. */
export interface EventStreamInit {
  readonly clock: Clock;
  /** Id of the event that the reader saw last; undefined: it wants what happens from now on. */
  readonly afterId: number | undefined;
  /** What of the store it may want: what it reads there besides, `wants` leaves out. */
  readonly filter: Pick<EventQuery, 'types' | 'sourceIds' | 'labels' | 'zones' | 'lines'>;
  /** Whether the reader wants an event, and may have it. */
  readonly wants: (event: StoredEvent) => boolean;
  /** What the store holds. */
  readonly query: (query: EventQuery) => Promise<StoredEvent[]>;
  /** Calls `listener` with each event from now on, until the returned function is called. */
  readonly onAdded: (listener: (event: StoredEvent) => void) => () => void;
  /** Bytes that wait in the socket. */
  readonly pendingBytes: () => number;
  /** Called once, when the stream has ended. */
  readonly onClosed: () => void;
}

/** Of what has happened, in one answer of the store. */
const PAGE = 500;
/** What a reader may leave unread. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** Keeps proxies from closing a quiet connection. */
const HEARTBEAT_MS = 15_000;

/** One reader's events. */
export class EventStream extends Readable {
  readonly #init: EventStreamInit;
  readonly #release: () => void;
  #lastId: number;
  /** False while it is given what has happened before. */
  #isLive: boolean;
  /** How much has happened that was not told: the answer of the store may not hold it. */
  #untold = 0;
  #isOver = false;
  #read = (): void => undefined;

  constructor(init: EventStreamInit) {
    super({ highWaterMark: MAX_UNREAD_BYTES });
    this.#init = init;
    this.#lastId = init.afterId ?? 0;
    this.#isLive = init.afterId === undefined;
    this.push(': events follow\n\n');
    const stopListening = init.onAdded((event) => this.#onAdded(event));
    const heartbeat = init.clock.every(HEARTBEAT_MS, () => {
      if (this.#unreadBytes <= MAX_UNREAD_BYTES) this.push(': still here\n\n');
    });
    this.#release = () => {
      if (this.#isOver) return;
      this.#isOver = true;
      heartbeat.cancel();
      stopListening();
      this.#read();
      init.onClosed();
    };
    if (!this.#isLive) this.#catchUp().catch(() => this.end('store-failed'));
  }

  /** Tells the reader why there is no more. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#release();
    this.push(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.push(null);
  }

  override _read(): void {
    this.#read();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#release();
    callback(error);
  }

  get #unreadBytes(): number {
    return this.readableLength + this.#init.pendingBytes();
  }

  /** As fast as it is read. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const untold = this.#untold;
      const page = await this.#init.query({ ...this.#init.filter, afterId: this.#lastId, limit: PAGE });
      if (this.#isOver) return;
      for (const event of page) this.#tell(event);
      if (page.length < PAGE && this.#untold === untold) break;
      if (this.readableLength >= MAX_UNREAD_BYTES) await new Promise<void>((resolve) => (this.#read = resolve));
    }
    this.#isLive = true;
  }

  #onAdded(event: StoredEvent): void {
    if (!this.#isLive) this.#untold++;
    else if (this.#unreadBytes > MAX_UNREAD_BYTES) this.end('too-slow');
    else this.#tell(event);
  }

  #tell(event: StoredEvent): void {
    this.#lastId = event.id;
    if (!this.#init.wants(event)) return;
    this.push(`event: ${event.type}\nid: ${event.id}\ndata: ${JSON.stringify(eventMessage(event))}\n\n`);
  }
}
