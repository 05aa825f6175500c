/** An event as clients read it. */
import { Type } from 'typebox';
import { EVENT_TYPES } from '../base/event-types.js';

/** An example, for the contract. */
export const EVENT_EXAMPLE = {
  id: '1795266357344000',
  at: 1795266357.344,
  type: 'enter',
  source: 'demo',
  still: true,
  zone: 'gate',
  object_id: 7,
  label: 'person',
  class_id: 0,
  score: 0.91,
  position: [512.5, 640],
  frame: 311,
  media_time_s: 10.366667,
};

/** What all events have; each type has members of its own beside. */
export const EventSchema = Type.Object(
  {
    id: Type.String({ description: 'Ascends, also over restarts' }),
    at: Type.Number({ description: 'Unix seconds' }),
    type: Type.Enum([...EVENT_TYPES]),
    source: Type.Union([Type.String(), Type.Null()], { description: 'The source that it happened at; null where it is about none' }),
    still: Type.Boolean({ description: 'There is a picture of its moment: `GET /events/:id/still.jpg`' }),
  },
  {
    title: 'Event',
    additionalProperties: true,
    description: 'Something that happened; docs/events.md names the members of each type',
    examples: [EVENT_EXAMPLE],
  },
);
