/** What a person looks for among events and in recordings: as the address has it, and as the server is asked. Knows no DOM. */
import type { EventQuery } from '../api/events.js';
import { dayStart, parseWallText } from '../timeline/zone.js';

/** What is looked through: objects in recordings, what happened at zones and lines, or what became of sources and clients. */
export type Kind = 'seen' | 'zones' | 'system';

/** All kinds. */
export const KINDS: readonly Kind[] = ['seen', 'zones', 'system'];
/** Days that have a name. */
export const DAYS = ['today', 'yesterday', 'week'] as const;
/** As the server names them, from Monday on. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Names of the members of a filter, as they are in addresses; one that is empty is not looked for. */
const FIELDS = [
  'source',
  'label',
  'zone',
  'line',
  'direction',
  'type',
  'day',
  'from',
  'to',
  'hours',
  'weekday',
  'longer',
  'layout',
] as const;

/** A member of a filter. */
export type Field = (typeof FIELDS)[number];

/** What is looked for. */
export type Filters = Readonly<Record<Field, string>>;

/** What the fields of a filter need. */
export interface FilterProps {
  /** What is looked through. */
  readonly kind: Kind;
  /** What is looked for. */
  readonly filters: Filters;
  /** Looks for something else from now on. */
  readonly onChange: (change: Partial<Record<Field, string>>) => void;
}

/** Types of `system`: all that no zone sees. */
export const SYSTEM_TYPES = [
  'source_started',
  'source_stopped',
  'publisher_joined',
  'publisher_left',
  'viewer_joined',
  'viewer_left',
  'detector_failed',
  'recording_stopped',
  'recording_resumed',
  'recording_rebuilt',
] as const;
/** Types of `zones`. */
export const ZONE_TYPES = ['enter', 'leave', 'cross'] as const;

/** What an address asks for. */
export function readFilters(query: URLSearchParams): Filters {
  return Object.fromEntries(FIELDS.map((field) => [field, query.get(field) ?? ''])) as Record<Field, string>;
}

/** Whether anything is looked for. */
export function isFiltered(filters: Filters): boolean {
  return FIELDS.some((field) => field !== 'layout' && filters[field] !== '');
}

/** The stretch that is looked through, Unix seconds; undefined ends are open. @param zone of the days */
export function stretchOf({ day, from, to }: Filters, zone: string, nowS: number): { readonly from?: number; readonly to?: number } {
  if (day === 'today') return { from: dayStart(zone, nowS) };
  if (day === 'yesterday') return { from: dayStart(zone, nowS, -1), to: dayStart(zone, nowS) };
  if (day === 'week') return { from: dayStart(zone, nowS, -6) };
  const [fromS, toS] = [parseWallText(zone, from), parseWallText(zone, to)];
  return { ...(fromS !== undefined && { from: fromS }), ...(toS !== undefined && { to: toS }) };
}

/** Whether something that happens now is looked for. */
export function isOfNow(filters: Filters, zone: string, nowS: number): boolean {
  const { from = 0, to = Infinity } = stretchOf(filters, zone, nowS);
  return from <= nowS && to > nowS;
}

/** The query of `GET /events`, for `zones` and `system`; without its times, that of the stream. */
export function eventQuery(kind: Kind, { source, label, zone, line, type }: Filters): EventQuery {
  const types: readonly string[] = kind === 'zones' ? ZONE_TYPES : SYSTEM_TYPES;
  return {
    source,
    type: types.includes(type) ? type : types.join(','),
    ...(kind === 'zones' && { label, zone, line }),
  };
}

/** The query of `GET /search`. @param timeZone of hours and weekdays */
export function seenQuery({ source, label, zone, line, direction, hours, weekday, longer }: Filters, timeZone: string): EventQuery {
  const isTimed = hours !== '' || weekday !== '';
  return {
    source,
    label,
    // One of both: a stay has no line.
    ...(line === '' ? { zone } : { line, direction }),
    hours: readHours(hours),
    weekday,
    min_duration: Number(longer) > 0 ? Number(longer) : undefined,
    ...(isTimed && { timezone: timeZone }),
  };
}

/** Hours of a day as the server has them, such as `07:00-09:00`; empty where there are none. @param text as in the address */
export function readHours(text: string): string {
  return /^([01]\d|2[0-4]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$/.test(text) ? text : '';
}
