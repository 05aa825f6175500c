/** Changes of one shape, each giving another shape. Pure. */
import type { DraftShape } from './draft.js';
import { inside, middleOf, shifted, type Point } from './geometry.js';

/** As the server bounds them. */
const MAX_CORNERS = 64;

/** A corner somewhere else. */
export function movedCorner(shape: DraftShape, corner: number, to: Point): DraftShape {
  return { ...shape, points: shape.points.map((point, i) => (i === corner ? inside(to) : point)) };
}

/** All corners moved alike, as far as the picture reaches. */
export function movedShape(shape: DraftShape, by: Point): DraftShape {
  return { ...shape, points: shifted(shape.points, by) };
}

/** Another corner in the middle of an edge; of a line, or of a zone with too many, none. @param edge index of the corner where it begins */
export function addedCorner(shape: DraftShape, edge: number): DraftShape {
  if (shape.kind === 'line' || shape.points.length >= MAX_CORNERS) return shape;
  return { ...shape, points: [...shape.points.slice(0, edge + 1), middleOf(shape.points, edge), ...shape.points.slice(edge + 1)] };
}

/** Without a corner; one that three are left of stays. */
export function removedCorner(shape: DraftShape, corner: number): DraftShape {
  if (shape.kind === 'line' || shape.points.length <= 3) return shape;
  return { ...shape, points: shape.points.filter((_point, i) => i !== corner) };
}

/** A line that counts the other way round. */
export function flipped(shape: DraftShape): DraftShape {
  return { ...shape, points: shape.points.toReversed() };
}
