/** Tells other servers what happens at zones and lines: one delivery a picture that has events, to each receiver. */
import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { SCENE_EVENT_TYPES, type EventType } from '../base/event-types.js';
import type { Logger } from '../base/logger.js';
import { eventJson, type FrameDetections } from '../media/index.js';
import { DeliveryQueue, type Delivery, type QueueLimits } from './delivery-queue.js';
import { Receiver, type ReceiverStats, type RetryOptions } from './receiver.js';

export type { ReceiverStats } from './receiver.js';

/** Who is told, and how. */
export interface WebhookSenderInit {
  /** http or https addresses. */
  readonly urls: readonly string[];
  /** Types of events that are told. Default: those of zones and lines. */
  readonly types?: readonly EventType[];
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

/** Something that happened, not in a frame. */
export interface LifecycleEvent {
  /** What happened. */
  readonly type: EventType;
  /** Undefined where it is about no source. */
  readonly sourceId: string | undefined;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** What else is known. */
  readonly data: Readonly<Record<string, unknown>>;
}

const LIMITS: QueueLimits = { maxEvents: 10_000, maxBytes: 16 * 1024 * 1024 };
const RETRY: RetryOptions = { firstRetryMs: 1000, maxRetryMs: 300_000, timeoutMs: 10_000, maxAgeMs: 86_400_000 };

/** Reports events of zones and lines to all receivers. */
export class WebhookSender {
  readonly #clock: Clock;
  readonly #types: ReadonlySet<EventType>;
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
    return new WebhookSender(init, receivers);
  }

  private constructor({ clock, types = SCENE_EVENT_TYPES }: WebhookSenderInit, receivers: readonly Receiver[]) {
    this.#clock = clock;
    this.#types = new Set(types);
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
    const events = scene?.events.filter(({ type }) => this.#types.has(type)) ?? [];
    if (events.length === 0) return;
    const atMs = this.#clock.wallClock();
    const body = JSON.stringify({
      source: sourceId,
      frame,
      media_time_s: Math.round(mediaTimeMs * 1000) / 1e6,
      captured_at: Math.round(atMs - inferenceMs) / 1000,
      events: events.map((event) => eventJson(event)),
    });
    await this.#deliver({ sourceId, atMs, events: events.length, body });
  }

  /** Takes what happened to a source, a client or the server itself, as `report` does. */
  async reportLifecycle({ type, sourceId, atMs, data }: LifecycleEvent): Promise<void> {
    if (!this.#types.has(type)) return;
    const body = JSON.stringify({ source: sourceId ?? null, captured_at: atMs / 1000, events: [{ type, ...data }] });
    // Those of the server itself follow each other, too.
    await this.#deliver({ sourceId: sourceId ?? '', atMs, events: 1, body });
  }

  async #deliver(delivery: Omit<Delivery, 'id'>): Promise<void> {
    if (this.#isClosed) return;
    await Promise.all(this.#receivers.map((receiver) => receiver.take({ id: randomUUID(), ...delivery })));
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
