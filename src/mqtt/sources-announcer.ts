/** The sources as the broker keeps them: the state of each, what it counts, and how it appears in Home Assistant. */
import type { Discovery } from './home-assistant.js';
import type { RetainedTopics } from './retained-topics.js';
import type { Topics } from './topics.js';

/** A source as it is now. */
export interface AnnouncedSource {
  /** As clients name it. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** `file`, `live` or `pull`. */
  readonly kind: string;
  /** `off`: nobody publishes, it has not been connected, or it cannot be played. */
  readonly state: 'live' | 'waiting' | 'off';
}

/** What a source's zones and lines count, in the words of the public contract. */
export interface AnnouncedCounts {
  /** Unix seconds of the frame that was looked at last; null before the first. */
  readonly updated_at: number | null;
  /** Each zone, with what is inside. */
  readonly zones: readonly { readonly zone: string }[];
  /** Each line, with what has crossed. */
  readonly lines: readonly { readonly line: string }[];
}

/** Where sources are, and where they are told of. */
export interface SourcesAnnouncerInit {
  /** What the broker keeps. */
  readonly retained: RetainedTopics;
  /** Where sources are told of. */
  readonly topics: Topics;
  /** Undefined: Home Assistant is told nothing. */
  readonly discovery: Discovery | undefined;
  /** All of them. */
  readonly sources: () => readonly AnnouncedSource[];
  /** Undefined for a source without zones and lines. */
  readonly counts: (sourceId: string) => AnnouncedCounts | undefined;
  /** A source is there that was not live before. */
  readonly onLive: (sourceId: string) => void;
  /** There is no such source any more. */
  readonly onGone: (sourceId: string) => void;
}

/** What was announced of a source. */
interface Announced {
  state: AnnouncedSource['state'] | undefined;
  /** Changes whenever the counts do. */
  countsKey: string | undefined;
  /** Changes whenever its entities do. */
  entitiesKey: string;
  configs: ReadonlyMap<string, string>;
}

/** Keeps the broker up to date about sources. */
export class SourcesAnnouncer {
  readonly #init: SourcesAnnouncerInit;
  readonly #announced = new Map<string, Announced>();

  constructor(init: SourcesAnnouncerInit) {
    this.#init = init;
  }

  /** Announces what has changed. */
  sync(): void {
    const sources = this.#init.sources();
    for (const source of sources) this.#announce(source);
    const ids = new Set(sources.map(({ id }) => id));
    for (const [sourceId, announced] of this.#announced) if (!ids.has(sourceId)) this.#remove(sourceId, announced);
  }

  /** Announces what a source counts now. */
  syncCounts(sourceId: string): void {
    const announced = this.#announced.get(sourceId);
    if (announced) this.#announceCounts(sourceId, announced);
  }

  #announce(source: AnnouncedSource): void {
    const { retained, topics, onLive } = this.#init;
    const announced = this.#announced.get(source.id) ?? { state: undefined, countsKey: undefined, entitiesKey: '', configs: new Map() };
    this.#announced.set(source.id, announced);
    const wasLive = announced.state === 'live';
    announced.state = source.state;
    retained.set(topics.of(source.id).state, source.state);
    const counts = this.#announceCounts(source.id, announced);
    this.#announceEntities(source, counts, announced);
    if (source.state === 'live' && !wasLive) onLive(source.id);
  }

  #announceCounts(sourceId: string, announced: Announced): AnnouncedCounts | undefined {
    const { retained, topics } = this.#init;
    const counts = this.#init.counts(sourceId);
    // When it was looked at last changes with every frame.
    const key = counts && JSON.stringify({ ...counts, updated_at: null });
    if (key === announced.countsKey) return counts;
    announced.countsKey = key;
    if (counts) retained.set(topics.of(sourceId).counts, JSON.stringify(counts));
    else retained.remove(topics.of(sourceId).counts);
    return counts;
  }

  #announceEntities({ id, name, kind }: AnnouncedSource, counts: AnnouncedCounts | undefined, announced: Announced): void {
    const { retained, discovery } = this.#init;
    if (!discovery) return;
    const zones = counts?.zones.map(({ zone }) => zone) ?? [];
    const lines = counts?.lines.map(({ line }) => line) ?? [];
    const key = JSON.stringify([name, kind, zones, lines]);
    if (key === announced.entitiesKey) return;
    announced.entitiesKey = key;
    const configs = discovery.configsOf({ id, name, kind, zones, lines });
    for (const topic of announced.configs.keys()) if (!configs.has(topic)) retained.remove(topic);
    for (const [topic, config] of configs) retained.set(topic, config);
    announced.configs = configs;
  }

  #remove(sourceId: string, { configs }: Announced): void {
    const { retained, topics, onGone } = this.#init;
    this.#announced.delete(sourceId);
    onGone(sourceId);
    const { state, counts, snapshot } = topics.of(sourceId);
    for (const topic of [...configs.keys(), state, counts, snapshot]) retained.remove(topic);
  }
}
