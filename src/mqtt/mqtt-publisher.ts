/** Everything that an MQTT broker is told: that the server is there, its sources, their events and counts, snapshots and detections. */
import type { BackoffOptions } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import { matchesGlob } from '../base/glob.js';
import type { Logger } from '../base/logger.js';
import type { ResourceLedger } from '../base/resources.js';
import { writeDetections, type FrameDetections } from '../media/index.js';
import type { EventStore } from '../store/index.js';
import { brokerAddress } from './address.js';
import { Broker, type BrokerDeadlines, type IncomingMessage } from './broker.js';
import { BrokerLink } from './broker-link.js';
import { EventOutbox, READER } from './event-outbox.js';
import { Discovery } from './home-assistant.js';
import { RetainedTopics } from './retained-topics.js';
import { Snapshots, type SnapshotsInit } from './snapshots.js';
import { SourcesAnnouncer, type SourcesAnnouncerInit } from './sources-announcer.js';
import { Topics } from './topics.js';

/** Which broker is told, and of what. */
export interface MqttPublisherInit extends Pick<SourcesAnnouncerInit, 'sources' | 'counts'> {
  /** `mqtt://user:password@host:port`, or `mqtts://`. */
  readonly url: string;
  /** Certificates of authorities, PEM; undefined: those that Node trusts. */
  readonly ca: string | undefined;
  /** Of all topics. */
  readonly prefix: string;
  /** Of Home Assistant's discovery; undefined: it is told nothing. */
  readonly discoveryPrefix: string | undefined;
  /** Sources whose detections are published, as globs. */
  readonly detections: readonly string[];
  /** What happens, and how far the broker has come. */
  readonly events: EventStore;
  /** Of Sightline. */
  readonly version: string;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  readonly logger: Logger;
  /** Waits between connections. Default 500 ms to 30 s. */
  readonly backoff?: BackoffOptions;
  /** How long connecting, and each acknowledgement, may take. Default 10 s and 20 s. */
  readonly deadlines?: Partial<BrokerDeadlines>;
}

/** Figures of the connection to the broker since the start. */
export interface MqttStats {
  /** `mqtt://host:port`, without credentials. */
  readonly broker: string;
  /** Whether messages can be sent now. */
  readonly isConnected: boolean;
  /** Why it is not connected, or does not take something; undefined while all is well. */
  readonly lastError: string | undefined;
  /** Events that the broker has taken. */
  readonly events: number;
  /** Messages of every other kind that were sent. */
  readonly messages: number;
  /** Events that wait. */
  readonly queued: number;
  /** Events that were too old, or too much, before the broker had taken them. */
  readonly eventsDropped: number;
  /** Other messages that the broker refused, or that were left out because too much waited. */
  readonly messagesDropped: number;
}

/** How often sources are looked at; events and zones tell by themselves. */
const LOOK_MS = 1000;
/** Home Assistant starts less often. */
const MIN_BIRTH_MS = 2000;
/** The names of the topics that the broker holds. */
const NOTE = 'mqtt-topics';

/** Tells one broker. */
export class MqttPublisher {
  readonly #init: MqttPublisherInit;
  readonly #topics: Topics;
  readonly #link: BrokerLink;
  readonly #outbox: EventOutbox;
  readonly #retained: RetainedTopics;
  readonly #announcer: SourcesAnnouncer;
  readonly #discovery: Discovery | undefined;
  #snapshots: Snapshots | undefined;
  #look: Timer | undefined;
  #stopListening = (): void => undefined;
  #bornMs = -Infinity;
  #sent = 0;
  #leftOut = 0;

