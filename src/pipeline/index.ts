/** From sources to tracks: what runs, for whom, and for how long. Knows no viewers, only demand. */
export { AlwaysOn, type AlwaysOnInit } from './always-on.js';
export type { DetectionActivity } from './source-sight.js';
export { Pipelines, type PipelinesInit } from './pipelines.js';
export type { PipelineDeps, SceneObserver, Seeing, SeeingProvider } from './deps.js';
export type { RenditionActivity, SourceActivity } from './source-activity.js';
export type { DetectionLease, TrackLease } from './source-pipeline.js';
export { SeenStills } from './seen-still.js';
export { slateCaption } from './slate-caption.js';
export { StillFeeds, type Still, type StillLease } from './still-feed.js';
export { StandingReaders } from './standing-readers.js';
export { SourceModels, type ModelInUse } from './source-models.js';
export type { TrackKey } from './source-run.js';
