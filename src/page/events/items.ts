/** What the list shows: events and what was seen, in one form. */
import { addressOf, pathOf } from '../api/address.js';
import { readEvents, stillAddress, type EventQuery, type ServerEvent } from '../api/events.js';
import type { ListedRecording } from '../api/recordings.js';
import { readSeen, type SeenResult } from '../api/search.js';
import { words } from '../strings/index.js';
import { lengthText } from '../timeline/length-text.js';
import { eventText } from './event-text.js';
import type { FeedItem, ReadPage } from './feed.js';

/** Something in the list. */
export interface Item extends FeedItem {
  /** When, Unix seconds. */
  readonly atS: number;
  /** Name of its source; undefined where it is about none. */
  readonly source: string | undefined;
  /** What happened. */
  readonly title: string;
  /** What else is known; may be empty. */
  readonly detail: string;
  /** Address of a picture; undefined where there is none. */
  readonly picture: string | undefined;
  /** Address of an MP4; undefined where there is none. */
  readonly clip: string | undefined;
}

const PAGE = 60;

/** Pages of `GET /events`, the newest first. */
export function eventPages(query: EventQuery): ReadPage<Item> {
  return async (after, signal) => {
    const { events, next } = await readEvents({ ...query, after, order: 'desc', limit: PAGE }, signal);
    return { items: events.map(eventItem), next };
  };
}

/** Pages of `GET /search`, the newest first. */
export function seenPages(query: EventQuery): ReadPage<Item> {
  return async (after, signal) => {
    const { results, next } = await readSeen({ ...query, after, order: 'desc', limit: PAGE }, signal);
    return { items: results.map(seenItem), next };
  };
}

/** An event. */
export function eventItem(event: ServerEvent): Item {
  return {
    key: event.id,
    atS: event.at,
    source: event.source ?? undefined,
    title: eventText(event),
    detail: event.reason ?? event.who ?? '',
    picture: event.still ? stillAddress(event.id) : undefined,
    clip: undefined,
  };
}

/** Something that was seen. */
function seenItem(result: SeenResult): Item {
  const { seen, directions } = words.value.events;
  const { type, label, zone, line, direction, duration_s: seconds } = result;
  const length = lengthText(seconds);
  const title =
    type === 'stay'
      ? seen.stay(label, zone ?? '', length)
      : type === 'crossing'
        ? seen.crossing(label, line ?? '', directions[direction ?? ''] ?? '')
        : seen.object(label, length);
  return {
    key: `${result.id}-${type}-${result.at}-${zone ?? line ?? ''}`,
    atS: result.at,
    source: result.source,
    title,
    detail: result.recorded ? '' : seen.notRecorded,
    picture: result.thumbnail === null ? undefined : addressOf(result.thumbnail),
    clip: result.clip === null ? undefined : addressOf(result.clip),
  };
}

/** Where an item can be watched: its moment where that is recorded, else its source as it is now. Undefined where it is about none. */
export function placeOf(
  { source, atS }: Item,
  recordings: readonly ListedRecording[],
): { readonly source: string; readonly at?: number } | undefined {
  if (source === undefined) return undefined;
  const isRecorded = recordings.some((each) => each.source === source && atS >= each.from && atS <= each.to);
  return isRecorded ? { source, at: atS } : { source };
}

/** Ids of the zones and lines of a source. */
export interface Places {
  /** Of its zones. */
  readonly zones: readonly string[];
  /** Of its lines. */
  readonly lines: readonly string[];
}

/** Where the zones of a source are told. */
export function zonesPath(source: string): string {
  return `${pathOf('sources', source)}/zones`;
}

/** What `GET /sources/:id/zones` names. */
export function placesOf({
  zones = [],
  lines = [],
}: {
  readonly zones?: readonly { id: string }[];
  readonly lines?: readonly { id: string }[];
}): Places {
  return { zones: zones.map(({ id }) => id), lines: lines.map(({ id }) => id) };
}
