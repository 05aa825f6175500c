/** Colours of shapes: neighbours in the list differ. */
import { classColours } from '../overlay/palette.js';
import type { DraftShape } from './draft.js';

/** A CSS colour, by the place of a shape among all. */
export function colourOf(shapes: readonly DraftShape[], key: number): string {
  return classColours(
    Math.max(
      0,
      shapes.findIndex((shape) => shape.key === key),
    ),
  ).background;
}
