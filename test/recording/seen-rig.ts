/** Detections for tests of what looks at recordings. */
import type { FrameDetections, SceneEvent, TrackedObject } from '../../src/media/index.js';

/** An object that is seen, standing still. */
export function objectOf(objectId: number, more: Partial<TrackedObject> = {}): TrackedObject {
  return { objectId, label: 'car', classId: 2, score: 0.5, box: [10, 20, 30, 40], velocity: [0, 0], isObserved: true, ...more };
}

/** One look at a frame of 640x360. */
export function lookOf(
  objects: readonly TrackedObject[],
  events: readonly SceneEvent[] = [],
  more: Partial<FrameDetections> = {},
): FrameDetections {
  return {
    sourceId: 'gate',
    frame: 0,
    mediaTimeMs: 0,
    widthPx: 640,
    heightPx: 360,
    inferenceMs: 5,
    objects,
    scene: { zones: [], lines: [], events },
    ...more,
  };
}

/** Something that happens to an object. */
export function eventOf(type: SceneEvent['type'], id: string, objectId: number, more: Partial<SceneEvent> = {}): SceneEvent {
  return { type, id, objectId, label: 'car', classId: 2, score: 0.5, position: [0, 0], ...more };
}
