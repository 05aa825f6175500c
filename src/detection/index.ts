/** Pixels in, values out: the detector, the tracker and the drawing. Knows no transport and no ffmpeg. */
export { annotate } from './annotate.js';
export type { Detection, TrackedObject } from './detections.js';
export { Detector, type DetectionResult, type DetectorInit } from './detector.js';
export { LabelRenderer } from './label-renderer.js';
export { loadModelDescription, type ModelDescription } from './model.js';
export { ObjectTracker, type ObjectTrackerInit } from './object-tracker.js';
export { DetectionScheduler, type DetectionRegistration } from './scheduler.js';
