/** The line through points, by least squares. */

/** A point of a curve. */
export interface Point {
  /** Mostly a time. */
  readonly x: number;
  /** Its value then. */
  readonly y: number;
}

/** A slope, and how far it may be off. */
export interface Slope {
  /** How much `y` grows by `x`; 0 where the points do not tell it. */
  readonly slope: number;
  /** Its standard error. */
  readonly error: number;
}

/** The line that fits the points best. */
export function slopeOf(points: readonly Point[]): Slope {
  const count = points.length;
  let [sumX, sumY] = [0, 0];
  for (const { x, y } of points) {
    sumX += x;
    sumY += y;
  }
  let [xx, xy, yy] = [0, 0, 0];
  for (const { x, y } of points) {
    xx += (x - sumX / count) ** 2;
    xy += (x - sumX / count) * (y - sumY / count);
    yy += (y - sumY / count) ** 2;
  }
  if (!(xx > 0)) return { slope: 0, error: 0 };
  const residual = Math.max(0, yy - xy ** 2 / xx);
  return { slope: xy / xx, error: count > 2 ? Math.sqrt(residual / (count - 2) / xx) : 0 };
}
