/** From sources to tracks: what runs, for whom, and for how long. Knows no viewers, only demand. */
export { Pipelines, type PipelinesInit } from './pipelines.js';
export type { DetectionModel, DetectionModels } from './deps.js';
export type { SourceActivity } from './source-activity.js';
export type { PipelineSource } from './pipeline-source.js';
export { CurrentSnapshots } from './current-snapshots.js';
export { slateCaption } from './slate-caption.js';
export { StandingLeases } from './standing-leases.js';
export { SourceCounts } from './source-counts.js';
export { SourceModels, type ModelInUse } from './source-models.js';
