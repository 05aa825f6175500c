/** Tells other servers what happens at zones and lines: one delivery a picture that has events, to each receiver. */
import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { eventJson, type FrameDetections } from '../media/index.js';
import { DeliveryQueue, type QueueLimits } from './delivery-queue.js';
import { Receiver, type ReceiverStats, type RetryOptions } from './receiver.js';

export type { ReceiverStats } from './receiver.js';

/** Who is told, and how. */
export interface WebhookSenderInit {
  /** http or https addresses. */
  readonly urls: readonly string[];
  /** Signs deliveries; empty: they are not signed. */
  readonly secret: string;
  /** Absolute path; made when it does not exist. No other server may use it. */
  readonly queueDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How much may wait for each receiver; what is left out has its default. */
  readonly limits?: Partial<QueueLimits>;
  /** How failed deliveries are tried again; what is left out has its default. */
  readonly retry?: Partial<RetryOptions>;
}

const LIMITS: QueueLimits = { maxEvents: 10_000, maxBytes: 16 * 1024 * 1024 };
const RETRY: RetryOptions = { firstRetryMs: 1000, maxRetryMs: 300_000, timeoutMs: 10_000, maxAgeMs: 86_400_000 };

/** Reports events of zones and lines to all receivers. */
export class WebhookSender {
  readonly #clock: Clock;
  readonly #receivers: readonly Receiver[];
  #isClosed = false;

  /**
   * Takes up what an earlier run left on disk and begins to deliver it.
   * @throws MediaPeerError CONFIG_INVALID where the folder cannot be used
   */
  static async open(init: WebhookSenderInit): Promise<WebhookSender> {
    const { urls, secret, clock, logger, queueDir } = init;
    const retry = { ...RETRY, ...init.retry };
    const limits = { ...LIMITS, ...init.limits };
    const receivers: Receiver[] = [];
    try {
      for (const url of new Set(urls)) {
        const queue = await DeliveryQueue.open({ folder: path.join(queueDir, folderOf(url)), limits, clock, logger });
        receivers.push(new Receiver({ url, secret, queue, retry, clock, logger }));
      }
    } catch (error) {
      await Promise.all(receivers.map((receiver) => receiver.close()));
      throw error;
    }
    return new WebhookSender(clock, receivers);
  }

  private constructor(clock: Clock, receivers: readonly Receiver[]) {
    this.#clock = clock;
    this.#receivers = receivers;
  }

  /** One for each receiver. */
  get stats(): ReceiverStats[] {
    return this.#receivers.map(({ stats }) => stats);
  }

  /**
   * Takes the events of a picture, if it has any; meant to be called right when it was looked at. Resolves when they
   * are written to disk: from then on they survive the end of the process. Never rejects. Ignored after `close`.
   */
  async report(detections: FrameDetections): Promise<void> {
    const { sourceId, frame, mediaTimeMs, inferenceMs, scene } = detections;
    if (this.#isClosed || !scene || scene.events.length === 0) return;
    const atMs = this.#clock.wallClock();
    const body = JSON.stringify({
      source: sourceId,
      frame,
      media_time_s: Math.round(mediaTimeMs * 1000) / 1e6,
      captured_at: Math.round(atMs - inferenceMs) / 1000,
      events: scene.events.map((event) => eventJson(event)),
    });
    await Promise.all(
      this.#receivers.map((receiver) => receiver.take({ id: randomUUID(), sourceId, atMs, events: scene.events.length, body })),
    );
  }

  /** Stops delivering; what is not delivered is on disk when this resolves, and goes on at the next start. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#receivers.map((receiver) => receiver.close()));
  }
}

/** Each address has a queue of its own; one that is configured again finds what was left for it. */
function folderOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16);
}
