/** The line through points, by least squares. */

/** A point of a curve. */
export interface Point {
  /** Mostly a time. */
  readonly x: number;
  /** Its value then. */
  readonly y: number;
}

/** How much `y` grows by `x`; 0 where the points do not tell it. */
export function slopeOf(points: readonly Point[]): number {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  let [covariance, variance] = [0, 0];
  for (const { x, y } of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return variance > 0 ? covariance / variance : 0;
}
