/** Events, counts and the index of recordings, kept over restarts in one embedded database that a thread of its own owns. Knows no sources, no HTTP and no pixels. */
export {
  eventMessage,
  hasWantedMembers,
  type EventFacts,
  type EventQuery,
  type EventRetention,
  type EventStill,
  type StoredEvent,
} from './event.js';
export { EventStore } from './event-store.js';
export { RecordingIndex } from './recording-index.js';
export type * from './recorded-segment.js';
export { joinStretches } from './stretches.js';
export { FolderBusyError, lockFolder, type FolderLock } from './folder-lock.js';
export { LimitedEvents } from './limited-events.js';
export type * from './seen.js';
export { StateFile, type StateChanges } from './state-file.js';