  /** Begins to connect and to publish events; sources are told of from `begin` on. @throws MediaPeerError STORE_FAILED */
  static async open(init: MqttPublisherInit): Promise<MqttPublisher> {
    const known = readNames(await init.events.note(NOTE));
    const topics = new Topics(init.prefix);
    const { prefix, discoveryPrefix, version } = init;
    const discovery = discoveryPrefix === undefined ? undefined : new Discovery({ discoveryPrefix, prefix, topics, version });
    // What comes in is heard once everything is there.
    let hear: (message: IncomingMessage) => void = () => undefined;
    const link = new BrokerLink({
      ...init,
      address: brokerAddress(init.url),
      statusTopic: topics.status,
      wanted: discovery?.birthTopic,
      connect: (how) => Broker.connect(how),
      onMessage: (message) => hear(message),
    });
    try {
      const outbox = await EventOutbox.open({ ...init, link, topics });
      const publisher = new MqttPublisher(init, { topics, link, outbox, discovery, known });
      hear = ({ topic, payload }) => publisher.#heard(topic, payload);
      return publisher;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  private constructor(init: MqttPublisherInit, { topics, link, outbox, discovery, known }: Parts) {
    this.#init = init;
    this.#topics = topics;
    this.#link = link;
    this.#outbox = outbox;
    this.#discovery = discovery;
    const keepNames = (names: readonly string[]): void => init.events.keepNote(NOTE, JSON.stringify(names));
    this.#retained = new RetainedTopics({ link, known, keepNames, clock: init.clock, logger: init.logger });
    this.#announcer = new SourcesAnnouncer({
      ...init,
      retained: this.#retained,
      topics,
      discovery,
      onLive: (sourceId) => this.#snapshots?.becameLive(sourceId),
      onGone: (sourceId) => this.#snapshots?.forget(sourceId),
    });
  }

  /** What has become of it all. */
  get stats(): MqttStats {
    const { events } = this.#init;
    return {
      broker: this.#link.address.shown,
      isConnected: this.#link.isConnected,
      lastError: this.#link.lastError ?? this.#outbox.lastRefusal,
      events: this.#outbox.published,
      messages: this.#retained.published + this.#sent,
      queued: this.#outbox.queued,
      eventsDropped: events.removedUnread,
      messagesDropped: this.#retained.refused + this.#leftOut,
    };
  }

  /** How snapshots are made from now on; until then there are none. */
  takeSnapshots(take: SnapshotsInit['take']): void {
    const { clock, logger } = this.#init;
    this.#snapshots = new Snapshots({
      take,
      isWanted: () => this.#link.isConnected,
      onSnapshot: (sourceId, jpeg) => this.#retained.set(this.#topics.of(sourceId).snapshot, jpeg),
      clock,
      logger,
    });
  }

  /** Tells of the sources from now on, and removes what an earlier server told of those that are no longer. To be called once all are known. */
  begin(): void {
    const { clock, events } = this.#init;
    this.#announcer.sync();
    this.#retained.removeLeftovers();
    this.#look = clock.every(LOOK_MS, () => this.#announcer.sync());
    this.#stopListening = events.onAdded(({ sourceId }) => {
      if (sourceId !== undefined) this.#announcer.syncCounts(sourceId);
    });
  }

  /** Looks at the sources and their zones at once. */
  sync(): void {
    if (this.#look) this.#announcer.sync();
  }

  /** Whether somebody asked for the detections of a source. */
  wantsDetections(sourceId: string): boolean {
    return this.#init.detections.some((glob) => matchesGlob(glob, sourceId));
  }

  /** Takes what was seen in a frame. */
  report(detections: FrameDetections): void {
    const { sourceId } = detections;
    this.#snapshots?.saw(detections);
    if (!this.wantsDetections(sourceId) || !this.#link.isConnected) return;
    const message = { topic: this.#topics.of(sourceId).detections, payload: writeDetections(detections), retain: false };
    if (this.#link.send(message)) this.#sent++;
    else this.#leftOut++;
  }

  /** Tells that the server is gone, and ends; what the broker does not have goes on after the next start. */
  async close(): Promise<void> {
    this.#look?.cancel();
    this.#stopListening();
    await this.#snapshots?.close();
    this.#retained.close();
    await this.#outbox.close();
    await this.#link.close();
  }

  /** Home Assistant has started: it may have forgotten what it was told. */
  #heard(topic: string, payload: string): void {
    const discovery = this.#discovery;
    if (!discovery || topic !== discovery.birthTopic || payload !== 'online') return;
    const nowMs = this.#init.clock.now();
    if (nowMs - this.#bornMs < MIN_BIRTH_MS) return;
    this.#bornMs = nowMs;
    this.#retained.sendAgain((each) => discovery.isConfig(each));
  }
}

/** Nobody is told any more: events that happen until somebody is again are not kept for that. */
export function forgetBroker(events: EventStore): void {
  events.forgetReader(READER);
}

/** What a publisher is made of. */
interface Parts {
  readonly topics: Topics;
  readonly link: BrokerLink;
  readonly outbox: EventOutbox;
  readonly discovery: Discovery | undefined;
  readonly known: readonly string[];
}

/** What an earlier server kept; nothing where that cannot be read. */
function readNames(note = '[]'): string[] {
  try {
    const names: unknown = JSON.parse(note);
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
