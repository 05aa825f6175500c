/** What waits for the disk, for questions: whoever asks gets what was added before, also while the disk is full. */
import type { Entry } from './event-tables.js';
import { hasWantedMembers, type EventQuery, type EventStill, type StoredEvent } from './event.js';

/** The events among entries, as they will be in the file. */
function eventsOf(entries: readonly Entry[]): StoredEvent[] {
  return entries.flatMap((entry) => (entry.kind === 'event' ? { ...entry.event, atMs: Math.round(entry.event.atMs) } : []));
}

/** What a query selects of the file and of what waits, in the order that was asked for. @param found what it selects of the file */
export function withUnwritten(found: readonly StoredEvent[], entries: readonly Entry[], query: EventQuery): StoredEvent[] {
  const waiting = eventsOf(entries).filter((event) => isSelected(event, query));
  if (waiting.length === 0) return [...found];
  // Of some that wait the file may have a part already.
  const byId = new Map([...found, ...waiting].map((event) => [event.id, event]));
  const sign = query.isDescending === true ? -1 : 1;
  return [...byId.values()].sort((a, b) => sign * (a.id - b.id)).slice(0, query.limit);
}

/** How many of a source, or about none, wait that have a later id. */
export function countUnwritten(entries: readonly Entry[], sourceId: string | undefined, afterId: number): number {
  return eventsOf(entries).filter((event) => event.sourceId === sourceId && event.id > afterId).length;
}

/** The still of an event, where both wait. */
export function unwrittenStill(entries: readonly Entry[], eventId: number): EventStill | undefined {
  const event = eventsOf(entries).find(({ id }) => id === eventId);
  const still = entries.find((entry) => entry.kind === 'still' && entry.id === event?.stillId);
  return event && still?.kind === 'still' ? { sourceId: event.sourceId, jpeg: still.jpeg } : undefined;
}

/** Sources of events that wait, in no order. */
export function unwrittenSources(entries: readonly Entry[]): string[] {
  return eventsOf(entries).flatMap(({ sourceId }) => sourceId ?? []);
}

/** As the tables select. */
function isSelected(event: StoredEvent, query: EventQuery): boolean {
  const { fromMs = -Infinity, toMs = Infinity, sourceIds, isOfNoSource = false, types, afterId, isDescending = false } = query;
  const { id, atMs, type, sourceId } = event;
  if (isOfNoSource && sourceId !== undefined) return false;
  if (sourceIds && (sourceId === undefined || !sourceIds.includes(sourceId))) return false;
  if (types && !types.includes(type)) return false;
  if (!hasWantedMembers(event, query)) return false;
  if (atMs < fromMs || atMs >= toMs) return false;
  return afterId === undefined || (isDescending ? id < afterId : id > afterId);
}
