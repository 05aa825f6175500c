/** What is written on the picture that stands in for a camera: the room of sources knows pictures, and no text. */
import { drawNotice, LabelRenderer } from '../detection/index.js';
import type { Caption } from '../source/index.js';

/** Rendered texts that are kept: cameras come in few sizes. */
const MAX_KEPT = 16;

/** Writes into the middle of a picture; the text is rendered once for each height. */
export function slateCaption(): Caption {
  const rendered = new Map<string, Promise<LabelRenderer>>();
  return async (picture, text) => {
    const key = `${picture.heightPx} ${text}`;
    const [oldest] = rendered.keys();
    if (rendered.size >= MAX_KEPT && !rendered.has(key) && oldest !== undefined) rendered.delete(oldest);
    const labels = rendered.get(key) ?? render(picture.heightPx, text);
    rendered.set(key, labels);
    drawNotice(picture, text, await labels, 'middle');
  };
}

async function render(pictureHeightPx: number, text: string): Promise<LabelRenderer> {
  const labels = new LabelRenderer({ labels: [text] });
  await labels.prepare(pictureHeightPx);
  return labels;
}
