/** Where things lie on the overlay: the frame inside its element, boxes on whole pixels, labels beside boxes. Knows no DOM. */

/** Pixels of the canvas; right and bottom excluded. */
export type Rect = readonly [left: number, top: number, right: number, bottom: number];

/** Where a frame lies in its element. */
export interface Fit {
  /** Left edge in pixels of the element. */
  readonly left: number;
  /** Top edge in pixels of the element. */
  readonly top: number;
  /** Pixels of the element in a pixel of the frame. */
  readonly scale: number;
  /** Width in pixels of the element. */
  readonly width: number;
  /** Height in pixels of the element. */
  readonly height: number;
}

/**
 * The frame inside an element that shows all of it (`object-fit: contain`).
 * @param width of the element, in pixels
 * @param height of the element, in pixels
 */
export function contain(width: number, height: number, frameWidth: number, frameHeight: number): Fit {
  const scale = Math.min(width / frameWidth, height / frameHeight);
  const size = { width: frameWidth * scale, height: frameHeight * scale };
  return { left: (width - size.width) / 2, top: (height - size.height) / 2, scale, ...size };
}

/** A box on whole pixels of the canvas. @param box left, top, width, height in pixels of the frame */
export function boxRect([x, y, width, height]: readonly [number, number, number, number], fit: Fit): Rect {
  const [left, top] = onCanvas([x, y], fit);
  const [right, bottom] = onCanvas([x + width, y + height], fit);
  return [Math.round(left), Math.round(top), Math.round(right), Math.round(bottom)];
}

/** A point of the frame as a point of the canvas; both in pixels. */
export function onCanvas([x, y]: readonly [number, number], fit: Fit): [x: number, y: number] {
  return [fit.left + x * fit.scale, fit.top + y * fit.scale];
}

/** What a label needs to find its place. */
export interface LabelPlace {
  /** What it is the label of. */
  readonly box: Rect;
  /** Width of the label, in pixels. */
  readonly width: number;
  /** Height of the label, in pixels. */
  readonly height: number;
  /** Other labels, to keep clear of. Default: none. */
  readonly taken?: readonly Rect[];
}

/** A place for a label inside the frame: above its box, else below, else inside, else a label's height away; free of others if possible. */
export function labelRect({ box, width, height, taken = [] }: LabelPlace, fit: Fit): Rect {
  const [first, last] = [Math.ceil(fit.top), Math.floor(fit.top + fit.height)];
  const left = Math.max(Math.ceil(fit.left), Math.min(box[0], Math.floor(fit.left + fit.width) - width));
  const at = (top: number): Rect => [left, top, left + width, top + height];
  const places = [
    box[1] - height,
    box[3],
    box[1],
    box[1] + height,
    box[3] - height,
    box[1] - 2 * height,
    box[3] + height,
    box[3] + 2 * height,
  ]
    .filter((top) => top >= first && top + height <= last)
    .map(at);
  return places.find((place) => taken.every((other) => !overlap(place, other))) ?? places[0] ?? at(first);
}

function overlap(a: Rect, b: Rect): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
