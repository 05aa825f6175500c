/**
 * Which detection is which object. Costs below 1 overlap; farther pairs cost their distance in standard deviations
 * of the motion model, so that an object that was lost for a while may be found farther off, along its way.
 */
import type { Box, Detection } from '../media/index.js';
import { assign, FORBIDDEN } from './assignment.js';
import { iou } from './boxes.js';
import type { FollowedObject } from './followed-object.js';
import type { TrackerOptions } from './tracker-options.js';

/** A pair's cost, or FORBIDDEN. */
export type PairCost = (object: FollowedObject, detection: Detection) => number;

export interface Association {
  readonly pairs: readonly (readonly [FollowedObject, Detection])[];
  readonly objects: readonly FollowedObject[];
  readonly detections: readonly Detection[];
}

/** Pairs objects and detections at the least total cost; what is left over comes back. */
export function associate(objects: readonly FollowedObject[], detections: readonly Detection[], cost: PairCost): Association {
  if (objects.length === 0 || detections.length === 0) return { pairs: [], objects, detections };
  const columns = assign(
    objects.flatMap((object) => detections.map((detection) => cost(object, detection))),
    objects.length,
    detections.length,
  );
  const taken = new Set(columns);
  return {
    pairs: objects.flatMap((object, row) => {
      const detection = detections[columns[row] ?? -1];
      return detection ? [[object, detection] as const] : [];
    }),
    objects: objects.filter((_, row) => columns[row] === -1),
    detections: detections.filter((_, column) => !taken.has(column)),
  };
}

/** Cost by overlap alone, for weak detections and other classes. */
export function overlapCost(mediaTimeMs: number, minIou: number): PairCost {
  const expected = new Map<FollowedObject, Box | undefined>();
  return (object, { box }) => {
    const at = memo(expected, object, mediaTimeMs);
    const overlap = at ? iou(at, box) : 0;
    return overlap >= minIou ? 1 - overlap : FORBIDDEN;
  };
}

/** Cost by overlap and by the motion model, for strong detections. */
export function motionCost(mediaTimeMs: number, options: TrackerOptions): PairCost {
  const { distanceWeight, gateSizes, gateGrowth, maxSizeRatio, minIou } = options;
  const expected = new Map<FollowedObject, Box | undefined>();
  return (object, { classId, box }) => {
    if (classId !== object.classId) return FORBIDDEN;
    const at = memo(expected, object, mediaTimeMs);
    if (!at) return FORBIDDEN;
    const overlap = iou(at, box);
    const lostS = Math.max(0, mediaTimeMs - object.lastSeenMs) / 1000;
    const distance = sizesApart(at, box) / (gateSizes + gateGrowth * lostS);
    if (overlap < minIou) {
      const ratio = (at[2] * at[3]) / (box[2] * box[3]);
      if (distance > 1 || ratio > maxSizeRatio || ratio < 1 / maxSizeRatio) return FORBIDDEN;
    }
    return 1 - overlap + distanceWeight * Math.min(1, distance);
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
