/** From sources to tracks: what runs, for whom, and for how long. Knows no viewers, only demand. */
export type { DetectionActivity } from './source-detection.js';
export { Pipelines, type PipelinesInit } from './pipelines.js';
export type { PipelineDeps, SceneObserver, DetectionModel, DetectionModels } from './deps.js';
export type { RenditionActivity, SourceActivity } from './source-activity.js';
export type { PipelineSource } from './pipeline-source.js';
export { CurrentSnapshots } from './current-snapshots.js';
export { slateCaption } from './slate-caption.js';
export { StandingLeases, type StandingLease } from './standing-leases.js';
export { SourceModels, type ModelInUse } from './source-models.js';
