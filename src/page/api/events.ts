/** What has happened, and what happens. */
import { addressOf, pathOf } from './address.js';
import { getJson } from './request.js';

/** Something that happened. */
export interface ServerEvent {
  /** Ascends. */
  readonly id: string;
  /** Unix seconds. */
  readonly at: number;
  /** Such as `enter`. */
  readonly type: string;
  /** Null where it is about none. */
  readonly source: string | null;
  /** There is a picture of its moment. */
  readonly still: boolean;
  /** Id of the zone it happened at. */
  readonly zone?: string;
  /** Id of the line it happened at. */
  readonly line?: string;
  /** Of a crossing: `in` or `out`. */
  readonly direction?: string;
  /** Of the object to which it happened. */
  readonly label?: string;
  /** Why, of what has a reason. */
  readonly reason?: string;
  /** Who, of what somebody did. */
  readonly who?: string;
}

/** Which events are wanted. */
export interface EventQuery {
  /** A parameter of `GET /events` or `GET /search`. */
  readonly [name: string]: string | number | undefined;
}

/** Some events, and where those that follow begin. */
export interface EventPage {
  /** In the order asked for. */
  readonly events: readonly ServerEvent[];
  /** Null where there are no more. */
  readonly next: string | null;
}

/** What happens at zones and lines. */
export const SCENE_TYPES = 'enter,leave,cross';

/** A page of events. @throws RequestError */
export function readEvents(query: EventQuery, signal: AbortSignal): Promise<EventPage> {
  return getJson(`/events${queryText(query)}`, signal);
}

/** Address of the picture of an event's moment. */
export function stillAddress(id: string): string {
  return addressOf(`${pathOf('events', id)}/still.jpg`);
}

/** Members as a query; those that are undefined or empty are left out. */
export function queryText(query: EventQuery): string {
  const members = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  return members.length === 0 ? '' : `?${new URLSearchParams(members).toString()}`;
}
