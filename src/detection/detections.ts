/** What is seen in one picture. */

/** One object that the detector found. */
export interface Detection {
  /** Left, top, width, height in pixels of the picture; inside the picture. */
  readonly box: readonly [x: number, y: number, width: number, height: number];
  /** Index into the model's labels. */
  readonly classId: number;
  readonly label: string;
  /** Confidence in [0, 1]. */
  readonly score: number;
}

/** A detection that is followed from picture to picture. */
export interface TrackedObject extends Detection {
  /** Ascending from 1, never reused while the source runs. */
  readonly objectId: number;
}

/** Intersection over union of two boxes, in [0, 1]. */
export function iou(a: Detection['box'], b: Detection['box']): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (a[2] * a[3] + b[2] * b[3] - common);
}
