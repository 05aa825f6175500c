/** From sources to tracks: what runs, for whom, and for how long. Knows no viewers, only demand. */
export type { DetectionActivity } from './processed.js';
export { Pipelines, type PipelinesInit } from './pipelines.js';
export type { PipelineDeps, Seeing } from './deps.js';
export type { RenditionActivity, SourceActivity, TrackLease } from './source-pipeline.js';
export type { TrackKey } from './source-run.js';
