/** Which objects are expected to pass before or behind another, where detectors see one box for two or part of one. */
import type { FollowedObject } from './followed-object.js';

/**
 * The objects whose expected boxes overlap.
 * @param minOverlap of the smaller box, in [0, 1].
 */
export function findCrossing(objects: readonly FollowedObject[], mediaTimeMs: number, minOverlap: number): Set<FollowedObject> {
  const crossing = new Set<FollowedObject>();
  const boxes = objects.map((object) => object.boxAt(mediaTimeMs));
  objects.forEach((object, i) => {
    const [x = 0, y = 0, width = 0, height = 0] = boxes[i] ?? [];
    for (let j = 0; j < i; j++) {
      const [otherX = 0, otherY = 0, otherWidth = 0, otherHeight = 0] = boxes[j] ?? [];
      const sharedWidth = Math.min(x + width, otherX + otherWidth) - Math.max(x, otherX);
      const sharedHeight = Math.min(y + height, otherY + otherHeight) - Math.max(y, otherY);
      if (sharedWidth <= 0 || sharedHeight <= 0) continue;
      if (sharedWidth * sharedHeight < minOverlap * Math.min(width * height, otherWidth * otherHeight)) continue;
      crossing.add(object).add(objects[j] as FollowedObject);
    }
  });
  return crossing;
}
