/** Files as sources: the upload folder, what is in it, and feeds that play it. Knows no viewers. */
export { describeContent } from './delivery.js';
export type { Delivery, FeedPlan, FileChange, FileDescription, FileWatch, SourceDescription } from './description.js';
export { openFileFeed } from './feed.js';
export { SourceLibrary, type LibraryEvents, type LibraryOptions } from './library.js';
export { StillPictures } from './still.js';
export type { FeedEnd, FeedInfo, FeedOptions, FeedSink, RoomState, Source, SourceFeed, SourceKind } from './source.js';
