/** Plane geometry in picture coordinates: x to the right, y down. */

export type Point = readonly [x: number, y: number];
/** A straight line between two points. */
export type Segment = readonly [from: Point, to: Point];

/** A rectangle. */
export interface Bounds {
  /** In the unit of the points. */
  readonly left: number;
  /** In the unit of the points. */
  readonly top: number;
  /** In the unit of the points. */
  readonly right: number;
  /** In the unit of the points. */
  readonly bottom: number;
}

/** Twice the signed area of a, b, c: positive where c lies to the right of the way from a to b, as one sees it in the picture. */
function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** How far apart two points are. */
export function distance(a: Point, b: Point): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

/** From a point to the nearest point of a segment. */
export function distanceToSegment(point: Point, [from, to]: Segment): number {
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  const lengthSquared = dx * dx + dy * dy;
  const along = lengthSquared === 0 ? 0 : ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / lengthSquared;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(point[0] - from[0] - t * dx, point[1] - from[1] - t * dy);
}

/** The edges of a polygon, the closing one last. */
export function edgesOf(polygon: readonly Point[]): Segment[] {
  return polygon.map((corner, index) => [corner, polygon[(index + 1) % polygon.length] as Point]);
}

/** Signed by direction; a polygon that crosses itself has no meaningful area. */
export function areaOf(polygon: readonly Point[]): number {
  return edgesOf(polygon).reduce((sum, [[x1, y1], [x2, y2]]) => sum + x1 * y2 - x2 * y1, 0) / 2;
}

/** The smallest upright rectangle around points. */
export function boundsOf(points: readonly Point[]): Bounds {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** The smallest rectangle around one step. */
export function boundsOfStep(before: Point, after: Point): Bounds {
  return {
    left: Math.min(before[0], after[0]),
    top: Math.min(before[1], after[1]),
    right: Math.max(before[0], after[0]),
    bottom: Math.max(before[1], after[1]),
  };
}

/** True where two rectangles have a point in common. */
export function boundsMeet(a: Bounds, b: Bounds): boolean {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

/** Even–odd rule, half-open: of two polygons that share an edge, a point on it is inside exactly one. */
export function isInside(point: Point, edges: readonly Segment[]): boolean {
  const [x, y] = point;
  let inside = false;
  for (const { 0: from, 1: to } of edges) {
    if (from[1] > y !== to[1] > y && x < ((to[0] - from[0]) * (y - from[1])) / (to[1] - from[1]) + from[0]) inside = !inside;
  }
  return inside;
}

/** True where two segments have a point in common, touching included. */
export function segmentsMeet([a, b]: Segment, [c, d]: Segment): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc > 0 !== abd > 0 && cda > 0 !== cdb > 0 && abc !== 0 && abd !== 0 && cda !== 0 && cdb !== 0) return true;
  return (
    (abc === 0 && isWithin(c, a, b)) ||
    (abd === 0 && isWithin(d, a, b)) ||
    (cda === 0 && isWithin(a, c, d)) ||
    (cdb === 0 && isWithin(b, c, d))
  );
}

/** Of a point that is known to lie on the straight line through a and b. */
function isWithin([x, y]: Point, a: Point, b: Point): boolean {
  return x >= Math.min(a[0], b[0]) && x <= Math.max(a[0], b[0]) && y >= Math.min(a[1], b[1]) && y <= Math.max(a[1], b[1]);
}

/**
 * How a step from `before` to `after` crosses a line: 1 from its left to its right, -1 back, 0 not at all. The line
 * itself belongs to its right side, so a walk of many steps crosses it neither twice nor never.
 */
export function crossing([from, to]: Segment, before: Point, after: Point): -1 | 0 | 1 {
  const sideBefore = turn(from, to, before);
  const sideAfter = turn(from, to, after);
  if (sideBefore >= 0 === sideAfter >= 0) return 0;
  const t = sideBefore / (sideBefore - sideAfter);
  const at: Point = [before[0] + t * (after[0] - before[0]), before[1] + t * (after[1] - before[1])];
  const along = (at[0] - from[0]) * (to[0] - from[0]) + (at[1] - from[1]) * (to[1] - from[1]);
  const lengthSquared = (to[0] - from[0]) ** 2 + (to[1] - from[1]) ** 2;
  if (along < 0 || along > lengthSquared) return 0;
  return sideAfter >= 0 ? 1 : -1;
}

/** How much of the step from `before` to `after` lies inside a polygon, in the units of the points. */
export function lengthInside(before: Point, after: Point, edges: readonly Segment[]): number {
  const cuts = [0, 1];
  for (const [from, to] of edges) {
    const sideBefore = turn(from, to, before);
    const sideAfter = turn(from, to, after);
    if (sideBefore >= 0 !== sideAfter >= 0) cuts.push(sideBefore / (sideBefore - sideAfter));
  }
  cuts.sort((a, b) => a - b);
  const at = (t: number): Point => [before[0] + t * (after[0] - before[0]), before[1] + t * (after[1] - before[1])];
  let inside = 0;
  for (let i = 1; i < cuts.length; i++) {
    const [start, end] = [cuts[i - 1] as number, cuts[i] as number];
    if (end > start && isInside(at((start + end) / 2), edges)) inside += end - start;
  }
  return inside * distance(before, after);
}
