/** Events in words for a person. */
import type { ServerEvent } from '../api/events.js';
import { words } from '../strings/index.js';

/** What happened, such as `car entered gate`. */
export function eventText({ type, label, zone, line, direction }: ServerEvent): string {
  const { happened, directions, something, somewhere } = words.value.events;
  const text = Object.hasOwn(happened, type) ? happened[type as keyof typeof happened] : undefined;
  if (text === undefined) return type;
  if (typeof text === 'string') return text;
  return text(label ?? something, zone ?? line ?? somewhere, directions[direction ?? ''] ?? direction ?? '');
}
