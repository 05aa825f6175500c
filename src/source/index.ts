/**
 * Where media comes from: files of the upload folder, rooms that are published to, cameras that are connected on demand,
 * and feeds that play them. Knows no viewers.
 */
export { SourceCatalogue } from './catalogue.js';
export { describeContent } from './delivery.js';
export type { LayerDescription, LayerFeed, SourceLayer } from './layer.js';
export type { FeedPlan, FileDescription, SourceDescription } from './description.js';
export { examineFile } from './file/examine-file.js';
export { openFileFeed } from './file/feed.js';
export type { RoomStatus } from './live/room-status.js';
export { LiveRooms, type LiveRoomsInit } from './live/rooms.js';
export { pictureSize } from './picture-size.js';
export type { Caption } from './picture-slate.js';
export { PullSources } from './pull/pull.js';
export { SourceEntrySchema, SourcePatchSchema, SourceProbeSchema } from './pull/entry-schema.js';
export { ManagedSources, type ModelChange } from './pull/managed-sources.js';
export type { ReadingContext } from './pull/read-entry.js';
export { shownSettings } from './pull/shown-settings.js';
export { GONE_FOR_GOOD_MS, readChanges } from './pull/source-changes.js';
export { SourceConfiguration } from './pull/source-configuration.js';
export { SourceProbe } from './pull/source-probe.js';
export { MAX_SOURCES_FILE_BYTES, parseSources, readSourcesFile } from './pull/sources-file.js';
export { SourceLibrary } from './file/library.js';
export { uprightPictures } from './media-run.js';
export { straightTimes } from './file/straight-times.js';
export { FileSnapshots } from './file/snapshots.js';
export type { FeedEnd, FeedInfo, FeedOptions, FrameUse, RoomState, SeenFrame, Source, SourceFeed, SourceKind } from './source.js';
export { Playbacks } from './recorded/playbacks.js';
export { Uploads } from './upload/uploads.js';
