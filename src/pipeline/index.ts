/** From sources to tracks: what runs, for whom, and for how long. Knows no viewers, only demand. */
export type { DetectionActivity } from './source-sight.js';
export { Pipelines, type PipelinesInit } from './pipelines.js';
export type { PipelineDeps, SceneObserver, Seeing, SeeingProvider } from './deps.js';
export type { RenditionActivity, SourceActivity } from './source-activity.js';
export type { PipelineSource } from './pipeline-source.js';
export { SeenStills } from './seen-still.js';
export { slateCaption } from './slate-caption.js';
export { StandingLeases, type StandingLease } from './standing-leases.js';
export { SourceModels, type ModelInUse } from './source-models.js';
