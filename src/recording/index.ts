/** Recordings: segments on disk, what was seen beside them, and the index of it all. Knows neither HTTP nor sessions. */
export { compressDetections, readDetectionsLog } from './detections-log.js';
export { DiskSync } from './disk-sync.js';
export { listSegments, listSources, readSourceId, segmentFile, segmentTime, sidecarFiles, sourceFolder } from './layout.js';
export type { WrittenSegment } from './open-segment.js';
export type * from './recorded.js';
export { Archive } from './archive.js';
export { openCheckedReader } from './checked-reader.js';
export { FreeSpace } from './free-space.js';
export { Rebuild } from './rebuild.js';
export { Recorder, type WriterRequest } from './recorder.js';
export { Recordings, type CheckReport, type RecordingListing, type RecordingOverview } from './recordings.js';
export { outOfRange, recordingNotFound } from './refusals.js';
export { removeSegmentFiles } from './remove-files.js';
export { Retention } from './retention.js';
export {
  DEFAULT_SETTINGS,
  DETECTIONS_KEPT,
  RECORDING_MODES,
  type DetectionsKept,
  type RecordingMode,
  type RecordingSettings,
} from './settings.js';
export type { RecordingStats } from './stats.js';
export type { RecordableSource, RecordingWriter } from './source-recorder.js';
export { openSegmentReader } from './segment-reader.js';
export { SegmentWriter, type SegmentFailure, type SegmentWriterEvents, type SegmentWriterInit } from './segment-writer.js';
export { examineSegment, mendSegment } from './torn-tail.js';
export { Clips, type Clip } from './clips.js';
export type { ClipRequest } from './clip-plan.js';
export type { Draw } from './annotated-feed.js';
export { isTimeZone, readHours, stretchesOf, WEEKDAYS, type Weekday } from './day-times.js';
export { PlaybackEncodes } from './playback-encodes.js';
export { DetectionsThen, type SeenThen } from './seen-then.js';
export { searchSeen, type FoundObject } from './seen-search.js';
export { SeenObjects } from './seen-objects.js';
export { Thumbnails, type Thumbnail } from './thumbnails.js';
export { rebuildSeen } from './rebuild-seen.js';
export { timelineOf, type Timeline } from './timeline.js';
