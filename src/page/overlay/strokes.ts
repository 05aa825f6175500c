/** Lines on the overlay: boxes, trails, zones. All in pixels of the canvas. */
import type { Rect } from './layout.js';
import type { Point } from './zones.js';

/** Keeps a coloured line apart from a background of its colour. */
const HALO = 'rgb(0 0 0 / 55%)';
const ZONE_LINE = 'rgb(255 255 255 / 70%)';
const ZONE_HALO = 'rgb(0 0 0 / 35%)';
const ZONE_FILL = 'rgb(255 255 255 / 7%)';

/** Pixels of the canvas for CSS pixels: whole ones, so that lines are sharp. */
export type ToPixels = (css: number) => number;

/** Lines lie inside the box and end on whole pixels. @param isDashed for what is only expected there, or was seen long before */
export function strokeBox(
  context: CanvasRenderingContext2D,
  [left, top, right, bottom]: Rect,
  colour: string,
  isDashed: boolean,
  px: ToPixels,
): void {
  const line = px(2);
  const stroke = (width: number, style: string): void => {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.strokeRect(left + line / 2, top + line / 2, Math.max(line, right - left - line), Math.max(line, bottom - top - line));
  };
  context.setLineDash([]);
  stroke(line + 2 * px(1), HALO);
  if (isDashed) context.setLineDash([px(6), px(4)]);
  stroke(line, colour);
  context.setLineDash([]);
}

/** Where an object has been, fading towards the past. @param points oldest first */
export function strokeTrail(context: CanvasRenderingContext2D, points: readonly Point[], colour: string, px: ToPixels): void {
  const alpha = context.globalAlpha;
  context.strokeStyle = colour;
  context.lineWidth = px(2);
  let before: Point | undefined;
  points.forEach((point, index) => {
    if (before) {
      context.globalAlpha = (alpha * index) / points.length;
      context.beginPath();
      context.moveTo(...before);
      context.lineTo(...point);
      context.stroke();
    }
    before = point;
  });
  context.globalAlpha = alpha;
}

/** A zone, lightly filled, or a line. */
export function strokeShape(context: CanvasRenderingContext2D, points: readonly Point[], isArea: boolean, px: ToPixels): void {
  context.beginPath();
  points.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  if (isArea) {
    context.closePath();
    context.fillStyle = ZONE_FILL;
    context.fill();
  }
  context.lineWidth = px(3);
  context.strokeStyle = ZONE_HALO;
  context.stroke();
  context.lineWidth = px(1.5);
  context.strokeStyle = ZONE_LINE;
  context.stroke();
}
