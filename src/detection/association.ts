/**
 * Which detection is which object. A pair fits by the overlap of the detection with the box that is expected, and by
 * the nearness of the two in a gate that widens with the time the object was lost. The best set of pairs is the one
 * whose fits sum up to the most, not the one with the most pairs: a stray detection must not push the right one on.
 */
import type { Box, Detection } from '../media/index.js';
import { assign } from './assignment.js';
import { iou } from './boxes.js';
import type { FollowedObject } from './followed-object.js';
import type { TrackerOptions } from './tracker-options.js';

/** How well a pair fits, above 0; 0 where it must not be. */
export type Fit = (object: FollowedObject, detection: Detection) => number;

/** What belongs together, and what is left. */
export interface Association {
  /** Objects with the detection that each was seen as. */
  readonly pairs: readonly (readonly [FollowedObject, Detection])[];
  /** Objects that were not seen. */
  readonly objects: readonly FollowedObject[];
  /** Detections of no object that is known. */
  readonly detections: readonly Detection[];
}

/** Pairs objects and detections for the best total fit; what is left over comes back. */
export function associate(objects: readonly FollowedObject[], detections: readonly Detection[], fit: Fit): Association {
  if (objects.length === 0 || detections.length === 0) return { pairs: [], objects, detections };
  const costs = objects.flatMap((object) => detections.map((detection) => -fit(object, detection)));
  const columns = assign(costs, objects.length, detections.length);
  const pairs: [FollowedObject, Detection][] = [];
  const free = new Set(detections);
  const left = objects.filter((object, row) => {
    const column = columns[row] ?? -1;
    const detection = detections[column];
    if (!detection || costs[row * detections.length + column] === 0) return true;
    pairs.push([object, detection]);
    free.delete(detection);
    return false;
  });
  return { pairs, objects: left, detections: [...free] };
}

/** Fit by overlap alone, for weak detections and other classes. */
export function overlapFit(mediaTimeMs: number, minIou: number): Fit {
  const expected = new Map<FollowedObject, Box | undefined>();
  return (object, { box }) => {
    const at = memo(expected, object, mediaTimeMs);
    const overlap = at ? iou(at, box) : 0;
    return overlap >= minIou ? overlap : 0;
  };
}

/** Fit by overlap and by nearness, for strong detections. */
export function motionFit(mediaTimeMs: number, options: TrackerOptions): Fit {
  const { distanceWeight, gateFirst, gateSizes, gateGrowth, maxSizeRatio, minIou } = options;
  const expected = new Map<FollowedObject, Box | undefined>();
  return (object, { classId, box }) => {
    if (classId !== object.classId) return 0;
    const at = memo(expected, object, mediaTimeMs);
    if (!at) return 0;
    const overlap = iou(at, box);
    const lostS = Math.max(0, mediaTimeMs - object.lastSeenMs) / 1000;
    const distance = sizesApart(at, box) / ((object.hits > 1 ? gateSizes : gateFirst) + gateGrowth * lostS);
    if (overlap < minIou) {
      const ratio = (at[2] * at[3]) / (box[2] * box[3]);
      if (distance > 1 || ratio > maxSizeRatio || ratio < 1 / maxSizeRatio) return 0;
    }
    return overlap + distanceWeight * Math.max(0, 1 - distance);
  };
}

/** Distance of the centres in sizes of the larger box. */
function sizesApart(a: Box, b: Box): number {
  return Math.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2) / Math.sqrt(Math.max(a[2] * a[3], b[2] * b[3]));
}

function memo(boxes: Map<FollowedObject, Box | undefined>, object: FollowedObject, mediaTimeMs: number): Box | undefined {
  if (!boxes.has(object)) boxes.set(object, object.boxAt(mediaTimeMs));
  return boxes.get(object);
}
