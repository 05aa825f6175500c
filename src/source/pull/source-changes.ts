/** What was changed through the API, source by source, as it is kept over restarts. */
import { isRecord, type SourceEntry } from './entry-schema.js';

/** What people call a source, and nothing of how it is read. */
export interface SourceLabels {
  /** What people call it. */
  readonly title?: string | undefined;
  /** What it belongs to, for lists. */
  readonly group?: string | undefined;
}

/** Of what SOURCES_FILE names. */
interface OfFile {
  /** Since when the file names it no more, in ms of Unix time; left out: it does. */
  readonly goneMs?: number;
}

/**
 * What became of one source. `entry`: it was added, or added again. `patch`: one of SOURCES_FILE is described otherwise.
 * `removed`: one of SOURCES_FILE was removed. `labels`: a file or a room was named.
 */
export type SourceChange =
  | { readonly entry: SourceEntry }
  | ({ readonly patch: Readonly<Record<string, unknown>> } & OfFile)
  | ({ readonly removed: true } & OfFile)
  | { readonly labels: SourceLabels };

/** All changes by the name of their source, in the order in which they came. */
export type SourceChanges = ReadonlyMap<string, SourceChange>;

/** A file that was cut short, or a camera that is out for repair, is back within that time. */
export const GONE_FOR_GOOD_MS = 86_400_000;

const NAME = /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/;

/**
 * A change once SOURCES_FILE was read; undefined: it is forgotten, because the file has not named its source for a day.
 * @param isNamed whether the file names it now @param nowMs Unix time in milliseconds
 */
export function changeOver(change: SourceChange, isNamed: boolean, nowMs: number): SourceChange | undefined {
  if (!('patch' in change || 'removed' in change)) return change;
  const { goneMs = isNamed ? undefined : nowMs, ...lasting } = change;
  if (goneMs === undefined) return change;
  if (nowMs - goneMs >= GONE_FOR_GOOD_MS) return undefined;
  return isNamed ? lasting : { ...lasting, goneMs };
}

/** What was kept. @param onUnreadable told how many of them cannot be read */
export function readChanges(kept: unknown, onUnreadable: (count: number) => void): SourceChanges {
  const items: readonly unknown[] = Array.isArray(kept) ? kept : [];
  const changes = new Map(items.flatMap((item) => readChange(item) ?? []));
  const unreadable = (kept === undefined || Array.isArray(kept) ? 0 : 1) + items.length - changes.size;
  if (unreadable > 0) onUnreadable(unreadable);
  return changes;
}

/** As JSON, for `readChanges`. It holds credentials. */
export function changesJson(changes: SourceChanges): object[] {
  return [...changes].map(([name, change]) => ({ name, ...change }));
}

function readChange(item: unknown): [string, SourceChange][] | undefined {
  if (!isRecord(item) || typeof item['name'] !== 'string' || !NAME.test(item['name'])) return undefined;
  const { name, entry, patch, removed, labels, goneMs } = item;
  const gone = typeof goneMs === 'number' && { goneMs };
  // What an entry says is checked where it is read, as that of a request.
  if (isRecord(entry)) return [[name, { entry: entry as SourceEntry }]];
  if (isRecord(patch)) return [[name, { patch, ...gone }]];
  if (removed === true) return [[name, { removed, ...gone }]];
  return isRecord(labels) ? [[name, { labels: { title: textOf(labels['title']), group: textOf(labels['group']) } }]] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
