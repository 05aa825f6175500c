/** The types of events: names of the public contract, which the configuration, the store and its readers share. */

/** What zones and lines see in frames. */
export const SCENE_EVENT_TYPES = ['enter', 'leave', 'cross'] as const;

/** Everything that can happen: first what zones and lines see, then the life of sources and clients, then what concerns administrators. */
export const EVENT_TYPES = [
  ...SCENE_EVENT_TYPES,
  'source_started',
  'source_stopped',
  'publisher_joined',
  'publisher_left',
  'viewer_joined',
  'viewer_left',
  'detector_failed',
  'recording_segment',
  'recording_stopped',
  'recording_resumed',
  'recording_rebuilt',
  'login',
  'refused',
  'changed',
] as const;

/** What happened. */
export type EventType = (typeof EVENT_TYPES)[number];

/** Told to administrators alone: who came from where, and what they were after. */
export const ADMIN_EVENT_TYPES: readonly EventType[] = ['login', 'refused', 'changed'];

/** Whether it happened in a frame, at a zone or line. */
export function isSceneEvent(type: EventType): boolean {
  return SCENE_EVENT_TYPES.some((each) => each === type);
}
