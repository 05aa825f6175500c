/** Objects and layouts for tests of zones and lines. */
import { resolveZones, type SceneLayout } from '../../src/scene/resolve.js';
import { SceneCounter, type ZonesJson } from '../../src/scene/index.js';
import type { SceneEvent, TrackedObject } from '../../src/media/index.js';

const PICTURE = { widthPx: 1000, heightPx: 1000 };

export const layoutOf = (json: ZonesJson): SceneLayout => resolveZones(json, PICTURE);

export const counterOf = (json: ZonesJson): SceneCounter => new SceneCounter({ layout: layoutOf(json), wallClock: () => 0 });

/** An object of 20 by 40 pixels (margin 2 px) whose bottom centre is at (x, y). */
export function objectAt(x: number, y: number, more: Partial<TrackedObject> = {}): TrackedObject {
  return {
    objectId: 1,
    classId: 0,
    label: 'person',
    score: 0.9,
    box: [x - 10, y - 40, 20, 40],
    velocity: [0, 0],
    isObserved: true,
    ...more,
  };
}

/** `enter gate 1`, `cross road in 1`. */
export function inWords({ type, id, direction, objectId }: SceneEvent): string {
  return [type, id, ...(direction ? [direction] : []), objectId].join(' ');
}

/** Walks one object along points, 100 ms apart; the events in words. `undefined` is a picture without it. */
export function walk(
  counter: SceneCounter,
  points: readonly (readonly [number, number] | undefined)[],
  startMs = 0,
  more: Partial<TrackedObject> = {},
): string[] {
  return points.flatMap((point, index) =>
    counter.observe(point ? [objectAt(point[0], point[1], more)] : [], startMs + index * 100).events.map(inWords),
  );
}
