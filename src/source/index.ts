/** Files as sources: the upload folder, what is in it, and feeds that play it. Knows no viewers. */
export { describeContent } from './delivery.js';
export type { Delivery, FeedPlan, FileChange, FileWatch, SourceDescription } from './description.js';
export { openFileFeed, type FeedEnd, type FeedInfo, type FeedOptions, type FeedSink, type SourceFeed } from './feed.js';
export { SourceLibrary, type LibraryEvents, type LibraryOptions } from './library.js';
export { StillPictures } from './still.js';
