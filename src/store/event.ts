/** Events as values: what happened, where and when. */
import type { EventType } from '../base/event-types.js';

/** Something that happens. */
export interface EventFacts {
  /** What happened. */
  readonly type: EventType;
  /** The source that it happened at; undefined where it is about none. */
  readonly sourceId: string | undefined;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** What else is known, in the words of the public contract. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event that has its place in the order. */
export interface StoredEvent extends EventFacts {
  /** Ascends, also over restarts and where a store begins anew: microseconds of Unix time, or one more than the one before. */
  readonly id: number;
  /** Id of its still; undefined where it has none. */
  readonly stillId: number | undefined;
}

/** In the words of the public contract. */
export function eventMessage({ id, atMs, type, sourceId, stillId, data }: StoredEvent) {
  return { id: String(id), at: atMs / 1000, type, source: sourceId ?? null, still: stillId !== undefined, ...data };
}

/** How far somebody who reads all events has come. */
export interface ReadPositions {
  /** Id of the last event that was done with, by source; undefined: those that are about none. */
  readonly bySource: ReadonlyMap<string | undefined, number>;
  /** The same, of sources that are not named; undefined: there has never been such a reader. */
  readonly others: number | undefined;
}

/** The picture of an event's moment. */
export interface EventStill {
  /** The source that the event happened at; undefined where it is about none. */
  readonly sourceId: string | undefined;
  /** At most 320 pixels wide and high. */
  readonly jpeg: Uint8Array;
}

/** Which events somebody wants; what is left out selects everything. */
export interface EventQuery {
  /** Unix milliseconds, included. */
  readonly fromMs?: number | undefined;
  /** Unix milliseconds, excluded. */
  readonly toMs?: number | undefined;
  /** Those of these sources alone. Default: all, and those of no source. */
  readonly sourceIds?: readonly string[] | undefined;
  /** Those that are about no source alone. Default: the others as well. */
  readonly isOfNoSource?: boolean | undefined;
  /** Those of these types alone. */
  readonly types?: readonly EventType[] | undefined;
  /** Those that happened to objects of these labels alone. */
  readonly labels?: readonly string[] | undefined;
  /** Those that happened at zones of these ids alone. */
  readonly zones?: readonly string[] | undefined;
  /** Those that happened at lines of these ids alone. */
  readonly lines?: readonly string[] | undefined;
  /** Those that follow the event of this id in the order that was asked for. */
  readonly afterId?: number | undefined;
  /** Newest first. Default: oldest first. */
  readonly isDescending?: boolean | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** The members that a query wants to be one of some. */
export function wantedMembers({
  labels,
  zones,
  lines,
}: Pick<EventQuery, 'labels' | 'zones' | 'lines'>): (readonly [member: 'label' | 'zone' | 'line', wanted: readonly string[]])[] {
  return (
    [
      ['label', labels],
      ['zone', zones],
      ['line', lines],
    ] as const
  ).flatMap(([member, wanted]) => (wanted ? [[member, wanted] as const] : []));
}

/** Whether something happened as a query wants it, whatever its time, type and source. */
export function hasWantedMembers({ data }: Pick<EventFacts, 'data'>, query: Pick<EventQuery, 'labels' | 'zones' | 'lines'>): boolean {
  return wantedMembers(query).every(([member, wanted]) => wanted.some((each) => each === data[member]));
}

/** How much is kept; what is older or more goes, the oldest first. */
export interface EventRetention {
  /** Of an event, in milliseconds; Infinity: however old. */
  readonly maxAgeMs: number;
  /** Of everything together, in bytes. */
  readonly maxBytes: number;
}
