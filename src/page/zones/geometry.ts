/** Plane geometry of an editor. Points are fractions of the picture, from its left upper corner. Pure. */

/** `[x, y]`, each 0 to 1. */
export type Point = readonly [x: number, y: number];

/** How near a side of the picture, or another corner, a point is drawn to it: a share of the picture's height. */
const SNAP = 0.012;

/** The distance of two points, in heights of the picture. @param aspect width by height */
export function distance([ax, ay]: Point, [bx, by]: Point, aspect: number): number {
  return Math.hypot((ax - bx) * aspect, ay - by);
}

/** The point inside the picture that is nearest. */
export function inside([x, y]: Point): Point {
  return [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
}

/** A point that is moved to a corner of another shape, or to a side of the picture, where one is near. */
export function snapped(point: Point, corners: readonly Point[], aspect: number): Point {
  const [nearest] = corners
    .filter((corner) => distance(corner, point, aspect) <= SNAP)
    .sort((a, b) => distance(a, point, aspect) - distance(b, point, aspect));
  if (nearest) return nearest;
  const toSide = (value: number, reach: number): number => (value <= reach ? 0 : value >= 1 - reach ? 1 : value);
  return inside([toSide(point[0], SNAP / aspect), toSide(point[1], SNAP)]);
}

/** Points that are moved together as far as the picture reaches. */
export function shifted(points: readonly Point[], [dx, dy]: Point): Point[] {
  const reach = (axis: 0 | 1, by: number): number => {
    const values = points.map((point) => point[axis]);
    return Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by));
  };
  const [x, y] = [reach(0, dx), reach(1, dy)];
  return points.map((point) => [point[0] + x, point[1] + y]);
}

/** The middle of an edge. @param edge index of the corner where it begins */
export function middleOf(points: readonly Point[], edge: number): Point {
  const [a, b] = edgeOf(points, edge);
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** Where a name stands: the middle of all corners. */
export function centreOf(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], point) => [x + point[0], y + point[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** The arrow of a line: from its middle to its right side, looking from its first end to its second; `in` goes there. @param length in heights of the picture */
export function arrowOf(from: Point, to: Point, aspect: number, length = 0.09): readonly [Point, Point] {
  const middle: Point = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const [dx, dy] = [(to[0] - from[0]) * aspect, to[1] - from[1]];
  const norm = Math.hypot(dx, dy) || 1;
  // Right of a way is a quarter turn clockwise, where y points down.
  return [middle, [middle[0] + (-dy / norm) * (length / aspect), middle[1] + (dx / norm) * length]];
}

/** Pairs of edges of a polygon that meet where they should not, by the corners where they begin. */
export function crossings(points: readonly Point[]): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  for (let first = 0; first < points.length; first++) {
    for (let second = first + 2; second < points.length; second++) {
      const areNeighbours = first === 0 && second === points.length - 1;
      if (!areNeighbours && meet(edgeOf(points, first), edgeOf(points, second))) found.push([first, second]);
    }
  }
  return found;
}

function edgeOf(points: readonly Point[], edge: number): readonly [Point, Point] {
  return [points[edge] as Point, points[(edge + 1) % points.length] as Point];
}

function meet([a, b]: readonly [Point, Point], [c, d]: readonly [Point, Point]): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc * abd < 0 && cda * cdb < 0) return true;
  return (
    (abc === 0 && isWithin(c, a, b)) ||
    (abd === 0 && isWithin(d, a, b)) ||
    (cda === 0 && isWithin(a, c, d)) ||
    (cdb === 0 && isWithin(b, c, d))
  );
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

function isWithin([x, y]: Point, a: Point, b: Point): boolean {
  return x >= Math.min(a[0], b[0]) && x <= Math.max(a[0], b[0]) && y >= Math.min(a[1], b[1]) && y <= Math.max(a[1], b[1]);
}
