/** Where detected objects are at another moment than that of their message. Pure. */
import type { DetectedObject } from './detection-message.js';

/** A velocity is believed for this long; then boxes stay where it has carried them. Seconds. */
const MOVES_S = 1;
/** Boxes of a message older than this are late, and are drawn as such. Seconds. */
export const LATE_S = 0.5;
/** Boxes of a message as old as this say nothing about now; from `LATE_S` on they fade towards it. Seconds. */
export const GONE_S = 3;

/**
 * Where objects are expected some time after they were seen: their velocity carries them for a second at most.
 * @param seconds since they were seen
 */
export function movedOn(objects: readonly DetectedObject[], seconds: number): DetectedObject[] {
  const duration = Math.min(seconds, MOVES_S);
  return objects.map((object) => {
    const [x, y, width, height] = object.box;
    const [right, down] = object.velocity ?? [0, 0];
    return { ...object, box: [x + right * duration, y + down * duration, width, height] };
  });
}

/**
 * Objects between two messages: those that both know lie on the way from one box to the other, the others move on.
 * @param seconds since the earlier one
 * @param span seconds from the earlier to the later, more than 0
 */
export function between(
  earlier: readonly DetectedObject[],
  later: readonly DetectedObject[],
  seconds: number,
  span: number,
): DetectedObject[] {
  const nextById = new Map(later.map((object) => [object.object_id, object]));
  return earlier.flatMap((object) => {
    const next = nextById.get(object.object_id);
    return next ? [{ ...object, box: boxBetween(object.box, next.box, seconds / span) }] : movedOn([object], seconds);
  });
}

function boxBetween(from: DetectedObject['box'], to: DetectedObject['box'], share: number): DetectedObject['box'] {
  const on = (side: 0 | 1 | 2 | 3): number => from[side] + (to[side] - from[side]) * share;
  return [on(0), on(1), on(2), on(3)];
}

/** How visible boxes are that were last seen `seconds` ago: 1 until they are late, then fading to 0. */
export function visibilityAfter(seconds: number): number {
  return Math.max(0, Math.min(1, 1 - (seconds - LATE_S) / (GONE_S - LATE_S)));
}
