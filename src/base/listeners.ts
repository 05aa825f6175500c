/**
 * Those who are told when something happens. A listener that throws is a bug of its own: it is logged, and disturbs neither
 * the other listeners nor whoever tells them.
 */
import type { Logger } from './logger.js';

/** Stops listening. Idempotent. */
export type StopListening = () => void;

/** Listeners of something that happens again and again. */
export class Listeners<Event = void> {
  readonly #logger: Logger;
  readonly #of: string;
  readonly #listeners = new Set<{ readonly listener: (event: Event) => void }>();

  /** @param of what is listened to, for the log: `detections of street` */
  constructor(logger: Logger, of: string) {
    this.#logger = logger;
    this.#of = of;
  }

  /** Calls `listener` with each event from now on, after those who came before it. The same function may be added twice. */
  add(listener: (event: Event) => void): StopListening {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Tells everybody who listens now. Who stops listening meanwhile is not told any more, who begins not yet. */
  tell(event: Event): void {
    for (const entry of [...this.#listeners]) {
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.listener(event);
      } catch (error) {
        this.#logger.error({ err: error, of: this.#of }, 'a listener failed');
      }
    }
  }

  /** Nobody listens any more. */
  clear(): void {
    this.#listeners.clear();
  }
}

/** Listeners of something that happens once. */
export class EndListeners<Reason extends string> {
  readonly #listeners: Listeners<Reason>;
  #reason: Reason | undefined;

  /** @param of what ends, for the log: `track street/raw/h264` */
  constructor(logger: Logger, of: string) {
    this.#listeners = new Listeners(logger, of);
  }

  /** Why it has ended; undefined before that. */
  get reason(): Reason | undefined {
    return this.#reason;
  }

  /** Calls `listener` once, at the end; at once where that has been. Call the returned function to stop listening. */
  onEnded(listener: (reason: Reason) => void): StopListening {
    const stop = this.#listeners.add(listener);
    if (this.#reason !== undefined) this.#tell(this.#reason);
    return stop;
  }

  /** Ends it and tells everybody. What has ended already keeps its reason. */
  end(reason: Reason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#tell(reason);
  }

  #tell(reason: Reason): void {
    this.#listeners.tell(reason);
    this.#listeners.clear();
  }
}
