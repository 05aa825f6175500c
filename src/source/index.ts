/**
 * Where media comes from: files of the upload folder, rooms that are published to, cameras that are connected on demand,
 * and feeds that play them. Knows no viewers.
 */
export { SourceCatalogue, type PullInputs, type SourceCatalogueInit } from './catalogue.js';
export { describeContent } from './delivery.js';
export type { Delivery, FeedPlan, FileChange, FileDescription, FileWatch, SourceDescription } from './description.js';
export { examineFile } from './file/examine-file.js';
export { openFileFeed } from './file/feed.js';
export type { RoomStatus } from './live/room-status.js';
export { LiveRooms, type LiveRoomsInit } from './live/rooms.js';
export { pictureSize } from './picture-size.js';
export type { Caption } from './picture-slate.js';
export { PullSources, type PullSourcesInit } from './pull/pull.js';
export { readSourcesFile, type PullInput } from './pull/sources-file.js';
export { SourceLibrary, type LibraryChange, type LibraryOptions } from './file/library.js';
export { uprightPictures } from './media-run.js';
export { straightTimes } from './file/straight-times.js';
export { FileSnapshots } from './file/snapshots.js';
export type { FeedEnd, FeedInfo, FeedOptions, FeedSink, RoomState, Source, SourceFeed, SourceKind } from './source.js';
