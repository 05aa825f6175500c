/** A colour for each label, the same wherever it is told of. */
import { classColours } from '../overlay/palette.js';

const known = new Map<string, string>();

/** A CSS colour that stands out from both grounds. */
export function labelColour(label: string): string {
  let colour = known.get(label);
  if (colour === undefined) {
    // Of a label alone nobody knows its number: neighbours in the alphabet get hues far apart.
    const sum = new TextEncoder().encode(label).reduce((total, byte) => (total * 31 + byte) % 997, 7);
    colour = classColours(sum).background;
    known.set(label, colour);
  }
  return colour;
}
