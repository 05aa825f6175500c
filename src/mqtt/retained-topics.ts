/**
 * What the broker is to keep: the newest message of each topic, and nothing under topics that are no longer. One is under way at a
 * time; what changes meanwhile is sent once. Everything is sent again to a broker that comes back, which may have kept nothing. The
 * names of topics outlive the server, so that the next one removes what it does not have any more.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Broker } from './broker.js';
import type { BrokerLink } from './broker-link.js';
import { BrokerError, isPassing } from './trouble.js';

/** Where topics are published, and where their names are kept. */
export interface RetainedTopicsInit {
  /** The broker. */
  readonly link: Pick<BrokerLink, 'onConnected'>;
  /** Names that an earlier server has published. */
  readonly known: readonly string[];
  /** Keeps the names of everything that the broker may hold. */
  readonly keepNames: (topics: readonly string[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a broker refused for the moment is offered again. */
const RETRY_MS = 60_000;

/** Content; undefined: there is no such topic any more. */
type Content = string | Buffer | undefined;

/** The topics that are retained. */
export class RetainedTopics {
  readonly #init: RetainedTopicsInit;
  readonly #contents = new Map<string, Content>();
  /** Topics that the broker does not have as they are now, in the order in which they changed. */
  readonly #due = new Set<string>();
  /** Topics that the broker refused for the moment. */
  readonly #refusedNow = new Set<string>();
  /** Names of an earlier server, until it is known which of them are there no more. */
  #leftovers: readonly string[];
  #retry: Timer | undefined;
  readonly #stopListening: () => void;
  #broker: Broker | undefined;
  #isSending = false;
  /** There are names that must be kept before anything of them is published. */
  #hasNewNames = false;
  /** There are names that need not be kept any more. */
  #hasOldNames = false;
  #published = 0;
  #refused = 0;

  constructor(init: RetainedTopicsInit) {
    this.#init = init;
    this.#leftovers = init.known;
    this.#stopListening = init.link.onConnected((broker) => {
      this.#broker = broker;
      void broker.lost.then(() => {
        if (this.#broker === broker) this.#broker = undefined;
      });
      this.sendAgain();
    });
  }

  /** Messages that the broker has taken since the start. */
  get published(): number {
    return this.#published;
  }

  /** Messages that the broker has refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Topics that have a content. */
  topics(): string[] {
    return [...this.#contents.keys()].filter((topic) => this.#contents.get(topic) !== undefined);
  }

  /** What the topic holds from now on; the same as before is not sent again. */
  set(topic: string, content: string | Buffer): void {
    if (this.#contents.get(topic) === content) return;
    if (!this.#contents.has(topic)) this.#hasNewNames = true;
    this.#change(topic, content);
  }

  /** The broker keeps nothing under that topic any more. */
  remove(topic: string): void {
    if (this.#contents.get(topic) !== undefined) this.#change(topic, undefined);
  }

  /** Removes what an earlier server has published, and this one has not. */
  removeLeftovers(): void {
    for (const topic of this.#leftovers) {
      if (!this.#contents.has(topic)) this.#change(topic, undefined);
    }
    this.#leftovers = [];
  }

  /** Sends everything once more, or what `isWanted` picks. */
  sendAgain(isWanted: (topic: string) => boolean = () => true): void {
    for (const topic of this.#contents.keys()) if (isWanted(topic)) this.#due.add(topic);
    void this.#send();
  }

  /** Sends nothing any more. */
  close(): void {
    this.#stopListening();
    this.#retry?.cancel();
    this.#broker = undefined;
  }

  #change(topic: string, content: Content): void {
    this.#contents.set(topic, content);
    // Behind what has been waiting.
    this.#due.delete(topic);
    this.#due.add(topic);
    void this.#send();
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    // What changes in the same moment goes together.
    await Promise.resolve();
    for (let topic = this.#next(); topic !== undefined && this.#broker; topic = this.#next()) await this.#sendOne(topic, this.#broker);
    // Of topics that go one by one, the list of all is written once.
    if (this.#hasOldNames && this.#broker) this.#keepNames();
    this.#isSending = false;
  }

  /** Pictures go after what is small. */
  #next(): string | undefined {
    let first: string | undefined;
    for (const topic of this.#due) {
      if (!(this.#contents.get(topic) instanceof Buffer)) return topic;
      first ??= topic;
    }
    return first;
  }

  async #sendOne(topic: string, broker: Broker): Promise<void> {
    if (this.#hasNewNames) this.#keepNames();
    const content = this.#contents.get(topic);
    this.#due.delete(topic);
    const wasRefused = this.#refusedNow.delete(topic);
    try {
      await broker.publish({ topic, payload: content ?? '', retain: true });
      this.#published++;
      if (content !== undefined || this.#contents.get(topic) !== undefined) return;
      this.#contents.delete(topic);
      this.#hasOldNames = true;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      if (error.fault === 'lost') return void this.#due.add(topic);
      this.#refused++;
      this.#init.logger[wasRefused ? 'debug' : 'warn']({ topic, reason: error.message }, 'the broker does not take a message');
      if (isPassing(error)) this.#offerAgain(topic);
    }
  }

  #keepNames(): void {
    this.#hasNewNames = false;
    this.#hasOldNames = false;
    this.#init.keepNames([...new Set([...this.#contents.keys(), ...this.#leftovers])]);
  }

  /** Later, as it is then. */
  #offerAgain(topic: string): void {
    // Nobody is told any more: no timer may be left.
    if (!this.#broker) return;
    this.#refusedNow.add(topic);
    this.#retry ??= this.#init.clock.after(RETRY_MS, () => {
      this.#retry = undefined;
      for (const each of this.#refusedNow) this.#due.add(each);
      void this.#send();
    });
  }
}
