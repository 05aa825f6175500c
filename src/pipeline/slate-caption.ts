/** What is written on the picture that stands in for a camera: the room of sources knows pictures, and no text. */
import { drawNotice, LabelRenderer } from '../detection/index.js';
import type { Caption } from '../source/index.js';

/** Writes into the middle of a picture, with text that is rendered once for each size. */
export function slateCaption(): Caption {
  const renderers = new Map<string, LabelRenderer>();
  return async (picture, text) => {
    const renderer = renderers.get(text) ?? new LabelRenderer({ labels: [text] });
    renderers.set(text, renderer);
    await renderer.prepare(picture.heightPx);
    drawNotice(picture, text, renderer, 'middle');
  };
}
