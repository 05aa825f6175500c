/**
 * Keeps a connection to the broker: connected again with growing waits, whatever ended it, and said once for each reason. Whoever
 * publishes waits for the connection here.
 */
import { whenAborted } from '../base/abort.js';
import { Backoff, type BackoffOptions } from '../base/backoff.js';
import { delay } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
import type { Logger } from '../base/logger.js';
import type { BrokerAddress } from './address.js';
import type { Broker, BrokerInit, OutgoingMessage } from './broker.js';
import { BrokerError, isOtherVersion } from './trouble.js';

/** Which broker, and what is said to it first. */
export interface BrokerLinkInit extends Omit<BrokerInit, 'protocolVersion' | 'signal' | 'will'> {
  /** Topic of what holds while we are connected (`online`), and what the broker publishes when we are gone (`offline`). Both retained. */
  readonly statusTopic: string;
  /** Topic of messages that we want to hear; undefined: none. */
  readonly wanted: string | undefined;
  /** Opens a connection. */
  readonly connect: (init: BrokerInit) => Promise<Broker>;
  readonly logger: Logger;
  /** Waits between connections. Default 500 ms to 30 s. */
  readonly backoff?: BackoffOptions;
}

const BACKOFF: BackoffOptions = { firstMs: 500, maxMs: 30_000, stableMs: 10_000 };
/** Whoever wants to know is told again of what lasts. */
const REPEAT_MS = 600_000;
/** What is said at last is not waited for longer. */
const FAREWELL_MS = 1000;

/** A connection that is there again when it was lost. */
export class BrokerLink {
  readonly #init: BrokerLinkInit;
  readonly #closing = new AbortController();
  readonly #connected: Listeners<Broker>;
  #broker: Broker | undefined;
  #waiting: (() => void)[] = [];
  #lastError: string | undefined;
  #saidMs = -Infinity;
  /** 4 where the broker knows no newer one. */
  #protocolVersion: 4 | 5 = 5;
  readonly #ran: Promise<void>;

  /** Begins to connect. */
  constructor(init: BrokerLinkInit) {
    this.#init = init;
    this.#connected = new Listeners(init.logger, 'broker');
    this.#ran = this.#run();
  }

  get isConnected(): boolean {
    return this.#broker !== undefined;
  }

  /** Why the newest connection was lost or did not come about; undefined while all is well. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** For people, without credentials. */
  get address(): BrokerAddress {
    return this.#init.address;
  }

  /** Calls `listener` with each connection, once it can be used; at once with the one that there is. */
  onConnected(listener: (broker: Broker) => void): () => void {
    const stopListening = this.#connected.add(listener);
    if (this.#broker) listener(this.#broker);
    return stopListening;
  }

  /** Resolves when the broker has the message. @throws BrokerError `lost` where there is no connection, or it ended meanwhile */
  publish(message: OutgoingMessage): Promise<void> {
    return this.#broker ? this.#broker.publish(message) : Promise.reject(new BrokerError('lost', 'the broker is not connected'));
  }

  /** Sends what need not arrive; false where it is left out. */
  send(message: OutgoingMessage): boolean {
    return this.#broker?.send(message) ?? false;
  }

  /** Resolves when there is a connection, or when the signal is aborted. */
  whenConnected(signal: AbortSignal): Promise<void> {
    if (this.#broker || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        signal.removeEventListener('abort', finish);
        resolve();
      };
      this.#waiting.push(finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  /** Says that we are gone, and ends. */
  async close(): Promise<void> {
    const broker = this.#broker;
    if (broker) {
      const { clock } = this.#init;
      const enough = new AbortController();
      const said = broker.publish(this.#status('offline')).catch(() => undefined);
      await Promise.race([said.finally(() => enough.abort()), delay(clock, FAREWELL_MS, enough.signal)]);
      await broker.close();
    }
    this.#closing.abort();
    await this.#ran;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock } = this.#init;
    const { signal } = this.#closing;
    const backoff = new Backoff({ ...BACKOFF, ...this.#init.backoff });
    while (!this.#isClosing()) {
      const startedMs = clock.now();
      const error = await this.#runOnce();
      if (this.#isClosing()) return;
      if (isOtherVersion(error) && this.#protocolVersion === 5) {
        this.#protocolVersion = 4;
        continue;
      }
      this.#say(error);
      await delay(clock, backoff.next(clock.now() - startedMs), signal);
    }
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** One connection, to its end. @returns why it ended */
  async #runOnce(): Promise<BrokerError> {
    const { connect, statusTopic, wanted, address, logger } = this.#init;
    try {
      const broker = await connect({
        ...this.#init,
        protocolVersion: this.#protocolVersion,
        will: { ...this.#status('offline'), topic: statusTopic },
        signal: this.#closing.signal,
      });
      // Also while nothing is answered yet.
      const stop = whenAborted(this.#closing.signal, () => void broker.close());
      try {
        await broker.publish(this.#status('online'));
        if (wanted !== undefined) await broker.subscribe(wanted).catch((error: unknown) => this.#noteRefusal(error, wanted));
        this.#broker = broker;
        this.#lastError = undefined;
        logger.info({ broker: address.shown }, 'broker connected');
        for (const resume of this.#waiting.splice(0)) resume();
        this.#connected.tell(broker);
        return await broker.lost;
      } finally {
        this.#broker = undefined;
        stop();
        await broker.close();
      }
    } catch (error) {
      if (error instanceof BrokerError) return error;
      logger.error({ err: error, broker: address.shown }, 'the connection to the broker failed');
      return new BrokerError('lost', 'an internal error; the log says more', { cause: error });
    }
  }

  #status(payload: 'online' | 'offline') {
    return { topic: this.#init.statusTopic, payload, retain: true };
  }

  /** Without it everything else works. @throws BrokerError `lost` */
  #noteRefusal(error: unknown, topic: string): void {
    if (!(error instanceof BrokerError) || error.fault === 'lost') throw error;
    this.#init.logger.warn({ topic, reason: error.message }, 'the broker does not let us hear a topic');
  }

  #say({ message }: BrokerError): void {
    const { clock, logger, address } = this.#init;
    const isNew = message !== this.#lastError;
    this.#lastError = message;
    if (!isNew && clock.now() - this.#saidMs < REPEAT_MS) return;
    this.#saidMs = clock.now();
    logger.warn({ broker: address.shown, reason: message }, 'broker not connected; trying again');
  }
}
