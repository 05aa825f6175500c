/**
 * Deliveries that wait for one receiver, in the order they came, on disk. Bounded: when it is full the oldest go,
 * counted. Whatever is added is found again after a restart until it has been finished; a delivery whose end was not
 * written any more is made again, so the receiver may see it twice, under the same id.
 */
import type { Clock } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { DiskLog } from './disk-log.js';

/** What one picture has to tell. */
export interface Delivery {
  /** UUID; the same for every try. */
  readonly id: string;
  /** The source that the events are of; deliveries of one source keep their order. */
  readonly sourceId: string;
  /** Unix milliseconds when it was added. */
  readonly atMs: number;
  /** How many events it carries. */
  readonly events: number;
  /** JSON, sent byte for byte. */
  readonly body: string;
}

/** How much may wait. */
export interface QueueLimits {
  /** Default 10000. */
  readonly maxEvents: number;
  /** Of bodies. Default 16 MiB. */
  readonly maxBytes: number;
}

/** Where the queue of one receiver is stored. */
export interface DeliveryQueueInit {
  /** Folder of this queue alone; made where it is missing. */
  readonly folder: string;
  /** Over them the oldest deliveries go. */
  readonly limits: QueueLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A log smaller than this is not worth a rewrite. */
const MIN_REWRITE_BYTES = 262_144;
const WARN_INTERVAL_MS = 60_000;

/** Deliveries of one receiver, on disk, in order. */
export class DeliveryQueue {
  readonly #init: DeliveryQueueInit;
  readonly #log: DiskLog;
  /** In the order they came. */
  readonly #waiting = new Map<string, Delivery>();
  #events = 0;
  #bytes = 0;
  #droppedEvents = 0;
  #isRewriting = false;
  readonly #warnedMs = new Map<string, number>();

  /**
   * Opens the folder and finds again what was there.
   * @throws MediaPeerError CONFIG_INVALID where the folder cannot be used
   */
  static async open(init: DeliveryQueueInit): Promise<DeliveryQueue> {
    try {
      const { log, lines } = await DiskLog.open(init.folder, init.clock);
      const queue = new DeliveryQueue(init, log);
      await queue.#takeUp(lines);
      return queue;
    } catch (error) {
      throw new MediaPeerError(
        'CONFIG_INVALID',
        `WEBHOOK_QUEUE_DIR: '${init.folder}' cannot be used (${messageOf(error)}); name a folder that the server may write`,
        { cause: error },
      );
    }
  }

  private constructor(init: DeliveryQueueInit, log: DiskLog) {
    this.#init = init;
    this.#log = log;
  }

  /** Events that wait. */
  get events(): number {
    return this.#events;
  }

  /** Events that were dropped because the queue was full. */
  get droppedEvents(): number {
    return this.#droppedEvents;
  }

  /** Sources that have something waiting. */
  sources(): string[] {
    return [...new Set([...this.#waiting.values()].map(({ sourceId }) => sourceId))];
  }

  /** The oldest of a source. */
  first(sourceId: string): Delivery | undefined {
    for (const delivery of this.#waiting.values()) if (delivery.sourceId === sourceId) return delivery;
    return undefined;
  }

  /** Resolves when it is written. Never rejects: what the disk does not take waits in memory, and a warning says so. */
  async add(delivery: Delivery): Promise<void> {
    this.#enter(delivery);
    const dropped = this.#dropOldest();
    await this.#write(lineOf(delivery) + dropped.map(endOf).join(''));
  }

  /** It is delivered or given up. Never rejects. */
  async finish(id: string): Promise<void> {
    if (this.#remove(id)) await this.#write(endOf(id));
  }

  /** Everything is on the disk when this resolves. */
  async close(): Promise<void> {
    if (this.#log.isBroken) await this.#write('');
    await this.#log.close();
  }

  async #takeUp(lines: readonly string[]): Promise<void> {
    const bad = lines.filter((line) => !this.#takeUpLine(line)).length;
    if (bad > 0) {
      const aside = await this.#log.setAside();
      this.#init.logger.warn(
        { file: aside, badLines: bad, rescued: this.#waiting.size },
        'webhook queue was damaged and is set aside; what could be read is delivered',
      );
    }
    const dropped = this.#dropOldest().length > 0;
    if (this.#log.isBroken || dropped) await this.#log.rewrite(() => this.#text());
  }

  /** False for a line that is none of ours. */
  #takeUpLine(line: string): boolean {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return false;
    }
    if (isDelivery(value)) this.#enter(value);
    else if (typeof value === 'object' && value !== null && 'done' in value && typeof value.done === 'string') this.#remove(value.done);
    else return false;
    return true;
  }

  #enter(delivery: Delivery): void {
    this.#remove(delivery.id);
    this.#waiting.set(delivery.id, delivery);
    this.#events += delivery.events;
    this.#bytes += Buffer.byteLength(delivery.body);
  }

  #remove(id: string): boolean {
    const delivery = this.#waiting.get(id);
    if (!delivery) return false;
    this.#waiting.delete(id);
    this.#events -= delivery.events;
    this.#bytes -= Buffer.byteLength(delivery.body);
    return true;
  }

  /** Makes room; the ids of those that went. */
  #dropOldest(): string[] {
    const dropped: string[] = [];
    const { maxEvents, maxBytes } = this.#init.limits;
    for (const { id, events } of this.#waiting.values()) {
      if (this.#events <= maxEvents && this.#bytes <= maxBytes) break;
      this.#remove(id);
      this.#droppedEvents += events;
      dropped.push(id);
    }
    if (dropped.length > 0)
      this.#warn({ droppedEvents: this.#droppedEvents, maxEvents, maxBytes }, 'webhook queue is full: the oldest events are dropped');
    return dropped;
  }

  async #write(text: string): Promise<void> {
    try {
      if (this.#log.isBroken) return await this.#rewrite();
      await this.#log.append(text);
      if (this.#isWasteful()) await this.#rewrite();
    } catch (error) {
      this.#warn({ err: error }, 'webhook queue cannot be written: events wait in memory and are lost if the server ends');
    }
  }

  /** What was appended meanwhile is in it, because it holds all that waits when its turn has come. */
  async #rewrite(): Promise<void> {
    this.#isRewriting = true;
    try {
      await this.#log.rewrite(() => this.#text());
    } finally {
      this.#isRewriting = false;
    }
  }

  #isWasteful(): boolean {
    return !this.#isRewriting && this.#log.sizeBytes > MIN_REWRITE_BYTES && this.#log.sizeBytes > 3 * this.#bytes;
  }

  #text(): string {
    return [...this.#waiting.values()].map(lineOf).join('');
  }

  #warn(fields: object, message: string): void {
    const now = this.#init.clock.now();
    if (now - (this.#warnedMs.get(message) ?? -Infinity) < WARN_INTERVAL_MS) return;
    this.#warnedMs.set(message, now);
    this.#init.logger.warn(fields, message);
  }
}

function lineOf(delivery: Delivery): string {
  return `${JSON.stringify(delivery)}\n`;
}

function endOf(id: string): string {
  return `${JSON.stringify({ done: id })}\n`;
}

function isDelivery(value: unknown): value is Delivery {
  if (typeof value !== 'object' || value === null) return false;
  const { id, sourceId, atMs, events, body } = value as Partial<Record<keyof Delivery, unknown>>;
  return (
    typeof id === 'string' &&
    typeof sourceId === 'string' &&
    typeof body === 'string' &&
    Number.isFinite(atMs) &&
    Number.isSafeInteger(events) &&
    (events as number) > 0
  );
}
