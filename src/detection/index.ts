/** Pixels in, values out: the detector, the tracker and the drawing. Knows no transport and no ffmpeg. */
export { annotate, type DrawnObject } from './annotate.js';
export { Detector, type DetectionResult, type DetectorInit } from './detector.js';
export { LabelRenderer } from './label-renderer.js';
export { loadModelDescription, type ModelDescription } from './model.js';
export { ObjectTracker, type ObjectTrackerInit } from './object-tracker.js';
export { DetectionScheduler, type DetectionRegistration } from './scheduler.js';
