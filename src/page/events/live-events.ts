/** Events as they happen, also over connections that are lost: none is left out. */
import { signal } from '@preact/signals';
import { addressOf } from '../api/address.js';
import { queryText, type EventQuery, type ServerEvent } from '../api/events.js';

/** A stream that ended is opened again after so long. */
const AGAIN_MS = 5_000;

/** Of one query, until `close`. */
export class LiveEvents {
  /** It is connected. */
  readonly isOpen = signal(false);
  readonly #query: EventQuery;
  readonly #types: readonly string[];
  readonly #onEvent: (event: ServerEvent) => void;
  #stream: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastId: string | undefined;

  /** @param types that may come @param afterId of the newest event that is known: what has happened since is told as well */
  constructor(query: EventQuery, types: readonly string[], afterId: string | undefined, onEvent: (event: ServerEvent) => void) {
    this.#query = query;
    this.#types = types;
    this.#lastId = afterId;
    this.#onEvent = onEvent;
    this.#open();
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = undefined;
    this.isOpen.value = false;
  }

  #open(): void {
    const stream = new EventSource(addressOf(`/events/stream${queryText({ ...this.#query, after: this.#lastId })}`));
    this.#stream = stream;
    stream.onopen = () => (this.isOpen.value = true);
    stream.onerror = () => {
      this.isOpen.value = false;
      // Of itself it tries again, but not where it was refused.
      if (stream.readyState === EventSource.CLOSED) this.#later();
    };
    stream.addEventListener('end', () => this.#later());
    for (const type of this.#types) stream.addEventListener(type, (message: MessageEvent<string>) => this.#take(message));
  }

  #take({ data, lastEventId }: MessageEvent<string>): void {
    this.#lastId = lastEventId;
    this.#onEvent(JSON.parse(data) as ServerEvent);
  }

  #later(): void {
    this.close();
    this.#timer = setTimeout(() => this.#open(), AGAIN_MS);
  }
}
