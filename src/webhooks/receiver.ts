/**
 * One receiver: each source's deliveries in order, one at a time, tried again with growing waits until they are
 * delivered, refused or too old. Sources do not wait for each other.
 */
import { Backoff } from '../base/backoff.js';
import { delay, type Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Delivery, DeliveryQueue } from './delivery-queue.js';
import { post, type Outcome } from './post.js';
import { signatureOf } from './signature.js';

/** How deliveries that failed are tried again. */
export interface RetryOptions {
  /** First wait after a failure; it doubles, with jitter. Default 1000 ms. */
  readonly firstRetryMs: number;
  /** Longest wait. Default 300000 ms. */
  readonly maxRetryMs: number;
  /** Longest time for one try. Default 10000 ms. */
  readonly timeoutMs: number;
  /** Deliveries that are older are given up. Default 86400000 ms, a day. */
  readonly maxAgeMs: number;
  /** In [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** One receiver and its queue. */
export interface ReceiverInit {
  /** Where deliveries are sent. */
  readonly url: string;
  /** Empty: deliveries are not signed. */
  readonly secret: string;
  /** What waits for this receiver. */
  readonly queue: DeliveryQueue;
  /** How failed deliveries are tried again. */
  readonly retry: RetryOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Figures of one receiver since the start. Numbers are of events. */
export interface ReceiverStats {
  /** Its host; addresses may hold secrets. */
  readonly receiver: string;
  /** Events that wait. */
  readonly queued: number;
  /** Events that the receiver has taken. */
  readonly delivered: number;
  /** Refused by the receiver or too old. */
  readonly failed: number;
  /** Went because the queue was full. */
  readonly dropped: number;
  /** Why the newest failed try failed; undefined before the first one. */
  readonly lastError: string | undefined;
  /** HTTP status of the newest answer; undefined before the first. */
  readonly lastStatus: number | undefined;
}

const WARN_INTERVAL_MS = 60_000;

/** Delivers to one receiver. */
export class Receiver {
  readonly #init: ReceiverInit;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();
  #delivered = 0;
  #failed = 0;
  #lastError: string | undefined;
  #lastStatus: number | undefined;
  #warnedMs = -Infinity;

  constructor(init: ReceiverInit) {
    this.#init = init;
    this.#url = new URL(init.url);
    const { username, password } = this.#url;
    this.#headers =
      username === '' && password === ''
        ? {}
        : { authorization: `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}` };
    this.#url.username = '';
    this.#url.password = '';
    for (const sourceId of init.queue.sources()) this.#wake(sourceId);
  }

  /** What became of its events since the server started. */
  get stats(): ReceiverStats {
    const { queue } = this.#init;
    return {
      receiver: this.#url.host,
      queued: queue.events,
      delivered: this.#delivered,
      failed: this.#failed,
      dropped: queue.droppedEvents,
      lastError: this.#lastError,
      lastStatus: this.#lastStatus,
    };
  }

  /** Resolves when it is written; delivery continues by itself. Never rejects. */
  async take(delivery: Delivery): Promise<void> {
    await this.#init.queue.add(delivery);
    this.#wake(delivery.sourceId);
  }

  /** Ends what runs; what is not delivered stays on disk for the next start. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#lanes.values());
    await this.#init.queue.close();
  }

  #wake(sourceId: string): void {
    if (this.#isEnding() || this.#lanes.has(sourceId)) return;
    const lane = this.#run(sourceId).then(() => {
      this.#lanes.delete(sourceId);
      // What came between the last look and this line.
      if (this.#init.queue.first(sourceId)) this.#wake(sourceId);
    });
    this.#lanes.set(sourceId, lane);
  }

  async #run(sourceId: string): Promise<void> {
    const { queue, retry, clock } = this.#init;
    let backoff = this.#freshBackoff();
    for (let next = queue.first(sourceId); next && !this.#isEnding(); next = queue.first(sourceId)) {
      const outcome: Outcome =
        clock.wallClock() - next.atMs >= retry.maxAgeMs
          ? { kind: 'refused', status: 0, why: `not delivered within ${retry.maxAgeMs / 3_600_000} h` }
          : await this.#try(next);
      if (this.#isEnding() && outcome.kind !== 'delivered') return;
      this.#note(next, outcome);
      if (outcome.kind === 'failed') {
        await delay(clock, Math.max(backoff.next(0), outcome.retryAfterMs), this.#ending.signal);
      } else {
        backoff = this.#freshBackoff();
        await queue.finish(next.id);
      }
    }
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  #freshBackoff(): Backoff {
    const { firstRetryMs, maxRetryMs, random } = this.#init.retry;
    return new Backoff({ firstMs: firstRetryMs, maxMs: maxRetryMs, stableMs: Infinity, ...(random && { random }) });
  }

  #try({ id, body }: Delivery): Promise<Outcome> {
    const { secret, retry, clock } = this.#init;
    const timestampS = Math.floor(clock.wallClock() / 1000);
    const headers = {
      ...this.#headers,
      'x-sightline-delivery': id,
      'x-sightline-timestamp': String(timestampS),
      ...(secret !== '' && { 'x-sightline-signature': signatureOf(secret, timestampS, body) }),
    };
    return post({ url: this.#url.href, headers, body, clock, timeoutMs: retry.timeoutMs, signal: this.#ending.signal });
  }

  #note({ events, sourceId }: Delivery, outcome: Outcome): void {
    if (outcome.status !== undefined && outcome.status > 0) this.#lastStatus = outcome.status;
    if (outcome.kind === 'delivered') {
      this.#delivered += events;
      return;
    }
    this.#lastError = outcome.why;
    if (outcome.kind === 'refused') this.#failed += events;
    const { clock, logger } = this.#init;
    if (clock.now() - this.#warnedMs < WARN_INTERVAL_MS) return;
    this.#warnedMs = clock.now();
    const fields = {
      receiver: this.#url.host,
      sourceId,
      reason: outcome.why,
      queuedEvents: this.#init.queue.events,
      failedEvents: this.#failed,
    };
    logger.warn(fields, outcome.kind === 'refused' ? 'webhook given up' : 'webhook not delivered; trying again');
  }
}

/** What was percent-encoded in an address; as it is where it was not. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
