/** Pixels in, values out: the detector, the tracker and the drawing. Knows no transport and no ffmpeg. */
export { annotate, drawNotice, type DrawnObject } from './annotate.js';
export { DetectorPool, type LoadedModel, type ModelLease } from './detector-pool.js';
export { Detector, type DetectionResult, type DetectorInit, type DetectorObserver } from './detector.js';
export { LabelRenderer } from './label-renderer.js';
export { FAMILY_NAMES, type FamilyName } from './families/names.js';
export { inspectModel, loadModelDescription, type ModelInspection } from './load-model.js';
export { type ModelDescription } from './model.js';
export { type ModelDataFile } from './model-data.js';
export { modelDataBeside } from './model-files.js';
export { ModelFolder, modelName } from './model-folder.js';
export { MotionGate, type MotionGateOptions } from './motion-gate.js';
export { ObjectTracker, type ObjectTrackerInit } from './object-tracker.js';
export { encodeSnapshot, narrowJpeg, shrink } from './snapshot.js';
export { DetectionScheduler, type DetectionRegistration } from './scheduler.js';
