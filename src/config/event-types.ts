/** WEBHOOK_EVENTS: which events are for webhooks. */
import { EVENT_TYPES, SCENE_EVENT_TYPES, type EventType } from '../base/event-types.js';
import { itemsOf, type Variable } from './variable.js';

/** Of WEBHOOK_EVENTS. */
export const eventTypes: Variable<readonly EventType[]> = {
  shownDefault: SCENE_EVENT_TYPES.join(','),
  description: 'Which events the servers of `WEBHOOK_URL` receive ([events.md](events.md)).',
  allowed: `types of events, comma separated: ${EVENT_TYPES.join(', ')}`,
  defaultValue: SCENE_EVENT_TYPES,
  parse(value) {
    const names = itemsOf(value);
    const types = names.flatMap((name) => EVENT_TYPES.find((type) => type === name) ?? []);
    return types.length > 0 && types.length === names.length ? types : undefined;
  },
};
